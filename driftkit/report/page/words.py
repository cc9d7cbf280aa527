"""The words of a page and their places on the map, as compact JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from driftkit.arrays import Rows, Values
from driftkit.explain.directions import Direction
from driftkit.explain.explanation import Cause, explain
from driftkit.findings import Findings
from driftkit.neighbors.overlap import Lists
from driftkit.neighbors.result import Cosines
from driftkit.report.page.strings import Strings, packed

CAUSES: Mapping[Cause, str] = {
    "the word moved": "Its own row moved, and none of the neighbors that it lost or gained.",
    "its neighbors moved": "Its own row did not move; neighbors did.",
    "both moved": "Its own row moved, and so did neighbors of it.",
    "a new word came": "What only the tuned table has came among its neighbors.",
    "nothing changed": "Neither its row nor its neighbors moved.",
    "not measured": "Who moved is not measured between tables of different widths.",
}
_CAUSES = list(CAUSES)

HALF = 0.5  # share of a word's squared move along a direction from which it went that way


def words_of(
    findings: Findings,
    listed: Sequence[str],
    strings: Strings,
    directions: Sequence[Direction],
) -> dict[str, Any]:
    """Return what an audit knows of the m listed words, a column for each thing.

    A word that the audit does not know is None in each column. Names of neighbors join `strings`.
    """
    pair, shifts, null = findings.pair, findings.shifts, findings.null
    position = {word: at for at, word in enumerate(shifts.words)}
    row = np.array([pair.index.get(word, -1) for word in listed], np.int64)
    at = np.array([position.get(word, -1) for word in listed], np.int64)  # among the candidates
    thousandths = {
        "overlap": _column(shifts.overlap, at),
        "rbo": _column(shifts.rbo, at),
        "self_cosine": _column(findings.words.self_cosine, row),
        **({} if null is None else {"null": _column(null.shifts.overlap, at)}),
    }
    cause, theirs = _causes(findings, at)
    return {
        "place": packed(_column(pair.original_rows + 1, row), np.int32),
        "moved": packed(_column(pair.moved, row), np.int8),
        **{name: packed(1000 * values, np.int16) for name, values in thousandths.items()},
        "norm_ratio": packed(1000 * _column(findings.words.norm_ratio, row), np.int32),
        "direction": packed(_directions(findings, row, directions), np.int8),
        "cause": packed(cause, np.int8),
        "neighbors_moved": packed(1000 * theirs, np.int16),
        "before": _lists(findings, at, strings, shifts.before),
        "before_cosine": _cosines(shifts.before_cosine, at),
        "after": _lists(findings, at, strings, shifts.after),
        "after_cosine": _cosines(shifts.after_cosine, at),
    }


def _column(values: Any, places: Rows) -> Values:
    """Take values at some places (m,), NaN where there is none."""
    found = np.full(len(places), np.nan)
    found[places >= 0] = np.asarray(values, np.float64)[places[places >= 0]]
    return found


def _causes(findings: Findings, at: Rows) -> tuple[Values, Values]:
    """Return why the neighbors of each word changed, and how far its old neighbors moved, (m,)."""
    causes, moved = np.full((2, len(at)), np.nan)
    places = np.flatnonzero(at >= 0)
    told = explain(findings.pair, map(findings.shifts.at, at[places].tolist()))
    for place, each in zip(places.tolist(), told, strict=True):
        causes[place], moved[place] = _CAUSES.index(each.cause), each.neighbors
    return causes, moved


def _lists(findings: Findings, at: Rows, strings: Strings, lists: Lists) -> dict[str, Any]:
    """Return the neighbors (m, k) as places in the table of strings; the largest number is none."""
    chosen = np.where((at >= 0)[:, None], lists[at], -1)
    used = np.unique(chosen[chosen >= 0])
    names = (findings.shifts.candidates[position] for position in used.tolist())
    place = np.array(strings.places(names), np.int64)
    kind = np.uint16 if len(strings.shown) < np.iinfo(np.uint16).max else np.uint32
    out = np.full(chosen.shape, np.iinfo(kind).max, np.int64)
    out[chosen >= 0] = place[np.searchsorted(used, chosen[chosen >= 0])]
    return packed(out, kind)


def _cosines(cosines: Cosines, at: Rows) -> dict[str, Any]:
    """Return cosines (m, k) as whole hundredths, as many digits as are shown."""
    chosen = np.where((at >= 0)[:, None], cosines[at].astype(np.float64), np.nan)
    return packed(100 * chosen, np.int8)


def _directions(findings: Findings, row: Rows, directions: Sequence[Direction]) -> Rows:
    """Return the way each word mostly went: 1 or -1 for the first direction or its opposite.

    The second direction is 2 or -2, and so on. It is 0 where no direction holds half of the move.
    """
    out = np.zeros(len(row), np.int64)
    if not directions:
        return out
    pair = findings.pair
    here = np.flatnonzero((row >= 0) & pair.moved[row])
    move = pair.after[row[here]].astype(np.float64) - pair.before[row[here]]
    along = move @ np.stack([each.vector for each in directions]).T  # (h, directions)
    best = np.abs(along).argmax(axis=1)
    chosen = np.take_along_axis(along, best[:, None], axis=1)[:, 0]
    went = np.square(chosen) >= HALF * np.square(move).sum(axis=1)
    out[here] = np.where(went, np.sign(chosen) * (best + 1), 0).astype(np.int64)
    return out
