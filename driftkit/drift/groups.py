"""Groups of words, and measures of words summed up over them.

Most words of a table are often untouched, and a mean over all of them hides what happened to the
rest; so every summary comes for all, the moved and the unmoved words. Tables are usually sorted
by frequency and damage is not even, so it comes for bands of ranks too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from driftkit.arrays import Mask, Values
from driftkit.display import OneLine
from driftkit.errors import OptionError

GROUPS = ("all", "moved", "unmoved")

BANDS = (1_000, 10_000, 100_000)
"""Last ranks of the bands, unless the caller says otherwise."""

_NONE: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Summary(OneLine):
    """One measure of words over one group of them; what sums it up is NaN when `n` is 0."""

    group: str  # all, moved, unmoved, or a band such as "rank 1-1000"
    measure: str
    n: int  # words measured
    unmeasured: int  # words of the group whose value is NaN; they are left out of the rest
    mean: float
    median: float
    p05: float  # percentiles, interpolated linearly
    p95: float
    min: float
    why: str | None = None  # what kept the measure from being taken of any word

    @property
    def reason(self) -> str | None:
        """Why there is no value, or None when there is one."""
        if self.n:
            return None
        if self.why and self.unmeasured:
            return self.why
        words = "words" if self.group == "all" else f"{self.group} words"
        if self.unmeasured == 1:
            return f"the only {words.removesuffix('s')} could not be measured"
        if self.unmeasured:
            return f"none of the {self.unmeasured:,} {words} could be measured"
        return f"there are no {words}"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields and the reason, numbers that could not be measured as None."""
        fields = {name: none_if_nan(value) for name, value in asdict(self).items()}
        del fields["why"]
        return {**fields, "reason": self.reason}


def group_masks(moved: Mask) -> dict[str, Mask]:
    """Return which words belong to each group, in the order all, moved, unmoved."""
    return {"all": np.ones_like(moved), "moved": moved, "unmoved": ~moved}


def band_masks(n: int, last: Sequence[int] = BANDS) -> dict[str, Mask]:
    """Return which of n words, most frequent first, belong to each band of ranks.

    The last ranks of the bands, from 1, must ascend; what follows them is a band too.

    >>> {name: int(mask.sum()) for name, mask in band_masks(2500, [1000, 2000]).items()}
    {'rank 1-1000': 1000, 'rank 1001-2000': 1000, 'rank 2001-2500': 500}
    >>> band_masks(800)
    {}
    """
    if list(last) != sorted(set(last)) or any(rank < 1 for rank in last):
        raise OptionError(f"bands={list(last)} were given; ranks must ascend from 1 or more.")
    ends = [rank for rank in last if rank < n]
    if not ends:
        return {}
    rank = np.arange(1, n + 1)
    starts = [1, *(end + 1 for end in ends)]
    return {
        f"rank {start}-{end}": (rank >= start) & (rank <= end)
        for start, end in zip(starts, [*ends, n], strict=True)
    }


def summarize(
    values: Mapping[str, Values], masks: Mapping[str, Mask], reasons: Mapping[str, str] = _NONE
) -> tuple[Summary, ...]:
    """Sum up measures of words, (m,) by name, over the masks (m,) of groups or bands.

    `reasons` says of measures that could not be taken of any word why not.

    >>> groups = group_masks(np.array([False, True, True]))
    >>> rows = summarize({"overlap@10": np.array([1.0, 0.5, np.nan])}, groups)
    >>> [(row.group, row.n, row.unmeasured, row.mean) for row in rows]
    [('all', 2, 1, 0.75), ('moved', 1, 1, 0.5), ('unmoved', 1, 0, 1.0)]
    """
    return tuple(
        _summary(group, measure, each[mask], reasons.get(measure))
        for measure, each in values.items()
        for group, mask in masks.items()
    )


def _summary(group: str, measure: str, values: Values, why: str | None) -> Summary:
    known = values[~np.isnan(values)]
    missing = len(values) - len(known)
    if not len(known):
        nan = np.nan
        return Summary(group, measure, 0, missing, nan, nan, nan, nan, nan, why)
    p05, median, p95 = np.quantile(known, [0.05, 0.5, 0.95]).tolist()
    mean, least = float(known.mean()), float(known.min())
    return Summary(group, measure, len(known), missing, mean, median, p05, p95, least)


def none_if_nan(value: Any) -> Any:
    """Return None for NaN, which JSON cannot hold, and anything else as it is."""
    return None if isinstance(value, float) and np.isnan(value) else value
