"""A click group that imports a command only when it runs, and turns every failure into one line."""

from __future__ import annotations

import errno
import io
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from driftkit.cli.help import WIDEST, write_examples, write_groups

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

OK, BROKEN_RULE, FAILED, INTERRUPTED = 0, 1, 2, 130
"""Exit codes. Only a verdict, or a budget out of reach, gives 1; what else goes wrong gives 2."""

LEFT_OR_FULL = (errno.EPIPE, errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
"""What the system says when standard output takes no more."""

TRACEBACK_VARIABLE = "DRIFTKIT_TRACEBACK"


class LazyGroup(click.Group):
    """Commands listed by name and one line of help, imported only when they are called.

    Each is the attribute ``command`` of a module of `package` that is named after it. Their lines
    of help, `commands_help`, stand under headings.
    """

    def __init__(
        self,
        name: str,
        *,
        commands_help: Mapping[str, Mapping[str, str]],
        package: str,
        examples: Sequence[str],
        **settings: Any,
    ) -> None:
        ways = {
            "help_option_names": ["-h", "--help"],
            "auto_envvar_prefix": name.upper(),
            "max_content_width": WIDEST,
        }
        super().__init__(name, context_settings=ways, **settings)
        self._groups = commands_help
        self._help = {
            name: line for group in commands_help.values() for name, line in group.items()
        }
        self._examples = examples
        self._package = package
        click.version_option(package_name=name)(self)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the commands in the order they are meant to be met."""
        return list(self._help)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one command."""
        if cmd_name not in self._help:
            return None
        command = import_module(f"{self._package}.{cmd_name}").command
        if not isinstance(command, click.Command):
            raise TypeError(f"{self._package}.{cmd_name}.command is not a click command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or name the nearest one."""
        if args and not args[0].startswith("-") and args[0] not in self._help:
            close = get_close_matches(args[0], self._help, n=1)
            guess = f"did you mean {close[0]!r}? " if close else ""
            ctx.fail(f"no command {args[0]!r}: {guess}Commands: {', '.join(self._help)}.")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, with defaults from the settings file if there is one."""
        self._read_settings(ctx)
        try:
            return super().invoke(ctx)
        except Exception:
            if ctx.meta.get("driftkit.verbose"):
                _say_all(traceback.format_exc())
            raise

    def _read_settings(self, ctx: click.Context) -> None:
        from driftkit.cli.options import SETTINGS
        from driftkit.cli.settings import default_map, find_settings, require_known

        found = find_settings(Path.cwd())
        variables = [name for name in os.environ if name.startswith("DRIFTKIT_")]
        if found is None and not variables:
            return  # and no command is imported but the one that runs
        known = ((name, self.get_command(ctx, name)) for name in self._help)
        commands = {name: command for name, command in known if command}
        require_known(variables, commands)
        if found is not None:
            ctx.meta[SETTINGS], settings = found
            ctx.default_map = default_map(settings, ctx.meta[SETTINGS], commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands by what they are for, without importing them."""
        groups = {heading: list(group.items()) for heading, group in self._groups.items()}
        write_groups(formatter, groups)
        write_examples(formatter, self._examples)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer the commands without importing them, and the options."""
        from driftkit.cli.completion import beginning

        return [
            *beginning(incomplete, self._help.items()),
            *click.Command.shell_complete(self, ctx, incomplete),
        ]

    def main(self, *args: Any, standalone_mode: bool = True, **settings: Any) -> Any:
        """Run, and exit with the code the contract gives."""
        settings |= {"prog_name": settings.get("prog_name") or self.name, "standalone_mode": False}
        run: Callable[..., Any] = super().main
        if not standalone_mode:
            return run(*args, **settings)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # a name that ASCII cannot hold is no failure
                stream.reconfigure(errors="backslashreplace")
        try:
            code = run(*args, **settings)
            sys.stdout.flush()
        except SystemExit as left:
            # click itself leaves this way: with 0 where it answered the tab key, with 1 when the
            # reader of our output has left.
            code = FAILED if left.code else OK
        except Exception as error:
            code = _report(error)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            code = INTERRUPTED
        sys.exit(code if isinstance(code, int) else OK)


def _report(error: Exception) -> int:
    """Say in one line on standard error what went wrong, and return the exit code."""
    from driftkit.cli.output import say
    from driftkit.errors import DriftkitError

    if os.environ.get(TRACEBACK_VARIABLE):
        _say_all("".join(traceback.format_exception(error)))
    if isinstance(error, click.Abort):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    if isinstance(error, OSError) and not error.filename and error.errno in LEFT_OR_FULL:
        # The reader has left, which is quiet, or there is no room; nothing is to be tried again.
        if not isinstance(error, BrokenPipeError):
            say(f"Error: cannot write to standard output: {error.strerror}.")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    if isinstance(error, click.ClickException):
        shown = io.StringIO()
        error.show(shown)
        lines, message = shown.getvalue().removesuffix("\n"), f"Error: {error.format_message()}"
        _say_all(lines.removesuffix(message))
        if lines.endswith(message):
            say(_located(error, message))  # one line, whatever is quoted in it
    elif isinstance(error, DriftkitError):
        say(f"Error: {error}")
    elif isinstance(error, MemoryError) or "can't allocate memory" in str(error):  # torch's words
        say(
            "Error: this needs more memory than is free; ask for less at a time (--limit N, "
            "--candidates N), or use a larger machine."
        )
    elif isinstance(error, ImportError) and "failed to map segment" in str(error):  # the loader's
        say(
            f"Error: {str(error).partition(': ')[0]} cannot be loaded: memory is short or limited "
            "(ulimit -v, ulimit -d), or its folder may not hold programs (noexec)."
        )
    elif isinstance(error, OSError) and error.filename:
        say(f"Error: {error.filename}: {error.strerror}.")
    else:
        say(
            f"Error: driftkit failed on something it did not expect ({type(error).__name__}: "
            f"{error}). Set {TRACEBACK_VARIABLE}=1 for the traceback, and please report it."
        )
    return FAILED


def _located(error: click.ClickException, message: str) -> str:
    """Name the settings file or the variable that holds the value that was refused."""
    from driftkit.cli.options import SETTINGS

    if not (isinstance(error, click.BadParameter) and error.ctx and error.param):
        return message
    name = error.param.name or ""
    source = error.ctx.get_parameter_source(name)
    if source is click.core.ParameterSource.DEFAULT_MAP:
        return message.replace(": ", f": {error.ctx.meta[SETTINGS]}: ", 1)
    if source is click.core.ParameterSource.ENVIRONMENT:
        variable = f"{error.ctx.auto_envvar_prefix}_{name}".upper()
        return message.replace(": ", f": {variable}: ", 1)
    return message


def _say_all(text: str) -> None:
    """Print lines on standard error."""
    from driftkit.cli.output import say

    for line in text.removesuffix("\n").split("\n") if text else ():
        say(line)
