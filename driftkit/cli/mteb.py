"""``driftkit mteb``: two folders of results of MTEB, task by task."""

from __future__ import annotations

import click

from driftkit.cli import options, output
from driftkit.cli.completion import files
from driftkit.cli.help import Command


@click.command(
    "mteb",
    cls=Command,
    examples=("mteb results/before results/after",),
)
@click.argument("original", shell_complete=files, metavar="ORIGINAL")
@click.argument("tuned", shell_complete=files, metavar="TUNED")
@options.json_option
@options.common_options
def command(original: str, tuned: str, *, json_to: str | None) -> None:
    """Compare the results of TUNED with those of ORIGINAL, two folders that MTEB wrote.

    Give results/MODEL/REVISION of each. Tasks of another dataset revision, version of MTEB, split
    or subset are named and not compared. MTEB keeps no scores of single items, so no task has an
    interval; over all tasks there is one, and a sign test.
    """
    from driftkit import compare_results

    found = compare_results(original, tuned)
    output.show(lambda: found, found.to_dict(), json_to)
