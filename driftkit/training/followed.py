"""A benchmark scored again and again on a table in training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from driftkit.datasets import Benchmark, SimilarityBenchmark
from driftkit.embeddings import Embeddings
from driftkit.evaluators import Score, score
from driftkit.evaluators.closeness import cosines
from driftkit.evaluators.correlations import spearman
from driftkit.evaluators.lookup import find_items


class Followed(Protocol):
    """What a monitor asks of a benchmark.

    Attributes
    ----------
    name : str
        Such as ``"spearman[ws353]"``.
    start : float
        Its value for the original table; NaN if it could not be measured.
    """

    name: str
    start: float

    def value(self, weight: Tensor) -> float:
        """Score a table as it is now."""
        ...


class FollowedSimilarity:
    """Spearman's correlation on the pairs that have vectors; words are looked up once.

    Parameters
    ----------
    benchmark : SimilarityBenchmark
    index : mapping of str to int
        Word to row.
    original : Tensor, shape (n, d)
    """

    def __init__(
        self, benchmark: SimilarityBenchmark, index: Mapping[str, int], original: Tensor
    ) -> None:
        is_zero = ~original.any(dim=1).cpu().numpy()
        items = find_items(benchmark.pairs, index, is_zero)
        rows, place = np.unique(items.rows[items.usable], return_inverse=True)
        self.name = f"spearman[{benchmark.name}]"
        self._gold = benchmark.gold[items.usable]
        self._rows = torch.from_numpy(rows).to(original.device)
        self._pairs = place.reshape(-1, 2)
        self.start = self.value(original)

    def value(self, weight: Tensor) -> float:
        """Score a table as it is now; NaN if rows lost their direction."""
        vectors = weight[self._rows].float().cpu().numpy()
        if not vectors.any(axis=1).all():
            return np.nan
        return spearman(self._gold, cosines(vectors, self._pairs))


class FollowedScore:
    """The first figure `driftkit.score` gives for a benchmark, over the whole table.

    Parameters
    ----------
    benchmark : AnalogyBenchmark or another
    words : sequence of str
    original : Tensor, shape (n, d)
    """

    def __init__(self, benchmark: Benchmark, words: Sequence[str], original: Tensor) -> None:
        self._benchmark, self._words = benchmark, words
        first = self._score(original)
        self.name, self.start = f"{first.measure}[{benchmark.name}]", first.value

    def value(self, weight: Tensor) -> float:
        """Score a table as it is now."""
        return self._score(weight).value

    def _score(self, weight: Tensor) -> Score:
        table = Embeddings(self._words, weight.float().cpu().numpy())
        return next(iter(score(table, [self._benchmark])))


def follow(
    benchmark: Benchmark, words: Sequence[str], index: Mapping[str, int], original: Tensor
) -> Followed:
    """Return a benchmark ready to be scored again and again."""
    if isinstance(benchmark, SimilarityBenchmark):
        return FollowedSimilarity(benchmark, index, original)
    return FollowedScore(benchmark, words, original)
