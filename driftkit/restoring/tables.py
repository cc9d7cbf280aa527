"""A tuned table with other values in some of its rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from driftkit.arrays import Matrix, Rows
from driftkit.embeddings import Embeddings
from driftkit.pair import Pair


def with_rows(pair: Pair, rows: Rows, values: Matrix) -> Embeddings:
    """Return the tuned table with values (m, d) in the rows of m shared words, by position.

    It is in memory, and its other rows are as finely rounded as those it was read with.
    """
    matrix = np.array(pair.tuned.matrix)
    matrix[pair.tuned_rows[rows]] = values
    source = pair.tuned.source
    made = replace(source, name=f"{source.name}, restored", path=None, fingerprint=None)
    return Embeddings(pair.tuned.words, matrix, source=made)
