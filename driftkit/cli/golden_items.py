"""What `lock` and `verify` read: the vectors of golden items, and their texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from driftkit.cli import options, output
from driftkit.cli.tables import read_table

if TYPE_CHECKING:
    from driftkit.embeddings import Embeddings

golden_options = options.group_of(
    options.file_option(
        "--items",
        help="The golden items: text with one on each line, or .csv, .tsv, .jsonl or .parquet with "
        "columns of ids and texts. A SOURCE that is a model encodes them; one that is a table "
        "has a row for each id.",
    ),
    click.option(
        "--pooling",
        type=click.Choice(["mean", "cls", "last"]),
        help="How a model of transformers makes one vector of those of its tokens.",
    ),
    click.option("--prompt", metavar="TEXT", help="What stands before every text."),
    options.number_option("--max-length", help="Tokens of a text that are read."),
    options.number_option("--batch-size", default=64, help="Texts that are encoded at once."),
    click.option(
        "--device", default="auto", show_default=True, help="Where a model computes, such as cpu."
    ),
    options.vocab_option,
    options.base_option,
    options.unsafe_option,
)


def read_golden(
    source: str,
    messages: output.Messages,
    *,
    items: str | None,
    vocab: str | None,
    base: str | None,
    unsafe_pickle: bool,
    **encoding: Any,
) -> Embeddings:
    """Return the vectors of the golden items.

    Nothing comes from the cache of encoded rows: what a model did before is not what it does.
    """
    from driftkit import Embeddings, encode
    from driftkit.encoders import is_model, read_items

    if items is None and is_model(source):
        raise click.UsageError(
            f"{source} is a model; give its golden items with --items FILE, or a table of their "
            "vectors instead of the model."
        )
    given = None if items is None else read_items(items)
    if given is not None and is_model(source):
        with messages.stage(f"encoding with {source}") as progress:
            return encode(source, given, progress=progress, cache=False, **encoding)
    table = read_table(source, messages, vocab=vocab, base=base, unsafe_pickle=unsafe_pickle)
    if given is None:
        return table
    here = [word for word in given.ids if word in table] or given.ids
    return Embeddings(here, table.matrix[table.rows(here)], source=table.source)
