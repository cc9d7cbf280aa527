"""A part of an answer: a run of the words asked about, found and written by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driftkit.atomic import replacing
from driftkit.neighbors.export.rows import write_rows
from driftkit.neighbors.shifts import neighbor_shifts
from driftkit.pair import Pair
from driftkit.progress import Progress


@dataclass(frozen=True, slots=True)
class Part:
    """The words from `start` to `stop` of those asked about, and the file of their rows."""

    start: int
    stop: int
    path: Path

    def __len__(self) -> int:
        return self.stop - self.start


def write_part(
    pair: Pair,
    words: Sequence[str],
    part: Part,
    k: int,
    *,
    progress: Progress | None = None,
    **how: Any,
) -> None:
    """Find the shifts of one part of the words, and write its file whole or not at all.

    This is all that a process, a shard or a worker does; `how` are options of `neighbor_shifts`.
    """
    shifts = neighbor_shifts(pair, words[part.start : part.stop], k, progress=progress, **how)
    with replacing(part.path) as partial:
        write_rows(shifts, partial)
