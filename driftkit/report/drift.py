"""How far words and the space moved: over all words, and by rank."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table

from driftkit.display import Text, counted, number, section, table
from driftkit.drift.groups import GROUPS, band_masks
from driftkit.drift.words import unmeasured
from driftkit.findings import Findings

SPACE_SHOWN = (
    "pip_loss", "cka", "debiased_cka", "rsa", "procrustes", "eigenspace_instability", "mean_cosine"
)  # fmt: skip
"""Whole-space measures worth a line, those that tell most of a classifier first (see DriftBench).

The rest are shown when asked for.
"""

Cells = dict[str, dict[str, float]]  # row, group, value


def drift_view(findings: Findings) -> RenderableType:
    """Means and whole-space values over all, moved and unmoved words, beside their null."""
    null = None if findings.null is None else drift_cells(findings.null)
    made = _table(GROUPS)
    for name, groups in drift_cells(findings).items():
        made.add_row(name, *(number(groups[group], 3) for group in GROUPS))
        if null is not None and not name.endswith(", original"):
            cells = (number(null[name][group], 3) for group in GROUPS)
            made.add_row("  null", *cells, style="dim")
    notes = (Text(note, "dim") for note in drift_notes(findings))
    return section("How far the table moved", made, *notes)


def drift_notes(findings: Findings) -> list[str]:
    """Say whose neighbors these are, what was not measured, and what the null is."""
    shifts = findings.shifts
    notes = [f"Neighbors are those of {counted(len(shifts), findings.noun)} among {shifts.among}."]
    notes += unmeasured(findings.words.reasons)
    if findings.null is not None:
        notes.append(f"null: the same {findings.noun}s moved as far, each in a random direction.")
    return notes


def bands_view(findings: Findings) -> RenderableType:
    """The same values by the rank, or the row, of the words: one column for each band."""
    place, noun = findings.place, findings.noun
    title = f"By {place} of the {noun}s"
    bands = tuple(band_masks(len(findings.pair)))
    if not bands:
        every = counted(len(findings.pair), f"{noun} is", f"{noun}s are")
        return section(title, Text(f"{every} in one band.", "dim"))
    made = _table([f"to\n{int(band.rsplit('-')[-1]):,}" for band in bands])
    for name, groups in drift_cells(findings, bands=True).items():
        if bands[0] in groups:
            made.add_row(name, *(number(groups[band], 3) for band in bands))
    notes = [f"A {place} is a position among the shared {noun}s."]
    overlap = str(findings.shifts.measures[0])
    part = [
        f"{row.n:,} of {row.n + row.unmeasured:,} in {row.group.replace('rank', place)}"
        for row in findings.summaries(bands=True)
        if row.measure == overlap and row.group in bands and row.unmeasured
    ]
    if part:
        why = f"Not every {noun}'s neighbors were sought, and of later ones only those that moved"
        notes.append(f"{why}: {', '.join(part)}.")
    return section(title, made, *(Text(note, "dim") for note in notes))


def _table(columns: Sequence[str]) -> Table:
    made = table("measure", right=columns)
    made.columns[0].no_wrap, made.columns[0].overflow = False, "fold"
    return made


def drift_cells(findings: Findings, *, bands: bool = False) -> Cells:
    """Return the values that the views show, by measure and then by group or band."""
    found: Cells = {}
    for row in findings.summaries(bands=bands):
        if row.measure in findings.words.reasons:
            continue
        found.setdefault(f"{row.measure}, mean", {})[row.group] = row.mean
    shown = (*SPACE_SHOWN, *findings.settings.measures)
    chosen = (each for each in findings.space if each.measure in shown)
    for each in sorted(chosen, key=lambda value: shown.index(value.measure)):
        of = "" if each.of == "pair" else f", {each.of}"
        found.setdefault(each.measure + of, {})[each.group] = each.value
    return found
