"""Rows of shifts in files: those of a part, and the parts joined into one file or a folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from driftkit.atomic import new_folder, replacing
from driftkit.drift.groups import none_if_nan
from driftkit.errors import MissingExtraError, OptionError, OutputError
from driftkit.escaping import to_json
from driftkit.neighbors.result import NeighborShifts
from driftkit.neighbors.search.exact import LEAST_TOGETHER, MEMORY

if TYPE_CHECKING:
    import pyarrow

ENDINGS = (".jsonl", ".parquet")
TOGETHER = 32_768  # most words in a part, or in a row group or partition of Parquet
PARTITIONS = "_driftkit"  # marks a folder of ours; readers of Parquet pass over such names
ENTRY_BYTES = 128
"""Bytes that a neighbor of both sides takes while it is found, compared and written."""


def words_together(k: int, memory: int | None = None) -> int:
    """Return how many words with k neighbors fit into memory together, at most `TOGETHER`."""
    fit = (memory or MEMORY) // (ENTRY_BYTES * max(k, 1))
    return min(TOGETHER, max(LEAST_TOGETHER, fit))


def require_ending(path: Path, *, partitioned: bool) -> None:
    """Refuse files of other endings, and Parquet where pyarrow is missing."""
    if path.suffix not in ENDINGS:
        raise OptionError(
            f"{path.name} was given; shifts are written to files that end in "
            f"{' or '.join(ENDINGS)}."
        )
    if partitioned and path.suffix != ".parquet":
        raise OptionError(
            f"{path.name} was given; only Parquet is partitioned: name it {path.stem}.parquet."
        )
    if path.suffix == ".parquet":
        _parquet()


def write_rows(shifts: NeighborShifts, path: Path) -> None:
    """Write one row for each word, in the format that the ending of the path names."""
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
    for name, values in shifts.ends.items():
        columns[name] = pa.array(values, from_pandas=True)
    for name, share in _recall(shifts).items():
        columns[name] = np.full(len(shifts), share)
    for side, (positions, cosines) in sides.items():
        filled = positions >= 0
        ends = np.concatenate([[0], filled.sum(axis=1).cumsum()]).astype(np.int32)
        named = words.take(pa.array(positions[filled]))
        columns[side] = pa.ListArray.from_arrays(ends, named)
        columns[f"{side}_cosine"] = pa.ListArray.from_arrays(ends, pa.array(cosines[filled]))
    why = [shifts.reasons.get(word) for word in shifts.words]
    columns["reason"] = pa.array(why, pa.string())
    pa.parquet.write_table(pa.table(columns), path)


def require_ours(target: Path) -> None:
    """Refuse to replace a file, or a folder that was not written here."""
    if target.exists() and not (target / PARTITIONS).is_file():
        what = "a folder of other things" if target.is_dir() else "a file"
        raise OutputError(target, f"it is {what}; name a new folder.")


def write_joined(files: Sequence[Path], target: Path, k: int, *, partitioned: bool) -> None:
    """Write the rows of parts, in order, whole or not at all.

    How they were cut leaves no trace: a row group, or a file of a partitioned folder, holds as many
    words as `words_together` tells for k.
    """
    if partitioned:
        with new_folder(target) as folder:
            (folder / PARTITIONS).touch()
            for number, table in enumerate(_regrouped(files, words_together(k))):
                _parquet().parquet.write_table(table, folder / f"part-{number:06}.parquet")
            shutil.rmtree(target, ignore_errors=True)
        return
    with replacing(target) as partial:
        if target.suffix == ".jsonl":
            _concatenate(files, partial)
            return
        pa = _parquet()
        with pa.parquet.ParquetWriter(partial, pa.parquet.read_schema(files[0])) as writer:
            for table in _regrouped(files, words_together(k)):
                writer.write_table(table)


def _concatenate(files: Sequence[Path], target: Path) -> None:
    with target.open("wb") as file:
        for each in files:
            with each.open("rb") as source:
                shutil.copyfileobj(source, file)


def _regrouped(files: Sequence[Path], together: int) -> Iterator[pyarrow.Table]:
    """Yield the rows of Parquet files in tables of so many, the last one shorter."""
    pa = _parquet()
    left: list[pyarrow.Table] = []
    rows = 0
    for each in files:
        with pa.parquet.ParquetFile(each) as file:
            table = file.read()
        while rows + len(table) >= together:
            cut = together - rows
            yield pa.concat_tables([*left, table.slice(0, cut)]).combine_chunks()
            table, left, rows = table.slice(cut), [], 0
        left.append(table)
        rows += len(table)
    if rows:
        yield pa.concat_tables(left).combine_chunks()


def _rows(shifts: NeighborShifts) -> Iterator[dict[str, Any]]:
    share, ranked = map(str, shifts.measures)
    ends, recall = shifts.ends, _recall(shifts)
    for at, (shift, moved) in enumerate(zip(shifts, shifts.moved.tolist(), strict=True)):
        yield {
            "word": shift.word,
            "moved": moved,
            share: none_if_nan(shift.overlap),
            ranked: none_if_nan(shift.rbo),
            **{name: none_if_nan(float(values[at])) for name, values in ends.items()},
            **recall,
            "before": [name for name, _ in shift.before],
            "before_cosine": [cosine for _, cosine in shift.before],
            "after": [name for name, _ in shift.after],
            "after_cosine": [cosine for _, cosine in shift.after],
            "reason": shift.reason,
        }


def _recall(shifts: NeighborShifts) -> dict[str, float]:
    """What each row says of approximate neighbors: the share that was found at least."""
    found = shifts.recall
    if found is None or not shifts.is_approximate:
        return {}
    return {"recall_before": found.before_least, "recall_after": found.after_least}


def _parquet() -> pyarrow:
    try:
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("writing Parquet", "pyarrow", "demo") from None
    return pyarrow
