"""Results and progress in a real notebook, run by nbclient and turned into pages by nbconvert."""

import re
import warnings

import pytest
from static_html import require_static

HOSTILE = ["<script>alert(1)</script>", '" onclick="x', "</td></table>", "&amp;", "שלום", "😀"]

CELLS = [
    f"""
import numpy as np
import driftkit as dk
words = {HOSTILE!r} + [f"w{{i}}" for i in range(30)]
rng = np.random.default_rng(4)
before = dk.Embeddings(words, rng.normal(size=(36, 6)))
after = before.matrix.copy()
after[:18] = rng.normal(size=(18, 6))
pair, ask = dk.align(before, dk.Embeddings(words, after)), {{"benchmarks": [], "k": 4}}
audit = dk.audit(pair, progress=True, **ask)
""",
    "audit",
    "dk.compare_audits([dk.audit(dk.align(before, before), **ask), audit])",
]


@pytest.fixture(scope="module")
def notebook():
    for name in ("ipykernel", "nbclient", "nbconvert"):
        pytest.importorskip(name, reason=f"{name} is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of jupyter about its paths and event loops
        from nbclient import NotebookClient
        from nbformat.v4 import new_code_cell, new_notebook

        made = new_notebook(cells=list(map(new_code_cell, CELLS)))
        NotebookClient(made, timeout=300, kernel_name="python3").execute()
    return made


def test_a_bar_is_one_output_that_is_drawn_again_and_no_error(notebook):
    (bar,) = notebook.cells[0].outputs
    assert bar.output_type == "display_data"
    lines = bar.data["text/plain"].split("\n")
    for line in lines:
        assert re.fullmatch(r"\w.* █+ 100 %", line)


def test_results_are_shown_as_text_and_as_plain_elements(notebook):
    for cell in notebook.cells[1:]:
        (output,) = cell.outputs
        page = require_static(output.data["text/html"])
        shown = " ".join(page.itertext())
        for line in output.data["text/plain"].splitlines()[:2]:
            assert line in shown
    audited = "".join(require_static(notebook.cells[1].outputs[0].data["text/html"]).itertext())
    for word in HOSTILE:
        assert word in audited


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_made_of_the_notebook_runs_nothing_of_ours(notebook, theme):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import html5lib
        from nbconvert import HTMLExporter

        page, _ = HTMLExporter(theme=theme, sanitize_html=False).from_notebook_node(notebook)
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    outputs = [
        element
        for element in tree.iter("div")
        if "jp-RenderedHTMLCommon" in element.get("class", "")
        and "jp-OutputArea-output" in element.get("class", "")
    ]
    assert len(outputs) == 2
    for output in outputs:
        inside = [element for part in output for element in part.iter()]
        assert {"table", "h4"} <= {element.tag for element in inside}
        assert all(set(element.attrib) <= {"style"} for element in inside)
        assert not {"script", "img", "a", "iframe"} & {element.tag for element in inside}
