"""How one word's neighbors are shown: side by side, or in a line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from driftkit.display import number, table

if TYPE_CHECKING:
    from driftkit.audits import Audit
    from driftkit.neighbors import Neighbors, NeighborShifts, Shift

WIDEST_WORD = 15
SHOWN = 3
"""Neighbors named where a word gets one line."""


def side_by_side(shifts: NeighborShifts) -> RenderableType:
    """Neighbors of each word before and after, with the two measures of agreement."""
    share, ranked = shifts.measures
    return Columns(
        [
            _block(shift, f"{share} {number(shift.overlap)}, {ranked} {number(shift.rbo)}")
            for shift in shifts
        ],
        padding=(0, 3),
    )


def side_by_side_in(audit: Audit, shifts: Iterable[Shift]) -> RenderableType:
    """Neighbors of each word before and after, with what the audit knows of the word."""
    blocks = []
    for shift in shifts:
        cosine = number(float(audit.words.self_cosine[audit.pair.index[shift.word]]))
        rank = _rank(audit, shift.word)
        blocks.append(_block(shift, f"rank {rank:,}, self_cosine {cosine}"))
    return Columns(blocks, padding=(0, 3))


def one_line_each(audit: Audit, shifts: Iterable[Shift]) -> RenderableType:
    """A line for each word: how many neighbors it kept, and the first it lost and gained."""
    lines = table("word", right=("rank", "kept"))
    lines.add_column("lost", overflow="fold")
    lines.add_column("gained", overflow="fold")
    for shift in shifts:
        lines.add_row(
            shift.word,
            f"{_rank(audit, shift.word):,}",
            f"{len(shift.kept)}/{len(shift.before)}",
            Text(_tagged("-", shift.lost), "red"),
            Text(_tagged("+", shift.gained), "cyan"),
        )
    return lines


def _block(shift: Shift, caption: str) -> RenderableType:
    """One word: neighbors before on the left, after on the right."""
    block = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    for side in ("before", "after"):
        block.add_column("", width=1)
        block.add_column(side, width=WIDEST_WORD, no_wrap=True, overflow="ellipsis")
    for rank in range(max(len(shift.before), len(shift.after))):
        block.add_row(
            *_marked(shift.before, rank, shift.lost, "-", "red"),
            *_marked(shift.after, rank, shift.gained, "+", "cyan"),
        )
    title = Text.assemble((shift.word, "bold"), "\n", (caption, "dim"))
    why = [Text(shift.reason, "yellow")] if shift.reason else []
    return Group(title, *why, block)


def _marked(
    neighbors: Neighbors, rank: int, changed: tuple[str, ...], sign: str, style: str
) -> tuple[Text, Text]:
    """The neighbor at a rank, from 0, and its sign; empty past the end of the list."""
    if rank >= len(neighbors):
        return Text(""), Text("")
    name = neighbors[rank][0]
    if name in changed:
        return Text(sign, style), Text(name, style)
    return Text("="), Text(name)


def _rank(audit: Audit, word: str) -> int:
    return int(audit.pair.original_rows[audit.pair.index[word]]) + 1


def _tagged(sign: str, words: Sequence[str]) -> str:
    """Name the first few words, each with its sign."""
    more = " ..." if len(words) > SHOWN else ""
    return " ".join(f"{sign}{word}" for word in words[:SHOWN]) + more
