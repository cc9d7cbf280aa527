"""What model2vec saves: ``embeddings``, and beside them ``weights`` and ``mapping`` of tokens."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from driftkit.errors import SourceError
from driftkit.loaders import inspect, load

WORDS = ["[PAD]", "the", "##ing", "play", "[UNK]"]
TABLE = torch.arange(15.0).reshape(5, 3) + 1
WEIGHTS = torch.tensor([0.5, 0.25, 1.5, 1.0, 0.0], dtype=torch.float64)
SHARED = torch.tensor([1, 0, 1, 2, 2])


@pytest.fixture
def saved(tmp_path):
    def save(**tensors):
        save_file(tensors, tmp_path / "model.safetensors")
        vocab = {word: row for row, word in enumerate(WORDS)}
        (tmp_path / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocab}}))
        return tmp_path

    return save


@pytest.mark.parametrize("table", ["embeddings", "embedding.weight"])
@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        ({"weights": WEIGHTS}, TABLE * WEIGHTS[:, None]),
        ({"mapping": SHARED}, TABLE[SHARED]),
        ({"weights": WEIGHTS, "mapping": SHARED}, TABLE[SHARED] * WEIGHTS[:, None]),
    ],
    ids=["weights", "mapping", "both"],
)
def test_each_token_has_the_vector_that_the_model_gives_it(saved, table, beside, expected):
    rows = TABLE[:3].clone() if "mapping" in beside else TABLE
    folder = saved(**{table: rows, **beside})
    read = load(folder)
    assert (read.words, read.source.key) == (tuple(WORDS), table)
    assert read.matrix.tolist() == expected.float().tolist()
    assert np.array_equal(load(folder, words=["play"]).matrix, read.matrix[[3]])
    (info,) = inspect(folder).tables
    assert (info.key, info.shape, info.fits) == (table, (5, 3), True)
    words = folder / "tokenizer.json"
    same = load(folder / "model.safetensors", vocab=words)
    assert np.array_equal(same.matrix, read.matrix)


def test_half_precision_is_told(saved):
    read = load(saved(embeddings=TABLE.half(), weights=WEIGHTS.half()))
    assert read.source.rounding.relative == 2 * 2**-11
    assert load(saved(embeddings=TABLE, weights=WEIGHTS)).source.rounding.is_exact


@pytest.mark.parametrize(
    ("beside", "sentence"),
    [
        ({"weights": torch.ones(4)}, "has weights beside it .* not one number for each token"),
        ({"weights": torch.ones(5, 1)}, "not one number for each token"),
        ({"weights": torch.ones(5, dtype=torch.int64)}, "not one number for each token"),
        ({"mapping": torch.ones(5)}, "has a mapping beside it .* that is no list of its rows"),
        ({"mapping": torch.tensor([0, 1, 2, 3, 5])}, "has 5 rows, and the mapping .* names others"),
        ({"mapping": torch.tensor([0, 1, 2, 3, -1])}, "the mapping beside it names others"),
    ],
)
def test_parts_that_do_not_fit_are_refused(saved, beside, sentence):
    with pytest.raises(SourceError, match=sentence):
        load(saved(embeddings=TABLE, **beside))


def test_whole_numbers_are_refused_for_what_they_are(saved):
    folder = saved(embeddings=TABLE[:3].to(torch.int8), mapping=SHARED)
    with pytest.raises(SourceError, match="holds whole numbers, and no scale"):
        load(folder)


def test_models_with_other_tensors_are_no_model2vec(saved):
    folder = saved(embeddings=TABLE, weights=torch.ones(5), head=torch.ones(2, 3))
    assert load(folder).matrix.tolist() == TABLE.tolist()
