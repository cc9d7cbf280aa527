"""What protects the package as a whole: its imports, its public names, and what its wheel holds."""

import ast
import inspect
import re
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from zipfile import ZipFile

import pytest
from import_graph import circles, read_graph
from markdown_blocks import blocks
from numpydoc.docscrape import NumpyDocString

import driftkit
from driftkit.cli import COMMANDS

PACKAGE = Path(driftkit.__file__).parent
ROOT = PACKAGE.parent
DOCS = ROOT / "docs"
HEAVY = {
    "altair", "dask", "distributed", "fsspec", "gensim", "ir_measures", "lightning", "matplotlib",
    "model2vec", "numba", "numpy", "pandas", "polars", "pyarrow", "rich", "scipy",
    "sentence_transformers", "sklearn", "torch", "transformers",
}  # fmt: skip

# --- imports --------------------------------------------------------------------------------------


def test_no_circle_of_imports():
    found = circles(read_graph(PACKAGE))
    assert not found, "modules that import each other:\n" + "\n".join(map(" -> ".join, found))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("from room.b import name", "import room.a"),
        ("from room import b", "def later():\n    from room.a import name"),
        ("from . import b", "if TYPE_CHECKING:\n    from room.a import Name"),
        ("import room.b as other", "from .a import name"),
        ("from room.sub import name", "from ..b import name"),
        ("HOME = 'room.b:name'", "import room.a"),
    ],
)
def test_a_planted_circle_is_found(first, second, tmp_path):
    room = tmp_path / "room"
    (room / "sub").mkdir(parents=True)
    (room / "__init__.py").touch()
    (room / "a.py").write_text(first)
    (room / "b.py").write_text("import room.a" if "sub" in first else second)
    (room / "sub" / "__init__.py").write_text("from room.sub.c import name")
    (room / "sub" / "c.py").write_text(second if "sub" in first else "import os, room.a")
    (circle,) = circles(read_graph(room))
    assert (circle[0], circle[-1]) == ("room.a", "room.a")
    assert "room.b" in circle


def test_imports_that_lead_one_way_are_no_circle(tmp_path):
    room = tmp_path / "room"
    room.mkdir()
    (room / "__init__.py").write_text("from room.a import name")
    (room / "a.py").write_text("from room.b import name\nfrom room.c import other\n'room.b'")
    (room / "b.py").write_text("import room.c, json")
    (room / "c.py").write_text("import os")
    graph = read_graph(room)
    assert graph["room"] == {"room.a"}
    assert graph["room.a"] == {"room.b", "room.c"}
    assert circles(graph) == []


def test_only_what_serves_users_imports_the_public_face():
    """A room that imported ``driftkit`` itself would import every room."""
    importers = {module for module, found in read_graph(PACKAGE).items() if "driftkit" in found}
    others = {name for name in importers if not name.startswith(("driftkit.cli.", "driftkit.pyt"))}
    assert not others


def test_importing_driftkit_and_its_commands_loads_nothing_heavy():
    modules = ["driftkit", "driftkit.plugins", *(f"driftkit.cli.{name}" for name in COMMANDS)]
    code = (
        "import sys\nfrom importlib import import_module\n"
        f"for name in {modules!r}:\n"
        "    import_module(name)\n"
        f"    print(name, *({HEAVY!r} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == modules


# --- public names ---------------------------------------------------------------------------------

ROOMS = (
    "datasets",
    "encoders",
    "evaluators",
    "gate",
    "loaders",
    "measures",
    "neighbors",
    "retrieval",
    "training",
)
NAMES = {
    f"{module}.{name}": getattr(import_module(module), name)
    for module in ("driftkit", *(f"driftkit.{room}" for room in ROOMS))
    for name in import_module(module).__all__
}
CALLABLE = {
    path: value
    for path, value in NAMES.items()
    if isinstance(value, type) or inspect.isfunction(value)
}

MET_WITH = {
    "Audit": "audit",
    "Baseline": "read_baseline",
    "Benchmark": "get",
    "ComparedAudits": "compare_audits",
    "Dataset": "look_up",
    "Encoder": "open_encoder",
    "EncodedItems": "encode",
    "Evaluation": "Similarity",
    "History": "history",
    "Inspection": "inspect",
    "MeasureChange": "compare_retrieval",
    "Link": "link",
    "Lock": "lock",
    "Map": "fit_map",
    "NeighborShifts": "neighbor_shifts",
    "Packaged": "look_up",
    "PairedItems": "PairedAnswers",
    "Restored": "restore",
    "PairedSimilarity": "PairedAnswers",
    "PartChange": "compare_scores",
    "Policy": "make_policy",
    "Qrels": "read_qrels",
    "Request": "register_format",
    "Result": "check",
    "Run": "read_baseline",
    "RetrievalChanges": "compare_retrieval",
    "Score": "score",
    "ScoreChange": "compare_scores",
    "ScoreChanges": "compare_scores",
    "Scores": "score",
    "SearchChange": "compare_retrieval",
    "Shift": "neighbor_shifts",
    "TableInfo": "inspect",
    "Tensor": "register_format",
    "TensorFile": "register_format",
    "TextItems": "encode",
    "TranslatedThreshold": "translate_threshold",
    "Verdict": "check",
    "Verification": "verify",
    "WordSets": "read_word_sets",
}
"""Results that calls return and what they hand over: shown and tested with that call."""


def used_names(*sources):
    """Return every name, attribute and imported name in Python sources."""
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Name):
                yield node.id
            elif isinstance(node, ast.Attribute):
                yield node.attr
            elif isinstance(node, ast.alias):
                yield node.name


@cache
def names_in_tests():
    return set(used_names(*(path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py"))))


@cache
def names_in_pages():
    pages = [path for path in DOCS.rglob("*.md") if "_build" not in path.parts]
    return set(used_names(*(block.code for page in pages for block in blocks(page, "python"))))


@cache
def described_in_reference():
    pages = (path.read_text("utf-8") for path in (DOCS / "reference").glob("*.md"))
    return set(re.findall(r"^\.\. (?:auto\w+|py:\w+):: ([\w.]+)", "\n".join(pages), re.MULTILINE))


def test_all_is_what_is_public():
    assert sorted(driftkit.__all__) == driftkit.__all__
    shown = {name for name in dir(driftkit) if not name.startswith("__")}
    rooms = {"datasets", "encoders", "evaluators", "retrieval", "training"}
    assert shown == {*driftkit.__all__, *rooms}
    assert not hasattr(driftkit, "nothing_of_that_name")
    assert driftkit.__version__ == "0.1.0"


@pytest.mark.parametrize(
    "code",
    [
        "import driftkit as dk; assert dk.evaluators.Similarity('ws353').measure == 'spearman'",
        "import driftkit as dk; assert dk.training.Budget",
        "import driftkit.audits, driftkit as dk; assert dk.audit is driftkit.audits.audit",
        "import driftkit.gate, driftkit as dk; assert dk.check is driftkit.gate.check",
    ],
)
def test_names_are_there_whatever_was_imported_before(code):
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("path", CALLABLE)
def test_every_public_name_says_what_it_takes_and_shows_how(path):
    value, name = CALLABLE[path], path.rpartition(".")[2]
    text = NumpyDocString(inspect.getdoc(value) or "")
    assert text["Summary"], f"{path} has no docstring"
    described = {
        name.strip().lstrip("*")
        for section in ("Parameters", "Other Parameters", "Attributes")
        for entry in text[section]
        for name in entry.name.split(",")
    }
    described |= set(
        re.findall(r"`(\w+)`", " ".join([*text["Summary"], *text["Extended Summary"]]))
    )
    if not getattr(value, "_is_protocol", False):
        taken = inspect.signature(value).parameters.keys() - {"self"}
        assert taken <= described, f"{path} says nothing of {', '.join(taken - described)}"
    name = MET_WITH.get(name, name)
    assert text["Examples"] or name in names_in_pages(), f"{path} has no example"
    assert name in names_in_tests(), f"{path} is in no test"


@pytest.mark.parametrize("path", NAMES)
def test_every_public_name_is_in_the_reference(path):
    pages = described_in_reference()
    same = {other for other in NAMES if NAMES[other] is NAMES[path]}
    assert same & pages, f"{path} is in no page of docs/reference"


def test_the_reference_describes_what_exists():
    for path in sorted(described_in_reference()):
        module, _, rest = path.partition(".")
        value = import_module(module)
        for part in rest.split("."):
            value = getattr(value, part, None) or import_module(f"{value.__name__}.{part}")


def test_names_met_with_a_call_are_public():
    assert MET_WITH.keys() <= {path.rpartition(".")[2] for path in CALLABLE}


# --- the wheel ------------------------------------------------------------------------------------


def test_a_wheel_holds_the_whole_package_and_nothing_else(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = (
        path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )
    expected = {path.relative_to(ROOT).as_posix() for path in files}
    assert {"driftkit/py.typed", "driftkit/report/audit.schema.json"} <= expected
    assert inside == expected
