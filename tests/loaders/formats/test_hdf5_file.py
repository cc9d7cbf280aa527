"""HDF5 files that pandas or h5py wrote: frames, and datasets of vectors and of words."""

import h5py
import numpy as np
import pytest

from driftkit.errors import SourceError, VocabularyError
from driftkit.loaders import inspect, load

ROWS = np.arange(12, dtype=np.float32).reshape(6, 2)
WORDS = ["a", "b", "c\u00e9", "d", "e", "f"]


@pytest.fixture
def save(tmp_path):
    def save(fill):
        with h5py.File(tmp_path / "t.h5", "w") as file:
            fill(file)
        return tmp_path / "t.h5"

    return save


def frame(file, path="mat", dtype=np.float32, words=WORDS, transposed=True):
    """Write a frame as ``DataFrame.to_hdf(path, key="mat")`` does, with PyTables."""
    group = file.create_group(path)
    group.attrs["pandas_type"] = "frame"
    group["axis0"] = group["block0_items"] = np.arange(2)
    group["axis1"] = np.array([word.encode() for word in words])
    group["block0_values"] = ROWS.astype(dtype)
    group["block0_values"].attrs["transposed"] = transposed


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int8])
def test_a_frame_is_read_with_its_index(save, dtype):
    """ConceptNet Numberbatch is distributed so, its small edition as int8."""
    path = save(lambda file: frame(file, dtype=dtype))
    table = load(path)
    assert (list(table.words), table.source.format) == (WORDS, "hdf5")
    assert np.array_equal(table.matrix, ROWS)
    assert load(path, words=["b"]).matrix.tolist() == [[2, 3]]
    assert load(f"{path}::mat", limit=2).words == ("a", "b")


def test_frames_that_could_be_misread(save):
    path = save(lambda file: (frame(file, "one"), frame(file, "two", words=list("uvwxyz"))))
    with pytest.raises(SourceError, match=r"holds 2 data frames \(one, two\); name one as .*::one"):
        load(path)
    assert load(f"{path}::two").words == tuple("uvwxyz")
    with pytest.raises(SourceError, match="is stored by columns, which is not read"):
        load(save(lambda file: frame(file, transposed=False)))
    records = save(lambda file: file.update({"mat/table": np.zeros(6, "i8,(2,)f4")}))
    with pytest.raises(SourceError, match="its data frame mat is stored as a table of records"):
        load(records)
    mixed = save(lambda file: (frame(file), file.update({"mat/block1_values": ROWS})))
    with pytest.raises(SourceError, match="has columns of several types"):
        load(mixed)

    def numbered(file):
        frame(file)
        del file["mat/axis1"]
        file["mat/axis1"] = np.arange(6)

    with pytest.raises(SourceError, match="has no words as its index"):
        load(save(numbered))


@pytest.mark.parametrize(
    "words", [WORDS, np.array([word.encode() for word in WORDS]), np.array([5, 4, 3, 2, 1, 0])]
)
@pytest.mark.parametrize("packed", [{}, {"compression": "gzip"}, {"chunks": (2, 2)}])
def test_datasets_of_vectors_and_of_words(save, words, packed):
    def fill(file):
        file.create_dataset("model/vectors", data=ROWS, **packed)
        file.create_dataset("model/ids", data=words)

    path = save(fill)
    for source in (path, f"{path}::model/vectors"):
        table = load(source)
        assert np.array_equal(table.matrix, ROWS)
        assert table.words[0] in ("a", "5")
        assert table.source.key == "model/vectors"
    assert load(path, vocab=list("uvwxyz"), limit=1).words == ("u",)
    assert inspect(path).words == 6


@pytest.mark.parametrize("dtype", [">f4", ">f2", "<f2", "<f8"])
def test_types_and_byte_orders(save, dtype):
    table = load(save(lambda file: file.update({"v": ROWS.astype(dtype), "words": WORDS})))
    assert np.array_equal(table.matrix, ROWS)
    assert table.source.rounding.is_exact == ("f2" not in dtype)


def test_two_datasets_of_words_are_not_read(save):
    path = save(lambda file: file.update({"v": ROWS, "w": WORDS, "x": list("uvwxyz")}))
    with pytest.raises(SourceError, match=r"holds 2 arrays that may be the words.*w \('a', ...\)"):
        load(path)
    assert load(path, vocab=WORDS).source.key == "v"


def test_other_files_are_never_opened(save, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["v"] = ROWS

    def virtual(file):
        layout = h5py.VirtualLayout((6, 2), "f4")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "v", (6, 2))
        file.create_virtual_dataset("v", layout)

    def external(file):
        file.create_dataset("v", (6, 2), "f4", external=[(str(tmp_path / "other.h5"), 0, 48)])

    for fill in (virtual, external):
        with pytest.raises(SourceError, match="its v is kept in other files, and no other file is"):
            load(save(fill), vocab=WORDS)
    linked = save(lambda file: file.update({"v": h5py.ExternalLink("other.h5", "/v"), "w": ROWS}))
    with pytest.raises(SourceError, match="its v is a link to another file .'other.h5'."):
        load(linked, vocab=WORDS)


def test_links_inside_a_file_are_not_walked_twice(save):
    def fill(file):
        file["v"] = ROWS
        file["soft"] = h5py.SoftLink("/v")
        file["loop"] = h5py.SoftLink("/loop")
        file.create_group("g")["up"] = file["/"]

    assert load(save(fill), vocab=WORDS).source.key == "v"


def test_shapes_that_are_claimed_and_not_written(save):
    path = save(lambda file: file.create_dataset("v", (6, 2), "f4"))
    with pytest.raises(
        SourceError, match="its v promises 48 bytes of numbers and holds 0; the rest"
    ):
        load(path, vocab=WORDS)
    shape = (10**12, 300)
    path = save(lambda file: file.create_dataset("v", shape, "f4", chunks=(1, 300)))
    with pytest.raises(VocabularyError, match=r"has 1,000,000,000,000 rows"):
        load(path, vocab=WORDS)
    with pytest.raises(SourceError, match="promises 1,200,000,000,000,000 bytes"):
        inspect(path)

    def bomb(file):
        wide = file.create_dataset("v", (6, 10**8), "f4", chunks=(1, 10**6), compression="gzip")
        wide[0, 0] = 1

    with pytest.raises(SourceError, match="unpacks to more than 100 times its size"):
        load(save(bomb), vocab=WORDS)

    def long_words(file):
        file["v"] = np.zeros((40_000, 2), np.float32)
        file["words"] = ["x"] * 40_000
        file["words"][:] = "y" * 3_000

    table = load(save(long_words), limit=2)
    assert table.words == ("y" * 3_000,)


@pytest.mark.parametrize(
    ("fill", "said"),
    [
        (lambda file: None, "holds no tensor"),
        (lambda file: file.create_dataset("v", data=h5py.Empty("f4")), "no two-dimensional tensor"),
        (lambda file: file.create_dataset("v", data=np.zeros(6, "f4,i4")), "no two-dimensional"),
        (lambda file: file.create_dataset("v", (6, 2), h5py.ref_dtype), "no two-dimensional"),
        (lambda file: file.create_dataset("v", (6,), h5py.vlen_dtype("f4")), "no two-dimensional"),
    ],
)
def test_what_is_no_table(save, fill, said):
    with pytest.raises(SourceError, match=said):
        load(save(fill), vocab=WORDS)


def test_damage(save):
    path = save(lambda file: file.update({"v": np.ones((600, 20), np.float32)}))
    whole = path.read_bytes()
    for keep in (60, 900, len(whole) - 5_000):
        path.write_bytes(whole[:keep])
        with pytest.raises(SourceError, match=r"is a damaged or truncated HDF5 file \("):
            load(path, vocab=[f"w{row}" for row in range(600)])
