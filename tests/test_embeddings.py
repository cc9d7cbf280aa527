import os

import numpy as np
import pytest
import torch
from gensim.models import KeyedVectors

from driftkit import Embeddings, load
from driftkit.errors import OptionError, SourceError, UnknownNameError, VocabularyError
from driftkit.provenance import Source


def test_a_float32_matrix_is_used_as_it_is_and_read_only():
    matrix = np.arange(6, dtype=np.float32).reshape(3, 2)
    table = Embeddings(["a", "b", "c"], matrix)
    assert np.shares_memory(table.matrix, matrix)
    with pytest.raises(ValueError, match="read-only"):
        table.matrix[0, 0] = 1
    matrix[0, 0] = 5  # the caller's own array stays writable


def test_a_memory_mapped_matrix_stays_mapped(tmp_path):
    np.save(tmp_path / "m.npy", np.ones((4, 3), np.float32))
    mapped = np.load(tmp_path / "m.npy", mmap_mode="r")
    assert np.shares_memory(Embeddings("abcd", mapped).matrix, mapped)


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int64])
def test_other_numbers_become_float32(dtype):
    table = Embeddings(["a", "b"], np.array([[1, 2], [3, 4]], dtype))
    assert table.matrix.dtype == np.float32
    assert table["b"].tolist() == [3, 4]


def test_lookup():
    table = Embeddings(["good", "bad"], np.eye(2), source=Source("toy"))
    assert "good" in table
    assert "film" not in table
    assert table.rows(["bad", "good"]).tolist() == [1, 0]
    assert list(table) == ["good", "bad"]
    assert repr(table) == "<Embeddings toy: 2 words x 2, memory>"
    assert table._repr_html_() == "<code>&lt;Embeddings toy: 2 words x 2, memory&gt;</code>"
    with pytest.raises(UnknownNameError, match="unknown word 'god': did you mean 'good'?"):
        table["god"]


def test_the_first_row_of_a_repeated_word_wins_and_the_others_are_listed():
    table = Embeddings(["a", "b", "a", "c", "b"], np.arange(10.0).reshape(5, 2))
    assert table.words == ("a", "b", "c")
    assert table.matrix[:, 0].tolist() == [0, 2, 6]
    assert table["c"].tolist() == [6, 7]
    assert [(p.kind, p.where) for p in table.problems] == [("duplicate", 2), ("duplicate", 4)]
    assert table.problems[0].detail == "'a' again; its first row is used"


def test_norms_are_taken_in_float64(glove):
    small = glove.matrix[:1000]
    expected = np.linalg.norm(small.astype(np.float64), axis=1)
    np.testing.assert_allclose(glove.norms[:1000], expected, rtol=1e-12)
    # Of all 400,000 rows of GloVe 6B 50d, as measured independently.
    assert round(float(glove.norms.mean()), 4) == 4.4746
    assert round(float(glove.norms.std()), 4) == 0.8624
    assert round(float(glove.norms.min()), 4) == 0.0469


def test_gensim_and_back():
    vectors = KeyedVectors(2)
    vectors.add_vectors(["a", "b"], np.array([[1, 2], [3, 4]], np.float32))
    table = Embeddings.from_gensim(vectors)
    assert np.shares_memory(table.matrix, vectors.vectors)
    again = table.to_gensim()
    assert again.index_to_key == ["a", "b"]
    assert again["b"].tolist() == [3, 4]
    again.vectors[0] = 9  # a copy: the table stays as it was
    assert table["a"].tolist() == [1, 2]


def test_too_few_or_too_many_words_name_both_lengths():
    with pytest.raises(VocabularyError, match=r"2 words were given for 3 rows.*padding") as caught:
        Embeddings(["a", "b"], np.ones((3, 2)), source=Source("best.pt"))
    assert caught.value.source == "best.pt"


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.ones(3), r"has shape \(3,\); a table of word vectors has two dimensions"),
        (np.ones((3, 2, 2)), r"has shape \(3, 2, 2\)"),
        (np.ones((3, 0)), r"has shape \(3, 0\)"),
        (np.array([["x", "y"]] * 3), "not numbers"),
    ],
)
def test_what_is_no_table_is_refused(matrix, message):
    with pytest.raises(SourceError, match=message):
        Embeddings(["a", "b", "c"], matrix)


def test_an_empty_table_is_refused():
    with pytest.raises(SourceError, match="holds no word vector at all"):
        Embeddings([], np.ones((0, 2)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_rows_that_are_not_finite_are_counted_and_named(bad):
    matrix = np.ones((8, 2))
    matrix[[1, 3], 1] = bad
    with pytest.raises(SourceError, match=r"2 of 8 rows hold NaN or infinity \('b', 'd'\)"):
        Embeddings("abcdefgh", matrix)


def test_a_sum_that_overflows_is_no_infinity():
    Embeddings(["a"], np.full((1, 4), 3e38, np.float32))


def test_a_float64_beyond_float32_is_named_as_that():
    with pytest.raises(SourceError, match="too large for float32"):
        Embeddings(["a"], np.full((1, 2), 1e300))


def test_half_of_a_surrogate_pair_is_spelt_out(tmp_path):
    table = Embeddings(["a\ud800", "b", "\\ud800"], np.eye(3))
    assert table.words == ("a\\ud800", "b", "\\ud800")
    assert [(each.kind, each.where) for each in table.problems] == [("invalid UTF-8", 0)]
    table.save(tmp_path / "saved")
    assert load(tmp_path / "saved").words == table.words


@pytest.mark.parametrize(
    "ids",
    [[17, 18], (17, np.int64(18)), np.array([17, 18]), np.array([17, 18], np.uint8), range(17, 19)],
    ids=lambda ids: type(ids).__name__,
)
def test_whole_numbers_are_kept_as_their_digits(ids):
    table = Embeddings(ids, np.eye(2))
    assert table.words == ("17", "18")
    assert table["18"].tolist() == [0, 1]
    with pytest.raises(OptionError, match=r"names are strings, so ask for table\['18'\]"):
        table[18]


def test_large_and_negative_ids_are_exact():
    assert Embeddings([2**63 + 1, -4], np.eye(2)).words == ("9223372036854775809", "-4")


@pytest.mark.parametrize(
    ("ids", "held"),
    [
        ([17.0, 18.0], "hold 17.0"),
        (np.array([17.0, 18.0]), "hold 17.0"),
        ([True, False], "hold True"),
        ([17, True], "hold True"),
        (np.array([True, False]), "hold True"),
        ([17, None], "hold None"),
        (["17", 18], "are strings and numbers"),
    ],
)
def test_names_that_may_be_read_in_two_ways_are_refused(ids, held):
    with pytest.raises(VocabularyError) as refused:
        Embeddings(ids, np.eye(2))
    assert str(refused.value) == (
        f"memory: the words {held}; give strings, or whole numbers, which are kept as their digits."
    )


@pytest.mark.parametrize("kind", ["npy", "pt"])
def test_a_mapped_table_that_was_changed_and_put_back_is_noticed(tmp_path, kind):
    rows = np.random.default_rng(0).normal(size=(40, 16)).astype(np.float32)
    path = tmp_path / f"table.{kind}"
    if kind == "npy":
        np.save(path, rows)
    else:
        torch.save({"weight": torch.from_numpy(rows)}, path)
    table = load(path, vocab=[f"w{row}" for row in range(40)])
    table.require_as_read()
    whole = path.read_bytes()

    def write(part):
        with path.open("r+b") as file:
            file.seek(whole.index(rows[3].tobytes()))
            file.write(part)
        later = path.stat().st_mtime_ns + 1  # as a clock says that ticks finely enough
        os.utime(path, ns=(later, later))

    write((2 * rows[3]).tobytes())
    write(rows[3].tobytes())
    assert path.read_bytes() == whole
    with pytest.raises(SourceError, match="was changed while it was read"):
        table.require_as_read()


def test_a_file_in_the_place_of_the_one_that_was_read_changes_nothing(tmp_path):
    rows = np.random.default_rng(0).normal(size=(40, 16)).astype(np.float32)
    np.save(tmp_path / "table.npy", rows)
    table = load(tmp_path / "table.npy", vocab=[f"w{row}" for row in range(40)])
    np.save(tmp_path / "other.npy", -rows)
    (tmp_path / "other.npy").replace(tmp_path / "table.npy")
    table.require_as_read()
