"""How far each word moved once what moved all words alike is taken out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from driftkit.arrays import BLOCK_ROWS
from driftkit.drift.moments import moments
from driftkit.errors import OptionError
from driftkit.measures.measure import Measure
from driftkit.pair import Mask, Pair


def displacement(
    pair: Pair, *, center: bool = False, anchors: Mask | None = None
) -> npt.NDArray[np.float64]:
    """Cosine distance of each word's vectors, after optional centering and rotation.

    Fine-tuning shares the coordinates of the original, so neither is done unless asked for. Where
    two tables were trained apart, or one was rotated, align them on words that should not have
    moved, and report both figures: no rotation undoes what happened to single rows.

    Parameters
    ----------
    pair : Pair
        The two tables.
    center : bool
        Take each table's mean away from its rows first.
    anchors : ndarray of bool, shape (n,), optional
        Words the best rotation of the tuned table onto the original is fitted on, such as the
        unmoved or the frequent ones; no rotation unless given.

    Returns
    -------
    ndarray of float64, shape (n,)
        ``1 - cosine``, from 0 to 2; NaN where a row has no direction.

    Raises
    ------
    OptionError
        If there is no anchor, or not one mark for each shared word.

    References
    ----------
    Hamilton, Leskovec & Jurafsky 2016, "Diachronic Word Embeddings Reveal Statistical Laws of
    Semantic Change".

    Examples
    --------
    >>> from driftkit import Embeddings, align
    >>> square = np.array([[1, 0], [0, 1], [-1, 0.5]])
    >>> turned = align(Embeddings("abc", square), Embeddings("abc", square @ [[0, 1], [-1, 0]]))
    >>> displacement(turned).round(6).tolist()
    [1.0, 1.0, 1.0]
    >>> abs(displacement(turned, anchors=np.ones(3, bool)).round(6)).tolist()
    [0.0, 0.0, 0.0]
    """
    n, d = pair.before.shape
    every = np.ones(n, bool)
    mean_x, mean_y = np.zeros(d), np.zeros(d)
    if center:
        whole = moments(pair, every)
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
    for start in range(0, n, BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        x = pair.before[rows] - mean_x
        y = (pair.after[rows] - mean_y) @ rotation
        with np.errstate(invalid="ignore", divide="ignore"):
            size = np.sqrt(np.square(x).sum(axis=1) * np.square(y).sum(axis=1))
            out[rows] = 1 - np.clip((x * y).sum(axis=1) / size, -1, 1)
    out[pair.zero] = np.nan
    return out


def displacement_by_name(pair: Pair, measure: Measure) -> npt.NDArray[np.float64]:
    """Take the displacement that ``displacement(center=...,anchors=...)`` names.

    Parameters
    ----------
    pair : Pair
    measure : Measure
        Its parameter ``anchors`` is a number of the first shared words; 0 is no rotation.

    Examples
    --------
    >>> from driftkit import Embeddings, align
    >>> from driftkit.measures.registry import parse_measure
    >>> square = np.array([[1, 0], [0, 1], [-1, 0.5]])
    >>> turned = align(Embeddings("abc", square), Embeddings("abc", square @ [[0, 1], [-1, 0]]))
    >>> bool(displacement_by_name(turned, parse_measure("displacement(anchors=2)")).max() < 1e-9)
    True
    """
    chosen = dict(measure.parameters)
    first = np.arange(len(pair)) < chosen["anchors"]
    return displacement(
        pair, center=bool(chosen["center"]), anchors=first if chosen["anchors"] else None
    )
