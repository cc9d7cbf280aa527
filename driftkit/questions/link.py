"""The question whether what reads the original vectors still works."""

from __future__ import annotations

import numpy as np

from driftkit.display import counted
from driftkit.drift.groups import none_if_nan
from driftkit.drift.reading import Reading
from driftkit.measured import Measured
from driftkit.questions.finding import Finding, Status

READERS = {"cosine": "cosine", "l2": "distance", "dot": "dot product"}
FOUND, LOST = 0.99, 0.9
"""Of the moved words that a reader found, the share it finds still: all but 1 in 100 is kept, less
than 9 in 10 is broken. Of 495 tuned tables of the study none of 155 without a displaced word lost a
default benchmark, and 187 of 213 with more than 1 in 100 did."""

LENGTHS, TOO_LONG = 0.05, 0.25
"""Changes of length of one moved word in ten: a dot product notices the first, and takes one word
for another by the second. In the study 100 of 117 tables whose moved rows grew by more than .05
lost a default benchmark, and 14 of 495 grew by .25; the demo's hot recipe makes rows ten times
longer."""

RESIZED, RESIZED_SHARE = 10, 0.01
"""Words that became longer or shorter by more than `TOO_LONG`: from so many, and this share of
those that moved enough to matter, a dot product is broken. One such word is a change."""


def answer(found: Measured) -> Finding:
    """Say whether readers by cosine, distance and dot product find words where they were."""
    pair = found.pair
    evidence: dict[str, object] = {
        "displaced": found.damaged["displaced"],
        "readings": [reading.to_dict() for reading in found.readings],
        "remedy": None if found.remedy is None else found.remedy.name,
    }
    if pair.mismatch:
        said = f"{pair.mismatch}: an index of the old vectors must be rebuilt, or a map fitted"
        return Finding("link", "broken", said, evidence)
    if not pair.moved.any():
        return Finding("link", "kept", f"no {found.noun} moved", evidence)
    finds = {
        way: min(ratios)
        for way in READERS
        if (ratios := [_still(reading, way) for reading in found.readings if reading.n])
    }
    ratio = found.words.norm_ratio[pair.moved & ~pair.zero]
    longer = float(np.quantile(np.abs(np.log(ratio)), 0.9)) if len(ratio) else np.nan
    steps = found.words.relative_l2[pair.moved]
    step = float(np.nanquantile(steps, 0.95)) if not np.isnan(steps).all() else np.nan
    evidence |= {"length_change": none_if_nan(longer), "relative_step": none_if_nan(step)}
    worst_way = min(finds, key=lambda way: finds[way], default="cosine")
    worst_share = finds.get(worst_way, np.nan)
    resized = int((np.abs(np.log(ratio)) > np.log1p(TOO_LONG)).sum())
    many = max(RESIZED, RESIZED_SHARE * int((pair.moved & found.matters).sum()))
    evidence["resized"] = resized
    status: Status = "kept"
    if worst_share < LOST or longer > np.log1p(TOO_LONG) or resized >= many:
        status = "broken"
    elif resized or worst_share < FOUND or longer > np.log1p(LENGTHS) or found.displaced.any():
        status = "changed"
    said = _said(status, worst_way, worst_share, longer, resized, found)
    return Finding("link", status, said, evidence)


def _still(reading: Reading, way: str) -> float:
    """Of the words a reader found in the original table, the share it finds with tuned rows.

    By the dot product few words may be found at all, and ranks say little of the others.
    """
    if way != "dot":
        return 1.0 if np.isnan(reading.kept[way]) else reading.kept[way]
    before = reading.original[way]
    return min(reading.tuned[way] / before, 1.0) if before else 1.0


def _said(
    status: Status, way: str, share: float, longer: float, resized: int, found: Measured
) -> str:
    if status == "kept":
        if not (found.pair.moved & found.matters).any():
            return "rows moved by less than a hundredth of their length, too little to matter"
        return f"readers of the original vectors still find every {found.noun}"
    parts, noun = [], found.noun
    if share < FOUND:
        parts.append(
            f"a reader of the original vectors by {READERS[way]} finds {share:.0%} of the {noun}s "
            "it found"
        )
    if longer > np.log1p(LENGTHS):
        much = f"{np.expm1(longer):.0%}" if longer < 1 else f"a factor of {np.exp(longer):.3g}"
        parts.append(f"one moved {noun} in ten changed its length by {much} or more")
    elif resized:
        parts.append(
            f"{counted(resized, f'moved {noun}')} changed {'its' if resized == 1 else 'their'} "
            f"length by more than {TOO_LONG:.0%}"
        )
    if displaced := int(found.displaced.sum()):
        parts.append(
            f"{displaced:,} of {counted(int(found.pair.moved.sum()), f'moved {noun}')} "
            f"{'is farther from its' if displaced == 1 else 'are farther from their'} old place "
            f"than {'its' if displaced == 1 else 'their'} nearest neighbor was"
        )
    if found.remedy is not None:
        what = (
            "it all" if found.pair.moved.all() else f"how the moved {noun}s moved, not the others"
        )
        parts.append(f"{found.remedy.name} explains {what}: {found.remedy.undo}")
    return "; ".join(parts)
