"""What options do that several commands share."""

import json
import os

import click
import pytest

from driftkit.cli import COMMANDS, main, output, tables
from driftkit.display import SafeConsole
from driftkit.errors import OptionError, UnknownNameError


def leaves():
    context = click.Context(main)
    commands = [main.get_command(context, name) for name in COMMANDS]
    groups = ([*c.commands.values()] if isinstance(c, click.Group) else [c] for c in commands)
    return [command for group in groups for command in group]


@pytest.mark.parametrize("command", leaves(), ids=lambda command: command.name)
def test_every_command_can_be_quiet_or_verbose_and_takes_plugins(command):
    known = {name for each in command.params for name in each.opts}
    assert {"--quiet", "--verbose", "--plugin"} <= known


def test_words_come_from_arguments_files_and_standard_input(tmp_path, run, saved):
    path = tmp_path / "words.txt"
    path.write_text("good\n\n bad \ngood\n", encoding="utf-8")
    assert tables.gather_words(["film", "good"], str(path)) == ["film", "good", "bad"]
    pair = (saved / "original.npy", saved / "tuned.pt::embedding.weight")
    for args in (["--words-from", path], ["--words-from", "-"], ["-"]):
        result = run("shifts", *pair, *args, "--json", "-", input="good\nbad\n")
        words = [entry["word"] for entry in json.loads(result.stdout)["words"]]
        assert words == ["good", "bad"]


def test_a_words_file_that_is_missing_or_no_text(tmp_path, run, saved):
    pair = (saved / "original.npy", saved / "tuned.pt::embedding.weight")
    missing = run("shifts", *pair, "--words-from", tmp_path / "none.txt")
    assert missing.exit_code == 2
    assert missing.stderr == (
        f"Error: {tmp_path / 'none.txt'} cannot be read (No such file or directory).\n"
    )
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\x00g")
    result = run("shifts", *pair, "--words-from", tmp_path / "bytes.txt")
    assert result.exit_code == 2
    assert "is not UTF-8 text with one word on each line" in result.stderr


def test_benchmarks_named_by_rules_join_those_asked_for(tmp_path):
    (tmp_path / "mine.txt").write_text("good\tbad\t1\nbad\tgood\t2\n")
    for asked, named, expected in (
        (["ws353"], ["simlex999", "ws353"], ["ws353", "simlex999"]),
        (["none"], [], []),
        (["none"], ["ws353"], ["ws353"]),  # a rule that needs it
        ([str(tmp_path / "mine.txt")], ["mine"], ["mine"]),  # a file is named by its stem
    ):
        assert [each.name for each in tables.benchmarks_for(asked, named)] == expected
    assert tables.benchmarks_for([], []) is None  # the default, where names are words
    with pytest.raises(click.UsageError, match="-b none asks for no benchmark; name it alone"):
        tables.benchmarks_for(["none", "ws353"], [])
    with pytest.raises(UnknownNameError, match="did you mean 'simlex999'"):
        tables.benchmarks_for(["ws353"], ["simlex99"])


def test_json_goes_to_a_file_whole_or_not_at_all(tmp_path):
    target = tmp_path / "out.json"
    target.write_text("old")
    with pytest.raises(ValueError, match="not JSON compliant"):
        output.show(lambda: "view", {"x": float("nan")}, str(target))
    assert target.read_text() == "old"
    with pytest.raises(OptionError, match="does not exist"):
        output.show(lambda: "view", {}, str(tmp_path / "no" / "out.json"))


def test_progress_is_silent_unless_on_a_terminal(capsys, monkeypatch):
    with output.Messages().stage("reading") as progress:
        assert progress is None
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with output.Messages().stage("reading") as progress:
        progress(1, 4)
    bar = "█" * 5 + "░" * 15
    assert capsys.readouterr().err == f"\r\x1b[Kreading {bar}  25 %\r\x1b[K"
    with click.Context(click.Command("any")) as context:
        context.meta["driftkit.quiet"] = True
        quiet = output.Messages()
    assert not quiet.live
    quiet.say("nothing")
    assert capsys.readouterr().err == ""


def test_verbose_tells_each_step_and_shows_the_traceback_of_an_error(run, saved):
    result = run("score", saved / "original.npy", "-b", "ws353", "--verbose")
    assert result.exit_code == 0
    said = [line.rpartition(":")[0] for line in result.stderr.splitlines()]
    assert said == [f"reading {saved / 'original.npy'}", f"scoring {saved / 'original.npy'}"]
    missing = run("score", "no-such.npy", "-v")
    assert missing.exit_code == 2
    assert "Traceback" in missing.stderr
    assert "Traceback" not in run("score", "no-such.npy").stderr


def test_colors_follow_the_conventions(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert SafeConsole().is_terminal
    monkeypatch.delenv("FORCE_COLOR")
    monkeypatch.setenv("NO_COLOR", "1")
    assert SafeConsole().no_color


def test_a_plugin_is_loaded_before_anything_else_and_a_broken_one_is_one_sentence(tmp_path, run):
    (tmp_path / "mine.py").write_text("raise LookupError('nothing here')")
    for environment, options in (
        ({}, ["--plugin", tmp_path / "mine.py"]),
        ({"DRIFTKIT_PLUGINS": str(tmp_path / "mine.py")}, []),
    ):
        result = run("datasets", "list", *options, env=environment)
        assert result.exit_code == 2
        assert result.stdout == ""
        assert result.stderr.count("\n") == 1
        assert "it failed when it was imported (LookupError: nothing here)." in result.stderr
    (tmp_path / "mine.py").write_text("print('hello from a plugin')")
    result = run("datasets", "list", "--plugin", tmp_path / "mine.py")
    assert result.exit_code == 0
    assert "hello from a plugin" in result.stderr


def test_words_come_from_pipes_that_the_shell_opens():
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as file:
        file.write(b"good\nbad\n")
    try:
        assert tables.gather_words((), f"/dev/fd/{reading}") == ["good", "bad"]
    finally:
        os.close(reading)


def test_words_without_end_and_devices_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/zero", tmp_path / "pipe"):
        with pytest.raises(OptionError, match="is a (device|pipe)"):
            tables.gather_words((), str(path))
    endless = os.open("/dev/zero", os.O_RDONLY)
    with pytest.raises(OptionError, match="gives more than 64 MB of words"):
        tables.gather_words((), f"/dev/fd/{endless}")
    os.close(endless)


@pytest.mark.parametrize("given", ["1_0", "٣", "0x10", "1e3", "nan", "9" * 30, "9" * 6000, "-1"])
@pytest.mark.parametrize("option", ["-k", "--top", "--seed", "--limit", "--candidates"])
def test_counts_are_whole_numbers_in_plain_digits(run, option, given):
    result = run("audit", "a.npy", "b.npy", option, given)
    assert result.exit_code == 2
    assert "is not a whole number" in result.stderr or "is not in the range" in result.stderr
    assert len(result.stderr) < 300


@pytest.mark.parametrize("name", ["audit", "threshold", "lock", "verify", "retrieval"])
def test_an_encoder_computes_where_there_is_a_gpu(name):
    (device,) = (each for each in main.get_command(None, name).params if each.name == "device")
    assert device.default == "auto"
