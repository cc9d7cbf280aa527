"""How it is shown how far words and the space moved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from driftkit.display import number, section, signed, table
from driftkit.drift.bands import band_masks
from driftkit.drift.summary import GROUPS

if TYPE_CHECKING:
    from driftkit.findings import Audit

SPACE_SHOWN = ("cka", "debiased_cka", "rsa", "procrustes", "eigenspace_instability", "mean_cosine")
"""Whole-space measures worth a line; the rest are shown when asked for."""

_Cells = dict[str, dict[str, float]]  # row, group, figure


def drift_view(audit: Audit) -> RenderableType:
    """Means and whole-space figures over all, moved and unmoved words, beside their null."""
    null = None if audit.null is None else _cells(audit.null)
    made = _table(GROUPS)
    for name, groups in _cells(audit).items():
        made.add_row(name, *(number(groups[group], 3) for group in GROUPS))
        if null is not None and not name.endswith(", original"):
            cells = (number(null[name][group], 3) for group in GROUPS)
            made.add_row("  null", *cells, style="dim")
    shifts = audit.shifts
    notes = [f"Neighbors: {len(shifts.words):,} words among {len(shifts.candidates):,} candidates."]
    if null is not None:
        notes.append("null: the same words moved as far, each in a random direction.")
    return section("How far it moved", made, *(Text(note, "dim") for note in notes))


def null_benchmarks_view(audit: Audit, null: Audit) -> RenderableType:
    """Changes of the benchmarks beside those that random moves bring."""
    made = table("benchmark", "measure", right=("change", "null"))
    for change, random in zip(audit.scores, null.scores, strict=True):
        made.add_row(
            change.name, change.measure, signed(change.delta), Text(signed(random.delta), "dim")
        )
    return section("What random moves of the same size would have done", made)


def bands_view(audit: Audit) -> RenderableType:
    """The same figures by the rank of the words: a column a band."""
    bands = tuple(band_masks(len(audit.pair)))
    if not bands:
        note = f"{len(audit.pair):,} words are one band."
        return section("By rank", Text(note, "dim"))
    made = _table([f"to\n{int(band.rsplit('-')[-1]):,}" for band in bands])
    for name, groups in _cells(audit, bands=True).items():
        if bands[0] in groups:
            made.add_row(name, *(number(groups[band], 3) for band in bands))
    notes = ["Ranks are positions among the shared words."]
    part = [
        f"{row.n:,} of {row.n + row.unmeasured:,} in {row.group}"
        for row in audit.summaries(bands=True)
        if row.measure == str(audit.shifts.measures[0]) and row.group in bands and row.unmeasured
    ]
    if part:
        notes.append(
            "Neighbors were not sought of every word, and of rare ones only of those that moved: "
            f"{', '.join(part)}."
        )
    return section("By rank", made, *(Text(note, "dim") for note in notes))


def _table(columns: Sequence[str]) -> Table:
    made = table("measure", right=columns)
    made.columns[0].no_wrap, made.columns[0].overflow = False, "fold"
    return made


def _cells(audit: Audit, *, bands: bool = False) -> _Cells:
    found: _Cells = {}
    for name, group, value in _named(audit, bands):
        found.setdefault(name, {})[group] = value
    return found


def _named(audit: Audit, bands: bool) -> Iterator[tuple[str, str, float]]:
    for row in audit.summaries(bands=bands):
        yield f"{row.measure}, mean", row.group, row.mean
    for figure in audit.space:
        if figure.measure in (*SPACE_SHOWN, *audit.settings.measures):
            of = "" if figure.of == "pair" else f", {figure.of}"
            yield figure.measure + of, figure.group, figure.value
