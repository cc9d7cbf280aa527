"""Numbers without a header are read only where the key says how, and mapped where they lie."""

import numpy as np
import pytest

from driftkit.errors import SourceError, VocabularyError
from driftkit.loaders import inspect, load

ROWS = np.random.default_rng(0).normal(size=(40, 6))
WORDS = [f"w{row}" for row in range(40)]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_memmap_of_numpy(tmp_path, dtype):
    path = tmp_path / "m.dat"
    written = np.memmap(path, dtype, "w+", shape=ROWS.shape)
    written[:] = ROWS
    written.flush()
    table = load(f"{path}::{dtype}x6", vocab=WORDS)
    np.testing.assert_array_equal(table.matrix, ROWS.astype(dtype).astype(np.float32))
    assert (table.source.format, table.source.dtype) == ("raw", dtype)
    assert table.source.rounding.is_exact == (dtype != "float16")
    (info,) = inspect(f"{path}::{dtype}x6", vocab=WORDS).tables
    assert (info.shape, info.dtype, info.fits) == ((40, 6), dtype, True)


def test_float32_stays_mapped(tmp_path):
    ROWS.astype(np.float32).tofile(tmp_path / "m.bin")
    matrix = load(f"{tmp_path}/m.bin::float32x6", vocab=WORDS).matrix
    while not isinstance(matrix, np.memmap) and matrix.base is not None:
        matrix = matrix.base
    assert isinstance(matrix, np.memmap)


def test_without_a_key_nothing_is_guessed(tmp_path):
    ROWS.astype(np.float32).tofile(tmp_path / "m.dat")
    with pytest.raises(SourceError) as caught:
        load(tmp_path / "m.dat", vocab=WORDS)
    assert str(caught.value) == (
        f"{tmp_path}/m.dat: is by its name perhaps numbers without a header, and nothing says "
        "their type and how many make a row; give both as PATH::float32x384, and their words with "
        "--vocab."
    )


def test_a_width_that_does_not_fit(tmp_path):
    path = tmp_path / "m.dat"
    ROWS.astype(np.float32).tofile(path)
    with pytest.raises(
        SourceError, match=r"has 960 bytes, which rows of 7 float32 \(28 bytes\) do"
    ):
        load(f"{path}::float32x7", vocab=WORDS)
    with pytest.raises(VocabularyError, match="has 20 rows and the vocabulary given has 40 words"):
        load(f"{path}::float32x12", vocab=WORDS)


def test_content_decides_before_the_key(tmp_path):
    np.save(tmp_path / "m.npy", ROWS)
    with pytest.raises(SourceError, match="leave the key out"):
        load(f"{tmp_path}/m.npy::float64x6", vocab=WORDS)
    (tmp_path / "m.txt").write_text("a 1.5 2.5\nb 1.5 3.5\n")
    with pytest.raises(SourceError, match="leave the key out"):
        load(f"{tmp_path}/m.txt::float32x5", vocab=WORDS)
