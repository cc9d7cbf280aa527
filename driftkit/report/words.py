"""The neighbors of single words: side by side, or one line for each word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.columns import Columns
from rich.console import RenderableType

from driftkit.display import Text, number, table
from driftkit.findings import Findings
from driftkit.neighbors import NeighborShifts, Shift

SHOWN = 3  # neighbors named where a word gets one line


def neighbors_view(shifts: NeighborShifts) -> RenderableType:
    """Neighbors of each word before and after, with the two measures of agreement."""
    share, ranked = shifts.measures
    captions = (f"{share} {number(each.overlap)}, {ranked} {number(each.rbo)}" for each in shifts)
    blocks = [each.beside(caption) for each, caption in zip(shifts, captions, strict=True)]
    return Columns(blocks, padding=(0, 3))


def side_by_side(findings: Findings, shifts: Iterable[Shift]) -> RenderableType:
    """Neighbors of each word before and after, with what the audit knows of the word."""
    blocks = []
    for shift in shifts:
        place = findings.pair.original.source.place
        caption = f"{place} {_place(findings, shift.word):,}"
        if "self_cosine" not in findings.words.reasons:
            own = findings.words.self_cosine[findings.pair.index[shift.word]]
            caption += f", self_cosine {number(float(own))}"
        blocks.append(shift.beside(caption))
    return Columns(blocks, padding=(0, 3))


def one_line_each(findings: Findings, shifts: Iterable[Shift]) -> RenderableType:
    """A line for each word: how many neighbors it kept, and the first it lost and gained."""
    lines = table("word", right=(findings.pair.original.source.place, "kept"))
    lines.add_column("lost", overflow="fold")
    lines.add_column("gained", overflow="fold")
    for shift in shifts:
        lines.add_row(
            shift.word,
            f"{_place(findings, shift.word):,}",
            f"{len(shift.kept)}/{len(shift.before)}",
            Text(_tagged("-", shift.lost), "red"),
            Text(_tagged("+", shift.gained), "cyan"),
        )
    return lines


def _place(findings: Findings, word: str) -> int:
    """Return the row of a word in the original table, from 1."""
    return int(findings.pair.original_rows[findings.pair.index[word]]) + 1


def _tagged(sign: str, words: Sequence[str]) -> str:
    """Name the first few words, each with its sign."""
    more = " ..." if len(words) > SHOWN else ""
    return " ".join(f"{sign}{word}" for word in words[:SHOWN]) + more
