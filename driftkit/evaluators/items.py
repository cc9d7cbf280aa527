"""The items of a benchmark that a list of words can answer.

Case policy, one for every evaluator: a word as it is written, else its lower-case form. WS-353
writes 18 rows with capitals, which a lower-cased vocabulary such as GloVe's lacks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from driftkit.datasets import AnalogyBenchmark, Benchmark, SimilarityBenchmark
from driftkit.errors import BenchmarkError

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def evaluable(
    benchmarks: Sequence[Benchmark],
) -> tuple[SimilarityBenchmark | AnalogyBenchmark, ...]:
    """Give the benchmarks back if there is an evaluator for each.

    Raises
    ------
    BenchmarkError
        If one asks for something else than similarity or analogies.
    """
    known: list[SimilarityBenchmark | AnalogyBenchmark] = []
    for benchmark in benchmarks:
        if not isinstance(benchmark, SimilarityBenchmark | AnalogyBenchmark):
            task = type(benchmark).__name__.removesuffix("Benchmark").lower()
            raise BenchmarkError(
                f"benchmark {benchmark.name!r} asks for {task}, which has no evaluator yet; "
                "similarity and analogy benchmarks can be scored."
            )
        known.append(benchmark)
    return tuple(known)


@dataclass(frozen=True, slots=True)
class Items:
    """Where the words of a benchmark's items are.

    Parameters
    ----------
    rows : ndarray of int64, shape (m, w)
        Row of each word of each item; -1 for a word that is out of vocabulary (OOV).
    usable : ndarray of bool, shape (m,)
        Items whose words all have a row with a direction.
    oov : tuple of str
        Distinct words without a row, as written, in the order of the benchmark.
    zero : tuple of str
        Distinct words whose row is zero: they have no direction, so no cosine.
    """

    rows: Rows
    usable: Mask
    oov: tuple[str, ...]
    zero: tuple[str, ...]

    @property
    def n_total(self) -> int:
        """Number of items asked."""
        return len(self.usable)

    @property
    def n_used(self) -> int:
        """Number of items answered."""
        return int(self.usable.sum())

    @property
    def reason(self) -> str | None:
        """Why no item can be answered; None if some can."""
        if self.usable.any():
            return None
        missing = f"{len(self.oov)} words are out of vocabulary"
        return f"no item can be answered: {missing}" + (
            f" and {len(self.zero)} have a zero row" if self.zero else ""
        )


def find_items(items: Sequence[tuple[str, ...]], index: Mapping[str, int], is_zero: Mask) -> Items:
    """Look up the words of every item.

    Parameters
    ----------
    items : sequence of tuple of str
        The m items, w words each.
    index : mapping of str to int
        Word to row.
    is_zero : ndarray of bool, shape (n,)
        Rows that are zero.

    Examples
    --------
    >>> index = {"paris": 0, "tea": 1}
    >>> found = find_items([("Paris", "tea"), ("tea", "?")], index, np.zeros(2, bool))
    >>> found.rows.tolist(), found.usable.tolist(), found.oov
    ([[0, 1], [1, -1]], [True, False], ('?',))
    """
    distinct = dict.fromkeys(word for item in items for word in item)
    place = {word: index.get(word, index.get(word.lower(), -1)) for word in distinct}
    rows = np.array([[place[word] for word in item] for item in items], np.int64)
    zero = {word for word, row in place.items() if row >= 0 and is_zero[row]}
    usable: Mask = np.logical_and.reduce((rows >= 0) & ~is_zero[rows], axis=1)
    return Items(
        rows,
        usable,
        tuple(word for word, row in place.items() if row < 0),
        tuple(word for word in distinct if word in zero),
    )
