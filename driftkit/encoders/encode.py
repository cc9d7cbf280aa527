"""`driftkit.encode`: the outputs of a model for a list of items, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

from driftkit.encoders.encoder import EncodedItems
from driftkit.encoders.items import TextItems, as_items
from driftkit.encoders.open import open_encoder
from driftkit.progress import Progress


def encode(
    model: Any,
    items: str | PathLike[str] | Sequence[str] | Mapping[str, str] | TextItems,
    *,
    progress: Progress | bool | None = None,
    **options: Any,
) -> EncodedItems:
    """Encode items, and return their rows as a table.

    Parameters
    ----------
    model : str, path, model or callable
        What `driftkit.encoders.open_encoder` takes.
    items : path, sequence of str, mapping of str to str or TextItems
        A file that `driftkit.encoders.read_items` reads; the texts themselves; or texts by id.
    progress : callable or True, optional
        Called with (texts done, texts in all); True draws a bar.
    **options
        Those of `driftkit.encoders.open_encoder`: ``pooling``, ``prompt``, ``batch_size``,
        ``device``, ``max_length``, ``dimensions`` and ``cache``.

    Returns
    -------
    EncodedItems
        `Embeddings` whose words are the ids, or the texts where there are none. Its ``encoder`` is
        asked about the words and sentences of benchmarks. Its ``source`` names the model, how its
        tokens are pooled, the fingerprint of its content, and how much of a difference is rounding.

    Raises
    ------
    SourceError, OptionError, MissingExtraError
        If the model or the items cannot be read, or an option does not fit the model.

    Examples
    --------
    >>> import driftkit as dk
    >>> table = dk.encode(lambda texts: [[len(text), 1] for text in texts], ["tea", "coffee"])
    >>> table["coffee"].tolist(), table.source.format
    ([6.0, 1.0], 'encoder')
    """
    given = as_items(items)
    encoder = open_encoder(model, **options)
    return encoder.table(given.texts, given.ids, problems=given.problems, progress=progress)
