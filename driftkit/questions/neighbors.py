"""The question whether words kept their company."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from driftkit.arrays import Mask, Values
from driftkit.display import counted
from driftkit.drift.groups import none_if_nan
from driftkit.measured import Measured
from driftkit.neighbors.overlap import CANDIDATES_PER_NEIGHBOR, beyond_chance, chance_alone
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
"""Words that turned and kept no neighbor: from so many, and this share of those that moved enough
to matter, some rows hold other vectors, whatever the mean says. One such word is a change."""


def answer(found: Measured) -> Finding:
    """Say how much of their company moved and unmoved words kept, beyond chance."""
    shifts, moved = found.shifts, found.shifts.moved
    c = len(shifts.candidates)
    if why := chance_alone(c, shifts.k):
        if c >= CANDIDATES_PER_NEIGHBOR:
            instead = "ask for fewer (-k)"
        elif len(shifts) < len(found.pair):
            instead = "take more candidates (--candidates)"
        else:
            instead = "the tables have too few rows to tell"
        said = f"{why}; {instead}"
        return Finding("neighbors", "not tested", said, {"candidates": c, "k": shifts.k})
    overlap = beyond_chance(shifts.overlap, shifts.k, c)
    groups = {"moved": moved, "unmoved": ~moved}
    mean = {name: _mean(overlap, mask) for name, mask in groups.items()}
    uprooted, beyond = int(_uprooted(found).sum()), _turned_beyond(found)
    evidence: dict[str, object] = {
        "candidates": c,
        "k": shifts.k,
        "moved": int(moved.sum()),
        **{f"overlap_{name}": none_if_nan(value) for name, value in mean.items()},
        "uprooted": uprooted,
        "turned_beyond_candidates": beyond,
    }
    if (null := found.null) is not None:
        random = beyond_chance(null.shifts.overlap, shifts.k, c)
        evidence["overlap_moved_if_random"] = none_if_nan(_mean(random, moved))
    if not moved.any():
        return Finding("neighbors", "kept", f"no {found.noun} moved", evidence)
    if not _had_neighbors(found).any():
        return Finding("neighbors", "not tested", f"no {found.noun} had neighbors before", evidence)
    many = max(UPROOTED, UPROOTED_SHARE * int((found.pair.moved & found.matters).sum()))
    had = int((moved & _had_neighbors(found)).sum())
    scattered = (np.isnan(mean["moved"]) or mean["moved"] < BROKEN) and had >= UPROOTED
    status: Status = "kept"
    if uprooted >= many or beyond >= many or scattered or mean["unmoved"] < UNMOVED_BROKEN:
        status = "broken"
    elif uprooted or beyond or not mean["moved"] >= KEPT or mean["unmoved"] < UNMOVED_KEPT:
        status = "changed"
    said = "; ".join(_said(found, mean, uprooted, beyond))
    return Finding("neighbors", status, said, evidence)


def _said(found: Measured, mean: dict[str, float], uprooted: int, beyond: int) -> Iterator[str]:
    looked, every = int(found.shifts.moved.sum()), int(found.pair.moved.sum())
    words = f"moved {found.noun}s"
    if looked != every:
        words = f"{looked:,} of {every:,} {words} looked at"
    had = _had_neighbors(found)[found.shifts.moved]
    kept = f"{words} {'have no neighbors any more' if had.any() else 'had no neighbors before'}"
    if not np.isnan(mean["moved"]):
        kept = f"{words} kept {max(mean['moved'], 0):.0%} of their neighbors beyond chance"
    if not np.isnan(mean["unmoved"]):
        share = f"{max(mean['unmoved'], 0):.0%}"
        theirs = f"kept {share} of theirs" if np.isnan(mean["moved"]) else share
        kept += f", unmoved {found.noun}s {theirs}"
    yield kept
    if filled := int((~had).sum()):
        yield f"{counted(filled, found.noun)} had a row of zeros before"
    if uprooted:
        how = "" if found.pair.mismatch else ", turned away or zeroed,"
        yield f"{counted(uprooted, found.noun)}{how} lost all neighbors"
    if beyond:
        yield f"of the {found.noun}s not looked at {beyond:,} point elsewhere"


def _mean(values: Values, chosen: Mask) -> float:
    known = values[chosen & ~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan


def _uprooted(found: Measured) -> Mask:
    """Candidates that moved, point elsewhere (or nowhere), and kept no neighbor at all.

    A row of another width points elsewhere.
    """
    own = found.words.self_cosine[found.candidate_rows]
    kept_some = found.shifts.overlap > 0
    return np.asarray(found.shifts.moved & _had_neighbors(found) & ~(own >= TURNED) & ~kept_some)


def _had_neighbors(found: Measured) -> Mask:
    """Candidates that had a neighbor before; a row of zeros has none to lose."""
    return np.asarray(found.shifts.before[:, 0] >= 0)


def _turned_beyond(found: Measured) -> int:
    """Count the moved words that are no candidates and point elsewhere; 0 where most words do.

    Where the whole space was turned, only neighbors tell what happened, and these were not sought.
    """
    turned = found.pair.moved & ~(found.words.self_cosine >= TURNED)
    zero = np.flatnonzero(found.pair.zero)
    turned[zero] &= found.pair.before[zero].any(axis=1)  # what pointed nowhere was not turned
    looked_at = np.zeros(len(turned), bool)
    looked_at[found.candidate_rows] = True
    if turned[looked_at].sum() > found.pair.moved[looked_at].sum() / 2:
        return 0
    return int((turned & ~looked_at).sum())
