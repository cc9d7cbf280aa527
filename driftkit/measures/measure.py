"""What a measure declares of itself: its name, range, direction and source."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from driftkit.errors import OptionError

Kind = Literal[
    "word", "space", "similarity", "analogy", "categorization", "outliers", "synonyms", "bias"
]


@dataclass(frozen=True, slots=True)
class Measure:
    """What is measured, apart from who computes it.

    Parameters
    ----------
    name : str
        The field's standard term, lower case.
    kind : {"word", "space", "similarity", "analogy", "categorization", ...}
        What one figure describes: a word, a whole space, or a benchmark.
    low, high : float
        The range of values.
    higher_is_better : bool
        Whether a higher figure means that more of the original was kept.
    summary : str
        One sentence.
    source : str
        Paper or library the definition is taken from.
    k : int, optional
        Depth, for measures that look at the k nearest or the k best.
    parameters : mapping of str to float
        Named parameters and their values.
    margin : float, optional
        Of a measure of benchmarks: the smallest change that counts; by default a hundredth of the
        range.
    fewest_items : int, optional
        Of a measure of benchmarks: fewer answered items than this decide nothing; by default as
        many as it takes for a single item not to outweigh the margin.

    Examples
    --------
    >>> from driftkit.measures.registry import parse_measure
    >>> measure = parse_measure("rbo(p=0.9)@10")
    >>> measure, measure.k, dict(measure.parameters)
    (rbo(p=0.9)@10, 10, {'p': 0.9})
    """

    name: str
    kind: Kind
    low: float
    high: float
    higher_is_better: bool
    summary: str
    source: str
    k: int | None = None
    parameters: tuple[tuple[str, float], ...] = field(default=())
    margin: float | None = None
    fewest_items: int | None = None

    def __str__(self) -> str:
        inside = ",".join(f"{key}={value:.12g}" for key, value in self.parameters)
        depth = f"@{self.k}" if self.k is not None else ""
        return self.name + (f"({inside})" if inside else "") + depth

    __repr__ = __str__

    def at(self, k: int) -> Measure:
        """Return the same measure at another depth."""
        if self.k is None:
            raise OptionError(f"measure {self} has no depth, so @{k} cannot be asked of it.")
        if k < 1:
            raise OptionError(f"measure {self.name}@{k}: the depth must be 1 or more.")
        return replace(self, k=k)
