import json

import click
import pytest

from driftkit.cli import options
from driftkit.errors import OptionError


def test_words_come_from_arguments_files_and_standard_input(tmp_path, run, saved):
    path = tmp_path / "words.txt"
    path.write_text("good\n\n bad \ngood\n", encoding="utf-8")
    assert options.gather_words(["film", "good"], str(path)) == ["film", "good", "bad"]
    tables = (saved / "original.npy", saved / "tuned.pt::embedding.weight")
    for args in (["--words-from", path], ["--words-from", "-"], ["-"]):
        result = run("shifts", *tables, *args, "--json", "-", input="good\nbad\n")
        words = [entry["word"] for entry in json.loads(result.stdout)["words"]]
        assert words == ["good", "bad"]


def test_a_words_file_that_is_missing_or_no_text(tmp_path, run, saved):
    tables = (saved / "original.npy", saved / "tuned.pt::embedding.weight")
    missing = run("shifts", *tables, "--words-from", tmp_path / "none.txt")
    assert missing.exit_code == 2
    assert missing.stderr == f"Error: {tmp_path / 'none.txt'}: No such file or directory.\n"
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\x00g")
    result = run("shifts", *tables, "--words-from", tmp_path / "bytes.txt")
    assert result.exit_code == 2
    assert "is not UTF-8 text, one word a line" in result.stderr


def test_json_goes_to_a_file_whole_or_not_at_all(tmp_path):
    target = tmp_path / "out.json"
    target.write_text("old")
    with pytest.raises(ValueError, match="not JSON compliant"):
        options.give(lambda: "view", {"x": float("nan")}, str(target))
    assert target.read_text() == "old"
    with pytest.raises(OptionError, match="does not exist"):
        options.give(lambda: "view", {}, str(tmp_path / "no" / "out.json"))


def test_progress_is_silent_unless_on_a_terminal(capsys, monkeypatch):
    with options.Progress(quiet=False).stage("reading") as progress:
        assert progress is None
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    show = options.Progress(quiet=False)
    with show.stage("reading") as progress:
        progress(1, 4)
    assert capsys.readouterr().err == "\r\x1b[Kreading  25%\r\x1b[K"
    assert not options.Progress(quiet=True).live
    options.Progress(quiet=True).say("nothing")
    assert capsys.readouterr().err == ""


def test_colors_follow_the_conventions(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert options.console().is_terminal
    monkeypatch.delenv("FORCE_COLOR")
    monkeypatch.setenv("NO_COLOR", "1")
    assert options.console().no_color


def test_a_dash_alone_is_standard_input():
    with pytest.raises((click.ClickException, OSError)):
        options.gather_words([], "/no/such/file")
