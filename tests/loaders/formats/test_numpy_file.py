import numpy as np
import pytest

from driftkit.errors import SourceError, UnsafePickleError, VocabularyError
from driftkit.loaders import load


@pytest.fixture
def save(tmp_path):
    def save(array, words=("a", "b")):
        np.save(tmp_path / "m.npy", array)
        if words:
            (tmp_path / "m.vocab.txt").write_text("\n".join(words))
        return tmp_path / "m.npy"

    return save


def test_float32_stays_memory_mapped(save):
    table = load(save(np.float32([[1, 2, 3], [4, 5, 6]])))
    base = table.matrix
    while not isinstance(base, np.memmap) and base.base is not None:
        base = base.base
    assert isinstance(base, np.memmap)
    assert not table.matrix.flags.writeable
    assert table.matrix.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert (table.source.format, table.source.dtype, table.source.key) == ("npy", "float32", None)
    assert table.source.rounding.is_exact


@pytest.mark.parametrize("dtype", ["float16", "float64", ">f4", "int32"])
def test_other_types_and_orders_are_converted(save, dtype):
    table = load(save(np.asfortranarray(np.array([[1, 2, 3], [4, 5, 6]], dtype))))
    assert table.matrix.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert table.source.rounding.is_exact == (dtype != "float16")


@pytest.mark.parametrize(
    ("array", "shape"),
    [(np.ones(3), "(3,)"), (np.ones((2, 2, 2)), "(2, 2, 2)"), (np.ones((0, 5)), "(0, 5)")],
)
def test_other_shapes(save, array, shape):
    path = save(array)
    with pytest.raises(SourceError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: has shape {shape}; a table of word vectors has two dimensions, "
        "(words, numbers in a vector)."
    )


def test_objects_are_never_unpickled(save, ran, payload):
    array = np.empty((1, 1), object)
    array[0, 0] = payload
    path = save(array)
    for unsafe in (False, True):
        with pytest.raises(UnsafePickleError) as caught:
            load(path, unsafe_pickle=unsafe)
        assert str(caught.value) == (
            f"{path}: is an array of Python objects, which is a pickle and is never opened; save "
            "the matrix as numbers: np.save(path, np.asarray(matrix, np.float32))."
        )
    assert not ran.exists()


@pytest.mark.parametrize("keep", [8, 60, 130])
def test_truncated(save, keep):
    path = save(np.ones((2, 3), np.float32))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(SourceError, match=r"is a damaged or truncated \.npy file \("):
        load(path)


def test_no_key_and_no_words(save):
    path = save(np.ones((2, 3)), words=())
    with pytest.raises(VocabularyError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: no words were found for its 2 rows; name the file that lists them (--vocab FILE, "
        "vocab=), or save it beside as m.vocab.txt."
    )
    with pytest.raises(SourceError) as caught:
        load(f"{path}::emb", vocab=["a", "b"])
    assert str(caught.value) == (
        f"{path}::emb: holds one unnamed matrix, so there is no tensor 'emb'; leave the key out."
    )


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_with_its_words(tmp_path, save):
    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    path = tmp_path / "m.npz"
    save(path, vectors=rows, words=np.array(["a", "b", "c\u00e9"]), other=np.ones(3))
    table = load(path)
    assert (table.words, table.source.format) == (("a", "b", "c\u00e9"), "npz")
    assert (table.source.key, table.matrix.tolist()) == ("vectors", rows.tolist())
    save(path, np.asfortranarray(rows), rows[:2])
    assert load(f"{path}::arr_0", vocab=["a", "b", "c"]).matrix.tolist() == rows.tolist()


def test_npz_damage_and_objects(tmp_path):
    path = tmp_path / "m.npz"
    np.savez(path, vectors=np.array([object()]))
    with pytest.raises(UnsafePickleError, match="array of Python objects"):
        load(path)
    np.savez(path, vectors=np.ones((3, 2), np.float32))
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    with pytest.raises(SourceError, match=r"damaged or truncated \.npz"):
        load(path)
    flipped = bytearray(whole)
    flipped[flipped.find(b"(3, 2)") : flipped.find(b"(3, 2)") + 6] = b"(9, 2)"
    path.write_bytes(flipped)
    with pytest.raises(SourceError, match=r"damaged or truncated \.npz"):
        load(path, vocab=list("abcdefghi"))
