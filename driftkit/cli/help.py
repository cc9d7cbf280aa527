"""How ``--help`` reads: what it does, examples to copy, then the options by what they are for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

WIDEST = 160
"""Columns of the widest help, in a terminal that has as many; longer lines are hard to read."""

TERM = 26  # columns of an option's name, beyond which its help begins on the next line

GROUPS = {
    "What is shown and written": (
        "words_from", "texts", "top", "words", "bands", "explain", "json_to", "html_to",
        "with_link", "junit", "markdown", "github",
    ),
    "Benchmarks": ("benchmarks", "offline", "case", "normalize", "phrase_separator"),
    "Measures and neighbors": (
        "k", "measures", "candidates", "candidates_from", "candidates_matching",
        "candidates_moved", "recall", "metric", "resamples",
    ),
    "How tables are read": (
        "vocab", "original_vocab", "dimensions", "original_dimensions", "base", "limit", "compose",
        "unsafe_pickle",
    ),
    "Encoders, and how they are used": (
        "items", "encode", "pooling", "prompt", "query_prompt", "batch_size", "no_cache",
    ),
    "Machine": ("device", "memory", "workers", "scheduler", "shard"),
    "Every command": ("plugins", "quiet", "verbose", "_click_default_help", "help"),
}  # fmt: skip
"""Headings of options that several commands share, by name; those of one command come first."""

_HEADING = {name: heading for heading, names in GROUPS.items() for name in names}


class Command(click.Command):
    """A command with examples, whose options stand in groups.

    Parameters
    ----------
    examples : sequence of str
        Command lines without ``driftkit``, as they can be typed.
    """

    def __init__(self, *args: Any, examples: Sequence[str] = (), **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.examples = tuple(examples)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the command does, then its examples."""
        super().format_help_text(ctx, formatter)
        write_examples(formatter, self.examples)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, those of this command first."""
        rows: dict[str, list[tuple[str, str]]] = {"Options": [], **{name: [] for name in GROUPS}}
        for param in self.get_params(ctx):
            row = param.get_help_record(ctx)
            if row is not None and isinstance(param, click.Option):
                rows[_HEADING.get(param.name or "", "Options")].append(row)
        write_groups(formatter, rows)


class Variadic(Command):
    """A command with options that take all values up to the next option: ``--runs A B C``.

    Parameters
    ----------
    spread : sequence of str
        These options, which click knows as ones that may be repeated.
    """

    def __init__(self, *args: Any, spread: Sequence[str] = (), **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.spread = tuple(spread)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat the option before each of its values, and go on as ever."""
        parsed: list[str] = []
        option = ""
        for at, arg in enumerate(args):
            if arg == "--":
                parsed += args[at:]
                break
            if arg in self.spread:
                option = arg
                if at + 1 == len(args) or args[at + 1].startswith("-"):
                    parsed.append(arg)  # without a value, which click tells
            elif arg.startswith("-") and arg != "-":
                option = ""
                parsed.append(arg)
            else:
                parsed += [option, arg] if option else [arg]
        return super().parse_args(ctx, parsed)


class Group(click.Group):
    """A command that has commands of its own."""

    command_class = Command


def write_groups(
    formatter: click.HelpFormatter, groups: Mapping[str, Sequence[tuple[str, str]]]
) -> None:
    """Write names and what they mean under headings, all meanings in one column."""
    names = [name for rows in groups.values() for name, _ in rows]
    width = max((len(name) for name in names if len(name) <= TERM), default=0)
    for heading, rows in groups.items():
        if rows:
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(width), told) for name, told in rows], width)


def write_examples(formatter: click.HelpFormatter, examples: Sequence[str]) -> None:
    """Write command lines to copy, each on one line however narrow the terminal is."""
    if examples:
        with formatter.section("Examples"):
            for line in examples:
                formatter.write(f"{'':{formatter.current_indent}}driftkit {line}\n")
