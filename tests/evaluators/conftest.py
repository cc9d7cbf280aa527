from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from driftkit.embeddings import Embeddings


@pytest.fixture(scope="session")
def frequent(glove: Embeddings) -> Embeddings:
    """The 20,000 most frequent words of GloVe."""
    return Embeddings(glove.words[:20_000], glove.matrix[:20_000])


@pytest.fixture(scope="session")
def shared_data() -> Path:
    default = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("DRIFTKIT_SHARED_DATA", default))
    if not folder.is_dir():
        pytest.skip("the shared data folder is not here; set DRIFTKIT_SHARED_DATA")
    return folder


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20)
