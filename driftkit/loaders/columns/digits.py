"""Numbers as people write them in the cells of a table: digits, and vectors as one text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np

from driftkit.arrays import Matrix
from driftkit.loaders.request import Request
from driftkit.loaders.text.header import SAMPLE_NUMBERS, rounding_of
from driftkit.loaders.text.width import is_number
from driftkit.provenance import Rounding

SHOWN = 60  # characters of a broken cell that a sentence shows

_LIST = re.compile(
    r"\s*(?:(?:np\.|torch\.)?(?:array|tensor)\()?"  # as repr writes arrays
    r"\s*[\[({]([^\[\](){}]*)[\])}]"  # JSON, NumPy, pgvector, tuples, PostgreSQL's arrays
    r"(?:,\s*\w+=[\w.'\"]+)*\)?\s*"
)


def is_digits(cell: str) -> bool:
    """Whether a cell is a number that every tool reads."""
    return is_number(cell.encode(errors="surrogatepass"))


def fields_of(cell: str) -> list[str] | None:
    """Return the numbers of a vector written as one text, not yet read; None if it is none.

    Examples
    --------
    >>> fields_of("[0.5, 1e-3]"), fields_of("[ 0.5 -1. ]"), fields_of("0.5 1"), fields_of("odd")
    (['0.5', '1e-3'], ['0.5', '-1.'], ['0.5', '1'], None)
    """
    match = _LIST.fullmatch(cell)
    if match is not None:
        inside = match[1].strip()
        if "," not in inside:
            return inside.split()
        return [field.strip() for field in inside.split(",")]
    fields = cell.split()
    return fields if len(fields) > 1 and all(map(is_digits, fields[:3])) else None


def matrix_of(
    request: Request,
    rows: Sequence[Sequence[str]],
    lines: Sequence[int],
    d: int,
    place: str = "line",
) -> Matrix:
    """Return rows of digits as numbers, (rows, d), each rounded once.

    `lines` are the numbers of the rows for messages, and `place` what these count.
    """
    import polars as pl

    for row, line in zip(rows, lines, strict=True):
        if len(row) != d:
            raise request.error(
                f"{place} {line:,} has a vector of length {len(row):,} where the first has length "
                f"{d:,}."
            )
    flat = [cell for row in rows for cell in row]
    read = pl.Series(flat, dtype=pl.String).cast(pl.Float32, strict=False)
    if read.null_count():
        # Spaces around digits are no harm; whatever else polars leaves out is no number.
        flat = [cell.strip() for cell in flat]
        read = pl.Series(flat, dtype=pl.String).cast(pl.Float32, strict=False)
    if read.null_count():
        bad = int(read.is_null().arg_max() or 0)
        shown = flat[bad] if len(flat[bad]) <= SHOWN else flat[bad][:SHOWN] + "..."
        cut = ": NumPy cut the vector short when it was printed" if shown == "..." else ""
        raise request.error(
            f"{place} {lines[bad // d]:,} holds {shown!r} where a number should be{cut}."
        )
    return np.asarray(read.to_numpy()).reshape(len(rows), d).astype(np.float32)


def rounding_of_rows(rows: Iterable[Sequence[str]]) -> Rounding:
    """Return the rounding of digits, told from a sample of rows as written."""
    return rounding_of(cell.strip().encode() for row in rows for cell in row[:SAMPLE_NUMBERS])
