"""``driftkit baseline``: what `check` compares with."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from driftkit.cli import judging, options

if TYPE_CHECKING:
    from driftkit.gate import Baseline

F = TypeVar("F", bound=Callable[..., Any])


@click.group("baseline")
def command() -> None:
    """Keep the figures of an accepted table, so that `driftkit check` can compare with them."""


def _baseline_option(function: F) -> F:
    return click.option(
        "-o",
        "--baseline",
        type=click.Path(dir_okay=False),
        default=judging.DEFAULT_BASELINE,
        show_default=True,
        metavar="FILE",
        help="The baseline.",
    )(function)


@command.command("write", epilog=options.SOURCE_HELP)
@click.argument("original")
@click.argument("tuned")
@_baseline_option
@judging.rules_option
@judging.audit_options
@options.quiet_option
def write(
    original: str,
    tuned: str,
    *,
    baseline: str,
    rules: tuple[str, ...],
    quiet: bool,
    **audit_settings: Any,
) -> None:
    """Measure an accepted TUNED table against its ORIGINAL and write the figures.

    Rules decide which benchmarks and protected words are measured; none is applied.
    """
    from driftkit.errors import BaselineError
    from driftkit.gate import write_baseline

    if Path(baseline).exists():
        raise BaselineError(
            baseline,
            "it exists already; replace it with `driftkit baseline update`, or name another file "
            "(-o FILE).",
        )
    write_baseline(_measure(original, tuned, rules, quiet, audit_settings), baseline)
    click.echo(
        f"Wrote {baseline}. Commit it, and check with:\n"
        f"  driftkit check {original} TUNED --baseline {baseline}"
    )


@command.command("update", epilog=options.SOURCE_HELP)
@click.argument("original")
@click.argument("tuned")
@_baseline_option
@click.option("--force", is_flag=True, help="Update even where CI is set.")
@judging.rules_option
@judging.audit_options
@options.quiet_option
def update(
    original: str,
    tuned: str,
    *,
    baseline: str,
    force: bool,
    rules: tuple[str, ...],
    quiet: bool,
    **audit_settings: Any,
) -> None:
    """Replace a baseline, and say which figures changed.

    Refuses where the variable CI is set: a job that accepts its own figures checks nothing.
    """
    from driftkit.errors import BaselineError, OptionError
    from driftkit.gate import read_baseline, write_baseline

    if os.environ.get("CI") and not force:
        raise OptionError(
            "the variable CI is set, and a job that updates its own baseline checks nothing; "
            "update it where a person looks at the difference, or give --force."
        )
    if not Path(baseline).exists():
        raise BaselineError(
            baseline, "there is no such baseline; make it with `driftkit baseline write`."
        )
    try:
        before: Baseline | None = read_baseline(baseline)
    except BaselineError as error:
        click.echo(f"The old baseline cannot be read, so nothing is compared: {error}", err=True)
        before = None
    after = _measure(original, tuned, rules, quiet, audit_settings)
    write_baseline(after, baseline)
    click.echo(f"Updated {baseline}.")
    if before is not None:
        changed = changes(before, after)
        click.echo("".join(f"  {line}\n" for line in changed or ["no figure changed"]), nl=False)


@command.command("show")
@_baseline_option
@options.json_option
def show(*, baseline: str, json_to: str | None) -> None:
    """Print what a baseline holds."""
    from driftkit.gate import read_baseline
    from driftkit.gate.reports.terminal import baseline_view

    read = read_baseline(baseline)
    options.give(lambda: baseline_view(read), read.document, json_to)


def changes(before: Baseline, after: Baseline) -> list[str]:
    """Name the figures that differ, with both values."""
    then, now = before.document["figures"], after.document["figures"]
    return [
        f"{name}: {_entry(then, name)} -> {_entry(now, name)}"
        for name in sorted({*then, *now})
        if then.get(name, ...) != now.get(name, ...)  # null is an entry
    ]


def _entry(figures: Mapping[str, Any], name: str) -> str:
    if name not in figures:
        return "absent"
    value, *ends = figures[name] if isinstance(figures[name], list) else [figures[name]]
    if value is None:
        return "not measured"
    return f"{value:.12g}" + (
        f" [{ends[0]:.6g}, {ends[1]:.6g}]" if ends and None not in ends else ""
    )


def _measure(
    original: str,
    tuned: str,
    rules: tuple[str, ...],
    quiet: bool,
    audit_settings: dict[str, Any],
) -> Baseline:
    from driftkit.gate import baseline_of
    from driftkit.gate.rules import parse_rule

    read = [parse_rule(text) for text in rules]
    named = [name for rule in read for name in rule.benchmarks]
    asked = judging.Asked(**audit_settings)
    progress = options.Progress(quiet)
    table = judging.read_original(original, asked, progress)
    measures = [name for rule in read for name in rule.measures]
    (audit,) = judging.audits(table, [tuned], named, asked, progress, measures)
    return baseline_of(
        audit,
        [word for rule in read for word in rule.words],
        [band for rule in read for band in rule.bands],
    )
