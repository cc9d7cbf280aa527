"""Parquet and Arrow files, alone or as the shards of a folder: ids and vectors in columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from driftkit.arrays import Matrix
from driftkit.embeddings import Embeddings
from driftkit.loaders.choose_rows import Rows, chosen_table
from driftkit.loaders.columns.choose import Choice, Column, Kind, choose
from driftkit.loaders.columns.digits import fields_of, matrix_of, rounding_of_rows
from driftkit.loaders.columns.numbers import table_of_numbers
from driftkit.loaders.formats.format import Format
from driftkit.loaders.preconditions import require_memory
from driftkit.loaders.problems import Problems
from driftkit.loaders.request import Request
from driftkit.provenance import Rounding, Source

if TYPE_CHECKING:
    import polars as pl

SAMPLE_ROWS = 400  # looked at where a vector is kept as text
MOST_DIMENSIONS = 65_536

_PARQUET = b"PAR1"
_ARROW = b"ARROW1\0\0"
_ARROW_STREAM = b"\xff\xff\xff\xff"  # then the length of the schema, as `datasets` saves shards
_ENDINGS = (".parquet", ".arrow", ".feather")
_OF = re.compile(r"-of-0*(\d+)")


def looks_like_parquet(head: bytes) -> bool:
    """Whether a file that starts so is Parquet or Arrow."""
    is_stream = head.startswith(_ARROW_STREAM) and head[6:8] == b"\0\0"
    return is_stream or head.startswith((_PARQUET, _ARROW))


def looks_like_shards(folder: Path) -> bool:
    """Whether a folder holds Parquet or Arrow files."""
    return bool(_shards(folder))


def read(request: Request) -> Embeddings:
    """Read the columns that a request means."""
    with _guarded(request):
        return _Reader(request).table()


def count_rows(request: Request) -> int:
    """Return the number of rows, which the file tells."""
    with _guarded(request):
        return _Reader(request).n


@contextmanager
def _guarded(request: Request) -> Iterator[None]:
    import polars as pl

    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        kind = "Parquet or Arrow"
        if isinstance(error, Exception):
            raise request.damaged(f"{kind} file", error) from None
        raise request.error(
            f"is a damaged or truncated {kind} file; save or copy it again."
        ) from None


def _shards(folder: Path) -> list[Path]:
    """Files of a folder in the order of the numbers in their names."""
    found = [path for path in folder.iterdir() if path.suffix.lower() in _ENDINGS]
    return sorted(found, key=lambda path: [int(n) for n in re.findall(r"\d+", path.name)])


def _scan(request: Request) -> pl.LazyFrame:
    """Return the table of a file or of the shards of a folder; nothing is read yet."""
    import polars as pl

    if not request.path.is_dir():
        return _scan_file(request.path)
    shards = _shards(request.path)
    names = [path.name for path in shards]
    if len({re.sub(r"\d+", "0", name) for name in names}) > 1:
        raise request.error(
            f"holds files that are not named as the parts of one table ({', '.join(names[:5])}"
            f"{', ...' if len(names) > 5 else ''}); give one of them."
        )
    promised = _OF.search(names[0])
    if promised is not None and int(promised[1]) != len(names):
        raise request.error(
            f"holds {len(names):,} of the {int(promised[1]):,} parts that {names[0]} promises; add "
            "the others."
        )
    return pl.concat([_scan_file(path) for path in shards])


def _scan_file(path: Path) -> pl.LazyFrame:
    import polars as pl

    with path.open("rb") as file:
        head = file.read(len(_ARROW))
    if head.startswith(_PARQUET):
        return pl.scan_parquet(path, glob=False, hive_partitioning=False)
    if head == _ARROW:
        return pl.scan_ipc(path, glob=False, hive_partitioning=False)
    return pl.read_ipc_stream(path).lazy()


class _Reader:
    """A table in columns, of which the schema is read and nothing else."""

    def __init__(self, request: Request) -> None:
        import polars as pl

        self.request = request
        self.frame = _scan(request)
        self.schema = self.frame.collect_schema()
        self.n = int(self.frame.select(pl.len()).collect().item())
        if self.n == 0:
            raise request.error("holds columns and no row.")

    def table(self) -> Embeddings:
        """Read the rows that the request asks for."""
        request = self.request
        columns = self._columns()
        choice = choose(request, columns, self._is_distinct, key=request.key)
        problems = Problems()
        choice.note_left_out(columns, problems)
        d = self._dimensions(choice)
        dtype, rounding = self._precision(choice)
        layout = "parquet-folder" if request.path.is_dir() else "parquet"
        if choice.words is None:
            matrix = self._matrix(choice, slice(self.n), d)
            noted = problems.all()
            return table_of_numbers(request, layout, matrix, dtype, rounding, noted)
        words = self._words(choice.words, problems)
        source = Source(request.name, request.path, layout, dtype, choice.key, rounding)
        return chosen_table(
            request, words, lambda rows: self._matrix(choice, rows, d), source, problems
        )

    def _columns(self) -> list[Column]:
        """Tell what each column holds by its type; text by whether it is that of a vector."""
        first = self.frame.head(1).collect()
        return [
            Column(name, _kind(dtype, first.get_column(name)), _type(dtype))
            for name, dtype in self.schema.items()
        ]

    def _is_distinct(self, name: str) -> bool:
        import polars as pl

        return bool(self.frame.select(pl.col(name).n_unique() == pl.len()).collect().item())

    def _words(self, column: Column, problems: Problems) -> list[str]:
        import polars as pl

        rows = self.n if self.request.limit is None else min(self.request.limit, self.n)
        words = self.frame.select(column.name).head(rows).collect().to_series()
        if words.null_count():
            row = int(words.is_null().arg_max() or 0)
            raise self.request.error(
                f"row {row:,} (from 0) has no word in column {column.name!r}; fill it or leave the "
                "row out."
            )
        if column.kind == "whole numbers":
            problems.add("integer ids", None, f"the numbers of {column.name!r} became text")
        if words.dtype != pl.Binary:
            return words.cast(pl.String).to_list()
        return [self._decoded(word, row, column.name) for row, word in enumerate(words)]

    def _decoded(self, word: bytes, row: int, column: str) -> str:
        try:
            return word.decode()
        except UnicodeDecodeError:
            raise self._bad(row, column, "has bytes that are no UTF-8") from None

    def _dimensions(self, choice: Choice) -> int:
        """Return the numbers of the first vector."""
        import polars as pl

        if not choice.is_list:
            return len(choice.vector)
        first = self.frame.select(choice.vector[0].name).head(1).collect().to_series()
        if first.dtype == pl.String:
            fields = fields_of(first.item() or "")
            d = 0 if fields is None else len(fields)
        else:
            d = 0 if first.null_count() else int(_as_lists(first).list.len().item())
        if not 0 < d <= MOST_DIMENSIONS:
            raise self.request.error(
                f"row 0 has a vector of length {d:,} in column {choice.label!r}; vectors have 1 to "
                f"{MOST_DIMENSIONS:,} numbers."
            )
        return d

    def _precision(self, choice: Choice) -> tuple[str, Rounding]:
        """Return the type of the numbers, and how they were rounded."""
        import polars as pl

        types = {self.schema[column.name] for column in choice.vector}
        inner = {getattr(dtype, "inner", dtype) for dtype in types}
        if pl.String() in inner:
            sample = self.frame.select(choice.label).head(SAMPLE_ROWS).collect().to_series()
            return "text", rounding_of_rows(fields_of(cell or "") or [] for cell in sample)
        names = sorted(str(dtype).lower() for dtype in inner)  # the coarsest is float16, if any
        return names[0], Rounding.of_dtype(names[0])

    def _matrix(self, choice: Choice, rows: Rows, d: int) -> Matrix:
        """Return some rows of vectors, (rows, d)."""
        import polars as pl

        count = rows.stop if isinstance(rows, slice) else len(rows)
        # The numbers as stored, of eight bytes at most, and as float32.
        require_memory(12 * count * d, self.request.name)
        names = [column.name for column in choice.vector]
        if isinstance(rows, slice):
            frame = self.frame.select(names).head(count).collect()
        else:
            frame = self.frame.select(pl.col(names).gather(rows)).collect()
        numbers = np.arange(count) if isinstance(rows, slice) else np.asarray(rows)
        for name in names:
            column = frame.get_column(name)
            if column.null_count():
                row = numbers[int(column.is_null().arg_max() or 0)]
                raise self._bad(row, name, "is empty")
        if choice.is_list:
            return self._from_lists(frame.to_series(), numbers, d)
        return frame.select(pl.all().cast(pl.Float32)).to_numpy(order="c")

    def _from_lists(self, column: pl.Series, numbers: np.ndarray, d: int) -> Matrix:
        import polars as pl

        if column.dtype == pl.String:
            rows = [fields_of(cell) or [cell] for cell in column]
            return matrix_of(self.request, rows, numbers.tolist(), d, "row")
        column = _as_lists(column)
        lengths = column.list.len()
        other = (lengths != d).arg_max() or 0
        if lengths[other] != d:
            said = f"has a vector of length {lengths[other]:,} where the first has length {d:,}"
            raise self._bad(numbers[other], column.name, said)
        flat = column.explode()
        if flat.null_count():
            row = numbers[int(flat.is_null().arg_max() or 0) // d]
            raise self._bad(row, column.name, "has a vector with an empty place (null)")
        return flat.cast(pl.Float32).to_numpy().reshape(len(column), d)

    def _bad(self, row: int, column: str, said: str) -> Exception:
        return self.request.error(f"row {row:,} (from 0) {said} in column {column!r}.")


def _as_lists(column: pl.Series) -> pl.Series:
    import polars as pl

    return column.arr.to_list() if isinstance(column.dtype, pl.Array) else column


def _kind(dtype: pl.DataType, first: pl.Series) -> Kind:
    import polars as pl

    if isinstance(dtype, pl.List | pl.Array):
        is_flat = not isinstance(dtype, pl.Array) or len(dtype.shape) == 1
        inner = dtype.inner
        return "vectors" if is_flat and (inner.is_float() or inner.is_decimal()) else "other"
    if isinstance(dtype, pl.String) and (cell := first.item()) and cell.rstrip().endswith("]"):
        return "text" if fields_of(cell) is None else "vectors"
    if isinstance(dtype, pl.String | pl.Categorical | pl.Enum) or _is_text(first):
        return "text"
    if dtype.is_integer():
        return "whole numbers"
    return "numbers" if dtype.is_float() or dtype.is_decimal() else "other"


def _is_text(first: pl.Series) -> bool:
    """Whether the first value is bytes of UTF-8, as older writers keep text."""
    if not isinstance(value := first.item(), bytes):
        return False
    try:
        return value.decode().isprintable()
    except UnicodeDecodeError:
        return False


def _type(dtype: pl.DataType) -> str:
    inner = getattr(dtype, "inner", None)
    return str(dtype).lower() if inner is None else f"list of {str(inner).lower()}"


FILE = Format(
    "parquet",
    ".parquet or .arrow of words and vectors",
    looks_like_parquet,
    read,
    endings=_ENDINGS,
    rows=count_rows,
)
FOLDER = Format(
    "parquet-folder",
    "a folder of .parquet shards",
    looks_like_shards,
    read,
    rows=count_rows,
    is_folder=True,
)
