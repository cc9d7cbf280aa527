import numpy as np
import pytest

from driftkit import Embeddings, align


@pytest.fixture(scope="module")
def pair():
    """120 shared words in different orders, 12 of them moved, one zero afterwards."""
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(120)]
    original = rng.normal(size=(120, 6)).astype(np.float32)
    tuned = original.copy()
    tuned[:12] += rng.normal(size=(12, 6))
    tuned[30] = 0
    order = rng.permutation(120)
    return align(
        Embeddings([*words, "gone"], np.vstack([original, np.ones(6)])),
        Embeddings(["<pad>", *(words[i] for i in order)], np.vstack([np.ones(6), tuned[order]])),
    )
