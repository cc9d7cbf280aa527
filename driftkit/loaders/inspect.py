"""`inspect`: look at a source without reading its tables."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from driftkit.embeddings import Embeddings
from driftkit.errors import SourceError, VocabularyError
from driftkit.loaders.choose_tensor import Tensor, TensorFile, fits, misfit, tied_to, vocabulary_for
from driftkit.loaders.formats import registry as layouts
from driftkit.loaders.inspection import Inspection, TableInfo
from driftkit.loaders.load import load
from driftkit.loaders.request import Request, Vocab, parse
from driftkit.loaders.vocabulary.find import Vocabulary

FIRST_ROWS = 1000
"""Rows read of a file that holds its words and one table."""

COMPARED_ROWS = 512
"""Rows, evenly spaced, that are compared with the original."""

MANY = 12
"""A file with more matrices than this is a model: only those like word tables are listed."""


def inspect(
    source: str | os.PathLike[str],
    *,
    vocab: Vocab | None = None,
    original: str | os.PathLike[str] | None = None,
    unsafe_pickle: bool = False,
) -> Inspection:
    """Tell which tables a source holds, without reading them whole.

    Parameters
    ----------
    source : str or path
        As for `load`; of ``PATH::KEY`` only that tensor is looked at.
    vocab : str, path or sequence of str, optional
        As for `load`.
    original : str or path, optional
        The source it was tuned from; each table is compared with it, since an export that shipped
        the original table is a mistake that no later figure shows.
    unsafe_pickle : bool, default False
        As for `load`.

    Returns
    -------
    Inspection

    Raises
    ------
    SourceError
        If the source is missing, empty, or of no known format.
    """
    request = parse(source, vocab=vocab, unsafe_pickle=unsafe_pickle)
    base = None if original is None else os.fspath(original)
    if request.scheme in ("gensim", "hf"):
        request = replace(request, target=str(layouts.cached_path(request)), scheme=None)
    if request.scheme is not None:
        return _of_one_table(request, layouts.read(request), None, base)
    layout = layouts.find_layout(request)
    if layout.tensors is not None:
        return _of_tensors(request, layout.name, layout.tensors(request), base)
    first = layout.read(replace(request, limit=FIRST_ROWS))
    rows = len(first) if layout.rows is None else layout.rows(request)
    return _of_one_table(request, first, rows, base)


def _of_one_table(
    request: Request, table: Embeddings, rows: int | None, original: str | None
) -> Inspection:
    rows = len(table) if rows is None or len(table) < FIRST_ROWS else rows
    info = TableInfo(
        table.source.key,
        (rows, table.dimensions),
        table.source.dtype,
        True,
        float(np.mean(table.norms == 0)),
        equals_original=_equals_original(request, table.words, table.matrix, original),
    )
    problems = [
        f"{problem.kind}{'' if problem.where is None else f' at {problem.where:,}'}: "
        f"{problem.detail}"
        for problem in table.problems
    ]
    problems += _shipped_original(info, original)
    path = None if request.scheme else request.path
    place = "package" if request.scheme else "folder" if request.path.is_dir() else "file"
    return Inspection(
        request.name,
        path,
        table.source.format,
        (info,),
        f"in the {place} itself",
        rows,
        tuple(problems),
        original,
    )


def _of_tensors(
    request: Request, layout: str, file: TensorFile, original: str | None
) -> Inspection:
    problems: list[str] = []
    vocabulary = None
    try:
        vocabulary = vocabulary_for(request, file.vocabulary)
    except VocabularyError as error:
        problems.append(str(error))
    found = [t for t in file.tensors if t.is_table and request.key in (None, t.key)]
    listed = _plausible(found, vocabulary)
    tables = sorted(
        (_describe(request, tensor, listed, vocabulary, original) for tensor in listed),
        key=lambda table: (
            table.fits is not True,
            not next(t for t in listed if t.key == table.key).is_named_input,
            -table.shape[0],
        ),
    )
    if not tables:
        problems.append("no two-dimensional tensor of floating numbers")
    elif vocabulary is not None and not tables[0].fits:
        best = next(t for t in listed if t.key == tables[0].key)
        problems.append(misfit(best, vocabulary))
    elif vocabulary is None and not problems:
        problems.append(f"no vocabulary found beside it, such as {request.path.stem}.vocab.txt")
    for table in tables:
        problems += _shipped_original(table, original)
    where = None
    if vocabulary is not None:
        where = vocabulary.where if vocabulary.path is None else str(vocabulary.path)
    return Inspection(
        request.name,
        request.path,
        layout,
        tuple(tables),
        where,
        None if vocabulary is None else len(vocabulary),
        tuple(problems),
        original,
        len(found) - len(listed),
    )


def _plausible(tensors: Sequence[Tensor], vocabulary: Vocabulary | None) -> list[Tensor]:
    """Tensors like word tables; of a few tensors, all."""
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
        float(1 - sample.any(axis=1).mean()),
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
        base = load(original, words=words, unsafe_pickle=request.unsafe_pickle)
    except SourceError as error:
        if "holds none of the" in str(error):
            return None
        raise
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
