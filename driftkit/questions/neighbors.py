"""The question whether words kept their company."""

from __future__ import annotations

import numpy as np

from driftkit.arrays import Mask, Values
from driftkit.display import counted
from driftkit.drift.groups import none_if_nan
from driftkit.measured import Measured
from driftkit.neighbors.overlap import CANDIDATES_PER_NEIGHBOR, beyond_chance
from driftkit.questions.finding import Finding, Status

KEPT, BROKEN = 0.9, 0.2
"""Mean overlap of the moved words, corrected for chance. Of 495 tuned tables of the study 9 of 175
lost a default benchmark where it was over .9, and 55 of 104 between .8 and .9. The weeks of the
simulated year kept .99 (staged) and .45 (direct); hot, which loses two benchmarks, keeps .01."""

UNMOVED_KEPT, UNMOVED_BROKEN = 0.95, 0.5
"""The same of words that did not move. In the study 21 of 247 tables lost a default benchmark where
it was over .95, and 117 of 131 between .9 and .95; it never was under .5."""

TURNED = 0.5  # self-cosine below which a word points elsewhere
UPROOTED, UPROOTED_SHARE = 10, 0.01
"""Words that turned and kept no neighbor: from so many, and this share of the moved ones, some rows
hold other vectors, whatever the mean says."""


def answer(found: Measured) -> Finding:
    """Say how much of their company moved and unmoved words kept, beyond chance."""
    shifts, moved = found.shifts, found.shifts.moved
    c = len(shifts.candidates)
    if c < CANDIDATES_PER_NEIGHBOR * shifts.k:
        why = f"{counted(c, 'candidate')} for {shifts.k} neighbors agree by chance; ask for fewer"
        return Finding("neighbors", "not tested", f"{why} (-k)", {"candidates": c, "k": shifts.k})
    overlap = beyond_chance(shifts.overlap, shifts.k, c)
    groups = {"moved": moved, "unmoved": ~moved}
    mean = {name: _mean(overlap, mask) for name, mask in groups.items()}
    uprooted = int(_uprooted(found).sum())
    evidence: dict[str, object] = {
        "candidates": c,
        "k": shifts.k,
        "moved": int(moved.sum()),
        **{f"overlap_{name}": none_if_nan(value) for name, value in mean.items()},
        "uprooted": uprooted,
    }
    if (null := found.null) is not None:
        random = beyond_chance(null.shifts.overlap, shifts.k, c)
        evidence["overlap_moved_if_random"] = none_if_nan(_mean(random, moved))
    if not moved.any():
        return Finding("neighbors", "kept", "no word moved", evidence)
    said = "moved words have no neighbors any more"
    if not np.isnan(mean["moved"]):
        said = f"moved words kept {max(mean['moved'], 0):.0%} of their neighbors beyond chance"
    if not moved.all():
        said += f", unmoved words {max(mean['unmoved'], 0):.0%}"
    many = uprooted >= max(UPROOTED, UPROOTED_SHARE * moved.sum())
    if many:
        said += f"; {counted(uprooted, 'word')} turned away and kept none"
    scattered = mean["moved"] < BROKEN and moved.sum() >= UPROOTED
    status: Status = "kept"
    if many or scattered or mean["unmoved"] < UNMOVED_BROKEN:
        status = "broken"
    elif mean["moved"] < KEPT or mean["unmoved"] < UNMOVED_KEPT:
        status = "changed"
    return Finding("neighbors", status, said, evidence)


def _mean(values: Values, chosen: Mask) -> float:
    known = values[chosen & ~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan


def _uprooted(found: Measured) -> Mask:
    """Candidates that moved, point elsewhere (or nowhere), and kept no neighbor at all."""
    own = found.words.self_cosine[found.candidate_rows]
    kept_some = found.shifts.overlap > 0
    return np.asarray(found.shifts.moved & ~(own >= TURNED) & ~kept_some)
