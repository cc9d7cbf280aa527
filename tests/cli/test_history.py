"""``driftkit history``: what stands out at a glance, and one sentence for what cannot be read."""

import json
import shlex

import pytest
from small_weeks import RULES, SIZES, audit_of, write

from driftkit.gate import baseline_of, write_baseline

RULE_OPTIONS = [part for rule in RULES for part in ("--rule", rule)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("weeks") / "audits"
    made.mkdir()
    for at, size in enumerate(SIZES, 1):
        write(audit_of(at, size), made / f"{at:02d}.json")
    return made


@pytest.fixture
def history(run, folder, monkeypatch):
    """Run ``driftkit history audits ...`` beside the folder, in so many columns."""
    monkeypatch.chdir(folder.parent)
    for name in ("FORCE_COLOR", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)

    def invoke(*more, columns=80, **settings):
        monkeypatch.setenv("COLUMNS", str(columns))
        return run("history", *more, **settings)

    return invoke


@pytest.mark.parametrize("columns", [80, 140])
def test_the_screen_is_as_wide_as_the_terminal(history, columns):
    result = history("audits", *RULE_OPTIONS, columns=columns)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = [line.rstrip() for line in result.stdout.splitlines()]
    assert max(map(len, lines)) <= columns
    assert lines[0].startswith("All 4 checks hold.")
    assert any("x" in line and line.startswith("= self_cosine mean") for line in lines)


def test_json_is_all_that_is_printed_and_a_file_is_the_same(history, tmp_path):
    printed = history("audits", *RULE_OPTIONS, "--json", "-").stdout
    document = json.loads(printed)
    assert document["schema"] == "driftkit.history/1"
    assert [run["name"] for run in document["runs"]] == [f"week-{at}.pt" for at in range(1, 11)]
    path = tmp_path / "history.json"
    assert history("audits", *RULE_OPTIONS, "--json", path).exit_code == 0
    assert json.loads(path.read_text("utf-8")) == document


def test_options_reach_the_judgment(history, folder, tmp_path):
    few = history("audits", *RULE_OPTIONS, "--keep", "2", "--json", "-").stdout
    assert all(
        point["band"]["low"] is None
        for each in json.loads(few)["trajectories"]
        for point in each["points"]
    )
    path = tmp_path / "accepted.json"
    write_baseline(baseline_of([audit_of(at) for at in (1, 2, 3)]), path)
    against = json.loads(history("audits", *RULE_OPTIONS, "--baseline", path, "--json", "-").stdout)
    assert against["baseline"] == f"{path} (3 runs)"
    profile = json.loads(history("audits", "--profile", "lenient", "--json", "-").stdout)
    assert profile["profile"] == "lenient"
    files = [f"audits/{at:02d}.json" for at in (3, 1, 2)]
    given = json.loads(history(*files, *RULE_OPTIONS, "--order", "given", "--json", "-").stdout)
    assert [run["file"] for run in given["runs"]] == files


WRONG = {
    "nothing": "Error: nothing: there is no such file or folder",
    "empty": "Error: empty: holds no audit; put there what",
    "damaged.json": "Error: damaged.json: is not JSON from line 1, column 12 on.",
    "other.json": "Error: other.json: is no audit: it has the schema 'other/1'",
    "audits --order given": "Error: audits is a folder, whose files have no order; name the files.",
    "audits -r 'moved'": "Error: rule 'moved': write SUBJECT",
    "audits --baseline nothing.json": "Error: baseline nothing.json does not exist",
    "audits --keep 0": "Error: Invalid value for '--keep'",
    "": "Error: Missing argument 'AUDITS...'",
}


@pytest.mark.parametrize("command", WRONG)
def test_what_cannot_be_shown_is_told_in_one_sentence(command, history, folder):
    (folder.parent / "empty").mkdir(exist_ok=True)
    (folder.parent / "damaged.json").write_text('{"schema": ')
    (folder.parent / "other.json").write_text('{"schema": "other/1"}')
    result = history(*shlex.split(command))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1].startswith(WRONG[command])


def test_a_check_writes_its_audits_for_it(run, in_tables):
    """The gate's own run is enough to keep the history."""
    for name in ("gentle", "hot"):
        run("check", "original.npy", f"{name}.npy", "--audit", f"{name}.json")
    rule = "word[the] overlap >= 0.5"
    run("check", "original.npy", "gentle.npy", "hot.npy", "-r", rule, "--audit", "both.json")
    words = run("history", "both.json", "-r", rule, "--json", "-")
    assert [each["state"] for each in json.loads(words.stdout)["runs"]] == ["pass", "fail"]
    apart = run("history", "gentle.json", "hot.json", "--json", "-")
    together = run("history", "both.json", "--json", "-")
    assert (apart.exit_code, together.exit_code) == (0, 0), apart.stderr
    states = [
        [(each["name"], each["state"]) for each in json.loads(result.stdout)["runs"]]
        for result in (apart, together)
    ]
    assert states[0] == states[1]
    assert states[0][1] == ("hot.npy", "fail")
