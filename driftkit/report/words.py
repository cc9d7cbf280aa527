"""The neighbors of single words: side by side, or one line for each word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.columns import Columns
from rich.console import RenderableType

from driftkit.display import number, run_of, table
from driftkit.findings import Findings
from driftkit.names import Names, told_apart
from driftkit.neighbors import NeighborShifts, Shift

SHOWN = 3  # neighbors named where a word gets one line
LISTED = 20  # columns of a name there, of which 80 hold three


def neighbors_view(
    shifts: NeighborShifts, texts: Mapping[str, str] | None = None
) -> RenderableType:
    """Neighbors of each word before and after with their scores, and how well the lists agree."""
    names = _names(shifts, texts)
    share, ranked = shifts.measures
    blocks = []
    for each in shifts:
        caption = f"{share} {number(each.overlap)}, {ranked} {number(each.rbo)}"
        blocks.append(each.beside(caption, names, scored=True))
    return Columns(blocks, padding=(0, 3))


def side_by_side(findings: Findings, shifts: Iterable[Shift]) -> RenderableType:
    """Neighbors of each word before and after, with what the audit knows of the word."""
    shifts, blocks = list(shifts), []
    names = _names(shifts, findings.texts)
    for shift in shifts:
        caption = f"{findings.place} {_place(findings, shift.word):,}"
        if "self_cosine" not in findings.words.reasons:
            own = findings.words.self_cosine[findings.pair.index[shift.word]]
            caption += f", self_cosine {number(float(own))}"
        blocks.append(shift.beside(caption, names))
    return Columns(blocks, padding=(0, 3))


def one_line_each(findings: Findings, shifts: Iterable[Shift]) -> RenderableType:
    """A line for each word: how many neighbors it kept, and the first it lost and gained."""
    lines = table(findings.noun, right=(findings.place, "kept"))
    lines.add_column("lost", overflow="fold")
    lines.add_column("gained", overflow="fold")
    shifts = list(shifts)
    every = (name for shift in shifts for name in shift.names)
    names = told_apart(every, LISTED, findings.texts)
    for shift in shifts:
        lines.add_row(
            names[shift.word],
            f"{_place(findings, shift.word):,}",
            f"{len(shift.kept)}/{len(shift.before)}",
            _tagged("-", shift.lost, names, "red"),
            _tagged("+", shift.gained, names, "cyan"),
        )
    return lines


def _place(findings: Findings, word: str) -> int:
    """Return the row of a word in the original table, from 1."""
    return int(findings.pair.original_rows[findings.pair.index[word]]) + 1


def _names(shifts: Iterable[Shift], texts: Mapping[str, str] | None) -> Names:
    return Names((name for shift in shifts for name in shift.names), texts)


def _tagged(
    sign: str, words: Sequence[str], names: Mapping[str, str], style: str
) -> RenderableType:
    """Name the first few words, each with its sign, and on its own line if one holds a space."""
    shown = [f"{sign}{names[word]}" for word in words[:SHOWN]]
    if len(words) > SHOWN:
        shown.append("...")
    between = "\n" if any(" " in name for name in shown) else " "
    return run_of(shown, between, style)
