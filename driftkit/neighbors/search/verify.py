"""Check neighbors, while they are at hand, against the slow and obvious way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from driftkit.arrays import Rows, generator, row_blocks
from driftkit.embeddings import Embeddings
from driftkit.neighbors.result import NeighborShifts
from driftkit.neighbors.search.space import Ids
from driftkit.pair import Pair

TOLERANCE = 1e-6  # cosines nearer to each other than this count as one


@dataclass(frozen=True, slots=True)
class Verification:
    """Words checked, and those with a list that lacks one of the k largest cosines of a space."""

    checked: int
    wrong: tuple[str, ...]


def verify(pair: Pair, shifts: NeighborShifts, *, sample: int = 100, seed: int = 0) -> Verification:
    """Compare lists of a sample of words, found by cosine, with all their cosines in float64.

    >>> from driftkit import Embeddings, align, neighbor_shifts
    >>> table = Embeddings(["a", "b", "c"], [[1, 0.1], [1, 0], [0, 1]])
    >>> pair = align(table, table)
    >>> verify(pair, neighbor_shifts(pair, k=1))
    Verification(checked=3, wrong=())
    """
    shifts.require_exact("verify")
    chosen = generator(seed, "verified words").permutation(len(shifts))[:sample]
    sides = [
        (table, table.rows(candidates), lists)
        for table, candidates, lists in (
            (pair.original, shifts.shared, shifts.before),
            (pair.tuned, shifts.candidates, shifts.after),
        )
    ]
    wrong = []
    for at in np.sort(chosen).tolist():
        word = shifts.words[at]
        if not all(_is_right(table, word, pool, lists[at]) for table, pool, lists in sides):
            wrong.append(word)
    return Verification(len(chosen), tuple(wrong))


def sample_of(words: Sequence[str], size: int) -> list[str]:
    """Return that many of the words, evenly spread; all when there are fewer."""
    return list(words[:: max(1, len(words) // size)][:size])


def _is_right(table: Embeddings, word: str, pool: Rows, found: Ids) -> bool:
    """Whether a list (k,) holds the largest cosines of a word, within the tolerance."""
    listed = found[found >= 0]
    matrix, norms, row = table.matrix, table.norms, table.index[word]
    if norms[row] == 0:
        return len(listed) == 0
    asked, blocks = matrix[row].astype(np.float64), row_blocks(len(pool), table.dimensions)
    products = np.concatenate([matrix[pool[some]] @ asked for some in blocks])
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = products / (norms[pool] * norms[row])
    cosine[(norms[pool] == 0) | (pool == row)] = -np.inf
    possible = int(np.isfinite(cosine).sum())
    if len(listed) != min(len(found), possible) or len(set(listed.tolist())) != len(listed):
        return False
    best = np.sort(cosine)[::-1][: len(listed)]
    return bool((np.abs(cosine[listed] - best) <= TOLERANCE).all())
