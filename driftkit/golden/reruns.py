"""The same texts through the same model, used otherwise, to see which use was locked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from driftkit.arrays import Matrix, Values, row_norms
from driftkit.encoders.encoder import Encoder, Options
from driftkit.encoders.hugging_face import POOLINGS, HuggingFaceEncoder
from driftkit.encoders.open import open_encoder
from driftkit.errors import DriftkitError
from driftkit.golden.lock import Lock

MOST = 20  # items that are encoded again
FEWEST = 3

PROMPTS = ("query: ", "passage: ", "search_query: ", "search_document: ")
"""What widely used encoders want before a text."""

_Run = Callable[[], Matrix]


def explained_by(
    encoder: Encoder, old: Lock, texts: Sequence[str], was: Values, most: Values
) -> str | None:
    """Return a sentence on the use of the model that gives the locked directions; None without.

    Parameters
    ----------
    encoder : Encoder
        The model that gave other vectors.
    old : Lock
    texts : sequence of str
        The m texts that came out otherwise.
    was : ndarray of float64, shape (m, d)
        Their locked vectors.
    most : ndarray of float64, shape (m,)
        How far off each may lie.
    """
    lengths = row_norms(was)
    some = np.flatnonzero(lengths)[:MOST]
    if len(some) < FEWEST:
        return None
    asked = [texts[row] for row in some.tolist()]
    aim, near = was[some] / lengths[some, None], most[some] / lengths[some]
    for name, run in _uses(encoder, old, asked):
        try:
            rows = run().astype(np.float64)
        except DriftkitError:  # a model that cannot be used so
            continue
        sizes = row_norms(rows)
        if rows.shape != aim.shape or not sizes.all():
            continue
        if (row_norms(rows / sizes[:, None] - aim) <= near).all():
            what = f"the locked directions of all {len(some):,} items that were encoded again"
            return f"Shown by a rerun: {name} give {what}."
    return None


def _uses(encoder: Encoder, old: Lock, texts: Sequence[str]) -> Iterator[tuple[str, _Run]]:
    options = replace(encoder.options, cache=False)
    lower = [text.lower() for text in texts]
    if lower != list(texts):
        yield "the texts in lower case", partial(encoder.encode, lower)
    then = old.settings.get("prompt")
    if options.prompt is None:
        for prompt in dict.fromkeys([*([then] if isinstance(then, str) else ()), *PROMPTS]):
            prompted = [prompt + text for text in texts]
            yield f"the texts with the prompt {prompt!r}", partial(encoder.encode, prompted)
    if encoder.folder is None:
        return
    if options.prompt != "":
        bare = _opened(encoder, replace(options, prompt=""))
        yield "the texts without a prompt", partial(bare.encode, texts)
    if (encoder.folder / "config.json").is_file():
        for pooling in POOLINGS:
            used = replace(options, pooling=pooling)
            pooled = HuggingFaceEncoder(encoder.name, used, encoder.folder)
            yield f"the texts with {pooling} pooling", partial(pooled.encode, texts)


def _opened(encoder: Encoder, options: Options) -> Encoder:
    given = {name: getattr(options, name) for name in Options.__dataclass_fields__}
    return open_encoder(encoder.folder, **given)
