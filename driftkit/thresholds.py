"""A cut-off on the cosine, carried from the original table to the tuned one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from rich.console import Group, RenderableType
from scipy.sparse import csr_array

from driftkit.arguments import require, shown, whole
from driftkit.arrays import Mask, Matrix, Rows, Values, generator
from driftkit.display import Displayed, Text, counted, section
from driftkit.errors import AlignmentError, OptionError
from driftkit.pair import Pair
from driftkit.progress import Progress, as_progress

if TYPE_CHECKING:
    from driftkit.charts.theme import Chart

SCHEMA = "driftkit.thresholds/1"

FEWEST_ITEMS = 20
FEWEST_PASSED = 10
"""Of so few pairs a share is known to a third of itself; below that nothing is said."""
CANDIDATES = 10_000
"""Items drawn by default: 50 million pairs, of which a share of 1e-5 is still 500."""

TILE = 1_024  # rows and columns of the products looked at in one step
BINS = 1 << 16  # of the cosines of a table: 0.00003 wide, far less than an interval is
SLACK = 2.0**-19
"""How far below a threshold a cosine may come out and count as at it: float32 rounds a product of
rows of length 1 by less. So copies pass 1, and rows of 24 signs whose product is 6 pass .25."""
WIDTH = 1.96  # of a 95 % interval in standard errors

PairsOf = Literal["all", "nearest"]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A threshold that one half of the items gave, tried on the pairs of the other half.

    Parameters
    ----------
    tuned : float
        What the first half gave.
    n_pairs, passed_before, passed_after : int
        Pairs of the other half; those the original threshold passes in the original table, and
        those `tuned` passes in the tuned one.
    """

    tuned: float
    n_pairs: int
    passed_before: int
    passed_after: int

    @property
    def points(self) -> float:
        """How far apart the two shares are, in percentage points."""
        return 100 * abs(self.passed_after - self.passed_before) / self.n_pairs


@dataclass(frozen=True, slots=True, repr=False)
class TranslatedThreshold(Displayed):
    """The tuned cosine that passes the share of pairs that a threshold passed before.

    Made by `driftkit.translate_threshold`.

    Parameters
    ----------
    original, tuned : float
        The threshold given, and the one to use instead. A pair passes if its cosine is not below,
        but for the rounding of float32.
    low, high : float
        The 95 % interval of `tuned`: what other items of the same kind would have given.
    pairs : {"all", "nearest"}
        Whether each pair of items counts, or each item with its nearest other one.
    items, n_pairs : int
        Items looked at, and their pairs.
    passed : int
        Pairs that `original` passes in the original table.
    passed_after : int
        Pairs that `tuned` passes in the tuned table.
    kept : int
        Those among `passed` that still pass.
    same_match : int or None
        Those among `kept` that are the same two items; None unless `pairs` is ``"nearest"``.
    untranslated : int
        Pairs that `original` would pass in the tuned table.
    held_out : tuple of HeldOut
        Both halves of the items, each judged by the other; empty if there is a `reason`.
    reason : str or None
        Why nothing was held out.
    """

    original: float
    tuned: float
    low: float
    high: float
    pairs: PairsOf
    items: int
    n_pairs: int
    passed: int
    passed_after: int
    kept: int
    same_match: int | None
    untranslated: int
    held_out: tuple[HeldOut, ...] = field(default=())
    reason: str | None = None

    @property
    def share(self) -> float:
        """Share of the pairs that pass, from 0 to 1."""
        return self.passed / self.n_pairs

    @property
    def points(self) -> float:
        """The larger of the two held-out differences, in percentage points; NaN without any."""
        return max((half.points for half in self.held_out), default=np.nan)

    def to_dict(self) -> dict[str, Any]:
        """Return the entry of ``thresholds`` in the document ``driftkit.thresholds/1``."""
        numbers = {name: getattr(self, name) for name in self.__slots__ if name != "held_out"}
        for name in ("tuned", "low", "high"):
            numbers[name] = round(numbers[name], 6)
        halves = [
            {
                "tuned": round(half.tuned, 6),
                "n_pairs": half.n_pairs,
                "passed_before": half.passed_before,
                "passed_after": half.passed_after,
            }
            for half in self.held_out
        ]
        return numbers | {"held_out": halves}

    def plot(self) -> Chart:
        """Draw what the threshold has become, and who still passes; needs the extra ``report``."""
        from driftkit.charts.thresholds import thresholds

        return thresholds([self.to_dict()])

    def __rich__(self) -> RenderableType:
        return Group(*map(Text, self._lines()))

    def _lines(self) -> Iterator[str]:
        what = "pairs" if self.pairs == "all" else "nearest pairs"
        yield (
            f"{self.original:g} becomes {self.tuned:.4f} ({self.low:.4f} to {self.high:.4f}): "
            f"it passes {self.passed_after:,} of the {self.n_pairs:,} {what} of {self.items:,} "
            f"items, where {self.passed:,} ({_percent(self.share)}) passed before."
        )
        share = self.kept / self.passed
        if share < 1:
            match = "" if self.same_match is None else f", {self.same_match:,} with the same match"
            yield (
                f"The same share, but not the same pairs: of those that passed, {self.kept:,} "
                f"({share:.0%}) still pass{match}."
            )
        else:
            match = (
                ""
                if self.same_match in (None, self.kept)
                else (f", {self.same_match:,} of them with the same match")
            )
            yield f"Every pair that passed still passes{match}."
        if self.untranslated != self.passed_after:
            yield f"Left at {self.original:g}, {self.untranslated:,} would pass."
        if self.reason:
            yield f"Held out: not measured: {self.reason}."
        for half in self.held_out:
            yield (
                f"Held out: {half.tuned:.4f}, from the other half of the items, passes "
                f"{half.passed_after:,} of {half.n_pairs:,} {what}, where "
                f"{half.passed_before:,} passed before; {half.points:.3f} points apart."
            )


def threshold_document(
    original: str, tuned: str, found: Sequence[TranslatedThreshold]
) -> dict[str, Any]:
    """Return the JSON document ``driftkit.thresholds/1`` of thresholds of two tables."""
    entries = [each.to_dict() for each in found]
    return {"schema": SCHEMA, "original": original, "tuned": tuned, "thresholds": entries}


def thresholds_view(
    original: str, tuned: str, found: Sequence[TranslatedThreshold]
) -> RenderableType:
    """Return what the terminal shows of the thresholds of two tables."""
    parts = (section(f"{each.original:g}", each) for each in found)
    return Group(Text(f"{tuned} against {original}"), *parts)


def translate_threshold(
    pair: Pair,
    threshold: float,
    *,
    pairs: PairsOf = "all",
    candidates: int = CANDIDATES,
    seed: int = 0,
    progress: Progress | bool | None = None,
) -> TranslatedThreshold:
    """Find the cosine of the tuned table that passes the share of pairs that one passed before.

    A cache, a search for duplicates and a filter each compare cosines with a fixed number, which
    means something else after fine-tuning. Only cosines within each table are used.

    Parameters
    ----------
    pair : Pair
        From `align`. Items with a zero row on either side have no cosine and are left out.
    threshold : float
        A cosine of the original table, from -1 to 1.
    pairs : {"all", "nearest"}
        What passes or does not: each two items, as in a search for duplicates, or each item with
        its nearest other one, as in a cache. How near the nearest is depends on how many items
        there are, so for ``"nearest"`` give the items of the index itself.
    candidates : int
        At most so many shared items are looked at, drawn at random; all their pairs are counted.
    seed : int
        Seed of the draw and of the halves.
    progress : callable or True, optional
        Called with (steps done, steps in all); True draws a bar.

    Returns
    -------
    TranslatedThreshold

    Raises
    ------
    OptionError
        If an option is out of range, or fewer than 10 pairs lie on one side of the threshold.
    AlignmentError
        If fewer than 20 shared items have a direction.

    Notes
    -----
    The interval takes the items for a sample of those to come. Pairs that share an item do not vary
    independently, so the variance of the difference between the two shares sums over all such pairs
    (the dyadic variance of Aronow, Samii and Assenova, 2015); the interval of the share is then
    read off the tuned cosines (Woodruff, 1952). Of samples of 300 items, about 93 % of these
    intervals held the threshold of the population, and about 90 % for the nearest pairs.

    For the check, the items are halved, not the pairs, which would share items.

    Examples
    --------
    >>> import driftkit as dk
    >>> rng = np.random.default_rng(0)
    >>> words, vectors = [f"item{i}" for i in range(200)], rng.normal(size=(200, 8))
    >>> pair = dk.align(dk.Embeddings(words, vectors), dk.Embeddings(words, vectors + 2))
    >>> found = dk.translate_threshold(pair, 0.5)
    >>> found.tuned > 0.8, found.passed > 1_000
    (True, True)
    """
    require(pair, Pair, "dk.translate_threshold")
    is_number = isinstance(threshold, Real) and not isinstance(threshold, bool)
    if not is_number or not -1 <= threshold <= 1:
        raise OptionError(f"threshold={shown(threshold)} was given; a cosine is from -1 to 1.")
    if pairs not in ("all", "nearest"):
        raise OptionError(f"pairs={shown(pairs)} was given; it is 'all' or 'nearest'.")
    whole(FEWEST_ITEMS, candidates=candidates)
    whole(0, seed=seed)
    rows = np.flatnonzero(~pair.zero)
    if len(rows) < FEWEST_ITEMS:
        raise AlignmentError(
            f"{counted(len(rows), 'shared item has', 'shared items have')} a direction in both "
            f"tables; a threshold is translated from {FEWEST_ITEMS} or more."
        )
    if len(rows) > candidates:
        drawn = generator(seed, "threshold candidates").choice(len(rows), candidates, replace=False)
        rows = rows[np.sort(drawn)]
    # The first half of the items comes first, so that the pairs of a half are one square.
    rows = rows[generator(seed, "threshold halves").permutation(len(rows))]
    sides = (
        _units(pair.before[rows], pair.before_norms[rows]),
        _units(pair.after[rows], pair.after_norms[rows]),
    )
    count = _all_pairs if pairs == "all" else _nearest_pairs
    return count(*sides, float(threshold), as_progress(progress, "threshold"))


def _units(matrix: Matrix, norms: Values) -> Matrix:
    """Rows (n, d) of length 1, float32."""
    return cast(Matrix, (matrix / norms[:, None]).astype(np.float32))


def _passes(cosines: Matrix | Values, threshold: float) -> Mask:
    """Whether each cosine is at the threshold or above it, but for rounding."""
    return np.asarray(cosines >= threshold - SLACK)


# --- all pairs ------------------------------------------------------------------------------------

_Tile = tuple[slice, slice, int]  # rows, columns, and 0 or 1 for pairs of a half, 2 for the others


def _tiles(n: int) -> list[_Tile]:
    """Return the tiles of the upper triangle of an n x n matrix, none across the two halves."""
    ends = (n // 2, n)
    blocks = [
        (slice(at, min(at + TILE, end)), half)
        for half, start, end in ((0, 0, ends[0]), (1, ends[0], ends[1]))
        for at in range(start, end, TILE)
    ]
    return [
        (rows, columns, half if half == other else 2)
        for at, (rows, half) in enumerate(blocks)
        for columns, other in blocks[at:]
    ]


def _cosines(unit: Matrix, rows: slice, columns: slice) -> Matrix:
    """Cosines of a tile; those that are not above the diagonal become -2, below any threshold."""
    products = unit[rows] @ unit[columns].T
    if rows == columns:
        products[np.tril_indices(len(products))] = -2
    return cast(Matrix, products)


def _all_pairs(
    before: Matrix, after: Matrix, threshold: float, told: Progress | None
) -> TranslatedThreshold:
    n = len(before)
    tiles = _tiles(n)
    passed, same = np.zeros(3, np.int64), np.zeros(3, np.int64)
    counts = np.zeros((3, BINS), np.int64)
    for done, (rows, columns, kind) in enumerate(tiles):
        passed[kind] += np.count_nonzero(_passes(_cosines(before, rows, columns), threshold))
        cosines = _cosines(after, rows, columns)
        same[kind] += np.count_nonzero(_passes(cosines, threshold))
        counts[kind] += _histogram(cosines)
        if told:
            told(done + 1, 2 * len(tiles))
    n_pairs = n * (n - 1) // 2
    total = int(passed.sum())
    _require_enough(total, n_pairs, threshold, "pairs")
    above = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]  # pairs at or above the edge of each bin
    tuned = _edge(above.sum(axis=0), total, threshold, int(same.sum()))
    of_halves = [
        _edge(above[kind], int(passed[kind]), threshold, int(same[kind])) for kind in (0, 1)
    ]

    differing = np.zeros(n, np.int64)  # by item: pairs that pass now, less those that passed before
    discordant = kept = passed_after = 0
    held_after = [0, 0]
    for done, (rows, columns, kind) in enumerate(tiles):
        cosines = _cosines(after, rows, columns)
        was = _passes(_cosines(before, rows, columns), threshold)
        now = _passes(cosines, tuned)
        change = now.astype(np.int8) - was
        differing[rows] += change.sum(axis=1, dtype=np.int64)
        differing[columns] += change.sum(axis=0, dtype=np.int64)
        discordant += int(np.count_nonzero(change))
        kept += int(np.count_nonzero(was & now))
        passed_after += int(np.count_nonzero(now))
        if kind < 2:
            held_after[kind] += int(np.count_nonzero(_passes(cosines, of_halves[1 - kind])))
        if told:
            told(len(tiles) + done + 1, 2 * len(tiles))
    # Two pairs count together once for each item they share, a pair with itself only once.
    variance = max(float(np.square(differing).sum() - discordant), float(discordant))
    ends = (_edge(above.sum(axis=0), total + sign * WIDTH * variance**0.5) for sign in (1, -1))
    low, high = (tuned, tuned) if not discordant else ends
    sizes = [size * (size - 1) // 2 for size in (n // 2, n - n // 2)]
    halves = tuple(
        HeldOut(of_halves[1 - kind], sizes[kind], int(passed[kind]), held_after[kind])
        for kind in (0, 1)
    )
    return _result(
        halves,
        original=threshold,
        tuned=tuned,
        low=min(low, tuned),
        high=max(high, tuned),
        pairs="all",
        items=n,
        n_pairs=n_pairs,
        passed=total,
        passed_after=passed_after,
        kept=kept,
        same_match=None,
        untranslated=int(same.sum()),
    )


def _histogram(cosines: Matrix) -> Rows:
    """Number of cosines in each of the `BINS` bins from -1 to 1; -2 is none."""
    known = cosines[cosines > -1.5]
    bins = (known + np.float32(1 + SLACK)) * np.float32(BINS / 2)
    return np.bincount(np.clip(bins, 0, BINS - 1).astype(np.int64), minlength=BINS)


def _edge(above: Rows, wanted: float, threshold: float = np.nan, same: int = -1) -> float:
    """Return the edge of a bin that comes nearest to passing `wanted` pairs.

    It is the threshold itself where that passes as many; of several edges, the middle one.
    """
    if same == wanted:
        return threshold
    distance = np.abs(above - wanted)
    best = np.flatnonzero(distance == distance.min())
    return float(best[len(best) // 2]) * 2 / BINS - 1


# --- nearest pairs --------------------------------------------------------------------------------


def _nearest_pairs(
    before: Matrix, after: Matrix, threshold: float, told: Progress | None
) -> TranslatedThreshold:
    n = len(before)
    half = n // 2
    found: list[tuple[Values, Rows]] = []
    inside: list[Values] = []  # nearest within the own half
    for at, unit in enumerate((before, after)):
        best, match, own = np.empty(n), np.empty(n, np.int64), np.empty(n)
        for start in range(0, n, TILE):
            rows = slice(start, min(start + TILE, n))
            cosines = unit[rows] @ unit.T
            here = np.arange(rows.start, rows.stop)
            cosines[here - start, here] = -2
            match[rows] = cosines.argmax(axis=1)
            best[rows] = cosines.max(axis=1)
            first = here < half
            own[here[first]] = cosines[first, :half].max(axis=1, initial=-2)
            own[here[~first]] = cosines[~first, half:].max(axis=1, initial=-2)
            if told:
                told(at * n + rows.stop, 2 * n)
        found.append((best, match))
        inside.append(own)
    (was, old_match), (now, new_match) = found
    passes = _passes(was, threshold)
    total = int(passes.sum())
    _require_enough(total, n, threshold, "nearest pairs")
    tuned = _cut(now, total, threshold)
    still = _passes(now, tuned)
    change = still.astype(np.int64) - passes
    variance = _shared_variance(change, np.column_stack([np.arange(n), old_match, new_match]))
    spread = WIDTH * variance**0.5
    low, high = (tuned, tuned) if not change.any() else (
        _cut(now, total + spread), _cut(now, total - spread)
    )  # fmt: skip
    parts = (slice(0, half), slice(half, n))
    counts = [int(_passes(inside[0][part], threshold).sum()) for part in parts]
    cuts = [
        _cut(inside[1][part], count, threshold) for part, count in zip(parts, counts, strict=True)
    ]
    halves = tuple(
        HeldOut(
            cuts[1 - kind],
            len(inside[1][part]),
            counts[kind],
            int(_passes(inside[1][part], cuts[1 - kind]).sum()),
        )
        for kind, part in enumerate(parts)
    )
    return _result(
        halves,
        original=threshold,
        tuned=tuned,
        low=min(low, tuned),
        high=max(high, tuned),
        pairs="nearest",
        items=n,
        n_pairs=n,
        passed=total,
        passed_after=int(still.sum()),
        kept=int((passes & still).sum()),
        same_match=int((passes & still & (old_match == new_match)).sum()),
        untranslated=int(_passes(now, threshold).sum()),
    )


def _cut(cosines: Values, wanted: float, threshold: float = np.nan) -> float:
    """Return the middle of the gap below the `wanted` highest cosines, or the threshold in it."""
    number = min(max(round(wanted), 0), len(cosines))
    if int(_passes(cosines, threshold).sum()) == number:
        return threshold
    ordered = np.concatenate([[1.0], np.sort(cosines)[::-1], [-1.0]])
    return float(ordered[number : number + 2].mean())


def _shared_variance(change: Rows, nodes: Rows) -> float:
    """Variance of a sum of changes (n,), where those with an item in common go together.

    `nodes` (n, 3) are the items of each change: itself and its nearest, before and after.
    """
    some = np.flatnonzero(change)
    rows = np.repeat(np.arange(len(some)), nodes.shape[1])
    ones = np.ones(len(rows))
    incidence = csr_array((ones, (rows, nodes[some].ravel())), shape=(len(some), len(change)))
    together = (incidence @ incidence.T).astype(bool).astype(np.float64)
    values = change[some].astype(np.float64)
    return max(float(values @ np.asarray(together @ values)), float(len(some)))


# --- both -----------------------------------------------------------------------------------------


def _require_enough(passed: int, n: int, threshold: float, what: str) -> None:
    fewer, side = min((passed, "pass"), (n - passed, "do not pass"))
    if fewer < FEWEST_PASSED:
        raise OptionError(
            f"threshold={threshold:g} was given; of {n:,} {what} of the original table {fewer:,} "
            f"{side} it, and at least {FEWEST_PASSED} must lie on either side; give another "
            "threshold, or more items (candidates)."
        )


def _result(halves: tuple[HeldOut, ...], **numbers: Any) -> TranslatedThreshold:
    fewest = min(min(half.passed_before, half.n_pairs - half.passed_before) for half in halves)
    if fewest >= FEWEST_PASSED:
        return TranslatedThreshold(**numbers, held_out=halves)
    why = f"in one half of the items only {fewest:,} pairs lie on one side of the threshold"
    return TranslatedThreshold(**numbers, reason=f"{why}, and {FEWEST_PASSED} are needed")


def _percent(share: float) -> str:
    """Write a share of any size with two digits that mean something."""
    return f"{100 * share:.3g} %"
