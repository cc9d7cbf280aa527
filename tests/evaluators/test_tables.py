from __future__ import annotations

import numpy as np
import pytest
import torch
from gensim.models import Word2Vec

from driftkit.embeddings import Embeddings
from driftkit.errors import OptionError, VocabularyError
from driftkit.evaluators.base import as_table

WORDS = ["tea", "coffee", "milk"]
MATRIX = np.arange(6, dtype=np.float32).reshape(3, 2)


def test_everything_people_have_in_memory(tmp_path) -> None:
    table = Embeddings(WORDS, MATRIX)
    assert as_table(table) is table
    path = tmp_path / "table.txt"
    path.write_text("".join(f"{w} {a} {b}\n" for w, (a, b) in zip(WORDS, MATRIX, strict=True)))
    embedding = torch.nn.Embedding.from_pretrained(torch.from_numpy(MATRIX), freeze=False)
    sources = [
        table.to_gensim(), (WORDS, MATRIX), (WORDS, MATRIX.tolist()), (WORDS, embedding),
        (WORDS, torch.from_numpy(MATRIX).to(torch.bfloat16)), str(path), path,
    ]  # fmt: skip
    for source in sources:
        found = as_table(source)
        assert list(found.words) == WORDS
        np.testing.assert_array_equal(found.matrix, MATRIX)
    assert embedding.weight.requires_grad


def test_a_gensim_model_carries_its_vectors() -> None:
    model = Word2Vec([["tea", "milk"]] * 5, vector_size=4, min_count=1, workers=1, seed=1)
    assert set(as_table(model).words) == {"tea", "milk"}


def test_what_is_no_table_is_told_so() -> None:
    with pytest.raises(OptionError, match="ndarray is not a table of vectors"):
        as_table(MATRIX)
    with pytest.raises(VocabularyError):
        as_table((WORDS[:2], MATRIX))
