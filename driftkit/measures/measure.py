"""What a measure declares of itself: its name, range, direction and source."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from numbers import Real

import numpy as np

from driftkit.arguments import DEEPEST
from driftkit.arrays import Mask, Values
from driftkit.errors import OptionError

_ROUNDING = 1e-9
"""How far past the end of its range rounding may carry a value."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a parameter accepts: `low` to `high`, perhaps only `whole`, perhaps without the `ends`.

    Examples
    --------
    >>> 0.9 in Bounds(0, 1, ends=False), 1 in Bounds(0, 1, ends=False), 1.5 in Bounds(0, whole=True)
    (True, False, False)
    >>> print(Bounds(0, 1, whole=True), Bounds(1, whole=True), Bounds(1, 10), sep="; ")
    0 or 1; a whole number, 1 or more; from 1 to 10
    """

    low: float
    high: float = math.inf
    whole: bool = False
    ends: bool = True

    def __contains__(self, value: float) -> bool:
        inside = self.low <= value <= self.high if self.ends else self.low < value < self.high
        return inside and (not self.whole or float(value).is_integer())

    def __str__(self) -> str:
        if self.whole and self.high == self.low + 1:
            return f"{self.low:g} or {self.high:g}"
        text = f"from {self.low:g} to {self.high:g}"
        if self.high == math.inf:
            text = f"{self.low:g} or more" if self.ends else f"more than {self.low:g}"
        elif not self.ends:
            text = f"between {self.low:g} and {self.high:g}"
        return f"a whole number, {text}" if self.whole else text


@dataclass(frozen=True, slots=True)
class Measure:
    """What is measured, apart from who computes it.

    Parameters
    ----------
    name : str
        The field's standard term in lower case: letters, digits, ``_`` and ``-``.
    kind : str
        What one value describes: ``"word"``, ``"space"``, or a kind of benchmark such as
        ``"similarity"``.
    low, high : float
        The range of values.
    higher_is_better : bool
        Whether a higher value means that more of the original was kept.
    summary : str
        One sentence.
    source : str
        Paper or library the definition is taken from.
    k : int, optional
        Depth, for measures that look at the k nearest or the k best.
    parameters : tuple of (str, float)
        Named parameters and their values.
    accepted : mapping of str to Bounds
        What each parameter may be.
    identity : float, optional
        What it reads where nothing changed; None for a measure that describes one table.
    margin : float, optional
        Of a measure of benchmarks: the smallest change that counts; by default a hundredth of the
        range.
    fewest_items : int, optional
        Of a measure of benchmarks: fewer answered items than this decide nothing; by default as
        many as it takes for a single item not to outweigh the margin.

    Raises
    ------
    OptionError
        If what is declared contradicts itself.

    Examples
    --------
    >>> from driftkit.measures import parse_measure
    >>> measure = parse_measure("rbo(p=0.9)@10")
    >>> measure, measure.k, dict(measure.parameters)
    (rbo(p=0.9)@10, 10, {'p': 0.9})
    """

    name: str
    kind: str
    low: float
    high: float
    higher_is_better: bool
    summary: str
    source: str
    k: int | None = None
    parameters: tuple[tuple[str, float], ...] = ()
    accepted: Mapping[str, Bounds] = field(default_factory=dict, compare=False)
    identity: float | None = None
    margin: float | None = None
    fewest_items: int | None = None

    def __post_init__(self) -> None:
        numbers = (self.low, self.high, self.identity, self.margin, self.k, self.fewest_items)
        if not all(isinstance(each, Real) for each in numbers if each is not None):
            raise OptionError(f"measure {self.name}: its range, k and margin must be numbers.")
        span = f"from {self.low:g} to {self.high:g}"
        names = [key for key, _ in self.parameters]
        if not re.fullmatch(r"[\w-]+", self.name):
            wrong = "a name is made of letters, digits, _ and -"
        elif not self.low < self.high:
            wrong = f"it ranges {span}, and low must be less than high"
        elif self.identity is not None and not self.low <= self.identity <= self.high:
            wrong = f"it reads {self.identity:g} where nothing changed, and ranges {span}"
        elif self.k is not None and self.k < 1:
            wrong = "the depth must be 1 or more"
        elif self.k is not None and self.k > DEEPEST:
            wrong = f"the depth must be {DEEPEST:,} or less"
        elif set(names) != set(self.accepted) or "k" in names:
            wrong = "`parameters` and `accepted` must name the same parameters, and k is not one"
        else:
            bad = (each for each in self.parameters if each[1] not in self.accepted[each[0]])
            key, value = next(bad, ("", 0))
            wrong = (
                f"{key}={value:.12g} was given; {key} must be {self.accepted[key]}" if key else ""
            )
        if wrong:
            raise OptionError(f"measure {self}: {wrong}.")

    def __str__(self) -> str:
        inside = ",".join(f"{key}={value:.12g}" for key, value in self.parameters)
        depth = f"@{self.k}" if self.k is not None else ""
        return self.name + (f"({inside})" if inside else "") + depth

    __repr__ = __str__

    def at(self, k: int) -> Measure:
        """Return the same measure at another depth."""
        if self.k is None:
            raise OptionError(f"measure {self} has no depth, so @{k} cannot be asked of it.")
        return replace(self, k=k)

    def settled(self, values: Values, unchanged: Mask | bool = False) -> Values:
        """Return values (m,) without what only rounding put there; NaN stays NaN.

        Where all that a value depends on is equal bit by bit in both tables, a distance is 0 and a
        cosine is 1, not what the last bits leave, which another processor leaves otherwise. And
        1.0000000000000002 is 1 where 1 is the largest value.

        Raises
        ------
        OptionError
            If a value is outside the range by more than rounding.
        """
        far = (values < self.low - _ROUNDING) | (values > self.high + _ROUNDING)
        if far.any():
            raise OptionError(
                f"{self} came out as {values[far][0]:.6g}, outside its range of {self.low:g} to "
                f"{self.high:g}; correct the function that computes it, or the range."
            )
        inside = np.clip(values, self.low, self.high)
        if self.identity is None:
            return inside
        return np.where(unchanged & ~np.isnan(inside), self.identity, inside)
