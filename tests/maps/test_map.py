import os
import sys

import numpy as np
import pytest
import torch

import driftkit as dk
from driftkit.errors import InputError, OptionError, SourceError
from driftkit.gate import read_baseline
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


def test_a_stream_of_tensors_is_one(turned):
    pair, made = turned
    rows = zip(pair.words, torch.from_numpy(pair.after.copy()), strict=True)
    streamed = torch.stack([row for _, row in made.stream(rows)])
    assert (streamed.numpy() == made.apply(pair.tuned).matrix).all()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_tensors_of_floats_keep_their_type(dtype, turned):
    pair, made = turned
    tensor = torch.from_numpy(pair.after[:300].copy()).to(dtype)
    mapped = made(tensor)
    assert mapped.dtype == dtype
    assert (mapped == torch.from_numpy(made(tensor.double().numpy())).to(dtype)).all()


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.bool])
def test_whole_numbers_and_truth_values_become_float32(dtype, space, pair_of):
    """They would else be cut to whole numbers again."""
    made = dk.fit_map(pair_of(space * 3))
    ones = torch.ones(2, 8, dtype=dtype)
    mapped = made(ones.numpy())
    assert mapped.dtype == np.float32
    assert (mapped != np.round(mapped)).any()
    assert made(ones).dtype == torch.float32
    assert (made(ones).numpy() == mapped).all()
    ((_, row),) = made.stream([("w0", ones[0])])
    assert (row.numpy() == mapped[0]).all()


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (np.ones((1, 8), complex), "rows of type complex128 were given; a map takes real numbers"),
        (torch.ones(1, 8, dtype=torch.complex64), "rows of type complex64 were given"),
        (np.ones((1, 8), object), "rows of type object were given"),
        (np.full((1, 8), "1"), "rows of type <U1 were given"),
        (np.full((1, 8), 6e4, np.float16), "mapped rows are past what float16 holds"),
        (torch.full((1, 8), 6e4, dtype=torch.float16), "past what float16 holds"),
        (torch.full((1, 8), 400.0).to(torch.float8_e4m3fn), "past what float8_e4m3fn holds"),
        (np.full((1, 8), 3e38, np.float32), "past what float32 holds"),
        (np.full((1, 8), 1e308), "past what float64 holds"),
    ],
)
def test_rows_that_cannot_be_mapped_are_refused(rows, said, space, pair_of):
    made = dk.fit_map(pair_of(space / 100))
    with pytest.raises(OptionError, match=said):
        made(rows)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_a_layer_is_mapped_as_its_table_is(dtype, turned, space):
    pair, made = turned
    layer = torch.nn.Embedding(600, 8, padding_idx=3, max_norm=50.0, sparse=True, dtype=dtype)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(pair.after))
        layer.weight[300:] *= 1.001 if dtype == torch.float64 else 1
        layer.weight[3] = 0
    with pytest.warns(UserWarning, match="the layer is not the tuned table"):
        mapped = made.apply(layer, pair.words)
    assert type(mapped) is torch.nn.Embedding
    assert mapped.weight.dtype == dtype
    assert mapped.weight.requires_grad
    assert (mapped.padding_idx, mapped.max_norm, mapped.sparse) == (3, 50.0, True)
    assert (mapped.weight[300:] == layer.weight[300:]).all()
    assert not mapped.weight[3].any()
    expected = np.delete(space[:300], 3, axis=0)
    close = 0.05 if dtype == torch.bfloat16 else 1e-5
    rows = mapped.weight.detach().double().numpy()
    assert np.delete(rows[:300], 3, axis=0) == pytest.approx(expected, abs=close)


def test_a_layer_that_knows_its_words_needs_no_others(turned):
    from driftkit.training import embedding_from

    pair, made = turned
    layer = embedding_from(pair.tuned, pair.words, specials=())
    assert (made.apply(layer).weight.detach().numpy() == made.apply(pair.tuned).matrix).all()


class Scaled(torch.nn.Embedding):
    def forward(self, rows):
        return 2 * super().forward(rows)


@pytest.mark.parametrize(
    ("given", "words", "said"),
    [
        (torch.nn.Embedding(600, 8), None, r"call map.apply\(layer, words\)"),
        (torch.nn.Embedding(600, 8), ["w1"] * 600, "words repeat in the layer"),
        (Scaled(600, 8), ["w1"] * 600, "an object of type Scaled"),
        (torch.nn.Linear(8, 600), ["w1"] * 600, "an object of type Linear"),
        ("tuned.npy", None, "an object of type str"),
    ],
)
def test_what_is_no_table_and_no_layer(given, words, said, turned):
    _, made = turned
    with pytest.raises(OptionError, match=said):
        made.apply(given, words)


def test_mapped_rows_past_what_a_layer_holds_are_refused(space, pair_of):
    pair = pair_of(space * 1e-5)
    layer = torch.nn.Embedding(600, 8, dtype=torch.float16)
    with torch.no_grad():
        layer.weight.fill_(6e4)
    with (
        pytest.warns(UserWarning, match="is not the tuned table"),
        pytest.raises(OptionError, match="past what float16 holds"),
    ):
        dk.fit_map(pair).apply(layer, pair.words)


@pytest.mark.parametrize("to", ["original", "tuned"])
def test_a_map_knows_what_it_was_fitted_on(to, space, pair_of):
    noise = np.random.default_rng(0).normal(size=space.shape)
    pair = pair_of(np.roll(space, 1, axis=1) + 0.01 * noise)
    made = dk.fit_map(pair, to=to)
    source, target = (
        (pair.tuned, pair.original) if to == "original" else (pair.original, pair.tuned)
    )
    mapped = made.apply(source)
    with pytest.raises(OptionError, match=f"is the {to} table, to which this map leads"):
        made.apply(target)
    with pytest.warns(
        UserWarning, match="if it was mapped already, it is now mapped twice"
    ) as told:
        made.apply(mapped)
    assert told[0].filename == __file__


def test_zero_rows_stay_zero(space, pair_of):
    tuned = space + 5
    tuned[:4] = 0
    pair = pair_of(tuned)
    made = dk.fit_map(pair)
    assert made.affine.name == "translation"
    assert "4 zero rows stay zero" in " ".join(repr(made).split())
    assert not made(tuned)[:4].any()
    assert not made.apply(pair.tuned).matrix[:4].any()
    assert made(tuned)[4:] == pytest.approx(space[4:], abs=1e-5)


def test_added_words_are_mapped_and_unmoved_ones_are_not(turned, space):
    pair, _ = turned
    words = (*pair.words, "new")
    tuned = dk.Embeddings(words, np.vstack([pair.after, np.roll(space[:1], 1, axis=1)]))
    made = dk.fit_map(dk.align(pair.original, tuned))
    assert made.apply(tuned)["new"] == pytest.approx(space[0], abs=1e-5)


@pytest.mark.skipif(sys.platform == "win32", reason="needs modes of files")
def test_files_of_maps_and_patches_are_those_of_everyone_whom_the_umask_lets(turned, tmp_path):
    pair, made = turned
    before = os.umask(0o027)
    try:
        made.save(tmp_path / "map")
        dk.restore(pair, strength=0.5).patch.save(tmp_path / "patch")
    finally:
        os.umask(before)
    assert {oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()} == {"0o640"}


def test_a_foreign_table_is_refused(turned):
    _, made = turned
    with pytest.raises(OptionError, match="holds none of the 300 names"):
        made.apply(dk.Embeddings(["other"], np.ones((1, 8))))
    with pytest.raises(OptionError, match=r"this map takes \(m, 8\)"):
        made(np.ones((2, 9)))


@pytest.mark.parametrize("read", [load_map, dk.read_patch, dk.read_lock, read_baseline])
def test_what_is_no_path_is_one_sentence(read, tmp_path):
    for given in (None, 3, b"back.map"):
        with pytest.raises(OptionError, match=f"takes the path of a file, and {given!r} was given"):
            read(given)
    with pytest.raises(InputError, match="folder"):
        read(tmp_path)


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
    assert "<p" in made._repr_html_()


def test_a_map_with_one_bit_turned_is_not_read(tmp_path, space, pair_of):
    """Wherever it lies among numbers, names and what is said about them."""
    tuned = space.copy()
    tuned[:50] = 2 * space[:50]
    dk.fit_map(pair_of(tuned)).save(tmp_path / "back")
    whole = (tmp_path / "back").read_bytes()
    start = 8 + int.from_bytes(whole[:8], "little")
    said = [whole.find(key) + len(key) + 3 for key in (b"sha256_tuned", b'"family', b'"parameters')]
    for at in [*said, *range(start, len(whole), 3)]:
        (tmp_path / "back").write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(SourceError):
            load_map(tmp_path / "back")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_rows_that_are_no_numbers_are_not_mapped(value, space, pair_of):
    back = dk.fit_map(pair_of(2 * space))
    rows = space.copy()
    rows[3, 1] = value
    for given in (rows, torch.from_numpy(rows)):
        with pytest.raises(OptionError, match="1 of 600 rows hold NaN or infinity"):
            back(given)
