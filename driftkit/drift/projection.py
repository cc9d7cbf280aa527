"""Two matched spaces drawn in the plane: the directions that spread the original rows most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from driftkit.arguments import shown
from driftkit.arrays import Matrix, Rows, Values, row_blocks
from driftkit.errors import AlignmentError, MissingExtraError, OptionError
from driftkit.pair import Pair
from driftkit.threads import torch_threads_kept

Method = Literal["pca", "umap"]

FITTED = 20_000
"""The plane is fitted to this many of the first rows: the frequent words, where tables are in order
of frequency. It does not depend on what is drawn, nor on the tuned table, so that the maps of
several checkpoints are one map."""

_TIE = 1e-6  # two coordinates of an axis closer than this can change places by rounding


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """Where m words lie in the plane, before and after; made by `project`.

    Rows are divided by their norms first, so distances go by direction, as those of neighbors do.
    A row of zeros has no direction, and lies at NaN.
    """

    words: tuple[str, ...]
    rows: Rows  # (m,) positions among the shared words
    before: Values  # (m, 2)
    after: Values  # (m, 2)
    axes: Values  # (2, d) of length 1, or of zeros where d is 1; of UMAP (0, d), which has none
    shares: Values  # (2,) of the variance of the original rows; of UMAP (0,)
    method: Method = "pca"


def project(pair: Pair, rows: Rows, *, method: Method = "pca", seed: int = 0) -> Projection:
    """Put shared words into the plane, by a projection fitted to the original table alone.

    The two axes of ``"pca"`` are the principal components of the first `FITTED` original rows,
    divided by their norms. Both tables are projected on the same axes, so where a word did not
    move, it stays. An axis and its opposite are one component; its largest coordinate is positive.

    Parameters
    ----------
    pair : Pair
    rows : ndarray of int64, shape (m,)
        Positions of the words among the shared ones.
    method : {"pca", "umap"}
        UMAP, which keeps neighbors together and no distances, needs the extra ``umap``.
    seed : int
        Seed of UMAP.

    Raises
    ------
    OptionError
        If there is no such method.
    AlignmentError
        If the tables differ in width: they have no axis in common.
    MissingExtraError
        If UMAP is asked for and not installed.

    Examples
    --------
    >>> from driftkit import Embeddings, align
    >>> words = ["good", "bad", "film"]
    >>> before = Embeddings(words, [[1, 0, 0], [-1, 0, 0], [0, 0.1, 0]])
    >>> after = Embeddings(words, [[1, 0, 0], [-1, 0, 0], [5, 0, 0]])
    >>> found = project(align(before, after), np.arange(3))
    >>> found.before[2].round(2).tolist(), found.after[2].round(2).tolist()
    ([0.0, 0.67], [1.0, -0.33])
    """
    if method not in ("pca", "umap"):
        raise OptionError(f"method={shown(method)} was given; it is 'pca' or 'umap'.")
    if pair.mismatch:
        raise AlignmentError(
            f"{pair.original.source.name} and {pair.tuned.source.name} have {pair.mismatch}, so "
            "they have no axis in common to be drawn on; look at neighbors, which need none."
        )
    words = tuple(pair.words[row] for row in rows.tolist())
    before = _directions(pair.before[rows], pair.before_norms[rows])
    after = _directions(pair.after[rows], pair.after_norms[rows])
    moved = pair.changed[rows]
    if method == "umap":
        place = _umap(pair, seed)
        axes, shares = np.zeros((0, pair.original.dimensions)), np.zeros(0)
        placed = place(before)
    else:
        center, axes, shares = _principal(pair)
        placed = (before - center) @ axes.T
    ends = placed.copy()  # rows that did not change stay to the last bit
    ends[moved] = place(after[moved]) if method == "umap" else (after[moved] - center) @ axes.T
    return Projection(words, rows, placed, ends, axes, shares, method)


def _directions(matrix: Matrix, norms: Values) -> Values:
    """Rows (m, d) of length 1; NaN where they are zero."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(matrix.astype(np.float64) / norms[:, None])


def _fitted_rows(pair: Pair) -> Rows:
    return np.flatnonzero(pair.before_norms[:FITTED] > 0)


def _principal(pair: Pair) -> tuple[Values, Values, Values]:
    """Return the mean (d,), the two first principal axes (2, d) and their shares (2,)."""
    rows, d = _fitted_rows(pair), pair.original.dimensions
    total, gram = np.zeros(d), np.zeros((d, d))
    for some in row_blocks(len(rows), d):
        x = _directions(pair.before[rows[some]], pair.before_norms[rows[some]])
        total += x.sum(axis=0)
        gram += x.T @ x
    center = total / max(len(rows), 1)
    # Rows have length 1, so taking the mean off the sums afterwards costs no digit that is drawn.
    lam, vectors = np.linalg.eigh(gram - len(rows) * np.outer(center, center))
    axes, shares = np.zeros((2, d)), np.zeros(2)
    power = float(np.maximum(lam, 0).sum())
    for at in range(min(2, d)):
        axes[at] = _signed(vectors[:, -1 - at])
        shares[at] = max(float(lam[-1 - at]), 0) / power if power else 0
    return center, axes, shares


def _signed(axis: Values) -> Values:
    """Return an axis (d,) whose largest coordinate is positive; of equal ones, the first.

    Which of the two an eigenvector comes as depends on the library that computed it.

    >>> _signed(np.array([0.6, -0.8])).tolist(), _signed(np.array([-0.5, 0.5])).tolist()
    ([-0.6, 0.8], [0.5, -0.5])
    """
    size = np.abs(axis)
    return np.asarray(axis * np.sign(axis[np.flatnonzero(size >= size.max() - _TIE)[0]]))


def _umap(pair: Pair, seed: int) -> Any:
    """Return what puts directions (m, d) where UMAP, fitted to the original rows, puts them."""
    try:
        from umap import UMAP
    except ImportError:
        raise MissingExtraError("a map by UMAP", "umap-learn", "umap") from None
    rows = _fitted_rows(pair)
    reducer = UMAP(n_components=2, metric="cosine", random_state=seed, n_jobs=1)
    with torch_threads_kept():
        reducer.fit(_directions(pair.before[rows], pair.before_norms[rows]).astype(np.float32))

    def place(directions: Values) -> Values:
        out = np.full((len(directions), 2), np.nan)
        known = np.isfinite(directions).all(axis=1)
        if known.any():
            with torch_threads_kept():
                out[known] = reducer.transform(directions[known].astype(np.float32))
        return out

    return place
