"""The lock: what is in the file, that its bytes are decided by it, and what is no lock."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors import safe_open

import driftkit as dk
from driftkit.errors import OptionError, SourceError
from driftkit.golden import Item

TEXTS = {"a": "Green tea", "b": "black tea", "c": "a cup"}


@pytest.fixture
def table():
    return dk.Embeddings(list(TEXTS), np.random.default_rng(0).normal(size=(3, 4)))


def test_any_tool_reads_it(table, tmp_path):
    dk.lock(table, tmp_path / "embed.lock", texts=TEXTS)
    with safe_open(tmp_path / "embed.lock", "numpy") as file:
        np.testing.assert_array_equal(file.get_tensor("vectors"), table.matrix.astype(np.float16))
        about = file.metadata()
    assert about["schema"] == "driftkit.lock/2"
    assert json.loads(about["items"])[0] == {
        "id": "a",
        "sha256": hashlib.sha256(b"Green tea").hexdigest(),
        "characters": 9,
        "cased": True,
    }
    assert json.loads(about["settings"])["name"] == "memory"


def test_what_is_read_is_what_was_written(table, tmp_path):
    made = dk.lock(table, tmp_path / "embed.lock", texts=TEXTS)
    read = dk.read_lock(tmp_path / "embed.lock")
    assert isinstance(read, dk.Lock)
    assert (read.items, read.settings, read.path) == (made.items, made.settings, made.path)
    np.testing.assert_array_equal(read.vectors, made.vectors)
    np.testing.assert_allclose(read.vectors, table.matrix, rtol=2.0**-11)
    assert read.table.words == ("a", "b", "c")
    assert repr(read) == "<Lock of memory: 3 items x 4>"


def test_the_same_vectors_give_the_same_bytes(table, tmp_path):
    for name in ("one.lock", "two.lock"):
        dk.lock(table, tmp_path / name, texts=TEXTS)
    assert (tmp_path / "one.lock").read_bytes() == (tmp_path / "two.lock").read_bytes()


def test_no_text_can_be_read_in_it(tmp_path):
    """Nor where the text itself is the name of the item."""
    texts = ["a secret plan", "another one"]
    made = dk.lock(dk.Embeddings(texts, np.eye(2)), tmp_path / "embed.lock", texts=texts)
    assert made.items[0].id == f"sha256:{hashlib.sha256(b'a secret plan').hexdigest()[:16]}"
    assert b"secret" not in (tmp_path / "embed.lock").read_bytes()


def test_two_hundred_items_of_384_numbers_are_a_small_file(tmp_path):
    table = dk.Embeddings([f"item {i}" for i in range(200)], np.ones((200, 384)))
    dk.lock(table, tmp_path / "embed.lock", texts=[f"text {i}" for i in range(200)])
    assert (tmp_path / "embed.lock").stat().st_size < 190_000


@pytest.mark.parametrize("scale", [1e-30, 1e-7, 1e-6, 1e-3, 1.0, 1e5, 1e30])
def test_numbers_of_any_size_are_kept_to_half_of_their_last_place(scale, tmp_path):
    matrix = np.random.default_rng(0).normal(size=(20, 8)) * scale
    made = dk.lock(dk.Embeddings([f"{i}" for i in range(20)], matrix), tmp_path / "embed.lock")
    off = np.linalg.norm(made.vectors - matrix, axis=1)
    assert (off <= 2.0**-11 * np.linalg.norm(matrix, axis=1)).all()
    assert dk.verify(made.table, made).status == "same"


@pytest.mark.parametrize("longer", [1e-20, 1e-9, 1e6, 1e9, 1e30])
def test_each_item_is_kept_as_well_whatever_the_length_of_another(longer, tmp_path):
    matrix = np.random.default_rng(0).normal(size=(20, 8))
    matrix[3] *= longer
    made = dk.lock(dk.Embeddings([f"{i}" for i in range(20)], matrix), tmp_path / "embed.lock")
    off = np.linalg.norm(made.vectors - matrix, axis=1)
    assert (off <= 2.0**-11 * np.linalg.norm(matrix, axis=1)).all()


def test_texts_go_by_id_or_by_row(table, tmp_path):
    by_id = dk.lock(table, tmp_path / "one.lock", texts=dict(reversed(TEXTS.items())))
    by_row = dk.lock(table, tmp_path / "two.lock", texts=list(TEXTS.values()))
    assert by_id.items == by_row.items
    assert dk.lock(table, tmp_path / "three.lock").items[0] == Item("a")


def test_a_list_of_items_is_found_again_beside_the_lock(table, tmp_path):
    path = tmp_path / "items.csv"
    path.write_text("id,text\n" + "".join(f"{one},{text}\n" for one, text in TEXTS.items()))
    made = dk.lock(table, tmp_path / "embed.lock", texts=path)
    assert made.items == dk.lock(table, tmp_path / "other.lock", texts=TEXTS).items
    assert dk.read_lock(tmp_path / "embed.lock").items_file == path
    assert dk.verify(table, made, texts=path).notes == ()
    path.unlink()
    assert dk.read_lock(tmp_path / "embed.lock").items_file is None
    assert dk.read_lock(tmp_path / "other.lock").items_file is None


@pytest.mark.parametrize(
    "name", ["../items.csv", "/etc/hostname", "", "..", "::a:b", "a\0", 7, None]
)
def test_a_lock_names_no_file_elsewhere(name, table, tmp_path):
    made = dk.lock(table, tmp_path / "embed.lock")
    assert replace(made, settings={"items": name}).items_file is None


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"a": "x"}, "texts has no text for 'b'; give one for each of the 3 items, or none."),
        (["x"], "1 texts were given for 3 items; give each."),
        ([1, 2, 3], "texts holds 1; give a list of texts, all strings."),
        ({"a": "x", "b": 1, "c": "y"}, "texts holds 1; give a list of texts, all strings."),
    ],
)
def test_texts_that_do_not_fit_are_refused(texts, said, table, tmp_path):
    with pytest.raises(OptionError) as error:
        dk.lock(table, tmp_path / "embed.lock", texts=texts)
    assert said in str(error.value)
    assert not list(tmp_path.iterdir())


def test_what_is_no_table_is_refused(tmp_path):
    with pytest.raises(OptionError, match="dk.lock takes a table, and a path was given"):
        dk.lock("embed.npy", tmp_path / "embed.lock")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: b"not a lock at all",
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data[:200],
        lambda data: b"\xff" * 8 + data[8:],
        lambda data: data.replace(b'"F16"', b'"F32"'),
        lambda data: data.replace(b"driftkit.lock/2", b"driftkit.look/1"),
        lambda data: data.replace(b'"schema"', b'"schemo"'),
        lambda data: data.replace(b'\\"id\\"', b'\\"ib\\"'),
        lambda data: data.replace(b'\\"id\\":\\"b\\"', b'\\"id\\":\\"a\\"'),
        lambda data: data.replace(b'\\"cased\\":true', b'\\"cased\\":"yes"'),
        lambda data: data[:-2] + b"\x00\x7c",  # infinity
        lambda data: data.replace(b'"exponents":"[0,', b'"exponents":"[x,'),
        lambda data: data.replace(b'"exponents":"[0,', b'"exponents":"[201,'),
        lambda data: data.replace(b'"exponents":"[0,0,0]"', b'"exponents":"[0,  0]"'),
        lambda data: data.replace(b'"exponents":"[0,0,0]"', b'"exponents":"[.5,0,0]"'),
    ],
)
def test_what_is_no_lock_is_refused_in_one_sentence(spoil, table, tmp_path):
    path = tmp_path / "embed.lock"
    dk.lock(table, path, texts=TEXTS)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(SourceError, match=r"embed.lock: is not a lock of driftkit, or is damaged"):
        dk.read_lock(path)


def test_a_lock_with_one_exponent_for_all_items_is_refused(table, tmp_path):
    path = tmp_path / "embed.lock"
    dk.lock(table, path)
    path.write_bytes(path.read_bytes().replace(b"driftkit.lock/2", b"driftkit.lock/1"))
    with pytest.raises(SourceError, match="was written by another version of driftkit; this one"):
        dk.read_lock(path)


def test_a_lock_of_another_version_and_no_file_say_so(table, tmp_path):
    path = tmp_path / "embed.lock"
    dk.lock(table, path)
    path.write_bytes(path.read_bytes().replace(b"driftkit.lock/2", b"driftkit.lock/9"))
    with pytest.raises(SourceError, match="was written by another version of driftkit; this one"):
        dk.read_lock(path)
    with pytest.raises(SourceError, match="cannot be read"):
        dk.read_lock(tmp_path / "nowhere.lock")
