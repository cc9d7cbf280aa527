"""Write the shifts of many words to a file, part by part, so that a stopped run can go on.

Parts stand in a hidden folder beside the file, each written whole or not at all. The folder is
named after a hash of the tables and of all that was asked, so that no part is taken for another
question's. When all are there they are joined into the file, which appears only then, and the
folder goes. A second run into the same file is refused while the first lasts.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from glob import escape
from hashlib import sha256
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from driftkit.arguments import whole
from driftkit.arrays import row_blocks
from driftkit.atomic import beside, locked, place, replacing, writing
from driftkit.drift.groups import none_if_nan
from driftkit.errors import MissingExtraError, OptionError
from driftkit.escaping import to_json
from driftkit.neighbors.result import NeighborShifts
from driftkit.neighbors.search.exact import LEAST_TOGETHER, MEMORY
from driftkit.neighbors.shifts import neighbor_shifts
from driftkit.pair import Pair
from driftkit.progress import Progress

if TYPE_CHECKING:
    import pyarrow

PART = 32_768  # most words in a part: what is lost when a run is stopped
ENTRY_BYTES = 128
"""Bytes that a neighbor of both sides takes while a part is found, compared and written."""
ENDINGS = (".jsonl", ".parquet")


def write_shifts(
    pair: Pair,
    path: str | PathLike[str],
    words: Sequence[str] | None = None,
    k: int = 10,
    *,
    candidates: int | Sequence[str] | None = None,
    part: int | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> int:
    """Find the neighbor shifts of many words and write them to a file.

    Each word has one row: ``word``, ``moved``, ``overlap@k``, ``rbo(p=0.9)@k``, ``before``,
    ``before_cosine``, ``after`` and ``after_cosine`` (lists, nearest first) and ``reason``. The
    path ends in ``.jsonl`` (one JSON object in each line) or ``.parquet`` (needs pyarrow).

    When the same question was stopped before, only what is missing is done; returned is how many
    words were there. `part` words are done together, by default as many as fit into `memory`, from
    256 to 32,768; a stopped run goes on only with the same `part`. The other options are those of
    `neighbor_shifts`.
    """
    target = Path(path)
    if target.suffix not in ENDINGS:
        raise OptionError(
            f"{target.name} was given; shifts are written to files that end in "
            f"{' or '.join(ENDINGS)}."
        )
    if part is None:
        fit = (options.get("memory") or MEMORY) // (ENTRY_BYTES * max(k, 1))
        part = min(PART, max(LEAST_TOGETHER, fit))
    whole(1, part=part)
    if target.suffix == ".parquet":
        _parquet()
    asked = pair.words if words is None else tuple(words)
    place(target)  # told before the long work
    with locked(target), writing(target):
        folder = _folder(target, _question(pair, asked, k, candidates, part, options))
        found = 0
        parts = []
        try:
            for number, start in enumerate(range(0, len(asked), part)):
                parts.append(folder / f"{number:06}{target.suffix}")
                chosen = asked[start : start + part]
                if parts[-1].exists():
                    found += len(chosen)
                else:
                    shifts = neighbor_shifts(
                        pair, chosen, k, candidates=candidates,
                        progress=_within(progress, start, len(chosen), len(asked)), **options,
                    )  # fmt: skip
                    with replacing(parts[-1]) as partial:
                        _write(shifts, partial)
                if progress:
                    progress(start + len(chosen), len(asked))
            with replacing(target) as joined:
                _join(parts, joined)
        except BaseException:
            with suppress(OSError):  # it stays where a part is in it
                folder.rmdir()
            raise
        shutil.rmtree(folder)
    return found


def _within(progress: Progress | None, start: int, count: int, total: int) -> Progress | None:
    """Progress of one part, told as progress of all."""
    if progress is None:
        return None
    return lambda done, of: progress(start + done * count // of, total)


def _question(
    pair: Pair,
    words: Sequence[str],
    k: int,
    candidates: int | Sequence[str] | None,
    part: int,
    options: dict[str, Any],
) -> str:
    """A fingerprint of all that the answer depends on."""
    listed = candidates if candidates is None or isinstance(candidates, int) else list(candidates)
    settings = {"metric": options.get("metric", "cosine"), "driftkit": version("driftkit")}
    shapes = [pair.before.shape, pair.after.shape]
    asked = [list(words), k, listed, part, settings, list(pair.words), shapes]
    told = sha256(json.dumps(asked).encode())
    told.update(pair.moved.data)  # the rounding of the sources decides it, too
    for matrix in (pair.before, pair.after):
        for rows in row_blocks(*matrix.shape):
            told.update(np.ascontiguousarray(matrix[rows]).data)
    if pair.added:
        told.update("\n".join(pair.added).encode())
        added = pair.tuned.rows(pair.added)
        for some in row_blocks(len(added)):
            told.update(np.ascontiguousarray(pair.tuned.matrix[added[some]]).data)
    return told.hexdigest()


def _folder(target: Path, question: str) -> Path:
    """Make the folder of the parts, which is named after the question; others are removed."""
    whole_path = place(target) or target
    folder = beside(whole_path, f".{question[:16]}.parts")
    start = beside(whole_path, ".").name
    for other in whole_path.parent.glob(f"{escape(start)}{'[0-9a-f]' * 16}.parts"):
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)
    folder.mkdir(exist_ok=True)
    return folder


def _rows(shifts: NeighborShifts) -> Iterator[dict[str, Any]]:
    share, ranked = map(str, shifts.measures)
    for shift, moved in zip(shifts, shifts.moved.tolist(), strict=True):
        yield {
            "word": shift.word,
            "moved": moved,
            share: none_if_nan(shift.overlap),
            ranked: none_if_nan(shift.rbo),
            "before": [name for name, _ in shift.before],
            "before_cosine": [cosine for _, cosine in shift.before],
            "after": [name for name, _ in shift.after],
            "after_cosine": [cosine for _, cosine in shift.after],
            "reason": shift.reason,
        }


def _write(shifts: NeighborShifts, path: Path) -> None:
    if path.suffix == ".jsonl":
        # Half of a surrogate pair is written as JSON escapes it.
        with path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            for row in _rows(shifts):
                file.write(to_json(row) + "\n")
        return
    pa = _parquet()
    words = pa.array(shifts.candidates, pa.string())
    sides = {
        "before": (shifts.before, shifts.before_cosine),
        "after": (shifts.after, shifts.after_cosine),
    }
    columns: dict[str, Any] = {"word": pa.array(shifts.words, pa.string()), "moved": shifts.moved}
    for measure, values in zip(shifts.measures, (shifts.overlap, shifts.rbo), strict=True):
        columns[str(measure)] = pa.array(values, from_pandas=True)
    for side, (positions, cosines) in sides.items():
        filled = positions >= 0
        ends = np.concatenate([[0], filled.sum(axis=1).cumsum()]).astype(np.int32)
        named = words.take(pa.array(positions[filled]))
        columns[side] = pa.ListArray.from_arrays(ends, named)
        columns[f"{side}_cosine"] = pa.ListArray.from_arrays(ends, pa.array(cosines[filled]))
    why = [shifts.reasons.get(word) for word in shifts.words]
    columns["reason"] = pa.array(why, pa.string())
    pa.parquet.write_table(pa.table(columns), path)


def _join(parts: Sequence[Path], target: Path) -> None:
    if target.suffix == ".jsonl":
        with target.open("wb") as file:
            for part in parts:
                with part.open("rb") as source:
                    shutil.copyfileobj(source, file)
        return
    pa = _parquet()
    with pa.parquet.ParquetWriter(target, pa.parquet.read_schema(parts[0])) as writer:
        for part in parts:
            writer.write_table(pa.parquet.read_table(part))


def _parquet() -> pyarrow:
    try:
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("writing Parquet", "pyarrow", "demo") from None
    return pyarrow
