"""The how-to that protects a branch, followed in an empty repository, command by command."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from markdown_blocks import blocks, make_demo_folder

from driftkit import load
from driftkit.cli import main
from driftkit.demo import RECIPES, read_task, save, save_original, train

PAGE = Path(__file__).parent.parent / "docs" / "how-to" / "protect-a-branch.md"

FAILS = ("driftkit-demo/hot.pt", "direct.pt --baseline", "direct.pt --previous")
"""What tells the commands that the page says exit with 1."""


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    folder = make_demo_folder(tmp_path_factory.mktemp("empty"))
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    return folder


def _demo(seed, output):
    """Leave what `driftkit demo --seed N --output F` leaves, trained on fewer words."""
    original = load("driftkit-demo/original.npy")
    output.mkdir()
    save_original(original, output)
    for recipe in RECIPES:
        model, _ = train(original, read_task(original, seed), recipe, seed)
        save(model, output / f"{recipe.name}.pt")


def test_every_command_does_what_the_page_says(repository, monkeypatch):
    monkeypatch.chdir(repository)
    for name in ("CI", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    said = {}
    for block in blocks(PAGE, "sh"):
        for line in block.code.replace("\\\n", " ").splitlines():
            command = " ".join(line.split())
            _, *arguments = shlex.split(command)
            if arguments[0] == "demo":
                _demo(int(arguments[2]), Path(arguments[4]))
                continue
            result = CliRunner().invoke(main, arguments)
            fails = any(part in command for part in FAILS)
            assert result.exit_code == fails, f"{command}\n{result.output}"
            said[command] = " ".join(result.stdout.split())
    (shown,) = [text for command, text in said.items() if command == "driftkit baseline show"]
    assert shown.startswith("3 runs against driftkit-demo/original.npy")
    (grown,) = [text for command, text in said.items() if "baseline add" in command]
    assert "which holds 4 runs" in grown
    (recipes,) = [text for command, text in said.items() if "--against" in command]
    assert "a sign-flip test of 3 pairs of runs has no p-value below 0.25" in recipes
    fresh = CliRunner().invoke(
        main,
        shlex.split(
            "check driftkit-demo/original.npy seed-3/staged.pt --baseline driftkit-baseline.json"
        ),
    )
    assert fresh.exit_code == 0
    assert re.search(r"driftkit-baseline\.json \(4 runs\)", " ".join(fresh.stdout.split()))
