"""Analogies answered from a whole relation: 3CosAvg and LRCos (Drozd, Gladkova & Matsuoka 2016).

A relation is a set of pairs (a, b). For each pair in turn the others teach the relation and a is
asked; nothing but a itself is barred as an answer.

- 3CosAvg: argmax over d of cos(d, a + mean(b) - mean(a)), the means over the other pairs: a search
  for the neighbors of these vectors.
- LRCos: argmax over d of P(d is of the class of the b) cos(d, a), P by logistic regression. Scores
  are rounded to float32, and of equal ones the lower row comes first.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.special import expit

from driftkit.arrays import Matrix, Rows, Values, generator, row_blocks
from driftkit.evaluators.analogy.search import Answers
from driftkit.neighbors.search.exact import Search
from driftkit.neighbors.search.rerank import NOBODY, Keys, entries_of, keys_of, leading, merged
from driftkit.neighbors.search.space import Space
from driftkit.progress import Progress

FEWEST_PAIRS = 3  # a relation with fewer pairs leaves too little to learn it from

NEGATIVES = 50
"""Random words told to the regression, besides the a of the relation, as not of the class."""

RIDGE = 1.0  # penalty on the weights of the regression, half of its square; scikit-learn's default

RELATION_METHODS = ("3cosavg", "lrcos")


def answer_relations(
    matrix: Matrix,
    norms: Values,
    sources: Rows,
    targets: Rows,
    relation: Rows,
    candidates: Rows,
    *,
    method: str,
    k: int = 1,
    exclude: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
) -> Answers:
    """Answer each of m pairs (a, b), rows `sources` and `targets`, from the others of its relation.

    `relation` (m,) tells which one that is; those with under `FEWEST_PAIRS` get no answer. The rest
    is as for `driftkit.evaluators.analogy.search.answer`, but only a is barred as an answer.
    """
    search = Search.over(Space.of(matrix, norms), candidates[norms[candidates] > 0])
    kinds, sizes = np.unique(relation, return_counts=True)
    kinds = kinds[sizes >= FEWEST_PAIRS]
    asked = np.flatnonzero(np.isin(relation, kinds))
    a, b = (matrix[rows] / norms[rows, None] for rows in (sources, targets))  # (m, d)
    identity = np.full((len(sources), k), -1, np.int32)
    scores = np.full((len(sources), k), -np.inf, np.float32)
    if method == "3cosavg":
        goal = np.zeros_like(a)
        for kind in kinds:
            some = relation == kind
            offset = b[some] - a[some]
            goal[some] = a[some] + (offset.sum(axis=0) - offset) / (len(offset) - 1)
        barred = sources[asked, None] if exclude else np.empty((len(asked), 0), np.int64)
        queries = search.of_vectors(goal[asked], barred)
        identity[asked], scores[asked] = search.nearest(queries, k, progress=progress)
        return Answers.of(identity, scores, search.candidates)
    rng = generator(seed, "relation negatives")
    for step, kind in enumerate(kinds if len(search.candidates) else ()):
        some = np.flatnonzero(relation == kind)
        size = min(NEGATIVES, len(search.candidates))
        drawn = rng.choice(search.candidates, size, replace=False)
        weights, offsets = _classes(a[some], b[some], matrix[drawn] / norms[drawn, None])
        out: Rows = np.where(exclude, search.position[sources[some]], -1)
        best = _best(search, a[some], weights, offsets, out, k)
        scores[some], identity[some] = entries_of(best)
        if progress is not None:
            progress(step + 1, len(kinds))
    return Answers.of(identity, scores, search.candidates)


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
    """Fit y (n,), 0 or 1, on x (n, d) by Newton's method: penalized weights (d,), and offset."""
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
    search: Search, a: Values, weights: Values, offsets: Values, barred: Rows, k: int
) -> Keys:
    """The k best candidates of each pair by LRCos, but for a position, as keys (p, k)."""
    best = np.full((len(a), k), NOBODY)
    matrix, norms = search.space.matrix, search.space.norms
    for some in row_blocks(len(search.candidates)):
        members = search.candidates[some]
        unit = matrix[members] / norms[members, None]
        score = weights @ unit.T + offsets[:, None]  # (p, r)
        expit(score, out=score)
        score *= a @ unit.T
        inside = np.flatnonzero((barred >= some.start) & (barred < some.stop))
        score[inside, barred[inside] - some.start] = -np.inf
        asker, column = leading(torch.from_numpy(score.astype(np.float32)), k)
        position = (some.start + column).astype(np.int32)
        keys = keys_of(score[asker, column].astype(np.float32), position)
        best = merged(best, asker, keys)
    return best
