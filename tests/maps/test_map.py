import numpy as np
import pytest
import torch

import driftkit as dk
from driftkit.errors import OptionError, SourceError
from driftkit.maps import load_map


@pytest.fixture
def turned(space, pair_of):
    """A pair of which the first 300 rows were turned, and its map."""
    tuned = space.copy()
    tuned[:300] = np.roll(space[:300], 1, axis=1)
    pair = pair_of(tuned)
    return pair, dk.fit_map(pair)


def test_a_saved_map_is_the_same_map(turned, tmp_path):
    pair, made = turned
    made.save(tmp_path / "back.safetensors")
    read = load_map(tmp_path / "back.safetensors")
    assert (read.to, read.names, read.hashes) == (made.to, made.names, made.hashes)
    assert read.hashes == {"original": pair.original.sha256, "tuned": pair.tuned.sha256}
    assert (read.apply(pair.tuned).matrix == made.apply(pair.tuned).matrix).all()


def test_a_map_takes_arrays_tensors_and_streams(turned, space):
    pair, made = turned
    moved = pair.after[:300]
    assert made(moved).dtype == np.float32
    tensor = made(torch.from_numpy(moved.copy()))
    assert (tensor.numpy() == made(moved)).all()
    rows = zip(pair.words, pair.after, strict=True)
    streamed = np.stack([row for _, row in made.stream(rows)])
    assert streamed == pytest.approx(space, abs=1e-5)
    assert (streamed[300:] == pair.before[300:]).all()


def test_added_words_are_mapped_and_unmoved_ones_are_not(turned, space):
    pair, _ = turned
    words = (*pair.words, "new")
    tuned = dk.Embeddings(words, np.vstack([pair.after, np.roll(space[:1], 1, axis=1)]))
    made = dk.fit_map(dk.align(pair.original, tuned))
    assert made.apply(tuned)["new"] == pytest.approx(space[0], abs=1e-5)


def test_a_foreign_table_is_refused(turned):
    _, made = turned
    with pytest.raises(OptionError, match="holds none of the 300 names"):
        made.apply(dk.Embeddings(["other"], np.ones((1, 8))))
    with pytest.raises(OptionError, match=r"this map takes \(m, 8\)"):
        made(np.ones((2, 9)))


@pytest.mark.parametrize("content", [b"", b"\x08\0\0\0\0\0\0\0{}      ", b"words"])
def test_a_file_that_is_no_map(content, tmp_path):
    path = tmp_path / "odd.safetensors"
    path.write_bytes(content)
    with pytest.raises(SourceError, match="map"):
        load_map(path)


def test_what_is_shown(turned):
    _, made = turned
    text = repr(made)
    assert text.startswith("Rotation to the original space (8 to 8), for 300 rows that moved")
    assert made.to_dict()["map"] == "rotation"
    assert "<p>" in made._repr_html_()
