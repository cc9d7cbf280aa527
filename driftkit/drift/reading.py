"""Whether what reads the original vectors still finds the right word in the tuned ones."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from driftkit.arrays import Mask, Rows, Values
from driftkit.drift.groups import none_if_nan
from driftkit.pair import Pair

ASKED = 400  # words asked of each group; a share of so many is known to 2.5 %
_QUERIES, _ROWS = 128, 4_096  # compared in one step; their products stay in the cache
_GRAIN = 1e-12  # of the size of a product: nearer than this two rows are tied

WAYS = ("cosine", "l2", "dot")


@dataclass(frozen=True, slots=True)
class Reading:
    """Of the words asked, the share whose nearest original row is their own, by three readers.

    A tie counts against the word. `original` says what the original vectors themselves find: less
    than 1 where rows are equal, and by the dot product, where long rows win.
    """

    group: str  # moved or frequent
    n: int
    tuned: dict[str, float]  # by cosine, l2 and dot; NaN where no word could be asked
    original: dict[str, float]
    reason: str | None = None  # why the tuned vectors could not be asked about

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        fields = asdict(self)
        for side in ("tuned", "original"):
            fields[side] = {way: none_if_nan(value) for way, value in fields[side].items()}
        return fields


def readings(pair: Pair, candidates: Rows) -> tuple[Reading, ...]:
    """Ask for moved and for frequent words, evenly spaced, among the candidates' original rows.

    Parameters
    ----------
    pair : Pair
    candidates : ndarray of int64, shape (c,)
        Positions of shared words, the most frequent first.

    Examples
    --------
    >>> from driftkit import Embeddings, align
    >>> original = Embeddings(["good", "bad", "film"], [[2.0, 0.5], [0.0, 1.0], [1.0, 1.0]])
    >>> tuned = Embeddings(["good", "bad", "film"], [[0.0, 1.2], [0.0, 1.0], [1.0, 1.0]])
    >>> moved, frequent = readings(align(original, tuned), np.arange(3))
    >>> moved.n, moved.tuned["cosine"], moved.original["cosine"]
    (1, 0.0, 1.0)
    """
    return tuple(
        _reading(pair, candidates, group, places)
        for group, places in (
            ("moved", _spaced(np.flatnonzero(pair.moved[candidates]))),
            ("frequent", np.arange(min(ASKED, len(candidates)))),
        )
    )


def _spaced(places: Rows) -> Rows:
    """At most `ASKED` of them, evenly spaced."""
    if len(places) <= ASKED:
        return places
    return places[np.linspace(0, len(places) - 1, ASKED).round().astype(np.int64)]


def _reading(pair: Pair, candidates: Rows, group: str, places: Rows) -> Reading:
    asked = candidates[places]
    before = after = _found(pair.before[asked].astype(np.float64), pair, candidates, places)
    if pair.changed[asked].any() and not pair.mismatch:
        after = _found(pair.after[asked].astype(np.float64), pair, candidates, places)
    tuned, original = (
        {way: float(found[way].mean()) if len(asked) else np.nan for way in WAYS}
        for found in (after, before)
    )
    if pair.mismatch:
        tuned = dict.fromkeys(WAYS, np.nan)
    return Reading(group, len(asked), tuned, original, pair.mismatch)


def _found(queries: Values, pair: Pair, candidates: Rows, places: Rows) -> dict[str, Mask]:
    """By each way, whether no other candidate is as near to a query (m, d) as its own row."""
    own, norms = pair.before[candidates[places]].astype(np.float64), pair.before_norms[candidates]
    mine = dict(zip(WAYS, _nearness((queries * own).sum(axis=1), norms[places]), strict=True))
    best = {way: np.full(len(queries), -np.inf) for way in WAYS}
    for start in range(0, len(candidates), _ROWS):
        rows = pair.before[candidates[start : start + _ROWS]].astype(np.float64)
        for first in range(0, len(queries), _QUERIES):
            part = slice(first, first + _QUERIES)
            products = queries[part] @ rows.T
            at = places[part] - start
            its = np.flatnonzero((at >= 0) & (at < len(rows)))
            nearness = _nearness(products, norms[start : start + _ROWS])
            for way, others in zip(WAYS, nearness, strict=True):
                others[its, at[its]] = -np.inf
                np.maximum(best[way][part], others.max(axis=1), out=best[way][part])
    sizes, longest = np.linalg.norm(queries, axis=1), norms.max()
    grain = {"cosine": sizes, "l2": (sizes + longest) * longest, "dot": sizes * longest}
    return {way: (sizes > 0) & (mine[way] - best[way] > _GRAIN * grain[way]) for way in WAYS}


def _nearness(products: Values, norms: Values) -> tuple[Values, Values, Values]:
    """How near rows are by each way, up to what is the same for all rows of one query."""
    inverse = np.divide(1, norms, out=np.zeros_like(norms), where=norms > 0)
    return products * inverse, 2 * products - np.square(norms), products
