"""``driftkit verify``: a model against its lock."""

from __future__ import annotations

from typing import Any

import click

from driftkit.cli import options, output
from driftkit.cli.completion import files
from driftkit.cli.golden_items import golden_options, read_golden
from driftkit.cli.group import BROKEN_RULE
from driftkit.cli.help import Command


@click.command(
    "verify",
    cls=Command,
    examples=("verify models/minilm embed.lock",),
    epilog=options.SOURCE_HELP,
)
@click.argument("source", shell_complete=files)
@click.argument("locked", shell_complete=files, metavar="LOCK")
@golden_options
@options.rules_option
@click.option(
    "--tolerance",
    type=float,
    metavar="X",
    help="How far off an item may lie, in lengths of its vector.  [default: 0.016, the rounding of "
    "bfloat16]",
)
@options.json_option
@options.common_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    source: str,
    locked: str,
    *,
    rules: tuple[str, ...],
    tolerance: float | None,
    json_to: str | None,
    items: str | None,
    **reading: Any,
) -> None:
    """Verify that SOURCE still gives the vectors of LOCK, and exit with 1 if it does not.

    Without --items, the list that was locked is read where it lies beside the lock.

    The answer is one of: same model within rounding, scaled, rotated, changed, another width,
    texts differ, items missing. With rules, a change is broken or fine as they say. Exit codes: 0
    the same, 1 not the same or a rule is broken, 2 anything else, 130 interrupted.
    """
    from driftkit import read_lock, verify

    messages = output.Messages()
    lock = read_lock(locked)  # before the long work
    if items is None and lock.items_file is not None:
        items = str(lock.items_file)
    table = read_golden(source, messages, items=items, **reading)
    found = verify(table, lock, texts=items, rules=rules, tolerance=tolerance)
    output.show(lambda: found, found.to_dict(), json_to)
    if found.exit_code:
        ctx.exit(BROKEN_RULE)
