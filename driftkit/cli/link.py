"""``driftkit link``: whether what reads the original vectors still works."""

from __future__ import annotations

from typing import Any

import click

from driftkit.cli import options, output
from driftkit.cli.completion import files
from driftkit.cli.help import Command
from driftkit.cli.tables import read_lines, read_original, read_table


@click.command(
    "link",
    cls=Command,
    examples=(
        "link original.npy tuned.pt",
        "link original.npy tuned.pt --map back.safetensors",
        "link original.npy tuned.pt --consumer reader.py:predict",
    ),
    epilog=options.SOURCE_HELP,
)
@click.argument("original", shell_complete=files)
@click.argument("tuned", shell_complete=files)
@click.option(
    "--consumer",
    metavar="MODULE:NAME",
    allow_from_autoenv=False,
    help="What reads the original vectors: a function of rows, an nn.Module or an estimator, in a "
    "module or a .py file (reader.py:predict). Its code is run.",
)
@options.file_option(
    "--inputs", help="What the consumer decides about: a document on each line.  [default: words]"
)
@options.file_option("--labels", help="The right decisions, one on each line of FILE.")
@click.option(
    "--reads",
    type=click.Choice(["means", "rows"]),
    default="means",
    show_default=True,
    help="Whether the consumer takes the mean vector of a document, or a list of all its rows.",
)
@click.option(
    "--map",
    "map_to",
    type=options.Output(),
    metavar="FILE",
    help="Write the map to FILE (.safetensors), if one helps.",
)
@options.number_option("--seed", default=0, least=0, help="Seed of the folds and halves.")
@options.pair_options
@options.limit_option
@options.json_option
@options.common_options
def command(
    original: str,
    tuned: str,
    *,
    consumer: str | None,
    inputs: str | None,
    labels: str | None,
    reads: Any,
    map_to: str | None,
    seed: int,
    vocab: str | None,
    original_vocab: str | None,
    dimensions: int | None,
    original_dimensions: int | None,
    json_to: str | None,
    **reading: Any,
) -> None:
    """Say whether what reads the ORIGINAL vectors can read the TUNED ones, and fit a map.

    Tuned rows are sought among the original ones; with a consumer, its decisions on both are
    compared. A map back to the original space is fitted on the rows that moved, and refused where
    it does not help.
    """
    from driftkit import Map, align, link
    from driftkit.plugins import load_object

    if consumer is None and (inputs or labels):
        raise click.UsageError("--inputs and --labels are for a consumer; give --consumer too.")
    messages = output.Messages()
    decides = None if consumer is None else load_object(consumer)
    documents = None if inputs is None else _lines(inputs)
    right = None if labels is None else [line.strip() for line in _lines(labels)]
    width = original_dimensions or dimensions
    pair = align(
        read_original(original, messages, vocab=original_vocab, dimensions=width, **reading),
        read_table(tuned, messages, vocab=vocab, dimensions=dimensions, **reading),
    )
    with messages.stage("link"):
        found = link(pair, decides, documents, right, reads=reads, seed=seed)
    if map_to is not None and isinstance(found.map, Map):
        found.map.save(map_to)
        messages.say(f"{map_to}: the map to the original space")
    elif map_to is not None:
        messages.say(f"{map_to} is not written, since no map helps.")
    output.show(lambda: found, found.to_dict(), json_to)


def _lines(path: str) -> list[str]:
    """Return the lines of a file; the line feed at its end begins no other."""
    lines = read_lines(path)
    return lines[:-1] if lines[-1] == "" else lines
