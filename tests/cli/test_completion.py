"""The tab key, as shells press it: through the variables of click."""

import os
import subprocess
import sys

import pytest
from click.shell_completion import BashComplete

from driftkit.cli import COMMANDS, completion, main
from driftkit.datasets import REGISTRY as BENCHMARKS
from driftkit.gate.policy import PROFILES
from driftkit.measures.registry import REGISTRY as MEASURES

FILE = [("", "file")]


def offered(*typed, begun=""):
    found = BashComplete(main, {}, "driftkit", "_DRIFTKIT_COMPLETE").get_completions(
        list(typed), begun
    )
    return [(each.value, each.type) for each in found]


def names(*typed, begun=""):
    return [value for value, kind in offered(*typed, begun=begun) if kind == "plain"]


def test_commands_and_those_below_them():
    assert names() == list(COMMANDS)
    assert names(begun="re") == ["retrieval", "restore"]
    assert names("datasets") == ["fetch", "list", "path"]
    assert "--version" in names(begun="--")


@pytest.mark.parametrize(
    "typed",
    [
        ("audit",),
        ("audit", "original.npy"),
        ("score", "a.npy", "b.npy"),
        ("inspect",),
        ("link", "original.npy"),
        ("patch", "apply"),
        ("audit", "a", "b", "--vocab"),
        ("audit", "a", "b", "--base"),
        ("check", "a", "b", "--baseline"),
        ("audit", "a", "b", "--json"),
        ("audit", "a", "b", "--plugin"),
    ],
)
def test_files_where_a_source_or_a_file_is_due(typed):
    assert offered(*typed) == FILE


def test_words_are_no_files():
    assert offered("shifts", "original.npy", "tuned.npy") == []


def test_benchmarks_by_name_or_else_files():
    assert names("audit", "a", "b", "-b", begun="ws353") == ["ws353", "ws353-sim", "ws353-rel"]
    assert offered("audit", "a", "b", "-b", begun="./mine") == [("./mine", "file")]
    assert set(names("audit", "a", "b", "-b")) == {*BENCHMARKS, "none"}
    assert set(names("datasets", "fetch")) == set(BENCHMARKS)


def test_profiles_and_measures_and_choices():
    assert names("check", "--profile") == list(PROFILES)
    taken = [name for name, each in MEASURES.items() if each.kind in ("word", "space")]
    assert names("audit", "a", "b", "-m") == taken
    assert names("shifts", "a", "b", "--metric") == ["cosine", "dot", "euclidean", "csls"]


def test_a_line_of_help_stands_beside_a_name():
    found = completion.measures(None, None, "self_")
    assert [each.value for each in found] == ["self_cosine"]
    assert found[0].help == MEASURES["self_cosine"].summary


def test_nothing_that_was_named_runs_at_the_tab_key(tmp_path):
    plugin = tmp_path / "plugin.py"
    plugin.write_text("print('here')")
    env = {
        **os.environ,
        "_DRIFTKIT_COMPLETE": "bash_complete",
        "COMP_WORDS": f"driftkit audit --plugin {plugin} -b ws353-",
        "COMP_CWORD": "5",
        "DRIFTKIT_PLUGINS": str(plugin),
    }
    code = (
        "import sys; from driftkit.cli import main\n"
        "try: main(prog_name='driftkit')\n"
        "finally: print(sorted({'torch', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["plain,ws353-sim", "plain,ws353-rel", "[]"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_a_shell_is_given_to_set_up(shell):
    env = {**os.environ, "_DRIFTKIT_COMPLETE": f"{shell}_source"}
    code = "from driftkit.cli import main; main(prog_name='driftkit')"
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False
    )
    assert "_DRIFTKIT_COMPLETE" in done.stdout
    assert (done.returncode, done.stderr) == (0, "")
