"""Every shell and Python block of the README runs, and its output is what is printed today."""

import re
from pathlib import Path

import pytest
from markdown_blocks import Block, blocks, make_demo_folder, run_python, run_shell

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
SHELL = list(blocks(README, "sh", "bash", "console", "shell"))
MAKE = [block for block in SHELL if block.code.startswith("make ")]


@pytest.fixture(scope="module")
def demo_folder(tmp_path_factory):
    return make_demo_folder(tmp_path_factory.mktemp("reader"))


def test_every_fence_has_a_language_that_a_test_knows():
    text = README.read_text(encoding="utf-8")
    openings = re.findall(r"^```(.*)\n(?:.*\n)*?```$", text, re.MULTILINE)
    assert set(openings) == {"sh", "python", "text"}
    assert len(openings) == len(list(blocks(README, "sh", "python", "text")))


@pytest.mark.parametrize("block", MAKE, ids=lambda block: f"line {block.line}")
def test_make_blocks_name_targets(block):
    # `make test` runs this suite, so running it here would never end.
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for command in block.code.splitlines():
        make, target = command.split()
        assert make == "make"
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"no target {target}"
    assert {command.split()[1] for command in block.code.splitlines()} >= {"demo", "test"}


@pytest.mark.parametrize(
    "block", [b for b in SHELL if b not in MAKE], ids=lambda block: f"line {block.line}"
)
def test_shell_blocks_run(block, demo_folder):
    run_shell(block, demo_folder)


def test_python_blocks_run(demo_folder, monkeypatch):
    monkeypatch.chdir(demo_folder)
    run_python(list(blocks(README, "python")), README)


def test_the_hot_checkpoint_reads_as_the_readme_shows(demo_folder):
    """The values need the whole table; headings, columns and names do not."""
    (shown,) = (block.code for block in blocks(README, "text"))
    (audit,) = re.findall(r"`(driftkit audit [^`]+)` prints", README.read_text("utf-8"))
    printed = run_shell(Block("sh", audit, 0, None), demo_folder, COLUMNS="88", NO_COLOR="1")
    there = {" ".join(line.split()) for line in printed.splitlines()}
    expected = [line for line in map(_without_values, shown.splitlines()) if line]
    assert len(expected) > 10
    for line in expected:
        assert line in there, f"the README shows {line!r}, which is not printed any more"
    for first in ("ws353", "google", "overlap@10, mean", "cka", "mean_cosine, tuned"):
        assert any(line.startswith(first) for line in there)
        assert f"\n{first}" in shown


def _without_values(line):
    """Return a line whose text does not depend on the vectors, or an empty one."""
    plain = " ".join(line.split())
    fixed = (
        "driftkit-demo/",
        "What the",
        "benchmark ",
        "change by moved words ",
        "A change counts",
        "A map may mend",
        "driftkit link",
        "How far",
        "measure ",
        "Moved words that",
        "before after",
        "Words that did not",
        "word row",
    )
    return plain if plain.startswith(fixed) else ""
