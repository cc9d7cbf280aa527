import os
import re
from datetime import date
from pathlib import Path

import click
import pytest

from driftkit.cli.settings import default_map, find_settings, require_beside
from driftkit.errors import InputError, OptionError


@click.command()
@click.option("--rule", "rules", multiple=True)
@click.option("-b", "--benchmark", "benchmarks", multiple=True)
@click.option("--not-measured")
@click.option("--baseline", type=click.Path())
@click.option("--json", "json_to", type=click.Path())
@click.option("-k", type=int)
@click.option("--quiet", is_flag=True)
def check(**_):
    pass


@click.group()
def baseline():
    pass


@baseline.command()
@click.option("--baseline", type=click.Path())
@click.option("--force", is_flag=True)
def update(**_):
    pass


COMMANDS = {"check": check, "baseline": baseline}
FILE = Path("folder") / "driftkit.toml"


def test_keys_reach_every_command_that_has_the_option():
    made = default_map(
        {"baseline": {}, "k": 5, "not-measured": "warn", "rules": ["moved <= 3"], "quiet": True},
        FILE,
        COMMANDS,
    )
    assert made["check"] == {
        "k": 5, "not_measured": "warn", "rules": ["moved <= 3"], "quiet": True,
    }  # fmt: skip
    assert made["baseline"] == {"update": {}}


def test_a_table_named_after_a_command_comes_first():
    made = default_map({"k": 5, "check": {"k": 7, "json": "-"}}, FILE, COMMANDS)
    assert made["check"] == {"k": 7, "json_to": "-"}
    assert default_map({"baseline": {"force": True}}, FILE, COMMANDS)["baseline"] == {
        "update": {"force": True}
    }


def test_paths_begin_at_the_file(tmp_path):
    (tmp_path / "mine.txt").write_text("a b 1")
    made = default_map(
        {"check": {"baseline": "b.json", "benchmarks": ["ws353", "mine.txt"]}},
        tmp_path / "driftkit.toml",
        COMMANDS,
    )
    assert made["check"] == {
        "baseline": str(tmp_path / "b.json"),
        "benchmarks": ["ws353", str(tmp_path / "mine.txt")],
    }


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rule": ["x"]}, "did you mean 'rules'?"),
        ({"not-mesured": "fail"}, "did you mean 'not-measured'?"),
        ({"chek": {"k": 1}}, "did you mean 'check'?"),
        ({"check": {"forced": True}}, "unknown key of [check] in"),
        ({"rules": "moved <= 3"}, 'rules = "moved <= 3" must be a list'),
        ({"k": [1]}, "k = [1] must be one value"),
        ({"quiet": "yes"}, 'quiet = "yes" must be true or false'),
        ({"k": True}, "k = true must be a whole number"),
        ({"k": 10.5}, "k = 10.5 must be a whole number"),
        ({"k": float("nan")}, "k = NaN must be a whole number"),
        ({"k": float("inf")}, "k = Infinity must be a whole number"),
        ({"k": 1 << 80}, "k = 1208925819614629174706176 must be a whole number"),
        ({"k": 1 << 30_000}, "k = a huge number must be a whole number"),
        ({"k": date(2026, 1, 2)}, 'k = "2026-01-02" must be a whole number'),
        ({"k": {"a": 1}}, 'k = {"a": 1} must be a whole number'),
        ({"rules": {"a": 1}}, 'rules = {"a": 1} must be a list'),
        ({"rules": ["moved <= 3", 5.0]}, "must be a list, each a string"),
        ({"rules": [["moved <= 3"]]}, "must be a list, each a string"),
        ({"baseline": 5}, "baseline = 5 must be a path, as a string"),
        ({"check": 5}, "[check] must be a table, not 5"),
        ({"check": [{"k": 5}]}, '[check] must be a table, not [{"k": 5}]'),
        ({"check": {"json": 5}}, "json = 5 must be a path, as a string"),
        ({"not-measured": "warn", "not_measured": "fail"}, "are the same option; keep one of them"),
        ({"check": {"not-measured": "warn", "not_measured": "fail"}}, "are the same option"),
    ],
)
def test_what_is_not_known_names_the_nearest(settings, message):
    with pytest.raises(InputError) as caught:
        default_map(settings, FILE, COMMANDS)
    assert message in str(caught.value)


def test_the_nearest_folder_with_settings_wins(tmp_path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.driftkit]\nk = 3\n")
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.other]\nk = 4\n")
    assert find_settings(inner) == (tmp_path / "pyproject.toml", {"k": 3})
    (inner / "driftkit.toml").write_text("k = 5\n")
    assert find_settings(inner) == (inner / "driftkit.toml", {"k": 5})


def test_two_places_at_once_and_broken_files_are_errors(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.driftkit]\nk = 3\n")
    (tmp_path / "driftkit.toml").write_text("k = 5\n")
    with pytest.raises(InputError, match="keep one of them"):
        find_settings(tmp_path)
    (tmp_path / "driftkit.toml").write_text("k = \n")
    with pytest.raises(InputError, match="is not valid TOML"):
        find_settings(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"k = \n", "is not valid TOML (Invalid value (at line 1, column 5))."),
        (b"k = 5\nk = 6\n", "is not valid TOML (Cannot overwrite a value (at line 2, column 6))."),
        (
            b"k = " + b"7" * 6_000,
            "is not valid TOML (a whole number of thousands of digits is too large).",
        ),
        (b"\xff\xfek\x00", "is not UTF-8 text, from byte 0 on."),
        (b"k = '\xe9'", "is not UTF-8 text, from byte 5 on."),
        (b"k = " + b"[" * 50_000, "is not valid TOML (it is nested more than 100 levels deep)."),
        (b"k = " + b"{k=" * 50_000, "is not valid TOML (it is nested more than 100 levels deep)."),
        (
            b"k" + b".k" * 50_000 + b" = 1",
            "is not valid TOML (line 1 has a key of more than 200 parts).",
        ),
        (
            b"['k" + b"' . 'k" * 50_000 + b"']",
            "is not valid TOML (line 1 has a key of more than 200 parts).",
        ),
        (b"# long\n" * 200_000, "has more than 1 MB; settings take a few lines."),
    ],
)
@pytest.mark.parametrize("name", ["driftkit.toml", "pyproject.toml"])
def test_a_file_that_cannot_be_read_is_named(content, message, name, tmp_path):
    (tmp_path / name).write_bytes(content)
    if name == "pyproject.toml":
        assert find_settings(tmp_path) is None  # it does not name driftkit: nothing of ours
        content = b"# driftkit\n" + content if content[0] < 0x80 else content + b"\n# driftkit"
        (tmp_path / name).write_bytes(content)
        message = message.partition(" (" if "TOML" in message else ", from")[0]
    with pytest.raises(OptionError) as caught:
        find_settings(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / name}: {message}")


def test_a_long_word_is_no_long_key(tmp_path):
    (tmp_path / "driftkit.toml").write_text(f"words = ['{'a' * 900_000}', '{'...' * 900}']\n")
    assert list(find_settings(tmp_path)[1]) == ["words"]


@pytest.mark.parametrize(
    ("text", "name"), [("tool = 5", "[tool]"), ("[tool]\ndriftkit = 1", "[tool.driftkit]")]
)
def test_what_should_be_a_table_and_is_not(text, name, tmp_path):
    (tmp_path / "pyproject.toml").write_text(f"# driftkit\n{text}\n")
    with pytest.raises(OptionError, match=rf"{re.escape(name)} must be a table, not \d\."):
        find_settings(tmp_path)


def test_a_byte_order_mark_is_no_part_of_a_key(tmp_path):
    (tmp_path / "driftkit.toml").write_bytes(b"\xef\xbb\xbfk = 3\r\n")
    assert find_settings(tmp_path)[1] == {"k": 3}


@pytest.mark.parametrize("output", ["out.json", "build/out.json", "-", "a/../out.json"])
def test_outputs_beside_a_settings_file(output, tmp_path):
    require_beside(output if output == "-" else str(tmp_path / output), tmp_path / "driftkit.toml")


@pytest.mark.parametrize("output", ["../out.json", "/dev/null", ".git/config", "a/.b/c", "link/x"])
def test_outputs_elsewhere_are_for_the_command_line(output, tmp_path):
    folder = tmp_path / "cloned"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(OptionError, match="names only outputs in its own folder, none of them hid"):
        require_beside(str(folder / output), folder / "driftkit.toml")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_command_line_then_environment_then_file_then_default(run, folder, monkeypatch):
    def profile(*args):
        return run("check", "--show-rules", *args).stdout.splitlines()[0]

    assert profile() == "# profile: default"
    (folder / "pyproject.toml").write_text('[tool.driftkit.check]\nprofile = "lenient"\n')
    assert profile() == "# profile: lenient"
    monkeypatch.setenv("DRIFTKIT_CHECK_PROFILE", "strict")
    assert profile() == "# profile: strict"
    assert profile("--profile", "default") == "# profile: default"


def test_a_wrong_key_stops_every_command(run, folder):
    (folder / "driftkit.toml").write_text('profle = "strict"\n')
    result = run("check", "--show-rules")
    assert result.exit_code == 2
    assert "did you mean 'profile'?" in result.stderr


def test_click_still_checks_the_value(run, folder):
    (folder / "driftkit.toml").write_text('k = "many"\n')
    result = run("check", "--show-rules")
    assert result.exit_code == 2
    assert f"Error: {folder / 'driftkit.toml'}: Invalid value for '-k'" in result.stderr
    assert "'many' is not a whole number, 1 or more." in result.stderr


@pytest.mark.parametrize(
    ("key", "arguments"),
    [
        ("json", "check a.npy b.npy"),
        ("junit", "check a.npy b.npy"),
        ("markdown", "check a.npy b.npy"),
        ("json", "datasets list"),
        ("output", "shifts a.npy b.npy good"),
        ("output", "demo"),
        ("baseline", "baseline write a.npy b.npy"),
        ("baseline", "baseline update a.npy b.npy"),
    ],
)
def test_a_settings_file_writes_nothing_outside_its_folder(key, arguments, run, folder):
    inside = folder / "cloned"
    inside.mkdir()
    (inside / "driftkit.toml").write_text(f"{key} = '../.bashrc'\n")
    os.chdir(inside)
    result = run(*arguments.split())
    assert result.exit_code == 2
    error = result.stderr.splitlines()[-1]
    assert error.startswith(f"Error: {inside / 'driftkit.toml'}: Invalid value for ")
    assert f"{folder.resolve() / '.bashrc'} is not one; name it on the command line." in error
    assert [path.name for path in folder.iterdir()] == ["cloned"]


def test_the_command_line_writes_anywhere(run, folder):
    (folder / "cloned").mkdir()
    (folder / "cloned" / "driftkit.toml").write_text("json = '../elsewhere.json'\n")
    os.chdir(folder / "cloned")
    assert run("datasets", "list", "--json", "../here.json").exit_code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["cloned", "here.json"]


def test_a_baseline_may_be_read_from_anywhere(run, folder):
    (folder / "driftkit.toml").write_text("baseline = '../shared/accepted.json'\n")
    for command in (["check", "a.npy", "b.npy"], ["baseline", "show"]):
        assert "accepted.json does not exist" in run(*command).stderr


def test_environment_variables_are_known_too(run, folder, monkeypatch):
    monkeypatch.setenv("DRIFTKIT_HOME", "/nowhere")  # anybody's own
    monkeypatch.setenv("DRIFTKIT_CHECK_PROFLE", "strict")
    result = run("check", "--show-rules")
    assert result.exit_code == 2
    assert (
        "variable 'DRIFTKIT_CHECK_PROFLE': did you mean 'DRIFTKIT_CHECK_PROFILE'" in result.stderr
    )


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("AUDIT_K", "many", "'many' is not a whole number, 1 or more."),
        ("AUDIT_K", "1e3", "'1e3' is not a whole number, 1 or more."),
        ("AUDIT_NULL", "perhaps", "'perhaps' is not a valid boolean."),
        ("AUDIT_FAIL_ON", "lots", "'lots' is not one of"),
    ],
)
def test_a_value_from_the_environment_is_checked_and_named(
    variable, value, message, run, folder, monkeypatch
):
    monkeypatch.setenv(f"DRIFTKIT_{variable}", value)
    result = run("audit", "a.npy", "b.npy")
    assert result.exit_code == 2
    assert f"Error: DRIFTKIT_{variable}: Invalid value for" in result.stderr
    assert message in result.stderr


def test_a_benchmark_may_have_any_name(run, folder):
    (folder / "driftkit.toml").write_text(f'benchmarks = ["{"b" * 6000}"]\n')
    assert run("check", "--show-rules").exit_code == 0
