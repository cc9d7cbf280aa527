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


def _runs_arguments(command: options.F) -> options.F:
    runs: dict[str, Any] = {
        "nargs": -1,
        "required": True,
        "metavar": "RUN...",
        "shell_complete": files,
    }
    named = click.argument("runs", **runs)(command)
    return click.argument("original", shell_complete=files)(named)


_accepting_option = click.option(
    "--force",
    is_flag=True,
    help="Do so even where the variable CI is set, or the audit says *do not ship*.",
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
    examples=(
        "baseline write original.npy seed-0.pt seed-1.pt seed-2.pt",
        "baseline write original.npy accepted.pt -o accepted.json",
    ),
    epilog=options.SOURCE_HELP,
    short_help="Measure accepted runs and write the values to a file.",
)
@_runs_arguments
@click.option("--force", is_flag=True, help="Accept even a table whose audit says *do not ship*.")
@_measure_options
def write(
    original: str,
    runs: tuple[str, ...],
    *,
    baseline: str,
    force: bool,
    rules: tuple[str, ...],
    **audit_options: Any,
) -> None:
    """Measure accepted RUNS, the oldest first, against their ORIGINAL and write the values.

    Several runs of one recipe, with other seeds, show how far its runs lie apart; `driftkit check`
    goes by that from three runs on. Rules decide which benchmarks and protected words are measured;
    none is applied. A table whose audit says *do not ship* is refused without --force.
    """
    from driftkit.atomic import locked
    from driftkit.display import argument
    from driftkit.gate import write_baseline

    _require_new(baseline)
    made = _measure(original, runs, rules, audit_options, force)
    with locked(baseline, wait=True):
        _require_new(baseline)  # another run may have written it meanwhile
        write_baseline(made, baseline)
    command = ["driftkit check", argument(original), "TUNED", "--baseline", argument(baseline)]
    output.say(f"Wrote {baseline}. Commit it, and check with:", err=False)
    output.say(
        f"  {' '.join([*command, *options.repeated('baseline', 'force')])}", err=False, cut=False
    )
    _say_accepted(made)


@command.command(
    "add",
    examples=("baseline add original.npy this-week.pt --keep 10",),
    epilog=options.SOURCE_HELP,
    short_help="Measure more accepted runs and keep them too.",
)
@_runs_arguments
@options.number_option(
    "--keep",
    default=None,
    least=1,
    help="Keep the N newest runs; the oldest leave.  [default: all]",
)
@_accepting_option
@_measure_options
def add(
    original: str,
    runs: tuple[str, ...],
    *,
    baseline: str,
    keep: int | None,
    force: bool,
    rules: tuple[str, ...],
    **audit_options: Any,
) -> None:
    """Measure more accepted RUNS, the oldest first, and add their values to a baseline.

    They are measured as the ones before: give the same options. Refuses where the variable CI is
    set, and a table whose audit says *do not ship*.
    """
    from driftkit.atomic import locked
    from driftkit.gate import read_baseline, write_baseline
    from driftkit.gate.baseline import added

    _require_somebody(force)
    read_baseline(baseline)  # before the long work
    new = _measure(original, runs, rules, audit_options, force)
    with locked(baseline, wait=True):
        before = read_baseline(baseline)  # with what other runs added meanwhile
        after = added(before, new.runs, keep)
        write_baseline(after, baseline)
    output.say(f"Added to {baseline}, which holds {_count(after)}.", err=False)
    _say_accepted(new)
    for run in before.runs:
        if run not in after.runs:
            output.say(f"  {run.name} left", err=False)


@command.command(
    "update",
    examples=("baseline update original.npy tuned.pt -o accepted.json",),
    epilog=options.SOURCE_HELP,
)
@_runs_arguments
@_accepting_option
@_measure_options
def update(
    original: str,
    runs: tuple[str, ...],
    *,
    baseline: str,
    force: bool,
    rules: tuple[str, ...],
    **audit_options: Any,
) -> None:
    """Replace a baseline by accepted RUNS, and say which values changed.

    Refuses where the variable CI is set: a job that accepts its own values checks nothing. Refuses
    a table whose audit says *do not ship*.
    """
    from driftkit.atomic import locked
    from driftkit.errors import BaselineError
    from driftkit.gate import read_baseline, write_baseline

    _require_somebody(force)
    if not Path(baseline).exists():
        raise BaselineError(baseline, "does not exist; make it with `driftkit baseline write`.")
    try:
        before: Baseline | None = read_baseline(baseline)
    except BaselineError as error:
        output.say(f"The old baseline cannot be read, so nothing is compared: {error}")
        before = None
    after = _measure(original, runs, rules, audit_options, force)
    with locked(baseline, wait=True):
        write_baseline(after, baseline)
    output.say(f"Updated {baseline}.", err=False)
    _say_accepted(after)
    if before is not None:
        for line in _changes(before, after) or ["no value changed"]:
            output.say(f"  {line}", err=False)


@command.command(
    "show",
    examples=("baseline show -o accepted.json",),
)
@_baseline_option(options.Named(dir_okay=False))
@options.json_option
@options.common_options
def show(*, baseline: str, json_to: str | None) -> None:
    """Print what a baseline holds."""
    from driftkit.gate import read_baseline
    from driftkit.gate.reports.terminal import baseline_view

    read = read_baseline(baseline)
    output.show(lambda: baseline_view(read), read.document, json_to)


def _require_new(baseline: str) -> None:
    from driftkit.errors import BaselineError

    if Path(baseline).exists():
        more = "replace it with `driftkit baseline update`, add runs with `driftkit baseline add`"
        raise BaselineError(baseline, f"exists already; {more}, or name another file (-o FILE).")


def _require_somebody(force: bool) -> None:
    from driftkit.errors import OptionError

    if os.environ.get("CI") and not force:
        raise OptionError(
            "the variable CI is set, and a job that updates its own baseline checks nothing; "
            "update it where a person looks at the difference, or give --force."
        )


def _measure(
    original: str,
    runs: tuple[str, ...],
    rules: tuple[str, ...],
    audit_options: dict[str, Any],
    force: bool,
) -> Baseline:
    """Audit runs, and refuse those not to ship."""
    from driftkit.gate import Policy, baseline_of
    from driftkit.gate.baseline import require_acceptable
    from driftkit.gate.rules import parse_rule

    policy = Policy(rules=tuple(map(parse_rule, rules)))
    found = audits(original, runs, output.Messages(), policy=policy, **audit_options)
    for audit in found:
        if not force:
            require_acceptable(audit)
    return baseline_of(found, policy.words, policy.bands)


def _say_accepted(baseline: Baseline) -> None:
    """Say of each run what accepting it accepts."""
    for run in baseline.runs:
        output.say(f"  accepted {run.name}: {run.headline}", err=False)


def _changes(before: Baseline, after: Baseline) -> list[str]:
    """Name the values that differ, before and after."""
    from driftkit.gate.baseline import summary

    several = max(len(before.runs), len(after.runs)) > 1
    then, now = (summary(each, several=several) for each in (before, after))
    lines = [
        f"{name}: {_entry(then, name)} -> {_entry(now, name)}"
        for name in sorted({*then, *now})
        if then.get(name, ...) != now.get(name, ...)  # null is an entry
    ]
    if several and lines:
        lines.insert(0, f"means [least, most] of {_count(before)} -> {_count(after)}")
    return lines


def _count(baseline: Baseline) -> str:
    from driftkit.display import counted

    return counted(len(baseline.runs), "run")


def _entry(values: Mapping[str, Any], name: str) -> str:
    if name not in values:
        return "absent"
    value, *ends = values[name] if isinstance(values[name], list) else [values[name]]
    if value is None:
        return "not measured"
    between = f" [{ends[0]:.6g}, {ends[1]:.6g}]" if ends and None not in ends else ""
    return f"{value:.12g}{between}"
