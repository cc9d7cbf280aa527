"""What random movement of the same size would have done: a null to read values against."""

from __future__ import annotations

import numpy as np

from driftkit.arrays import generator, row_blocks
from driftkit.embeddings import Embeddings
from driftkit.errors import AlignmentError
from driftkit.pair import Pair, align
from driftkit.provenance import Source


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
    rng = generator(seed, "random moves")
    matrix = np.array(pair.before)
    for some in row_blocks(*pair.before.shape):
        rows = some.start + np.flatnonzero(pair.moved[some])
        before = pair.before[rows].astype(np.float64)
        length = np.linalg.norm(pair.after[rows] - before, axis=1, keepdims=True)
        noise = rng.normal(size=before.shape)
        noise *= length / np.linalg.norm(noise, axis=1, keepdims=True)
        matrix[rows] = before + noise
    source = Source(f"random moves of the size of {pair.tuned.source.name}")
    if pair.added:
        matrix = np.concatenate([matrix, pair.tuned.matrix[pair.tuned.rows(pair.added)]])
    words = (*pair.words, *pair.added)
    return align(pair.original, Embeddings(words, matrix, source=source))
