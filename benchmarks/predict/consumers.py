"""What three consumers of a table do differently after tuning, and a fourth that half follows.

The *classifier* was trained with the tuned table; it is set against the one that was trained on the
frozen table from the same seed. The *reader* is that one, which now reads the tuned table.
*Retrieval* ranks sentences by the cosine of their mean vectors, each by all others; the *mixed
index* keeps the vectors of the documents from before and asks with new ones.
"""

from __future__ import annotations

import numpy as np

from benchmarks.predict.measures import unit

NEAREST = 10
CONSUMERS = ("classifier", "retrieval", "reader", "mixed index")


def changed_labels(first, second):
    """Share of sentences that two lists of labels label differently."""
    return float((np.asarray(first) != np.asarray(second)).mean())


def means(matrix, sentences):
    """Mean vectors (n, d) of sentences, lists of rows of a table (v, d)."""
    return np.stack([matrix[np.asarray(each)].mean(axis=0) for each in sentences]).astype(float)


def ten_nearest(queries, documents, k=NEAREST):
    """Places (n, k), in no order, of the documents nearest to each query, but for its own."""
    cosines = unit(queries) @ unit(documents).T
    np.fill_diagonal(cosines, -np.inf)
    return np.argpartition(-cosines, k, axis=1)[:, :k]


def changed_neighbors(first, second):
    """Mean share of the documents in the first lists that are not in the second."""
    kept = (first[:, :, None] == second[:, None, :]).any(axis=2)
    return float(1 - kept.mean())
