"""Tables of nothing but numbers, whose words are in a vocabulary."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from driftkit.arrays import Matrix
from driftkit.embeddings import Embeddings
from driftkit.loaders.choose_tensor import Tensor, TensorFile, read_table
from driftkit.loaders.request import Request
from driftkit.provenance import Problem, Rounding


def table_of_numbers(
    request: Request,
    layout: str,
    matrix: Matrix,
    dtype: str,
    rounding: Rounding,
    problems: Iterable[Problem] = (),
) -> Embeddings:
    """Return a matrix with the words of the vocabulary given, or of the one beside the file."""
    tensor = Tensor(None, matrix.shape, dtype, matrix.__getitem__)
    table = read_table(replace(request, key=None), layout, TensorFile((tensor,)))
    table.source = replace(table.source, rounding=rounding)
    table.problems = (*problems, *table.problems)
    return table
