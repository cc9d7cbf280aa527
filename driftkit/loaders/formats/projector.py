"""TensorBoard's projector: vectors as TSV, and a second TSV with a word for each."""

from __future__ import annotations

import re
from pathlib import Path

from driftkit.embeddings import Embeddings
from driftkit.errors import VocabularyError
from driftkit.loaders.choose_rows import chosen_table
from driftkit.loaders.formats.format import Format
from driftkit.loaders.preconditions import require_memory
from driftkit.loaders.problems import Problems
from driftkit.loaders.request import Request
from driftkit.loaders.text.fast import read_fields
from driftkit.loaders.text.header import first_column, rounding_of
from driftkit.loaders.text.width import is_number
from driftkit.loaders.vocabulary.find import find_vocabulary, read_vocabulary
from driftkit.loaders.vocabulary.words import Vocabulary
from driftkit.provenance import Source

_METADATA = ("metadata.tsv", "meta.tsv", "labels.tsv")
_PARTS = ("tensors", "tensor", "vectors", "vecs", "embeddings", "embedding")


def looks_like_projector(head: bytes) -> bool:
    """Whether a file that starts so is a TSV of nothing but the numbers of vectors."""
    lines = head.splitlines(keepends=True)
    if len(lines) > 1 and not lines[-1].endswith(b"\n"):
        lines.pop()
    rows = [line.strip().split(b"\t") for line in lines[:20] if line.strip()]
    numbers = bool(rows) and all(len(row) > 1 and all(map(_is_plain, row)) for row in rows)
    return numbers and first_column(rows) != "words"


def _is_plain(field: bytes) -> bool:
    return is_number(field) and field == field.strip()


def read(request: Request) -> Embeddings:
    """Read the vectors, and the words of the metadata file beside them."""
    import polars as pl

    require_memory(3 * request.path.stat().st_size, request.name)
    data = request.path.read_bytes().replace(b"\r\n", b"\n").strip(b"\n")
    d = data.partition(b"\n")[0].count(b"\t") + 1
    try:
        frame = read_fields(data, "\t", dict.fromkeys(map(str, range(d)), pl.Float32))
    except pl.exceptions.PolarsError as error:
        reason = re.split(r"\s{2,}|\n", str(error))[0]
        raise request.error(f"is a TSV of numbers with a broken row ({reason}).") from None
    if any(frame.null_count().row(0)):
        row = next(row for row, values in enumerate(frame.rows()) if None in values)
        raise request.error(f"line {row + 1:,} has fewer than the {d} numbers of the other lines.")
    vocabulary = _metadata(request)
    if len(vocabulary) != frame.height:
        raise VocabularyError(
            request.name,
            f"has {frame.height:,} rows and {vocabulary.where} has {len(vocabulary):,} words.",
        )
    sample = (number for line in data.split(b"\n", 400)[:400] for number in line.split(b"\t")[:50])
    source = Source(request.name, request.path, "projector", "text", rounding=rounding_of(sample))
    matrix = frame.to_numpy(order="c")
    problems = Problems(vocabulary.problems)
    return chosen_table(request, vocabulary.words, lambda rows: matrix[rows], source, problems)


def _metadata(request: Request) -> Vocabulary:
    if request.vocab is not None:
        return read_vocabulary(request.vocab, unsafe_pickle=request.unsafe_pickle)
    for path in _beside(request.path):
        if path.is_file():
            return read_vocabulary(path)
    beside = find_vocabulary(request.path)
    if beside is not None:
        return beside
    raise VocabularyError(
        request.name,
        "is a TSV of numbers alone, as TensorBoard's projector keeps vectors; no metadata.tsv with "
        "a word for each row is beside it: name one (--vocab FILE, vocab=).",
    )


def _beside(path: Path) -> list[Path]:
    """Places where the words may be: the same name with another part, then the usual names."""
    named = [
        path.with_name(path.name.replace(part, other))
        for part in _PARTS
        if part in path.name
        for other in ("metadata", "meta", "labels")
    ]
    return named + [path.with_name(name) for name in _METADATA]


FORMAT = Format(
    "projector",
    "TensorBoard projector .tsv with its metadata",
    looks_like_projector,
    read,
    endings=(".tsv",),
    has_keys=False,
)
