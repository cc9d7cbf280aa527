import numpy as np
import pytest

import driftkit as dk


@pytest.fixture(scope="package")
def space():
    """600 rows of 8 dimensions in clusters: near ones are told apart, and directions differ."""
    rng = np.random.default_rng(7)
    spread = np.linspace(0.4, 2, 8)
    return rng.normal(size=(600, 8)) * spread + 0.5


@pytest.fixture(scope="package")
def pair_of(space):
    """Join the space with what became of it, (600, d), or of some of its rows."""

    def make(tuned):
        words = [f"w{row}" for row in range(len(space))]
        return dk.align(dk.Embeddings(words, space), dk.Embeddings(words, tuned))

    return make
