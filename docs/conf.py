"""Sphinx settings. Warnings are errors, so every link and every docstring has to hold."""

from pathlib import Path

import driftkit
from driftkit.measures.registry import REGISTRY

project = "driftkit"
author = "The driftkit founders"
copyright = "2026, the driftkit founders"  # noqa: A001 - Sphinx's name
release = version = driftkit.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "sphinx_click",
]
exclude_patterns = ["_build"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
autosummary_generate = False  # numpydoc brings autosummary along; pages are written by hand
numpydoc_xref_param_type = False
default_role = "code"

html_theme = "pydata_sphinx_theme"
html_title = "driftkit"
html_theme_options = {"show_prev_next": False, "secondary_sidebar_items": ["page-toc"]}


def _write_measures(app):
    """Generate the page of measures from what each measure declares of itself."""
    lines = [
        "# Measures",
        "",
        "The same name is Python repr, CLI argument, JSON key and heading.",
        "",
    ]
    for measure in REGISTRY.values():
        better = "higher means more was kept" if measure.higher_is_better else "lower means closer"
        lines += [
            f"## `{measure}`",
            "",
            measure.summary,
            "",
            f"- describes: a {measure.kind}" if measure.kind in ("word", "space") else
            f"- describes: a benchmark ({measure.kind})",
            f"- range: {measure.low:g} to {measure.high:g}; {better}",
            f"- source: {measure.source}",
            "",
        ]  # fmt: skip
    folder = Path(app.srcdir) / "reference" / "generated"
    folder.mkdir(exist_ok=True)
    page = folder / "measures.md"
    text = "\n".join(lines)
    if not page.exists() or page.read_text() != text:
        page.write_text(text)


def setup(app):
    """Register the generated page."""
    app.connect("builder-inited", _write_measures)
