"""``driftkit baseline``: what `check` compares with."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from driftkit.cli import options, output
from driftkit.cli.completion import files
from driftkit.cli.help import Group
from driftkit.cli.tables import audits

if TYPE_CHECKING:
    from driftkit.gate import Baseline


def _baseline_option(kind: click.Path) -> Callable[[options.F], options.F]:
    return click.option(
        "-o",
        "--baseline",
        type=kind,
        default="driftkit-baseline.json",
        show_default=True,
        metavar="FILE",
        help="The baseline.",
    )


_measure_options = options.group_of(
    _baseline_option(options.Output()),
    options.rules_option,
    options.audit_options,
    options.common_options,
)


@click.group("baseline", cls=Group)
def command() -> None:
    """Keep the values of an accepted table, so that `driftkit check` can compare with them."""


@command.command(
    "write",
    examples=("baseline write original.npy accepted.pt -o accepted.json",),
    epilog=options.SOURCE_HELP,
    short_help="Measure an accepted table and write the values to a file.",
)
@click.argument("original", shell_complete=files)
@click.argument("tuned", shell_complete=files)
@click.option("--force", is_flag=True, help="Accept even a table whose audit says *do not ship*.")
@_measure_options
def write(
    original: str,
    tuned: str,
    *,
    baseline: str,
    force: bool,
    rules: tuple[str, ...],
    **audit_options: Any,
) -> None:
    """Measure an accepted TUNED table against its ORIGINAL and write the values to a file.

    Rules decide which benchmarks and protected words are measured; none is applied. A table whose
    audit says *do not ship* is refused without --force.
    """
    from driftkit.display import argument
    from driftkit.errors import BaselineError
    from driftkit.gate import write_baseline

    if Path(baseline).exists():
        replacing = "replace it with `driftkit baseline update`, or name another file (-o FILE)"
        raise BaselineError(baseline, f"exists already; {replacing}.")
    write_baseline(_measure(original, tuned, rules, audit_options, force), baseline)
    command = ["driftkit check", argument(original), "TUNED", "--baseline", argument(baseline)]
    output.say(f"Wrote {baseline}. Commit it, and check with:", err=False)
    output.say(
        f"  {' '.join([*command, *options.repeated('baseline', 'force')])}", err=False, cut=False
    )


@command.command(
    "update",
    examples=("baseline update original.npy tuned.pt -o accepted.json",),
    epilog=options.SOURCE_HELP,
)
@click.argument("original", shell_complete=files)
@click.argument("tuned", shell_complete=files)
@click.option(
    "--force",
    is_flag=True,
    help="Update even where the variable CI is set, or the audit says *do not ship*.",
)
@_measure_options
def update(
    original: str,
    tuned: str,
    *,
    baseline: str,
    force: bool,
    rules: tuple[str, ...],
    **audit_options: Any,
) -> None:
    """Replace a baseline, and say which values changed.

    Refuses where the variable CI is set: a job that accepts its own values checks nothing. Refuses
    a table whose audit says *do not ship*.
    """
    from driftkit.errors import BaselineError, OptionError
    from driftkit.gate import read_baseline, write_baseline

    if os.environ.get("CI") and not force:
        raise OptionError(
            "the variable CI is set, and a job that updates its own baseline checks nothing; "
            "update it where a person looks at the difference, or give --force."
        )
    if not Path(baseline).exists():
        raise BaselineError(baseline, "does not exist; make it with `driftkit baseline write`.")
    try:
        before: Baseline | None = read_baseline(baseline)
    except BaselineError as error:
        output.say(f"The old baseline cannot be read, so nothing is compared: {error}")
        before = None
    after = _measure(original, tuned, rules, audit_options, force)
    write_baseline(after, baseline)
    output.say(f"Updated {baseline}.", err=False)
    if before is not None:
        for line in _changes(before, after) or ["no value changed"]:
            output.say(f"  {line}", err=False)


@command.command(
    "show",
    examples=("baseline show -o accepted.json",),
)
@_baseline_option(click.Path(dir_okay=False))
@options.json_option
@options.common_options
def show(*, baseline: str, json_to: str | None) -> None:
    """Print what a baseline holds."""
    from driftkit.gate import read_baseline
    from driftkit.gate.reports.terminal import baseline_view

    read = read_baseline(baseline)
    output.show(lambda: baseline_view(read), read.document, json_to)


def _measure(
    original: str, tuned: str, rules: tuple[str, ...], audit_options: dict[str, Any], force: bool
) -> Baseline:
    from driftkit.gate import Policy, baseline_of
    from driftkit.gate.baseline import require_acceptable
    from driftkit.gate.rules import parse_rule

    policy = Policy(rules=tuple(map(parse_rule, rules)))
    (audit,) = audits(original, [tuned], output.Messages(), policy=policy, **audit_options)
    if not force:
        require_acceptable(audit)
    return baseline_of(audit, policy.words, policy.bands)


def _changes(before: Baseline, after: Baseline) -> list[str]:
    """Name the values that differ, before and after."""
    then, now = before.document["figures"], after.document["figures"]
    return [
        f"{name}: {_entry(then, name)} -> {_entry(now, name)}"
        for name in sorted({*then, *now})
        if then.get(name, ...) != now.get(name, ...)  # null is an entry
    ]


def _entry(values: Mapping[str, Any], name: str) -> str:
    if name not in values:
        return "absent"
    value, *ends = values[name] if isinstance(values[name], list) else [values[name]]
    if value is None:
        return "not measured"
    between = f" [{ends[0]:.6g}, {ends[1]:.6g}]" if ends and None not in ends else ""
    return f"{value:.12g}{between}"
