"""How far each word moved once what moved all words alike is taken out."""

from __future__ import annotations

import numpy as np

from driftkit.arrays import Mask, Values, row_blocks
from driftkit.drift.moments import moments
from driftkit.errors import AlignmentError, OptionError
from driftkit.measures.registry import provide
from driftkit.pair import Pair

_DECIMALS = 12  # a rotation is known to about as many; more would be another processor's


def displacement(pair: Pair, *, center: bool = False, anchors: Mask | None = None) -> Values:
    """Return cosine distances (n,) after optional centering and rotation; NaN without a direction.

    Fine-tuning shares the coordinates of the original, so neither is done unless asked for. The
    best rotation of the tuned table is fitted on the words marked in `anchors` (n,).
    Hamilton, Leskovec & Jurafsky 2016, "Diachronic Word Embeddings Reveal Statistical Laws of
    Semantic Change". Tables of different dimensions are an `AlignmentError`.

    >>> from driftkit import Embeddings, align
    >>> square = np.array([[1, 0], [0, 1], [-1, 0.5]])
    >>> turned = align(Embeddings("abc", square), Embeddings("abc", square @ [[0, 1], [-1, 0]]))
    >>> displacement(turned).round(6).tolist()
    [1.0, 1.0, 1.0]
    >>> abs(displacement(turned, anchors=np.ones(3, bool)).round(6)).tolist()
    [0.0, 0.0, 0.0]
    """
    if pair.mismatch:
        raise AlignmentError(f"displacement is not measured: {pair.mismatch}.")
    n, d = pair.before.shape
    mean_x, mean_y = np.zeros(d), np.zeros(d)
    if center:
        whole = moments(pair, np.ones(n, bool))
        mean_x, mean_y = whole.mean_x, whole.mean_y
    rotation = np.eye(d)
    if anchors is not None:
        if anchors.shape != (n,) or not anchors.any():
            raise OptionError(
                f"anchors of shape {anchors.shape} with {int(anchors.sum()):,} words were given; "
                f"mark at least one of the {n:,} shared words."
            )
        m = moments(pair, anchors)
        gap_x, gap_y = m.mean_x - mean_x, m.mean_y - mean_y
        u, _, vt = np.linalg.svd((m.xy + m.n * np.outer(gap_x, gap_y)).T)  # Y'X = U S V'
        rotation = u @ vt
    out = np.empty(n)
    for rows in row_blocks(n, d):
        x = pair.before[rows] - mean_x
        y = (pair.after[rows] - mean_y) @ rotation
        with np.errstate(invalid="ignore", divide="ignore"):
            size = np.sqrt(np.square(x).sum(axis=1) * np.square(y).sum(axis=1))
            out[rows] = 1 - np.clip((x * y).sum(axis=1) / size, -1, 1)
    out[pair.zero] = np.nan
    return np.round(out, _DECIMALS)


def _by_name(pair: Pair, center: float, anchors: float) -> Values:
    """Return what ``displacement(center=..., anchors=...)`` names: anchors are the first words."""
    first = np.arange(len(pair)) < anchors if anchors else None
    return displacement(pair, center=bool(center), anchors=first)


provide("pair", {"displacement": _by_name})
