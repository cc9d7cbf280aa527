"""Measures of drift that driftkit does not have: of rows, of their differences, and of texts.

A table before and after is x and y (n, d), rows of the same words. None of these knows a label.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import pdist, squareform
from scipy.stats import spearmanr

SAMPLE = 400  # rows whose pairs are compared


def sample(rows, seed=0):
    """At most `SAMPLE` of some rows, drawn without replacement; the same for the same rows."""
    if len(rows) <= SAMPLE:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, SAMPLE, replace=False))


def distance_correlation(x, y):
    """Distance correlation of Szekely, Rizzo & Bakirov 2007, from doubly centered distances."""

    def centered(rows):
        d = squareform(pdist(rows))
        return d - d.mean(axis=0) - d.mean(axis=1)[:, None] + d.mean()

    a, b = centered(x), centered(y)
    own = np.sqrt((a * a).mean() * (b * b).mean())
    return float(np.sqrt(max((a * b).mean(), 0) / own)) if own > 0 else np.nan


def rdm_drift(x, y):
    """1 less the rank correlation of all cosine distances, as the package Shesha has it.

    Raju 2026, "shesha-geometry": ``rdm_drift`` is 1 - ``rdm_similarity``, Spearman's correlation
    of the condensed matrices of cosine distances.
    """
    directed = x.any(axis=1) & y.any(axis=1)
    found = spearmanr(pdist(x[directed], "cosine"), pdist(y[directed], "cosine")).statistic
    return 1 - float(found)


def of_differences(x, y):
    """How many directions the differences of rows take, and how much of them is one shift."""
    d = (y - x).astype(float)
    power = np.square(np.linalg.svd(d, compute_uv=False))
    total = power.sum()
    share = power[power > 0] / total
    return {
        "drift effective rank": float(np.exp(-(share * np.log(share)).sum())),
        "drift stable rank": float(total / power[0]),
        "drift participation ratio": float(total**2 / np.square(power).sum()),
        "drift first direction": float(power[0] / total),
        "drift common shift": float(len(d) * np.square(d.mean(axis=0)).sum() / total),
        "drift norm": float(np.sqrt(total)),
        "drift norm, relative": float(np.sqrt(total / np.square(x.astype(float)).sum())),
    }


def weighted(values, counts):
    """Mean of the values of words (n,) that have one, each as often as texts use it."""
    known = ~np.isnan(values) & (counts > 0)
    return float(np.average(values[known], weights=counts[known])) if known.any() else np.nan


def of_texts(x, y):
    """Drift of the mean vectors (n, d) of texts.

    A *flip* is a text that changes sides of the middle text, along the direction in which the texts
    moved most: what a reader would do that cuts there. *Fixed* cuts where the middle was before.
    *Random flips* are those of a reader that cuts anywhere through the mean: the angle, by pi.
    """
    unit_x, unit_y = (unit(each) for each in (x, y))
    along = np.linalg.svd(y - x, full_matrices=False)[2][0]
    before, after = x @ along, y @ along
    middle = np.median(before)
    sides = before > middle
    turned = np.clip((unit(x - x.mean(axis=0)) * unit(y - y.mean(axis=0))).sum(axis=1), -1, 1)
    return {
        "text self_cosine": float((unit_x * unit_y).sum(axis=1).mean()),
        "text l2": float(np.linalg.norm(unit_x - unit_y, axis=1).mean()),
        "text cka": cka(x, y),
        "text rdm_drift": rdm_drift(*(each[sample(np.arange(len(x)))] for each in (x, y))),
        "text flips": float((sides != (after > np.median(after))).mean()),
        "text flips, fixed": float((sides != (after > middle)).mean()),
        "text random flips": float(np.arccos(turned).mean() / np.pi),
    }


def unit(rows):
    """Rows of length 1; those without a direction stay 0."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(norms > 0, norms, 1)


def cka(x, y):
    """Linear CKA of rows (n, d)."""
    x, y = (each - each.mean(axis=0) for each in (x, y))
    own = np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)
    return float(np.linalg.norm(x.T @ y) ** 2 / own)
