"""``driftkit lock``: golden items, and how a model behaves on them."""

from __future__ import annotations

from typing import Any

import click

from driftkit.cli import options, output
from driftkit.cli.completion import files
from driftkit.cli.golden_items import golden_options, read_golden
from driftkit.cli.help import Command


@click.command(
    "lock",
    cls=Command,
    examples=("lock models/minilm --items golden.txt -o embed.lock",),
    epilog=options.SOURCE_HELP,
)
@click.argument("source", shell_complete=files)
@click.option(
    "-o",
    "--output",
    "target",
    type=options.Output(),
    required=True,
    metavar="FILE",
    help="The lock to write, such as embed.lock.",
)
@golden_options
@options.common_options
def command(source: str, *, target: str, items: str | None, **reading: Any) -> None:
    """Lock the behavior of SOURCE: its vectors of some golden items, in one small file.

    The lock holds ids, hashed texts, vectors in float16 and settings, and no text. `driftkit
    verify` compares a model with it.
    """
    from driftkit import lock
    from driftkit.display import counted
    from driftkit.encoders import read_items

    messages = output.Messages()
    table = read_golden(source, messages, items=items, **reading)
    if items is not None:
        table.rows(read_items(items).ids)  # each of them is locked, or nothing is
    made = lock(table, target, texts=items)
    width = counted(made.vectors.shape[1], "number")
    messages.say(f"{target}: {counted(len(made), 'item')} of {width}.")
