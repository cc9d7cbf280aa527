"""Tables of model2vec: a weight for each token, and a map from tokens to rows that they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from driftkit.loaders.choose_rows import Rows
from driftkit.loaders.choose_tensor import Tensor
from driftkit.provenance import Rounding

_TABLES = {"embeddings", "embedding.weight"}
_BESIDE = {"weights", "mapping"}


def by_token(tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Return the table as the model uses it: ``embeddings[mapping] * weights``, a row a token.

    Files of anything else are returned as they are.
    """
    named = {tensor.key: tensor for tensor in tensors}
    tables = [tensor for tensor in tensors if tensor.key in _TABLES]
    if len(tables) != 1 or not named.keys() - _TABLES or named.keys() - _TABLES - _BESIDE:
        return tuple(tensors)
    table, weights, mapping = tables[0], named.get("weights"), named.get("mapping")
    if not table.is_table:
        return (table,)
    if why := _why_not(table, weights, mapping):
        return (replace(table, unreadable=why),)
    factors = None if weights is None else np.asarray(weights.read(slice(None)), np.float64)
    shared = None if mapping is None else np.asarray(mapping.read(slice(None)), np.int64)

    def read(rows: Rows) -> npt.NDArray[Any]:
        held = table.read(rows if shared is None else shared[rows])
        return held if factors is None else np.asarray(held * factors[rows, None], np.float32)

    tokens = table.shape[0] if shared is None else len(shared)
    made = replace(table, shape=(tokens, table.shape[1]), read=read)
    if weights is None or factors is None:
        return (made,)
    return (replace(made, rounding=_rounding(table, weights, factors)),)


def _why_not(table: Tensor, weights: Tensor | None, mapping: Tensor | None) -> str | None:
    """Say why the parts beside a table do not fit it; None where they do."""
    tokens = table.shape[0]
    if mapping is not None:
        if len(mapping.shape) != 1 or "int" not in mapping.dtype or mapping.unreadable:
            return f"has a mapping beside it ({mapping}) that is no list of its rows"
        rows = np.asarray(mapping.read(slice(None)))
        if len(rows) == 0 or rows.min() < 0 or rows.max() >= tokens:
            return f"has {tokens:,} rows, and the mapping beside it names others"
        tokens = len(rows)
    if weights is not None:
        floating = weights.dtype.startswith(("float", "bfloat")) and not weights.unreadable
        if weights.shape != (tokens,) or not floating:
            return f"has weights beside it ({weights}) that are not one number for each token"
    return None


def _rounding(table: Tensor, weights: Tensor, factors: npt.NDArray[Any]) -> Rounding | None:
    """Return how finely the products are kept; None where the table's own type tells."""
    own, other = Rounding.of_dtype(table.dtype), Rounding.of_dtype(weights.dtype)
    if own.is_exact and other.is_exact:
        return None
    largest = float(np.abs(factors).max(initial=0))
    reason = other.reason if own.is_exact else own.reason
    return Rounding(own.relative + other.relative, own.absolute * largest, reason)
