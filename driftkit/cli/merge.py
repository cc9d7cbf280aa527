"""``driftkit merge``: shards of shifts joined into one file."""

from __future__ import annotations

import click

from driftkit.cli import options
from driftkit.cli.completion import files
from driftkit.cli.help import Command
from driftkit.cli.output import Messages


@click.command(
    "merge",
    cls=Command,
    examples=("merge shifts.parquet.*-of-8.shard -o shifts.parquet",),
)
@click.argument("shards", shell_complete=files, nargs=-1, required=True, metavar="SHARD...")
@click.option(
    "-o",
    "--output",
    type=options.Output(may_be_folder=True),
    required=True,
    metavar="FILE",
    help="Write FILE.jsonl or FILE.parquet, whichever the shards were made for.",
)
@click.option(
    "--partitioned",
    is_flag=True,
    help="Make FILE.parquet a folder of Parquet files, as Dask and Spark do.",
)
@options.common_options
def command(shards: tuple[str, ...], output: str, *, partitioned: bool) -> None:
    """Join every SHARD, the folders that `driftkit shifts --shard` wrote, into one file.

    The file is the same, byte for byte, as without shards. Shards of other tables, other options or
    another version of driftkit are refused, and so is a shard that is missing, given twice, half
    written or changed since.
    """
    from driftkit.display import counted
    from driftkit.neighbors.export import merge_shards

    messages = Messages()
    with messages.stage("merging"):
        count = merge_shards(shards, output, partitioned=partitioned)
    given = f"{len(shards)} shard{'s' if len(shards) > 1 else ''}"
    messages.say(f"{output}: {counted(count, 'word')} from {given}")
