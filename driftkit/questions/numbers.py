"""The question whether the numbers of the tuned table are sound."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from driftkit.arrays import Mask, Matrix, Rows, generator, row_blocks
from driftkit.display import counted
from driftkit.measured import Measured
from driftkit.pair import Pair
from driftkit.questions.finding import Finding, Status, worst

GONE = 10
"""Rows that collapsed or were zeroed: this many, or 1 in 100 of a small table, break it. A few are
padding, or tokens put out on purpose."""

CLIPPED = 0.01
"""Share of clipped rows that breaks a table. An overflow of float16 clipped 24 in 100 rows in the
simulated year, and no harmless week had one."""

DIMENSIONS = 0.1
"""Share of the dimensions whose loss breaks a table. Without a tenth of GloVe's, cosines are off by
.05, half of what lies between a word's first neighbor and its tenth."""

COARSE = 0.05
"""Rounding, as a share of a typical coordinate, that hides much movement: eight bits stay below,
four bits do not."""

RANK_KEPT, RANK = 0.9, 0.5
"""Of the directions the moved rows used, the shares below which some are lost, and below which they
collapsed into a few: no table of the study's 495 had under .79."""


def answer(found: Measured) -> Finding:
    """Say whether rows were clipped, collapsed or zeroed, or dimensions or digits lost."""
    pair = found.pair
    clipped, collapsed = found.damaged["saturated"], int(_collapsed(pair).sum())
    zeroed = int(((pair.after_norms == 0) & (pair.before_norms > 0)).sum())
    lost, coarse, rank = _lost_dimensions(pair), _coarseness(pair), _rank_left(found)
    d = pair.before.shape[1]
    notes: list[tuple[Status, str]] = []
    gone = max(min(GONE, len(pair) // 100), 2)
    for count, least, what in (
        (clipped, max(CLIPPED * len(pair), 2), "clipped at the table's largest number"),
        (collapsed, gone, f"now equal to another {found.noun}'s"),
        (zeroed, gone, "zeroed"),
    ):
        if count is not None and count > 0:
            said = f"{counted(count, 'row')} {what}"
            notes.append(("broken" if count >= least else "changed", said))
    if lost:
        verb = "varies" if lost == 1 else "vary"
        said = f"{lost:,} of {counted(d, 'dimension')} no longer {verb}"
        notes.append(("broken" if lost >= DIMENSIONS * d else "changed", said))
    if coarse > COARSE:
        notes.append(("changed", f"its numbers are rounded by up to {coarse:.0%} of their size"))
    if rank < RANK_KEPT:
        share = "share of all directions" if pair.mismatch else "directions"
        said = f"moved rows use {rank:.0%} of the {share} they used"
        notes.append(("broken" if rank < RANK else "changed", said))
    if pair.mismatch:
        notes.append(("not tested", "clipped rows and lost dimensions are not told between widths"))
    return Finding(
        "numbers",
        worst(*(status for status, _ in notes)),
        "; ".join(said for _, said in notes) or "no row clipped or collapsed, no dimension lost",
        {
            "saturated": clipped,
            "collapsed": collapsed,
            "zeroed": zeroed,
            "lost_dimensions": lost,
            "coarseness": coarse,
            "rank_left": None if np.isnan(rank) else rank,
        },
    )


def _collapsed(pair: Pair) -> Mask:
    """Rows that now equal another shared word's row and did not before, (n,)."""
    if not pair.moved.any():
        return np.zeros(len(pair), bool)
    after, before = _fingerprints(pair.after), _fingerprints(pair.before)
    # Rows that were equal already, and moved together, are as good as they were.
    apart = _times(after) > _times(after * np.uint64(2**63 + 1) ^ before)
    return np.asarray(apart & pair.changed & (pair.after_norms > 0))


def _fingerprints(matrix: Matrix) -> npt.NDArray[np.uint64]:
    """A number for each row (n,), the same for equal rows and no others but by a rare accident."""
    weights = generator(0, "fingerprints").integers(2**63, size=matrix.shape[1], dtype=np.uint64)
    out = np.empty(len(matrix), np.uint64)
    for some in row_blocks(*matrix.shape):
        bits = (matrix[some] + np.float32(0)).view(np.uint32)  # -0 becomes 0
        out[some] = (bits.astype(np.uint64) * weights).sum(axis=1)
    return out


def _times(keys: npt.NDArray[np.uint64]) -> Rows:
    """How often each key occurs, (n,)."""
    _, where, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return np.asarray(counts[where], np.int64)


def _lost_dimensions(pair: Pair) -> int | None:
    """Dimensions in which moved rows varied and now are all equal; 0 where the rows are equal.

    None where the tables have different ones.
    """
    if pair.mismatch:
        return None
    if pair.moved.sum() < 2:
        return 0
    constant = [np.ones(pair.before.shape[1], bool) for _ in range(2)]
    first = int(np.flatnonzero(pair.moved)[0])
    for some in row_blocks(*pair.before.shape):
        rows = pair.moved[some]
        for matrix, equal in zip((pair.before, pair.after), constant, strict=True):
            equal &= (matrix[some][rows] == matrix[first]).all(axis=0)
    lost = constant[1] & ~constant[0]
    return 0 if constant[1].all() else int(lost.sum())


def _coarseness(pair: Pair) -> float:
    """The rounding of the tuned source, as a share of a typical coordinate."""
    rounding = pair.tuned.source.rounding
    typical = float(np.sqrt(np.mean(np.square(pair.tuned.norms)) / pair.tuned.dimensions))
    absolute = rounding.absolute / typical if typical else 0.0
    return rounding.relative + absolute + rounding.of_length


def _rank_left(found: Measured) -> float:
    """Effective rank of the moved rows as a share of what it was.

    In fewer dimensions it is as much as it was if it is the same share of them.
    """
    before, after = (
        found.space.find("effective_rank", "moved", of).value for of in ("original", "tuned")
    )
    return after / (before * min(found.pair.tuned.dimensions / found.pair.original.dimensions, 1))
