from pathlib import Path

import click
import pytest

from driftkit.cli.settings import default_map, find_settings
from driftkit.errors import InputError


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
        ({"k": True}, "k = true must be a number or a string"),
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
    assert "'many' is not a whole number, 1 or more." in result.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("k = 1.5", "1.5 is not a whole number, 1 or more."),
        ("k = inf", "inf is not a whole number, 1 or more."),
        ('k = "1_0"', "'1_0' is not a whole number, 1 or more."),
        ("k = true", "k = true must be a number or a string."),
        ("k = [1]", "k = [1] must be one value."),
        ("profile = 2020-01-01", 'profile = "2020-01-01" must be a number or a string.'),
        ("[check.profile]\na = 1", 'profile = {"a": 1} must be a number or a string.'),
        ("rules = [1]", "rules = [1] must be a list of strings."),
        ("a." * 50_000 + "a = 1", "is not valid TOML (line 1 has a key of more than 200 parts)."),
    ],
)
def test_values_of_other_types_are_refused(run, folder, text, said):
    (folder / "driftkit.toml").write_text(text)
    result = run("check", "--show-rules")
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr) < 400


def test_settings_of_others_are_nobodys_business(run, folder):
    for text in ("tool = 5", "broken = = toml", "a." * 50_000):
        (folder / "pyproject.toml").write_text(text)
        assert run("check", "--show-rules").exit_code == 0
    (folder / "pyproject.toml").write_text("[tool]\ndriftkit = 5\n")
    assert "tool.driftkit must be a table" in run("check", "--show-rules").stderr


def test_a_benchmark_may_have_any_name(run, folder):
    (folder / "driftkit.toml").write_text(f'benchmarks = ["{"b" * 6000}"]\n')
    assert run("check", "--show-rules").exit_code == 0
