"""Per-word figures summed up over all, the moved and the unmoved words, or over bands of ranks.

Most words of a table are often untouched, and a mean over all of them hides what happened to the
rest; so every summary comes in three.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

GROUPS = ("all", "moved", "unmoved")


@dataclass(frozen=True, slots=True)
class Summary:
    """One per-word measure over one group of words.

    Parameters
    ----------
    group : str
        The words summed up: ``all``, ``moved``, ``unmoved``, or a band such as ``rank 1-1000``.
    measure : str
        Name of the measure.
    n : int
        Words measured.
    unmeasured : int
        Words of the group whose figure is NaN; they are left out of the rest.
    mean, median, p05, p95 : float
        Mean, median, 5th and 95th percentile (linear interpolation); NaN when `n` is 0.
    """

    group: str
    measure: str
    n: int
    unmeasured: int
    mean: float
    median: float
    p05: float
    p95: float

    @property
    def reason(self) -> str | None:
        """Why there is no figure, or None when there is one."""
        if self.n:
            return None
        if self.unmeasured:
            return f"none of the {self.unmeasured:,} {self.group} words could be measured"
        return f"there are no {self.group} words"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields and the reason, numbers that could not be measured as None."""
        fields = {name: none_if_nan(value) for name, value in asdict(self).items()}
        return {**fields, "reason": self.reason}


def group_masks(moved: npt.NDArray[np.bool_]) -> dict[str, npt.NDArray[np.bool_]]:
    """Which words belong to each group, in the order all, moved, unmoved."""
    return {"all": np.ones_like(moved), "moved": moved, "unmoved": ~moved}


def summarize(
    figures: Mapping[str, npt.NDArray[np.float64]], moved: npt.NDArray[np.bool_]
) -> tuple[Summary, ...]:
    """Sum up per-word figures.

    Parameters
    ----------
    figures : mapping of str to ndarray of float64, shape (m,)
        Measures by name; NaN where a word could not be measured.
    moved : ndarray of bool, shape (m,)
        Which words moved.

    Returns
    -------
    tuple of Summary
        Measure by measure, each for all, moved and unmoved.

    Examples
    --------
    >>> rows = summarize({"overlap@10": np.array([1.0, 0.5, np.nan])}, np.array([0, 1, 1], bool))
    >>> [(row.group, row.n, row.unmeasured, row.mean) for row in rows]
    [('all', 2, 1, 0.75), ('moved', 1, 1, 0.5), ('unmoved', 1, 0, 1.0)]
    """
    return summarize_groups(figures, group_masks(moved))


def summarize_groups(
    figures: Mapping[str, npt.NDArray[np.float64]], masks: Mapping[str, npt.NDArray[np.bool_]]
) -> tuple[Summary, ...]:
    """Sum up per-word figures (m,) over groups of words, given by name as masks (m,)."""
    return tuple(
        _summary(group, measure, values[mask])
        for measure, values in figures.items()
        for group, mask in masks.items()
    )


def _summary(group: str, measure: str, values: npt.NDArray[np.float64]) -> Summary:
    known = values[~np.isnan(values)]
    missing = len(values) - len(known)
    if not len(known):
        return Summary(group, measure, 0, missing, np.nan, np.nan, np.nan, np.nan)
    p05, median, p95 = np.quantile(known, [0.05, 0.5, 0.95]).tolist()
    return Summary(group, measure, len(known), missing, float(known.mean()), median, p05, p95)


def none_if_nan(value: Any) -> Any:
    """Give None for NaN, which JSON cannot hold, and anything else as it is."""
    return None if isinstance(value, float) and np.isnan(value) else value
