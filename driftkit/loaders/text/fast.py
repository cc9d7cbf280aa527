"""Regular lines of text, read by polars: the same number of fields each, nothing to repair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from driftkit.arrays import Matrix

if TYPE_CHECKING:
    import polars as pl

BOM = b"\xef\xbb\xbf"

Regular = tuple[list[str], Matrix]  # words and their rows, (lines, d)


def tidy(block: bytes) -> bytes:
    """Drop carriage returns and spaces before a line's end; most files have none."""
    if b" \n" not in block and b"\r\n" not in block:
        return block
    once = block.replace(b"\r\n", b"\n").replace(b" \n", b"\n")
    if b" \n" not in once and b"\r\n" not in once:
        return once
    # Removing one character at a time would take forever over a line of ten million spaces.
    lines = block.split(b"\n")
    return b"\n".join([*(line.rstrip(b" \r") for line in lines[:-1]), lines[-1]])


def read_fields(data: bytes, separator: str, schema: dict[str, Any]) -> pl.DataFrame:
    """Read lines of fields with polars; a quote is a character like any other."""
    import polars as pl

    form: dict[str, Any] = {"has_header": False, "quote_char": None, "infer_schema": False}
    return pl.read_csv(data, separator=separator, schema=schema, **form)


def read_regular(block: bytes, d: int) -> Regular | None:
    r"""Return the words and rows of a block of whole, regular lines; None if one is not regular.

    Numbers are rounded once, from their digits to float32.

    Examples
    --------
    >>> words, matrix = read_regular(b"good 1.5 -2\nbad 0 1e-3\n", 2)
    >>> words, matrix.tolist()[0]
    (['good', 'bad'], [1.5, -2.0])
    >>> read_regular(b"good 1.5 -2\na b 0 1e-3\n", 2) is None
    True
    """
    import polars as pl

    # polars drops a mark of byte order and passes over empty lines at the ends of what it reads.
    if block.startswith((BOM, b"\n")) or block.endswith(b"\n\n"):
        return None
    columns = [str(column) for column in range(d)]
    try:
        frame = read_fields(block, " ", {"word": pl.String} | dict.fromkeys(columns, pl.Float32))
    except pl.exceptions.PolarsError:
        return None
    if any(frame.null_count().row(0)):  # an empty word, a short or a blank line
        return None
    words: list[str] = frame.get_column("word").to_list()
    matrix = frame.select(columns).to_numpy(order="c")
    return words, np.asarray(matrix, np.float32)
