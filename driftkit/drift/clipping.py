"""Words cut off at the end of a scale, as by a file type too narrow for the numbers."""

from __future__ import annotations

import numpy as np

from driftkit.arrays import Mask, row_blocks
from driftkit.errors import AlignmentError
from driftkit.pair import Pair

PAST = 1.01
"""A number counts as cut only if it was larger by more than 1 %: float16, bfloat16 and int8 round
by less."""


def saturated(pair: Pair) -> Mask:
    """Return which shared words were clipped, (n,).

    An entry was cut if it is the tuned table's largest magnitude now and was larger by more than
    1 % before. Scaling does that to one entry, too, so two must have been different before. A table
    that was enlarged first and clipped at more than the original's largest entry is not found.
    Rows of different widths have no entries to compare, which is an `AlignmentError`.

    >>> from driftkit import Embeddings, align
    >>> words = ["good", "bad", "film"]
    >>> before = np.array([[3.0, 1.0], [-4.0, 0.5], [0.5, 1.0]])
    >>> after = np.clip(before, -2, 2)
    >>> saturated(align(Embeddings(words, before), Embeddings(words, after))).tolist()
    [True, True, False]
    """
    if pair.mismatch:
        raise AlignmentError(f"clipped rows are not measured: {pair.mismatch}.")
    largest = max(float(np.abs(pair.after[some]).max()) for some in row_blocks(*pair.after.shape))
    found = np.zeros(len(pair), bool)
    if not largest:  # every row is zero, which is another kind of damage
        return found
    least, most = np.inf, 0.0
    for some in row_blocks(*pair.after.shape):
        at = np.abs(pair.after[some]) == largest
        rows = np.flatnonzero(at.any(axis=1))
        before = np.abs(pair.before[some][rows])  # (m, d), m is small in a sound table
        cut = at[rows] & (before > PAST * largest)
        if cut.any():
            least, most = min(least, before[cut].min()), max(most, before[cut].max())
            found[some][rows] = cut.any(axis=1)
    return found if most > least else np.zeros_like(found)
