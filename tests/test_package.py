"""The public surface: what is exported, what it costs, and that the rooms keep their order."""

import ast
import subprocess
import sys
from pathlib import Path

import driftkit

PACKAGE = Path(driftkit.__file__).parent
HEAVY = ("numpy", "pandas", "torch", "gensim", "scipy", "rich")
ROOMS = [
    {"errors"},
    {"atomic", "source", "measure"},
    {"measures"},
    {"wanted"},
    {"embeddings"},
    {"loaders", "pair", "compose"},
    {"drift", "datasets"},
    {"neighbors", "evaluators"},
    {"explained"},
    {"audited"},
    {"auditing"},
    {"demo", "report", "training"},
    {"gate"},
    {"pytest_plugin"},
    {"cli"},
]


def test_all_is_what_is_public():
    assert sorted(driftkit.__all__) == driftkit.__all__
    for name in driftkit.__all__:
        assert getattr(driftkit, name).__doc__
    assert set(driftkit.__all__) <= set(dir(driftkit))
    assert driftkit.__version__ == "0.1.0"


def test_a_name_nobody_exports_is_an_attribute_error():
    assert not hasattr(driftkit, "nothing_of_that_name")


def test_evaluators_are_there_without_an_import_of_their_own():
    code = "import driftkit as dk; assert dk.evaluators.Similarity('ws353').measure == 'spearman'"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_audit_function_survives_the_import_of_its_module():
    code = "import driftkit.audits, driftkit as dk; assert dk.audit is driftkit.audits.audit"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_driftkit_and_its_command_line_loads_nothing_heavy():
    code = (
        "import sys, driftkit.cli\n"
        "import driftkit.cli.audit, driftkit.cli.convert, driftkit.cli.demo, driftkit.cli.inspect\n"
        "import driftkit.cli.score, driftkit.cli.shifts\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def _room(module: str) -> str:
    return module.split(".")[1]


def _module_imports(path: Path) -> set[str]:
    """driftkit modules imported when the file is imported, type checking aside."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("driftkit."):
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names if name.name.startswith("driftkit.")}
    return found


def test_data_flows_one_way():
    level = {room: number for number, rooms in enumerate(ROOMS) for room in rooms}
    for path in PACKAGE.rglob("*.py"):
        here = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if here == "__init__":
            continue
        assert here in level, f"{here} is in no row of ROOMS"
        for module in _module_imports(path):
            there = _room(module)
            assert there == here or level[there] < level[here], f"{path} imports {module}"


def test_files_stay_small():
    for path in PACKAGE.rglob("*.py"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= 330, f"{path} has {lines} lines: it holds two things"


def test_every_module_has_a_test_and_a_page():
    root = PACKAGE.parent
    for path in PACKAGE.rglob("*.py"):
        inside = path.relative_to(PACKAGE)
        if path.name in ("__init__.py", "py.typed"):
            continue
        test = root / "tests" / inside.parent / f"test_{inside.name}"
        page = root / "docs" / "reference" / inside.with_suffix(".md")
        assert test.is_file(), f"{inside} has no {test.relative_to(root)}"
        if inside.parts[0] != "cli":
            assert page.is_file(), f"{inside} has no {page.relative_to(root)}"
