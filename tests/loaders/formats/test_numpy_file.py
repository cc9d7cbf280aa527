import struct
import zipfile

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


@pytest.mark.parametrize("dtype", ["float16", ">f2", "float64", ">f4", "int32"])
def test_other_types_and_orders_are_converted(save, dtype):
    table = load(save(np.asfortranarray(np.array([[1, 2, 3], [4, 5, 6]], dtype))))
    assert table.matrix.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert table.source.rounding.is_exact == (dtype not in ("float16", ">f2"))


@pytest.mark.parametrize("dtype", ["<f2", ">f2", ">f4", "<f8", "g"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("compress", [np.savez, np.savez_compressed])
def test_types_and_orders_inside_an_archive(tmp_path, dtype, order, compress):
    compress(tmp_path / "m.npz", emb=np.array([[1, 2, 3], [4, 5, 6]], dtype, order=order))
    table = load(tmp_path / "m.npz", vocab=["a", "b"])
    assert table.matrix.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert table.source.rounding.is_exact == ("f2" not in dtype)


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


ROWS = np.arange(6, dtype=np.float32).reshape(3, 2)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    ("words", "read"),
    [
        (np.array(["a", "b", "c\u00e9"]), ("a", "b", "c\u00e9")),
        (np.array(["a", "b", "c\u00e9".encode()], "S"), ("a", "b", "c\u00e9")),
        (np.array([7, 10**12, -1]), ("7", "1000000000000", "-1")),
    ],
)
@pytest.mark.parametrize("name", ["ids", "labels", "names"])
def test_npz_with_names_of_its_rows(tmp_path, save, name, words, read):
    save(tmp_path / "m.npz", **{name: words}, vectors=ROWS, dimensions=np.array([2]))
    table = load(tmp_path / "m.npz")
    assert (table.words, table.source.key) == (read, "vectors")
    assert load(tmp_path / "m.npz", vocab=list("xyz")).words == tuple("xyz")


def test_npz_with_two_arrays_of_words_is_not_read(tmp_path):
    path = tmp_path / "m.npz"
    np.savez(path, words=np.array(["a", "b", "c"]), names=np.array(["A", "B", "C"]), vectors=ROWS)
    with pytest.raises(SourceError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: holds 2 arrays that may be the words of its rows: words ('a', ...) and names "
        "('A', ...). Save the right one as a file of one word per line and name it (--vocab FILE, "
        "vocab=)."
    )
    assert load(path, vocab=list("xyz")).words == tuple("xyz")


@pytest.mark.parametrize(
    "beside",
    [
        {"labels": np.array(["yes", "no", "yes"])},  # classes, not names
        {"labels": np.array([1, 0, 2])[:2]},
        {"count": np.array([7, 8, 9])},
        {"classes": np.array(["a", "b"])},
    ],
)
def test_npz_with_arrays_that_name_no_rows(tmp_path, beside):
    np.savez(tmp_path / "m.npz", vectors=ROWS, **beside)
    with pytest.raises(VocabularyError, match="no words were found for its"):
        load(tmp_path / "m.npz")


def test_an_array_of_objects_is_refused_only_where_it_is_needed(tmp_path):
    path = tmp_path / "m.npz"
    np.savez(path, idx_to_token=np.array(list("abc"), object), idx_to_vec=ROWS)
    assert load(f"{path}::idx_to_vec", vocab=list("abc")).matrix.tolist() == ROWS.tolist()
    assert load(path, vocab=list("abc")).source.key == "idx_to_vec"
    with pytest.raises(UnsafePickleError, match="keeps its words in idx_to_token, an array"):
        load(path)
    path.with_suffix(".vocab.txt").write_text("a\nb\nc\n")
    assert load(path).words == ("a", "b", "c")
    np.savez(path, idx_to_token=np.empty((3, 2), object), idx_to_vec=ROWS)
    with pytest.raises(UnsafePickleError, match="is an array of Python objects"):
        load(f"{path}::idx_to_token")


def test_a_stored_member_with_a_wrong_checksum_is_an_error(tmp_path):
    path = tmp_path / "m.npz"
    np.savez(path, vectors=ROWS, words=np.array(list("abc")))
    data = bytearray(path.read_bytes())
    data[data.find(ROWS.tobytes()) + 3] ^= 1
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"damaged or truncated \.npz file \(Bad CRC-32"):
        load(path)


def test_two_members_of_one_name_are_not_read(tmp_path):
    path = tmp_path / "m.npz"
    np.savez(path, a=ROWS)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("a.npy", archive.read("a.npy"))
    with pytest.raises(SourceError, match=r"holds two arrays named a\.npy"):
        load(path, vocab=list("abc"))


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_member_that_promises_terabytes_costs_one_sentence(tmp_path, compression):
    path = tmp_path / "m.npz"
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999, 300)}"
    with zipfile.ZipFile(path, "w", compression) as archive:
        data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header) + 1) + header + b"\n"
        archive.writestr("emb.npy", data + bytes(100))
    with pytest.raises(SourceError, match="emb is shorter than its header says"):
        load(path, vocab=list("abc"))


def test_names_in_folders_and_of_other_scripts(tmp_path):
    path = tmp_path / "m.npz"
    np.savez(path, **{"model/emb\u00e9": ROWS, "model/words": np.array(list("abc"))})
    table = load(f"{path}::model/emb\u00e9")
    assert (table.words, table.matrix.tolist()) == (("a", "b", "c"), ROWS.tolist())


def test_records_and_text_are_no_vectors(save):
    with pytest.raises(SourceError, match=r"its array has fields \(a, b\), so its rows are record"):
        load(save(np.zeros(2, [("a", "f4"), ("b", "i4")])))
    with pytest.raises(SourceError, match="its array holds text and no vectors"):
        load(save(np.array(["a", "b"])))
