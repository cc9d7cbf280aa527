"""How well two tables of the same words agree as wholes, from their second moments alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from driftkit.arrays import Mask, Values, row_blocks
from driftkit.drift.moments import Moments
from driftkit.pair import Pair

DOUBT = 1e-15
"""Share of a sum over rows that depends on the order of adding, and so on the processor."""


def certain(value: float, doubt: float) -> float:
    """Return a value without the digits that a doubt of this size reaches.

    >>> certain(3.4589e-07, 1e-9), certain(1.2e-08, 3e-8), certain(0.25, 1e-15)
    (3.5e-07, 0.0, 0.25)
    """
    return round(value, -1 - math.ceil(math.log10(doubt)))


def root_of_difference(whole: float, part: float, unit: float = 1.0) -> float:
    """Return ``sqrt((whole - part) / unit)``; a small difference of large sums is doubtful."""
    root = math.sqrt(max(whole - part, 0.0) / unit)
    doubt = DOUBT * whole / unit
    return certain(root, doubt / max(root, math.sqrt(doubt))) if whole else 0.0


@dataclass(frozen=True, slots=True)
class NormProducts:
    """Sums over rows of the squared norms a of x and b of y, about their group's means."""

    ab: float
    aa: float
    bb: float


def norm_products(pair: Pair, groups: Sequence[tuple[Mask, Moments]]) -> list[NormProducts]:
    """Return those sums for each group, given its rows and its moments, in one pass."""
    masks = np.stack([mask for mask, _ in groups], axis=1)  # (n, g)
    sides = [
        (pair.before, pair.before_norms, np.stack([m.mean_x for _, m in groups], axis=1)),
        (pair.after, pair.after_norms, np.stack([m.mean_y for _, m in groups], axis=1)),
    ]
    sums = np.zeros((3, len(groups)))
    for rows in row_blocks(len(pair), max(pair.original.dimensions, pair.tuned.dimensions)):
        p, q = (  # |x - mean|^2 (b, g), without another copy of the block
            np.square(norms[rows])[:, None]
            - 2 * (matrix[rows].astype(np.float64) @ means)
            + np.square(means).sum(axis=0)
            for matrix, norms, means in sides
        )
        for each, products in zip(sums, (p * q, p * p, q * q), strict=True):
            each += products.sum(axis=0, where=masks[rows])
    return [NormProducts(*each) for each in sums.T.tolist()]


def cka(m: Moments) -> float:
    """Return linear CKA: ``f(Xc'Yc) / (|Xc'Xc| |Yc'Yc|)``.

    Kornblith et al. 2019, "Similarity of Neural Network Representations Revisited".
    """
    xx, yy, xy = (float(np.linalg.norm(each)) for each in (m.xx, m.yy, m.xy))
    return min(xy / xx * (xy / yy), 1.0)


def debiased_cka(m: Moments, norms: NormProducts) -> float:
    """Return linear CKA from unbiased estimates of HSIC: 0 on average for unrelated tables.

    ``HSIC1(X, Y) = [f(X'Y) - a.b + (sum k1)(sum l1)/((n-1)(n-2)) - 2/(n-2) k1.l1] / (n(n-3))``.
    It does not change when rows are centered, and then ``k1 = -a`` and ``l1 = -b``.
    Nguyen, Raghu & Kornblith 2021, "Do Wide and Deep Networks Learn the Same Things?"; Song et
    al. 2012 (the estimate).
    """
    n = m.n

    def hsic(cross: Values, a: float, b: float, ab: float) -> float:
        return float(
            np.square(cross).sum() - ab + a * b / ((n - 1) * (n - 2)) - 2 / (n - 2) * ab
        ) / (n * (n - 3))

    a, b = float(np.trace(m.xx)), float(np.trace(m.yy))
    own = hsic(m.xx, a, a, norms.aa) * hsic(m.yy, b, b, norms.bb)
    if not own > 0:
        return np.nan
    return float(np.clip(hsic(m.xy, a, b, norms.ab) / np.sqrt(own), -1, 1))


def procrustes_angle(m: Moments, nuclear: float) -> float:
    """Return ``arccos(|Xc'Yc|_* / (|Xc| |Yc|))``, in radians: 0 if rotation and scale are all.

    ``nuclear`` is the norm ``|Xc'Yc|_*``, the sum of the singular values of ``m.xy``.

    Williams et al. 2021, "Generalized Shape Metrics on Neural Representations".
    """
    angle = float(np.arccos(min(nuclear / np.sqrt(np.trace(m.xx) * np.trace(m.yy)), 1.0)))
    return certain(angle, DOUBT / max(angle, np.sqrt(DOUBT)))


def pip_loss(m: Moments) -> float:
    """Return ``|XX' - YY'|_F / |XX'|_F``: change of all inner products of words, by their size.

    Over moved rows it tells as well as any measure what a classifier trained with the table will do
    differently (see DriftBench in the documentation); over all rows, those that stayed dilute it.
    Yin & Shen 2018, "On the Dimensionality of Word Embedding".
    """
    size = float(np.square(m.raw_xx).sum())
    now = float(np.square(m.raw_yy).sum())
    shared = 2 * float(np.square(m.raw_xy).sum())
    return root_of_difference(size + now, shared, size) if size else np.nan


def rsa(unit: Moments) -> float:
    """Return the correlation, over all pairs of words, of their cosines before and after.

    Kriegeskorte, Mur & Bandettini 2008, "Representational Similarity Analysis".
    """
    n, pairs = unit.n, unit.n * (unit.n - 1)
    mean_x, mean_y = mean_cosine(n, unit.mean_x), mean_cosine(n, unit.mean_y)
    var_x = (float(np.square(unit.raw_xx).sum()) - n) / pairs - mean_x**2
    var_y = (float(np.square(unit.raw_yy).sum()) - n) / pairs - mean_y**2
    covariance = (float(np.square(unit.raw_xy).sum()) - n) / pairs - mean_x * mean_y
    if min(var_x, var_y) <= 1e-14:
        return np.nan
    return float(np.clip(covariance / np.sqrt(var_x * var_y), -1, 1))


def mean_cosine(n: int, mean: Values) -> float:
    """Return the mean cosine of all pairs of n rows, from the mean (d,) of their unit rows.

    Ethayarajh 2019, "How Contextual are Contextualized Word Representations?".
    """
    return float((n * mean @ mean - 1) / (n - 1))
