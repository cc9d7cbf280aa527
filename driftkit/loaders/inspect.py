"""`inspect`: what a source holds, its words, and what to run next, without reading it whole."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Group, RenderableType

from driftkit.display import Displayed, Text, argument, counted, unwrapped
from driftkit.display import table as new_table
from driftkit.errors import InputError, VocabularyError
from driftkit.loaders.choose_rows import WordsNotFoundError
from driftkit.loaders.choose_tensor import (
    NoInputEmbeddingError,
    Tensor,
    TensorFile,
    choose,
    fits,
    misfit,
    of_adapter,
    tensor_named,
    tied_to,
    vocabulary_for,
)
from driftkit.loaders.formats import registry
from driftkit.loaders.formats.format import Format
from driftkit.loaders.load import load
from driftkit.loaders.preconditions import within_limits
from driftkit.loaders.quote import quote, quote_some
from driftkit.loaders.remote import here, is_remote
from driftkit.loaders.request import Request, Vocab, parse
from driftkit.loaders.vocabulary.find import find_vocabulary, read_vocabulary
from driftkit.loaders.vocabulary.words import Vocabulary, doubts
from driftkit.progress import Progress

if TYPE_CHECKING:
    import pandas as pd

FIRST_WORDS = 3  # shown of a table
FIRST_ROWS = 1000  # read of a file that holds its words and one table
COMPARED_ROWS = 512  # evenly spaced, compared with the original
MANY = 12  # a file with more matrices than this is a model: only those like word tables are listed


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
        Whether the vocabulary has a word for each row; None where no vocabulary was found.
    zero_share : float
        Share of all-zero rows, of those looked at: evenly spaced ones of a tensor, the first ones
        of a text or word2vec file.
    equals : str or None
        Another table of the file that holds the same numbers, and whether the two are tied
        (stored once) or equal.
    equals_original : bool or None
        Whether every row looked at is the original's; None where no original was given, or none
        of its words is here.
    """

    key: str | None
    shape: tuple[int, ...]
    dtype: str
    fits: bool | None
    zero_share: float
    equals: str | None = None
    equals_original: bool | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Inspection(Displayed):
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
    original : str or None
        What the tables were compared with.
    others : int
        Further matrices, which do not look like word tables.
    first_words : tuple of str
        The words of the first three rows; a vocabulary that is wrong or shifted shows here.
    last_word : str or None
        The word of the last row; None where only a whole reading would tell.
    options : tuple of str
        What the command that audits a table needs besides, such as ``--unsafe-pickle``.
    """

    source: str
    path: Path | None
    format: str
    tables: tuple[TableInfo, ...]
    vocabulary: str | None
    words: int | None
    problems: tuple[str, ...]
    original: str | None = None
    others: int = 0
    first_words: tuple[str, ...] = ()
    last_word: str | None = None
    options: tuple[str, ...] = ()

    def command(self, table: TableInfo | None = None) -> str:
        """Return the command that audits a table, by default the first.

        ``ORIGINAL`` stands for the table it was tuned from, if none was given, and ``FILE`` for a
        vocabulary where none was found that fits.
        """
        table = table or self.tables[0]
        target = self.source if self.path is None else str(self.path)
        if is_remote(self.source):
            target = parse(self.source).target  # and not its copy here
        if table.key is not None:
            target += f"::{table.key}"
        original = "ORIGINAL" if self.original is None else argument(self.original)
        parts = ["driftkit", "audit", original, argument(target)]
        is_file = self.path is not None and self.path.is_file()
        if not table.fits:
            parts += ["--vocab", "FILE"]
        elif is_file and self.vocabulary is not None and Path(self.vocabulary).is_file():
            parts += ["--vocab", argument(self.vocabulary)]
        return " ".join([*parts, *self.options])

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        tables = [
            asdict(table) | {"shape": list(table.shape), "command": self.command(table)}
            for table in self.tables
        ]
        path = None if self.path is None else str(self.path)
        document = asdict(self) | {"path": path, "tables": tables, "problems": list(self.problems)}
        document["first_words"] = list(self.first_words)
        del document["options"]
        return document

    def to_frame(self) -> pd.DataFrame:
        """Return one row per table: key, rows, dimensions, dtype, fits, zero_share, equals, ..."""
        import pandas as pd

        columns = ["key", "rows", "dimensions", "dtype", "fits", "zero_share"]
        columns += ["equals", "equals_original"]
        rows = [asdict(t) | {"rows": t.shape[0], "dimensions": t.shape[1]} for t in self.tables]
        return pd.DataFrame(rows, columns=columns)

    def __rich__(self) -> RenderableType:
        parts: list[RenderableType] = [Text(f"{self.source}: {self.format}", "bold")]
        if self.words is not None:
            parts.append(Text(f"vocabulary: {self.vocabulary}, {counted(self.words, 'word')}"))
        if self.first_words:
            more = self.last_word is not None and (self.words or 0) > len(self.first_words)
            last = f" ... {quote(self.last_word)}" if more else ""
            parts.append(Text(f"words: {quote_some(self.first_words)}{last}"))
        if self.tables:
            made = new_table("tensor", "type", "vocabulary", right=("rows", "d", "zero rows"))
            fits = {True: "fits", False: "does not fit", None: "none found"}
            for info in self.tables:
                rows, d = info.shape
                cells = (info.dtype, fits[info.fits], f"{rows:,}", str(d), f"{info.zero_share:.1%}")
                made.add_row(info.key or "-", *cells)
            parts.append(made)
        for info in self.tables:
            if info.equals:
                said = f"{info.key or 'the table'} holds the same numbers as {info.equals}"
                parts.append(Text(said))
        if self.original is not None:
            found = {True: "equals", False: "differs from", None: "shares no word looked at with"}
            for info in self.tables:
                said = f"{info.key or 'the table'} {found[info.equals_original]} the original"
                parts.append(Text(said))
        if self.others:
            said = f"not listed: {self.others:,} matrices that do not look like word tables"
            parts.append(Text(said, "dim"))
        parts += [Text(f"problem: {problem}", "yellow") for problem in self.problems]
        if self.tables:
            parts.append(unwrapped(f"next: {self.command()}", "bold"))
        return Group(*parts)


def inspect(
    source: str | os.PathLike[str],
    *,
    vocab: Vocab | None = None,
    base: str | os.PathLike[str] | None = None,
    original: str | os.PathLike[str] | None = None,
    unsafe_pickle: bool = False,
    progress: Progress | bool | None = None,
) -> Inspection:
    """Tell which tables a source holds, without reading them whole.

    Parameters
    ----------
    source : str or path
        As for `load`; of ``PATH::KEY`` only that tensor is looked at. Of a URL the copy here is.
    vocab : str, path, sequence of str or map of str to int, optional
        As for `load`.
    base : str or path, optional
        As for `load`.
    original : str or path, optional
        The source it was tuned from; each table is compared with it, since an export that shipped
        the original table is a mistake that no later value shows.
    unsafe_pickle : bool, default False
        As for `load`.
    progress : None, bool or callable
        As for `load`; only text without a header is read to its end, to count its rows.

    Returns
    -------
    Inspection

    Raises
    ------
    SourceError
        If the source is missing, empty, or of no known format.
    UnknownNameError
        If no tensor has the key given.
    """
    options: dict[str, Any] = {"vocab": vocab, "base": base, "unsafe_pickle": unsafe_pickle}
    request = here(parse(source, function="inspect", progress=progress, **options))
    compared = None if original is None else os.fspath(original)
    with within_limits(request.name):
        found = _inspected(request, compared)
    typed = () if base is None else ("--base", argument(os.fspath(base)))
    return replace(found, options=(*typed, *(("--unsafe-pickle",) if unsafe_pickle else ())))


def _inspected(request: Request, original: str | None) -> Inspection:
    known = None
    if request.scheme != "package":
        request = registry.as_path(request)
        known = registry.find_format(request)
    if known is not None and known.tensors is not None:
        return _of_tensors(request, known.name, known.opened(request), original)
    return _of_one_table(request, known, original)


def _of_one_table(request: Request, known: Format | None, original: str | None) -> Inspection:
    """Look at a source with its own words; where rows can be counted, only a few are read."""
    last: str | None
    if known is None or known.rows is None:
        table = registry.read(request)
        rows, last = len(table), table.words[-1]
    else:
        table = known.load(replace(request, limit=FIRST_ROWS, progress=None))
        repeated = sum(problem.kind == "duplicate" for problem in table.problems)
        last = table.words[-1]
        is_whole = len(table) + repeated < FIRST_ROWS
        rows = len(table) if is_whole else known.rows(request)
        if not is_whole:
            last = known.last_word(request) if known.last_word else None
    info = TableInfo(
        table.source.key,
        (rows, table.dimensions),
        table.source.dtype,
        True,
        float(np.mean(table.norms == 0)),
        equals_original=_equals_original(request, table.words, table.matrix, original),
    )
    noted = [*table.problems]
    noted += [doubt for doubt in doubts(table.words) if doubt not in noted]
    problems = [*map(str, noted), *_shipped_original(info, original)]
    path = None if request.scheme else request.path
    place = "package" if request.scheme else "folder" if request.path.is_dir() else "file"
    return Inspection(
        request.name,
        path,
        table.source.format,
        (info,),
        _words_file(request, table.source.format) or f"in the {place} itself",
        rows,
        tuple(problems),
        original,
        first_words=tuple(table.words[:FIRST_WORDS]),
        last_word=last,
    )


def _words_file(request: Request, format_name: str) -> str | None:
    """Name where the words of numbers alone came from."""
    if request.vocab is not None:
        return read_vocabulary(request.vocab, unsafe_pickle=request.unsafe_pickle).place
    found = find_vocabulary(request.path) if format_name == "text" else None
    return None if found is None else found.place


def _of_tensors(
    request: Request, format_name: str, file: TensorFile, original: str | None
) -> Inspection:
    problems = list(map(str, file.problems))
    vocabulary = None
    try:
        vocabulary = vocabulary_for(request, file)
    except VocabularyError as error:
        problems.append(str(error))
    try:
        found = _readable(request, file.tensors, vocabulary)
    except NoInputEmbeddingError as error:
        found = []
        problems.append(str(error).removeprefix(f"{error.source}: "))
    listed = sorted(
        _plausible(found, vocabulary),
        key=lambda tensor: (
            vocabulary is None or not fits(tensor, vocabulary),
            -tensor.input_strength,
            -tensor.shape[0],
        ),
    )
    tables = [_describe(request, tensor, listed, vocabulary, original) for tensor in listed]
    if not tables and not problems:
        problems.append("no two-dimensional tensor of floating-point numbers")
    elif tables and vocabulary is not None and not tables[0].fits:
        problems.append(misfit(listed[0], vocabulary))
    elif vocabulary is None and not problems:
        problems.append(f"no vocabulary found beside it, such as {request.path.stem}.vocab.txt")
    for table in tables:
        problems += _shipped_original(table, original)
    if vocabulary is not None:
        problems += map(str, vocabulary.problems)
    return Inspection(
        request.name,
        request.path,
        format_name,
        tuple(tables),
        None if vocabulary is None else vocabulary.place,
        None if vocabulary is None else len(vocabulary),
        tuple(problems),
        original,
        len(found) - len(listed),
        () if vocabulary is None else vocabulary.words[:FIRST_WORDS],
        None if vocabulary is None else vocabulary.words[-1],
    )


def _readable(
    request: Request, tensors: Sequence[Tensor], vocabulary: Vocabulary | None
) -> list[Tensor]:
    """Return the tables that `load` can be asked for; a key names one, or those of an adapter."""
    if request.key is not None and not (group := of_adapter(request, tensors)):
        return [tensor_named(request, tensors)]
    tensors = tensors if request.key is None else group
    try:
        choose(replace(request, key=None), tensors, vocabulary)
    except NoInputEmbeddingError:
        raise
    except InputError:
        pass  # of several, or of tables that fit no vocabulary, each is shown and can be named
    return [tensor for tensor in tensors if tensor.is_table]


def _plausible(tensors: Sequence[Tensor], vocabulary: Vocabulary | None) -> list[Tensor]:
    """Tensors that look like word tables; all of them where there are only a few."""
    if len(tensors) <= MANY:
        return list(tensors)
    like = [
        tensor
        for tensor in tensors
        if tensor.is_named_input
        or (vocabulary is not None and tensor.shape[0] == len(vocabulary))
        or tensor.shape[0] >= max(1000, 8 * tensor.shape[1])
    ]
    return like or sorted(tensors, key=lambda tensor: -tensor.shape[0])[:MANY]


def _describe(
    request: Request,
    tensor: Tensor,
    others: Sequence[Tensor],
    vocabulary: Vocabulary | None,
    original: str | None,
) -> TableInfo:
    sample = tensor.sample()
    with np.errstate(invalid="ignore"):  # a signaling NaN in damaged numbers
        zeros = float(1 - sample.any(axis=1).mean())
    fitting = None if vocabulary is None else fits(tensor, vocabulary)
    same = None
    if vocabulary is not None and fitting:
        step = max(len(vocabulary) // COMPARED_ROWS, 1)
        rows = slice(0, len(vocabulary), step)
        same = _equals_original(request, vocabulary.words[rows], tensor.read(rows), original)
    return TableInfo(
        tensor.key,
        tensor.shape,
        tensor.dtype,
        fitting,
        zeros,
        _twin(tensor, sample, others),
        same,
    )


def _twin(tensor: Tensor, sample: np.ndarray, others: Sequence[Tensor]) -> str | None:
    """Name another table with the same numbers."""
    tied = tied_to(tensor, others)
    if tied is not None:
        return f"{tied.key} (tied)"
    for other in others:
        if other is not tensor and (other.shape, other.dtype) == (tensor.shape, tensor.dtype):
            few = slice(0, None, max(tensor.shape[0] // 16, 1))
            if np.array_equal(other.read(few), tensor.read(few)) and np.array_equal(
                other.sample(), sample
            ):
                return f"{other.key} (equal in the {len(sample):,} rows looked at)"
    return None


def _equals_original(
    request: Request, words: Sequence[str], matrix: np.ndarray, original: str | None
) -> bool | None:
    """Whether every row that the original has too is the original's, within both roundings."""
    if original is None:
        return None
    step = max(len(words) // COMPARED_ROWS, 1)
    words, matrix = list(words[::step]), np.asarray(matrix[::step])
    try:
        base = load(original, words=words, base=request.base, unsafe_pickle=request.unsafe_pickle)
    except WordsNotFoundError:
        return None
    if base.dimensions != matrix.shape[1]:
        return False
    here = {word: row for row, word in enumerate(words)}
    rows = [here[word] for word in base.words]
    bound = base.source.rounding
    mine, theirs = matrix[rows].astype(np.float64), base.matrix.astype(np.float64)
    size = np.maximum(np.abs(mine), np.abs(theirs))
    return bool((np.abs(mine - theirs) <= bound.relative * size + bound.absolute).all())


def _shipped_original(table: TableInfo, original: str | None) -> list[str]:
    if not table.equals_original:
        return []
    named = f"tensor {table.key}" if table.key else "the table"
    return [
        f"{named} equals {Path(str(original)).name} in every row looked at: was the original "
        "exported in place of the tuned table?"
    ]
