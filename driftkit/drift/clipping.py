"""Words cut off at the end of a scale, as by a file type too narrow for the numbers."""

from __future__ import annotations

import numpy as np

from driftkit.arrays import BLOCK_ROWS, Matrix
from driftkit.pair import Mask, Pair

PAST = 1.01
"""A number counts as cut only if it was larger by more than 1 %: float16, bfloat16 and int8 round
by less."""


def saturated(pair: Pair) -> Mask:
    """Tell which shared words were clipped.

    Let M be the largest magnitude among the tuned rows. A word is saturated if an entry of its row
    is M or -M now and was larger than M by more than 1 % in the original. A table has a largest
    entry anyway, and shrinking makes it smaller, so there must be two such entries that were
    different before: numbers that differed and now share the extreme were cut off there. Rounding,
    scaling and squashing keep different numbers apart or bring none down to M, and what the
    original had at its own extreme was no larger there.

    A table that was enlarged first and clipped at more than the original's largest entry is not
    found.

    Parameters
    ----------
    pair : Pair

    Returns
    -------
    ndarray of bool, shape (n,)

    Examples
    --------
    >>> from driftkit import Embeddings, align
    >>> words = ["good", "bad", "film"]
    >>> before = np.array([[3.0, 1.0], [-4.0, 0.5], [0.5, 1.0]])
    >>> after = np.clip(before, -2, 2)
    >>> saturated(align(Embeddings(words, before), Embeddings(words, after))).tolist()
    [True, True, False]
    """
    largest = max(float(np.abs(block).max()) for _, block in _blocks(pair.after))
    found = np.zeros(len(pair), bool)
    if not largest:  # every row is zero, which is another kind of damage
        return found
    least, most = np.inf, 0.0
    for start, after in _blocks(pair.after):
        at = np.abs(after) == largest
        rows = np.flatnonzero(at.any(axis=1))
        before = np.abs(pair.before[start + rows])  # (m, d), m is small in a sound table
        cut = at[rows] & (before > PAST * largest)
        if cut.any():
            least, most = min(least, before[cut].min()), max(most, before[cut].max())
            found[start + rows] = cut.any(axis=1)
    return found if most > least else np.zeros_like(found)


def _blocks(matrix: Matrix) -> list[tuple[int, Matrix]]:
    return [(at, matrix[at : at + BLOCK_ROWS]) for at in range(0, len(matrix), BLOCK_ROWS)]
