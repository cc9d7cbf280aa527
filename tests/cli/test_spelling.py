"""How words of benchmarks are found, as `score`, `audit`, `check` and settings files say it."""

import json

import pytest

PAIRS = "new york\tCafé\t3\nrome\tparis\t8\nparis\toslo\t5\n"
NAMES = ["New_York", "cafe\u0301", "Paris", "Rome", "Oslo", "oslo"]
SWITCHES = ("--case", "fold", "--normalize", "NFC", "--phrase-separator", "_")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.tsv").write_text(PAIRS, encoding="utf-8")
    rows = [f"{name} {row}.5 1 {row * row}.25" for row, name in enumerate(NAMES)]
    (tmp_path / "table.txt").write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    return tmp_path


def used(result):
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    return (document.get("benchmarks") or document["results"])[0]["n_used"], document


def test_score_suggests_switches_and_takes_them(run, here):
    before, document = used(run("score", "table.txt", "-b", "mine.tsv", "--json", "-"))
    assert before == 0
    assert any("--case fold would answer 2 more items of mine" in n for n in document["notes"])
    after, document = used(run("score", "table.txt", "-b", "mine.tsv", "--json", "-", *SWITCHES))
    assert after == 3
    assert document["notes"] == [
        "table.txt: mine: 1 word stands in several rows (oslo), of which the first counts"
    ]


def test_audit_and_check_take_them_too(run, here):
    command = ("table.txt", "table.txt", "-b", "mine.tsv", *SWITCHES, "--json", "-")
    assert used(run("audit", *command))[0] == 3
    checked = run("check", *command, "-r", "coverage[mine] >= 1")
    assert checked.exit_code == 0, checked.stdout


def test_a_settings_file_holds_them(run, here):
    keys = 'benchmarks = ["mine.tsv"]\ncase = "fold"\nnormalize = "NFC"\nphrase-separator = "_"\n'
    (here / "driftkit.toml").write_text(keys, encoding="utf-8")
    assert used(run("score", "table.txt", "--json", "-"))[0] == 3


@pytest.mark.parametrize("wrong", [("--case", "upper"), ("--phrase-separator", "__")])
def test_what_they_do_not_take(run, here, wrong):
    result = run("score", "table.txt", "-b", "mine.tsv", *wrong)
    assert result.exit_code == 2
    assert result.stdout == ""
