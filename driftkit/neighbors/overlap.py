"""How well two lists of neighbors agree: overlap, Jaccard, average and rank-biased overlap.

Functions take two arrays of lists, (m, k) of int32, and return values (m,) from 0 to 1. A list is a
row of positions, nearest first, padded with -1 at its end. Lists shorter than k occur only when
there are fewer than k possible neighbors; they are compared at the length they have. A word with an
empty list on either side gets NaN: there is nothing to compare.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from driftkit.arrays import Rows, Values
from driftkit.display import counted

Lists = npt.NDArray[np.int32]

CANDIDATES_PER_NEIGHBOR = 10
"""With fewer candidates than this many times k, lists agree by chance."""

_BLOCK_ENTRIES = 1 << 20  # neighbors compared at once

F = TypeVar("F", bound=Callable[..., Values])


def _of_lists(measure: F) -> F:
    """Take a measure of lists a block at a time, however deep they are; NaN where one is empty."""

    @wraps(measure)
    def blockwise(before: Lists, after: Lists, *args: Any, **named: Any) -> Values:
        out = np.empty(len(before))
        step = max(1, _BLOCK_ENTRIES // before.shape[1])
        for start in range(0, len(before), step):
            a, b = before[start : start + step], after[start : start + step]
            with np.errstate(invalid="ignore", divide="ignore"):
                values = measure(a, b, *args, **named)
            out[start : start + step] = np.where((a[:, 0] >= 0) & (b[:, 0] >= 0), values, np.nan)
        return out

    return cast(F, blockwise)


@_of_lists
def overlap(before: Lists, after: Lists) -> Values:
    """Share of neighbors kept: ``|A n B| / max(|A|, |B|)``, so ``|A n B| / k`` for full lists.

    Wendlandt, Kummerfeld & Mihalcea 2018, "Factors Influencing the Surprising Instability of Word
    Embeddings".

    >>> overlap(np.array([[3, 1, 2]], np.int32), np.array([[1, 3, 9]], np.int32)).round(3).tolist()
    [0.667]
    """
    longer = np.maximum((before >= 0).sum(axis=1), (after >= 0).sum(axis=1))
    return cast(Values, common_by_depth(before, after)[:, -1] / longer)


def chance_alone(candidates: int, k: int) -> str | None:
    """Say why lists of k neighbors tell nothing where the candidates are too few; None otherwise.

    >>> chance_alone(11, 10)
    '11 candidates for 10 neighbors agree by chance'
    """
    if candidates >= CANDIDATES_PER_NEIGHBOR * k:
        return None
    lists = f"{counted(candidates, 'candidate')} for {counted(k, 'neighbor')}"
    return f"{lists} agree by chance"


def adjusted_overlap(before: Lists, after: Lists, candidates: int) -> Values:
    """Overlap corrected for chance: ``(o - e) / (1 - e)``; random lists have ``e = k / (n - 1)``.

    NaN where the n candidates are fewer than `CANDIDATES_PER_NEIGHBOR` times k. The form is that of
    Hubert & Arabie 1985, "Comparing Partitions".

    >>> lists = np.array([[1], [2]], np.int32)
    >>> adjusted_overlap(lists, np.array([[1], [3]], np.int32), 11).round(3).tolist()
    [1.0, -0.111]
    """
    k = before.shape[1]
    if candidates < CANDIDATES_PER_NEIGHBOR * k:
        return np.full(len(before), np.nan)
    return beyond_chance(overlap(before, after), k, candidates)


def chance_overlap(k: int, candidates: int) -> float:
    """Return the share ``k / (n - 1)`` that two random lists of n candidates have in common.

    >>> chance_overlap(10, 51), chance_overlap(10, 2)
    (0.2, 1.0)
    """
    return min(1.0, k / max(candidates - 1, 1))


def beyond_chance(overlaps: Values, k: int, candidates: int) -> Values:
    """Correct overlaps for what two random lists have in common (see `chance_overlap`).

    >>> beyond_chance(np.array([0.2, 1.0]), 10, 51).tolist()
    [0.0, 1.0]
    """
    chance = chance_overlap(k, candidates)
    values: Values = (overlaps - chance) / (1 - chance)
    return values


@_of_lists
def jaccard(before: Lists, after: Lists) -> Values:
    """Neighbors of both sides by neighbors of either: ``|A n B| / |A u B|``.

    Boggust, Carter & Satyanarayan 2022, "Embedding Comparator".

    >>> jaccard(np.array([[3, 1, 2]], np.int32), np.array([[1, 3, 9]], np.int32)).tolist()
    [0.5]
    """
    either = (before >= 0).sum(axis=1) + (after >= 0).sum(axis=1)
    kept = common_by_depth(before, after)[:, -1]
    return cast(Values, kept / (either - kept))


@_of_lists
def average_overlap(before: Lists, after: Lists) -> Values:
    """Mean, over the depths d up to the longer list, of the share of the first d that agree.

    Wu & Crestani 2003; Webber, Moffat & Zobel 2010, section 3.

    >>> average_overlap(np.array([[0, 1]], np.int32), np.array([[1, 0]], np.int32)).tolist()
    [0.5]
    """
    longer = np.maximum((before >= 0).sum(axis=1), (after >= 0).sum(axis=1))[:, None]
    depth = np.arange(1, before.shape[1] + 1)
    agreed = np.where(depth <= longer, common_by_depth(before, after) / depth, 0).sum(axis=1)
    return cast(Values, agreed / longer[:, 0])


def mutual_share(queries: Rows, lists: Lists, candidates: int) -> Values:
    """Share of a word's neighbors that have the word among their own.

    Words are given by their positions (m,) among the candidates, -1 where they are none. NaN where
    no neighbor was asked about, since nothing is known then, and for words that are no candidates,
    which are in no list.

    >>> lists = np.array([[1], [0], [0]], np.int32)
    >>> mutual_share(np.arange(3), lists, 3).tolist()
    [1.0, 1.0, 0.0]
    """
    from scipy.sparse import csr_array

    list_of = np.full(candidates, -1)
    list_of[queries[queries >= 0]] = np.flatnonzero(queries >= 0)
    theirs = lists[list_of]  # (c, k), meaningless where nobody asked
    filled = (theirs >= 0) & (list_of >= 0)[:, None]
    ends = np.concatenate([[0], filled.sum(axis=1).cumsum()])
    # (c, c): whether the column is a neighbor of the row
    near = csr_array((np.ones(ends[-1], np.int32), theirs[filled], ends), (candidates, candidates))
    mutual = np.asarray(near.multiply(near.T).sum(axis=1))[queries]
    known = ((lists >= 0) & (list_of[lists] >= 0)).sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.where((queries >= 0) & (known > 0), mutual / known, np.nan)


@_of_lists
def rbo(before: Lists, after: Lists, p: float = 0.9) -> Values:
    """Rank-biased overlap, extrapolated beyond the lists' ends (RBO_ext, equation 32).

    The persistence p, between 0 and 1, says how far down a reader looks: with 0.9 the first ten
    ranks carry 86 % of the weight.
    Webber, Moffat & Zobel 2010, "A Similarity Measure for Indefinite Rankings".

    >>> a, b = np.array([[0, 1, 2, 3, 4]], np.int32), np.array([[1, 0, 2, 3, 4]], np.int32)
    >>> rbo(a, b).round(6).tolist()
    [0.9]
    """
    lengths = np.stack([(before >= 0).sum(axis=1), (after >= 0).sum(axis=1)])
    shorter, longer = lengths.min(axis=0)[:, None], lengths.max(axis=0)[:, None]  # (m, 1): s, l
    common = common_by_depth(before, after)  # (m, k): X_d
    depth = np.arange(1, before.shape[1] + 1)  # (k,): d
    at_shorter = np.take_along_axis(common, np.maximum(shorter - 1, 0), axis=1)  # X_s
    at_longer = np.take_along_axis(common, np.maximum(longer - 1, 0), axis=1)  # X_l
    seen = np.where(depth <= longer, common / depth, 0)
    beyond = (depth > shorter) & (depth <= longer)
    assumed = np.where(beyond, at_shorter * (depth - shorter) / (shorter * depth), 0)
    body = (1 - p) / p * ((seen + assumed) * p**depth).sum(axis=1, keepdims=True)
    tail = ((at_longer - at_shorter) / longer + at_shorter / shorter) * p**longer
    return cast(Values, np.minimum(body + tail, 1)[:, 0])


def common_by_depth(before: Lists, after: Lists) -> Rows:
    """Count what two lists share within their first d entries, for every d from 1 to k, (m, k)."""
    b, k = before.shape
    both = np.concatenate([before, after], axis=1)  # (b, 2k)
    order = np.argsort(both, axis=1, kind="stable")
    value = np.take_along_axis(both, order, axis=1)
    # A neighbor of both sides comes twice in a row, first from `before` as the sort is stable.
    row, place = np.nonzero((value[:, 1:] == value[:, :-1]) & (value[:, 1:] >= 0))
    depth = np.maximum(order[row, place], order[row, place + 1] - k)
    counts = np.bincount(row * k + depth, minlength=b * k).reshape(b, k)
    return counts.cumsum(axis=1)
