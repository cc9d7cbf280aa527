import numpy as np
import pytest

from driftkit import Embeddings, align

DOCUMENTS, QUERIES, WIDTH = 400, 120, 16


class Models:
    """Documents and queries near them by one model, and what another makes of both."""

    def __init__(self, seed=0):
        rng = np.random.default_rng(seed)
        self.documents = [f"d{i}" for i in range(DOCUMENTS)]
        self.queries = [f"q{i}" for i in range(QUERIES)]
        self.d = rng.normal(size=(DOCUMENTS, WIDTH)).astype(np.float32)
        self.q = self.d[:QUERIES] + rng.normal(0, 0.4, (QUERIES, WIDTH)).astype(np.float32)
        self.qrels = {f"q{i}": {f"d{i}": 1, f"d{i + 1}": 0} for i in range(QUERIES)}
        self.rotation, _ = np.linalg.qr(rng.normal(size=(WIDTH, WIDTH)))

    def pairs(self, documents, queries):
        """Return the pair of documents and that of queries, given what the tuned model makes."""
        return (
            align(Embeddings(self.documents, self.d), Embeddings(self.documents, documents)),
            align(Embeddings(self.queries, self.q), Embeddings(self.queries, queries)),
        )


@pytest.fixture
def models():
    return Models()


@pytest.fixture
def judged():
    """Skip a test that measures by judgments where ir-measures is not installed."""
    pytest.importorskip("ir_measures", reason="ir-measures (extra retrieval) is not installed")
