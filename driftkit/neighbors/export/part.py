"""A part of an answer: a run of the words asked about, found and written by itself."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any

from driftkit.atomic import replacing
from driftkit.neighbors.export.rows import write_rows
from driftkit.neighbors.shifts import neighbor_shifts
from driftkit.pair import Pair
from driftkit.progress import Progress

NAME = re.compile(r"([0-9]{12})-([0-9]{12})\.(?:jsonl|parquet)")


@dataclass(frozen=True, slots=True)
class Part:
    """The words from `start` to `stop` of those asked about, and the file of their rows."""

    start: int
    stop: int
    path: Path

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def seal(self) -> Path:
        """The file beside it that holds its digest, which is written after it."""
        return self.path.with_name(f"{self.path.name}.sha256")

    def sha256(self) -> str:
        """Return the digest of the file, in hexadecimal."""
        with self.path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()

    def is_whole(self) -> bool:
        """Whether the file is what was written."""
        try:
            return self.seal.read_text("ascii") == self.sha256()
        except (OSError, ValueError):
            return False


def cut(
    folder: Path, ending: str, start: int, stop: int, size: int
) -> tuple[list[Part], list[Part]]:
    """Return the parts from start to stop, in order, and those of them that are not there yet.

    What is in the folder is taken as it was cut, unless it is damaged; the gaps are cut to `size`
    words.
    """
    named = (match for each in os.scandir(folder) if (match := NAME.fullmatch(each.name)))
    spans = sorted((int(match[1]), int(match[2])) for match in named)
    kept = [span for span in spans if _named(folder, ending, *span).is_whole()]
    parts: list[Part] = []
    missing: list[Part] = []
    at = start
    for first, last in [*kept, (stop, stop)]:
        if first < at:
            continue  # of a worker that was given up and cut otherwise
        gap = [
            _named(folder, ending, edge, min(edge + size, first)) for edge in range(at, first, size)
        ]
        missing += gap
        parts += gap
        if first < last:
            parts.append(_named(folder, ending, first, last))
        at = last
    return parts, missing


def _named(folder: Path, ending: str, start: int, stop: int) -> Part:
    return Part(start, stop, folder / f"{start:012}-{stop:012}{ending}")


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
    with replacing(part.seal) as partial:
        partial.write_text(part.sha256(), "ascii")
