"""What `lock` and `verify` read: the vectors of golden items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from driftkit.cli import options, output
from driftkit.cli.tables import Encoding, read_table

if TYPE_CHECKING:
    from driftkit.embeddings import Embeddings

golden_options = options.group_of(
    options.items_option,
    options.use_options,
    options.device_option,
    options.vocab_option,
    options.base_option,
    options.unsafe_option,
    options.dimensions_option,
    options.limit_option,
)


def read_golden(
    source: str,
    messages: output.Messages,
    *,
    items: str | None,
    vocab: str | None,
    base: str | None,
    unsafe_pickle: bool,
    dimensions: int | None,
    limit: int | None,
    **use: Any,
) -> Embeddings:
    """Return the vectors of the golden items; of a table without a list of items, all of them.

    Nothing comes from the cache of encoded rows: what a model did before is not what it does.
    """
    from driftkit import Embeddings
    from driftkit.encoders import is_model

    if items is None and is_model(source):
        raise click.UsageError(
            f"{source} is a model; give its golden items with --items FILE, or a table of their "
            "vectors instead of the model."
        )
    encoding = Encoding.of(items, messages, **use, cache=False)
    reading: dict[str, Any] = {"vocab": vocab, "base": base, "unsafe_pickle": unsafe_pickle}
    reading |= {"dimensions": dimensions, "limit": limit}
    table = read_table(source, messages, encoding=encoding, **reading)
    if encoding is None or encoding.takes(source):
        return table
    ids = encoding.items.ids
    here = [word for word in ids if word in table] or ids
    return Embeddings(here, table.matrix[table.rows(here)], source=table.source)
