import numpy as np
import pytest

import driftkit as dk
from driftkit.datasets import SimilarityBenchmark

N, D = 300, 12
WORDS = [f"w{row}" for row in range(N)]


@pytest.fixture(scope="package")
def space():
    return np.random.default_rng(1).normal(size=(N, D)).astype("f4")


@pytest.fixture(scope="package")
def pair(space):
    """Every third row moved, mostly in one direction."""
    rng = np.random.default_rng(2)
    tuned = space.copy()
    tuned[::3] += rng.normal(size=(100, D)) * 0.3 + rng.normal(size=(100, 1)) * np.eye(D)[0]
    return dk.align(dk.Embeddings(WORDS, space), dk.Embeddings(WORDS, tuned))


@pytest.fixture(scope="package")
def liked(space):
    """A similarity benchmark that the original answers well."""
    rng = np.random.default_rng(3)
    asked = rng.permutation(N)[:300].reshape(-1, 2)
    asked = np.concatenate([asked, np.roll(asked, 1, axis=0) * [1, 0] + asked * [0, 1]])
    unit = space / np.linalg.norm(space, axis=1, keepdims=True)
    gold = (unit[asked[:, 0]] * unit[asked[:, 1]]).sum(axis=1) + rng.normal(size=300) * 0.1
    return SimilarityBenchmark("liked", tuple((WORDS[a], WORDS[b]) for a, b in asked), gold)
