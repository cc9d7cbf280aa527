"""A small monotone combination of measures, fitted on two tasks and judged on the third.

Each measure is turned so that it rises with drift and read as the share of the training tables
below it, so every task is on one scale. Weights are not negative: more drift in any measure never
predicts less change.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import nnls

from benchmarks.predict.analysis import spearman


def standing(values, among):
    """Share (n, m) of the values among (k, m) that are below each value, ties halved."""
    ordered = np.sort(among, axis=0)
    return np.stack(
        [
            (np.searchsorted(o, v, "left") + np.searchsorted(o, v, "right")) / (2 * len(o))
            for v, o in zip(values.T, ordered.T, strict=True)
        ],
        axis=1,
    )


def logit(share, n):
    """Log odds of a share of n, kept finite."""
    kept = np.clip(share, 0.5 / n, 1 - 0.5 / n)
    return np.log(kept / (1 - kept))


class Combination:
    """Nonnegative least squares of the log odds of an outcome on the standings of measures."""

    def __init__(self, x, y, n=1000):
        self.signs = np.sign(np.nan_to_num(spearman(x, y)))
        self.among = x * self.signs
        design = np.column_stack(
            [standing(self.among, self.among), np.ones(len(x)), -np.ones(len(x))]
        )
        self.weights, _ = nnls(design, logit(y, n))

    def __call__(self, x):
        return standing(x * self.signs, self.among) @ self.weights[: x.shape[1]]


def boosted(x, y, new):
    """An upper bound: trees, boosted, each measure monotone (needs scikit-learn)."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    signs = np.sign(np.nan_to_num(spearman(x, y)))
    among = x * signs
    model = HistGradientBoostingRegressor(
        monotonic_cst=[1] * x.shape[1], max_iter=200, learning_rate=0.05, max_leaf_nodes=8,
        min_samples_leaf=20, random_state=0,
    )  # fmt: skip
    model.fit(standing(among, among), logit(y, 1000))
    return model.predict(standing(new * signs, among))


def predictions(cells, consumer, names, *, trees=False):
    """Predict every cell of each task from a fit to the other two; return them, and the weights."""
    x, y = cells[list(names)].to_numpy(float), cells[consumer].to_numpy(float)
    made, weights = np.empty(len(cells)), {}
    for task in cells["task"].unique():
        here = (cells["task"] == task).to_numpy()
        if trees:
            made[here] = boosted(x[~here], y[~here], x[here])
        else:
            fitted = Combination(x[~here], y[~here])
            made[here] = fitted(x[here])
            weights[task] = pd.Series(fitted.weights[: len(names)], list(names))
    return made, pd.DataFrame(weights)
