"""Which tensors of a file look like word tables, and what to run next."""

from __future__ import annotations

import os
import shlex
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from driftkit.embeddings import Embeddings
from driftkit.errors import VocabularyError
from driftkit.loaders.layouts import SCHEME_READERS, find_layout
from driftkit.loaders.source import Request, Vocab, parse
from driftkit.loaders.tensors import Tensor, TensorFile, misfit, vocabulary_for

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class TableInfo:
    """One tensor that looks like a word table.

    Parameters
    ----------
    key : str or None
        Its name; None where the file holds one table.
    shape : tuple of int
        (rows, numbers in a vector).
    dtype : str
        As stored.
    fits : bool or None
        Whether the vocabulary has one word a row; None where no vocabulary was found.
    zero_share : float
        Share of all-zero rows, of at most 65,536 evenly spaced ones.
    """

    key: str | None
    shape: tuple[int, ...]
    dtype: str
    fits: bool | None
    zero_share: float


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a source holds, as `inspect` found it.

    Parameters
    ----------
    source : str
        As typed.
    path : pathlib.Path, optional
        The file.
    format : str
        Such as ``"torch"``.
    tables : tuple of TableInfo
        Tensors that look like word tables, those that fit the vocabulary first.
    vocabulary : str, optional
        The vocabulary's file, or where else the words are; None where none was found.
    words : int, optional
        How many words the vocabulary has.
    problems : tuple of str
        What stands in the way, and what a loader had to skip or repair.
    """

    source: str
    path: Path | None
    format: str
    tables: tuple[TableInfo, ...]
    vocabulary: str | None
    words: int | None
    problems: tuple[str, ...]

    def command(self, table: TableInfo | None = None) -> str:
        """Give the command that audits a table, by default the first.

        ``ORIGINAL`` stands for the table it was tuned from, and ``FILE`` for a vocabulary
        where none was found that fits.

        Parameters
        ----------
        table : TableInfo, optional
        """
        table = table or self.tables[0]
        target = self.source if self.path is None else str(self.path)
        if table.key is not None:
            target += f"::{table.key}"
        parts = ["driftkit", "audit", "ORIGINAL", shlex.quote(target)]
        if not table.fits:
            parts += ["--vocab", "FILE"]
        elif self.vocabulary is not None and Path(self.vocabulary).is_file():
            parts += ["--vocab", shlex.quote(self.vocabulary)]
        return " ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, ready for JSON."""
        return {
            "source": self.source,
            "path": None if self.path is None else str(self.path),
            "format": self.format,
            "vocabulary": self.vocabulary,
            "words": self.words,
            "tables": [
                asdict(table) | {"shape": list(table.shape), "command": self.command(table)}
                for table in self.tables
            ],
            "problems": list(self.problems),
        }

    def to_frame(self) -> pd.DataFrame:
        """Give one row per table: key, rows, dimensions, dtype, fits, zero_share."""
        import pandas as pd

        columns = ["key", "rows", "dimensions", "dtype", "fits", "zero_share"]
        rows = [(t.key, *t.shape, t.dtype, t.fits, t.zero_share) for t in self.tables]
        return pd.DataFrame(rows, columns=columns)

    def __repr__(self) -> str:
        lines = [f"{self.source}: {self.format}, {len(self.tables)} possible word table(s)"]
        if self.words is not None:
            lines.append(f"vocabulary: {self.vocabulary} ({self.words:,} words)")
        if self.tables:
            lines.append(self.to_frame().to_string(index=False))
        lines += [f"problem: {problem}" for problem in self.problems]
        if self.tables:
            lines.append(f"next: {self.command()}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"


def inspect(
    source: str | os.PathLike[str], *, vocab: Vocab | None = None, unsafe_pickle: bool = False
) -> Inspection:
    """Tell which tensors of a source look like word tables.

    Parameters
    ----------
    source : str or path
        As for `load`; of ``PATH::KEY`` only that tensor is looked at.
    vocab : str, path or sequence of str, optional
        As for `load`.
    unsafe_pickle : bool, default False
        As for `load`.

    Returns
    -------
    Inspection

    Raises
    ------
    SourceError
        If the source is missing, empty, a folder or of no known format.
    """
    request = parse(source, vocab=vocab, unsafe_pickle=unsafe_pickle)
    if request.scheme is not None:
        return _of_embeddings(request, SCHEME_READERS[request.scheme](request))
    layout = find_layout(request)
    if layout.tensors is None:
        return _of_embeddings(request, layout.read(request))
    return _of_tensors(request, layout.name, layout.tensors(request))


def _of_embeddings(request: Request, table: Embeddings) -> Inspection:
    info = TableInfo(
        table.source.key,
        table.matrix.shape,
        table.source.dtype,
        True,
        float(np.mean(table.norms == 0)),
    )
    problems = tuple(
        f"{problem.kind}{'' if problem.where is None else f' at {problem.where:,}'}: "
        f"{problem.detail}"
        for problem in table.problems
    )
    path = None if request.scheme else request.path
    inside = f"in the {'package' if request.scheme else 'file'} itself"
    return Inspection(
        request.name, path, table.source.format, (info,), inside, len(table), problems
    )


def _of_tensors(request: Request, layout: str, file: TensorFile) -> Inspection:
    problems: list[str] = []
    vocabulary = None
    try:
        vocabulary = vocabulary_for(request, file.vocabulary)
    except VocabularyError as error:
        problems.append(str(error))
    found = [t for t in file.tensors if t.is_table and request.key in (None, t.key)]
    size = None if vocabulary is None else len(vocabulary)
    tables = [
        TableInfo(t.key, t.shape, t.dtype, None if size is None else t.shape[0] == size, share)
        for t, share in ((t, t.zero_share) for t in found)
    ]
    tables.sort(key=lambda table: (table.fits is not True, -table.shape[0]))
    if not tables:
        problems.append("no two-dimensional tensor of floating numbers")
    elif vocabulary is not None and not tables[0].fits:
        best: Tensor = next(t for t in found if t.key == tables[0].key)
        problems.append(misfit(best, vocabulary))
    elif vocabulary is None and not problems:
        problems.append(f"no vocabulary found beside it, such as {request.path.stem}.vocab.txt")
    where = None
    if vocabulary is not None:
        where = vocabulary.where if vocabulary.path is None else str(vocabulary.path)
    return Inspection(
        request.name, request.path, layout, tuple(tables), where, size, tuple(problems)
    )
