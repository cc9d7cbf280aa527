import os
import re
import shlex
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from driftkit.cli import COMMANDS, main
from driftkit.cli.help import GROUPS
from driftkit.errors import OptionError, SourceError

SOON = {
    "help",
    "html_to",
    "with_link",
}  # another name of --help in other versions of click; not there yet


def run(*args, **settings):
    return CliRunner().invoke(main, [str(arg) for arg in args], **settings)


def failing(monkeypatch, error):
    """Make `inspect` raise this, to see what the group makes of it."""

    def fail(*_, **__):
        raise error

    # First the lazy name: resolved after the other, it would remember `fail` for good.
    monkeypatch.setattr("driftkit.inspect", fail)
    monkeypatch.setattr("driftkit.loaders.inspect", fail)
    return run("inspect", "x")


def test_help_lists_every_command_in_order():
    result = run("--help")
    assert result.exit_code == 0
    lines = [line.split()[0] for line in result.output.splitlines() if line.startswith("  ")]
    assert [name for name in lines if name in COMMANDS] == list(COMMANDS)


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help(name):
    result = run(name, "-h")
    assert result.exit_code == 0
    assert f"Usage: driftkit {name}" in result.output


def every_command(command=main, parent=None, name="driftkit"):
    """Each command that can be run, with its context."""
    ctx = click.Context(command, parent, name, **command.context_settings)
    if isinstance(command, click.Group):
        for each in command.list_commands(ctx):
            yield from every_command(command.get_command(ctx, each), ctx, each)
    else:
        yield ctx


def test_every_command_has_examples_that_it_takes():
    for ctx in every_command():
        path = ctx.command_path.split()[1:]
        assert ctx.command.examples, path
        for line in ctx.command.examples:
            assert len(f"  driftkit {line}") <= 80
            words = shlex.split(line)
            assert words[: len(path)] == path
            ctx.command.make_context(ctx.info_name, words[len(path) :], ctx.parent)


def test_options_that_commands_share_stand_in_groups():
    shown = run("audit", "--help").output
    headings = re.findall(r"^(\w.*):$", shown, re.M)
    assert headings == ["Examples", "Options", *GROUPS]
    known = {param.name for ctx in every_command() for param in ctx.command.get_params(ctx)}
    assert {name for names in GROUPS.values() for name in names} - known <= SOON


@pytest.mark.parametrize("columns", [80, 140])
def test_help_is_as_wide_as_the_terminal(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    widths = [max(map(len, ctx.get_help().splitlines())) for ctx in every_command()]
    assert columns - 10 < max(widths) <= columns


def test_version():
    assert run("--version").output == "driftkit, version 0.1.0\n"


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "driftkit", "datasets", "--help"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: driftkit datasets")


def test_a_wrong_command_names_the_nearest():
    result = run("audt")
    assert result.exit_code == 2
    assert "no command 'audt': did you mean 'audit'?" in result.stderr


def test_usage_errors_exit_with_2():
    assert run("audit").exit_code == 2
    assert run("shifts", "a", "b", "w", "-k", "0").exit_code == 2
    assert run("audit", "--no-such-option").exit_code == 2


def test_an_error_of_ours_is_one_sentence(monkeypatch):
    result = failing(monkeypatch, OptionError("k=0 was given; it must be 1 or more."))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == "Error: k=0 was given; it must be 1 or more.\n"


def test_an_error_nobody_expected_is_one_line_that_tells_how_to_see_more(monkeypatch):
    result = failing(monkeypatch, ZeroDivisionError("division by zero"))
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr
    assert "(ZeroDivisionError: division by zero). Set DRIFTKIT_TRACEBACK=1" in result.stderr
    monkeypatch.setenv("DRIFTKIT_TRACEBACK", "1")
    assert "Traceback" in failing(monkeypatch, ZeroDivisionError("division by zero")).stderr


def test_running_out_of_memory_or_of_disk_is_told(monkeypatch):
    assert "needs more memory than is free" in failing(monkeypatch, MemoryError()).stderr
    full = failing(monkeypatch, OSError(28, "No space left on device", "out.json"))
    assert full.stderr == "Error: out.json: No space left on device.\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_exits_with_130(monkeypatch, error):
    result = failing(monkeypatch, error)
    assert result.exit_code == 130
    assert result.stderr.endswith("Interrupted.\n")


def test_called_from_python_it_raises_instead_of_exiting():
    with pytest.raises(SourceError):
        main(["inspect", "no-such-file"], standalone_mode=False)


def test_a_reader_that_leaves_is_no_traceback(saved):
    read, write = os.pipe()
    os.close(read)
    code = "from driftkit.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "inspect", saved / "same.pt"],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert done.returncode == 2
    assert done.stderr == ""


def test_every_option_is_described():
    def options(command):
        for each in getattr(command, "commands", {}).values():
            yield from options(each)
        yield from (each for each in command.params if isinstance(each, click.Option))

    assert [option.name for option in options(main) if not option.help] == []
