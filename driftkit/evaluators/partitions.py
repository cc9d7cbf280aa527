"""How well clusters agree with categories: purity, adjusted Rand index, V-measure.

All start from the table of counts: words of category i in cluster j.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import comb

Labels = npt.NDArray[np.int64]
Table = npt.NDArray[np.int64]


def contingency(categories: Labels, clusters: Labels) -> Table:
    """Count the words of each category in each cluster, (categories, clusters).

    Parameters
    ----------
    categories, clusters : ndarray of int64, shape (m,)
        Labels from 0.
    """
    shape = (int(categories.max(initial=-1)) + 1, int(clusters.max(initial=-1)) + 1)
    table = np.zeros(shape, np.int64)
    np.add.at(table, (categories, clusters), 1)
    return table


def in_majority(categories: Labels, clusters: Labels) -> npt.NDArray[np.bool_]:
    """Tell of each word whether it is of the commonest category of its cluster, (m,).

    Their share is the purity. Among equally common categories the first counts.
    """
    if len(categories) == 0:
        return np.zeros(0, bool)
    majority = contingency(categories, clusters).argmax(axis=0)
    found: npt.NDArray[np.bool_] = majority[clusters] == categories
    return found


def purity(categories: Labels, clusters: Labels) -> float:
    """Share of words in the commonest category of their cluster (Zhao & Karypis 2001).

    Examples
    --------
    >>> purity(np.array([0, 0, 1, 1]), np.array([0, 0, 0, 1]))
    0.75
    """
    return float(in_majority(categories, clusters).mean())


def adjusted_rand(categories: Labels, clusters: Labels) -> float:
    """Adjusted Rand index: 1 for the same partition, 0 on average by chance (Hubert & Arabie 1985).

    Examples
    --------
    >>> round(adjusted_rand(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2])), 4)
    0.5714
    """
    table = contingency(categories, clusters)
    together = comb(table, 2).sum()
    by_category, by_cluster = comb(table.sum(axis=1), 2).sum(), comb(table.sum(axis=0), 2).sum()
    pairs = comb(table.sum(), 2)
    expected = by_category * by_cluster / pairs if pairs else 0.0
    most = (by_category + by_cluster) / 2
    return 1.0 if most == expected else float((together - expected) / (most - expected))


def v_measure(categories: Labels, clusters: Labels) -> float:
    """Harmonic mean of homogeneity and completeness (Rosenberg & Hirschberg 2007).

    Examples
    --------
    >>> v_measure(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2])).__round__(4)
    0.8
    """
    joint = contingency(categories, clusters) / len(categories)
    category, cluster = joint.sum(axis=1), joint.sum(axis=0)
    known = joint > 0
    shared = float((joint[known] * np.log(joint[known] / np.outer(category, cluster)[known])).sum())
    total = _entropy(category) + _entropy(cluster)
    return 1.0 if total == 0 else 2 * shared / total


def _entropy(p: npt.NDArray[np.float64]) -> float:
    p = p[p > 0]
    return float(-(p * np.log(p)).sum())
