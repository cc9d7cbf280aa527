import numpy as np
import pytest
import torch
from torch import nn

from driftkit.datasets import SimilarityBenchmark

WORDS = tuple(f"w{i}" for i in range(60))


@pytest.fixture
def toy():
    """A similarity benchmark over the words w0 to w59."""
    rng = np.random.default_rng(0)
    pairs = tuple((f"w{a}", f"w{b}") for a, b in rng.integers(0, 60, (40, 2)) if a != b)
    return SimilarityBenchmark("toy", pairs, rng.uniform(0, 10, len(pairs)))


@pytest.fixture
def make_table():
    """Return a table of 60 words, always the same."""

    def make(sparse=True):
        table = nn.Embedding(60, 8, sparse=sparse)
        with torch.no_grad():
            table.weight.normal_(generator=torch.Generator().manual_seed(0))
        return table

    return make
