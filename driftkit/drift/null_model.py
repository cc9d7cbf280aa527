"""What random movement of the same size would have done: a null to read values against."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np

from driftkit.arrays import Matrix, generator, row_blocks
from driftkit.embeddings import Embeddings
from driftkit.errors import AlignmentError
from driftkit.pair import Pair, align
from driftkit.provenance import Source
from driftkit.spill import joined


def null_pair(pair: Pair, *, seed: int = 0) -> Pair:
    """Move each moved word as far as it moved, in a random direction; the tuned table is a new one.

    Words that only the tuned table has keep their rows.
    Every measure of a pair can be taken of this one too: neighbors, benchmarks, the space. Moves
    that do less harm than theirs follow a structure; moves that do more were aimed. Rows of
    different widths have not moved by any length, so for them it is an `AlignmentError`.

    >>> before = Embeddings(["good", "film"], [[1, 0], [0, 1]])
    >>> null = null_pair(align(before, Embeddings(["good", "film"], [[4, 4], [0, 1]])))
    >>> float(np.linalg.norm(null.after[0] - null.before[0]).round(5)), null.moved.tolist()
    (5.0, [True, False])
    """
    if pair.mismatch:
        raise AlignmentError(
            f"{pair.original.source.name} and {pair.tuned.source.name} have {pair.mismatch}, so no "
            "row moved by a length that a random move could have; leave the null out."
        )
    added = pair.tuned.rows(pair.added)
    blocks = chain(
        _moved_at_random(pair, seed),
        (pair.tuned.matrix[added[some]] for some in row_blocks(len(added), pair.tuned.dimensions)),
    )
    matrix = joined(blocks, len(pair) + len(added), pair.tuned.dimensions)
    source = Source(f"random moves of the size of {pair.tuned.source.name}")
    words = (*pair.words, *pair.added)
    return align(pair.original, Embeddings(words, matrix, source=source))


def _moved_at_random(pair: Pair, seed: int) -> Iterator[Matrix]:
    """Yield the original rows in blocks, those that moved as far away in a random direction."""
    rng = generator(seed, "random moves")
    for some in row_blocks(*pair.before.shape):
        block, moved = np.array(pair.before[some]), pair.moved[some]
        before = block[moved].astype(np.float64)
        length = np.linalg.norm(pair.after[some][moved] - before, axis=1, keepdims=True)
        noise = rng.normal(size=before.shape)
        noise *= length / np.linalg.norm(noise, axis=1, keepdims=True)
        block[moved] = before + noise
        yield block
