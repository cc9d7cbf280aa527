"""Analogies answered from a whole relation: 3CosAvg and LRCos (Drozd, Gladkova & Matsuoka 2016).

A relation is a set of pairs (a, b). For each pair in turn the others teach the relation and a is
asked; nothing but a itself is barred as an answer.

- 3CosAvg: argmax over d of cos(d, a + mean(b) - mean(a)), the means over the other pairs.
- LRCos: argmax over d of P(d is of the class of the b) cos(d, a), P by logistic regression.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.special import expit

from driftkit.arrays import BLOCK_ROWS, Matrix, Rows, Values
from driftkit.evaluators.analogy.search import TIE, Answers
from driftkit.progress import Progress

FEWEST_PAIRS = 3
"""A relation with fewer pairs leaves too little to learn it from."""

NEGATIVES = 50
"""Random words told to the regression, besides the a of the relation, as not of the class."""

RIDGE = 1.0
"""Penalty on the weights of the regression, half of its square; scikit-learn's default."""

RelationMethod = Literal["3cosavg", "lrcos"]


def answer_relations(
    matrix: Matrix,
    norms: Values,
    sources: Rows,
    targets: Rows,
    relation: Rows,
    candidates: Rows,
    *,
    method: RelationMethod,
    k: int = 1,
    exclude: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
) -> Answers:
    """Answer each pair of every relation from the other pairs of it.

    Parameters
    ----------
    matrix : ndarray of float32, shape (n, d)
    norms : ndarray of float64, shape (n,)
    sources, targets : ndarray of int64, shape (m,)
        Rows a and b of the pairs.
    relation : ndarray of int64, shape (m,)
        Which relation each pair belongs to; those with under `FEWEST_PAIRS` get no answer.
    candidates : ndarray of int64, shape (r,)
        Rows searched, ascending; zero rows among them are passed over.
    method : {"3cosavg", "lrcos"}
    k : int
    exclude : bool
        Whether a is barred as an answer.
    seed : int
        Of the random words of LRCos.
    progress : callable, optional

    Returns
    -------
    Answers
    """
    candidates = candidates[norms[candidates] > 0]
    rows = np.full((len(sources), k), -1, np.int64)
    scores = np.full((len(sources), k), -np.inf)
    kinds = np.unique(relation)
    rng = np.random.default_rng(seed)
    for step, kind in enumerate(kinds):
        some = np.flatnonzero(relation == kind)
        if len(some) >= FEWEST_PAIRS and len(candidates):
            a = matrix[sources[some]] / norms[sources[some], None]  # (p, d)
            b = matrix[targets[some]] / norms[targets[some], None]
            if method == "3cosavg":
                others = len(some) - 1
                goal = a + ((b - a).sum(axis=0) - (b - a)) / others
                goal /= np.linalg.norm(goal, axis=1, keepdims=True)
                weights, offsets = None, None
            else:
                goal = a
                drawn = rng.choice(candidates, min(NEGATIVES, len(candidates)), replace=False)
                noise = matrix[drawn] / norms[drawn, None]
                weights, offsets = _classes(a, b, noise)
            barred = sources[some] if exclude else np.full(len(some), -1)
            rows[some], scores[some] = _best(
                matrix, norms, candidates, goal, weights, offsets, barred, k
            )
        if progress is not None:
            progress(step + 1, len(kinds))
    return Answers(rows, scores)


def _classes(a: Values, b: Values, noise: Values) -> tuple[Values, Values]:
    """Weights (p, d) and offsets (p,) of the class of targets, leaving out each pair in turn."""
    weights, offsets = np.empty_like(a), np.empty(len(a))
    for i in range(len(a)):
        others = np.arange(len(a)) != i
        x = np.concatenate([b[others], a[others], noise])
        y = np.repeat([1.0, 0.0], [len(b) - 1, len(x) - len(b) + 1])
        weights[i], offsets[i] = logistic_regression(x, y)
    return weights, offsets


def logistic_regression(x: Values, y: Values) -> tuple[Values, float]:
    """Fit a logistic regression with an L2 penalty on the weights, by Newton's method.

    Parameters
    ----------
    x : ndarray of float64, shape (n, d)
    y : ndarray of float64, shape (n,)
        0 or 1.

    Returns
    -------
    weights : ndarray of float64, shape (d,)
    offset : float
        Not penalized.
    """
    design = np.column_stack([x, np.ones(len(x))])
    penalty = np.full(design.shape[1], RIDGE)
    penalty[-1] = 0
    beta = np.zeros(design.shape[1])
    for _ in range(50):
        p = expit(design @ beta)
        gradient = design.T @ (p - y) + penalty * beta
        curvature = (design.T * (p * (1 - p))) @ design + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        beta -= step
        if np.abs(step).max() < 1e-10:
            break
    return beta[:-1], float(beta[-1])


def _best(
    matrix: Matrix,
    norms: Values,
    candidates: Rows,
    goal: Values,
    weights: Values | None,
    offsets: Values | None,
    barred: Rows,
    k: int,
) -> tuple[Rows, Values]:
    """The k best candidates of each goal (p, d); equals go to the lowest row."""
    rows = np.full((len(goal), k), -1, np.int64)
    scores = np.full((len(goal), k), -np.inf)
    for start in range(0, len(candidates), BLOCK_ROWS):
        members = candidates[start : start + BLOCK_ROWS]
        unit = matrix[members] / norms[members, None]
        score = goal @ unit.T  # (p, r)
        if weights is not None and offsets is not None:
            score *= expit(weights @ unit.T + offsets[:, None])
        score[members[None, :] == barred[:, None]] = -np.inf
        # What is held comes first: its rows are lower, so an equal keeps it.
        score = np.concatenate([scores, score], axis=1)
        row = np.concatenate([rows, np.broadcast_to(members, (len(goal), len(members)))], axis=1)
        for rank in range(k):
            best = score.max(axis=1)
            pick = (score >= best[:, None] - TIE).argmax(axis=1)
            each = np.arange(len(goal))
            found = np.isfinite(best)
            rows[:, rank] = np.where(found, row[each, pick], -1)
            scores[:, rank] = np.where(found, best, -np.inf)
            score[each, pick] = -np.inf
    return rows, scores
