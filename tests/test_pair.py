from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from driftkit import Embeddings, align
from driftkit.errors import AlignmentError, OptionError, UnknownNameError
from driftkit.provenance import Rounding, Source


def table(words, matrix, rounding=None, name="t"):
    return Embeddings(words, matrix, source=Source(name, rounding=rounding or Rounding()))


def test_rows_are_joined_by_word_not_by_number():
    a = table(["x", "y", "z"], [[1, 0], [2, 0], [3, 0]])
    b = table(["z", "new", "x"], [[3, 0], [9, 9], [1, 0]])
    pair = align(a, b)
    assert pair.words == ("x", "z")
    assert pair.original_rows.tolist() == [0, 2]
    assert pair.tuned_rows.tolist() == [2, 0]
    assert pair.added == ("new",)
    assert pair.removed == ("y",)
    assert not pair.moved.any()
    np.testing.assert_array_equal(pair.before, pair.after)
    assert repr(pair) == "<Pair of 2 shared words x 2: 0 moved, 1 added, 1 removed>"


def test_equal_vocabularies_are_not_copied(pair):
    same = align(pair.original, pair.original)
    assert np.shares_memory(same.before, pair.original.matrix)
    assert np.shares_memory(same.after, pair.original.matrix)
    # Two extra rows in front of the tuned table: the shared rows are still one run.
    assert np.shares_memory(pair.after, pair.tuned.matrix)


def test_moved_rows_are_exactly_those_nudged(pair, nudged):
    assert np.flatnonzero(pair.moved).tolist() == nudged.moved.tolist()
    assert pair.tolerance == "any difference in float32"


def test_one_unit_in_the_last_place_is_a_move_between_float32_tables():
    a = np.ones((1, 3), np.float32)
    b = a.copy()
    b[0, 1] = np.nextafter(np.float32(1), np.float32(2))
    assert align(table("w", a), table("w", b)).moved.tolist() == [True]


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.float32, (5, 4), elements=st.floats(-60000, 60000, width=32, allow_subnormal=True)),
    st.sampled_from(["float16", "bfloat16"]),
)
def test_a_table_and_its_half_precision_copy_differ_by_rounding_alone(matrix, dtype):
    import torch

    low = torch.from_numpy(matrix).to(getattr(torch, dtype)).float().numpy()
    pair = align(table("abcde", matrix), table("abcde", low, Rounding.of_dtype(dtype)))
    assert not pair.moved.any()


@settings(max_examples=40, deadline=None)
@given(arrays(np.float32, (4, 3), elements=st.floats(-100, 100, width=32)), st.integers(1, 6))
def test_text_differs_from_what_was_written_by_half_a_digit(matrix, decimals):
    text = np.array([[float(f"{value:.{decimals}f}") for value in row] for row in matrix])
    rounding = Rounding.of_decimals(decimals)
    assert not align(table("abcd", matrix), table("abcd", text, rounding)).moved.any()
    far = text + 3 * 10.0**-decimals + 1e-4
    assert align(table("abcd", matrix), table("abcd", far, rounding)).moved.all()


def test_the_tolerance_is_stated_with_its_reason():
    a = table("w", [[1.0]], Rounding.of_dtype("float16"))
    b = table("w", [[1.0]], Rounding.of_decimals(5))
    pair = align(a, b)
    assert pair.tolerance == (
        "more than the rounding of the sources, 0.000488 x |value| + 5.03e-06 "
        "(fp16: half a unit in the last of 11 bits; text: half a unit in decimal place 5)"
    )


def test_zero_rows_on_either_side():
    a = table("abc", [[0, 0], [1, 0], [1, 0]])
    b = table("abc", [[1, 0], [0, 0], [1, 0]])
    assert align(a, b).zero.tolist() == [True, True, False]


VECTORS = SimpleNamespace(key_to_index={})
TABLE = table("ab", np.eye(2))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            ("a.npy", "b.npy"),
            "a path and a path were given; call dk.align(dk.load('a.npy'), dk.load('b.npy')).",
        ),
        ((TABLE, Path("b.npy")), "a table and a path were given; call dk.align(original, dk.load("),
        (
            (VECTORS, TABLE),
            "gensim vectors and a table were given; call "
            "dk.align(dk.Embeddings.from_gensim(original), tuned).",
        ),
        (((TABLE, TABLE),), "one tuple was given; call dk.align(*tables)."),
        ((TABLE,), "a table and nothing were given; call dk.align(original, tuned)."),
        (
            (TABLE, np.eye(2)),
            "an object of type ndarray were given; call "
            "dk.align(original, dk.Embeddings(tuned_words, tuned_matrix)).",
        ),
    ],
)
def test_what_is_no_table_gets_the_call_that_works(given, message):
    with pytest.raises(OptionError) as caught:
        align(*given)
    assert message in str(caught.value)


def test_rows_that_changed_by_rounding_alone_did_not_move():
    a, b = table("w", [[1.0, 2.0]], Rounding.of_decimals(2)), table("w", [[1.001, 2.0]])
    assert (align(a, b).changed.tolist(), align(a, b).moved.tolist()) == ([True], [False])
    assert align(a, a).changed.tolist() == [False]


def test_a_notebook_shows_the_line_of_the_shell():
    pair = align(TABLE, TABLE)
    assert (
        pair._repr_html_()
        == "<code>&lt;Pair of 2 shared words x 2: 0 moved, 0 added, 0 removed&gt;</code>"
    )


def test_no_shared_word_shows_some_of_both():
    with pytest.raises(AlignmentError, match=r"share no word \('a', 'b', \.\.\. against '0'"):
        align(table("ab", np.ones((2, 2))), table(["0", "1"], np.ones((2, 2))))


def test_rows_of_words_and_words_nobody_shares():
    pair = align(
        table(["good", "old"], np.eye(2), name="o.txt"),
        table(["good", "new"], np.eye(2), name="t.pt"),
    )
    assert pair.rows(["good"]).tolist() == [0]
    with pytest.raises(UnknownNameError, match="only in the original table .o.txt., not in t.pt"):
        pair.rows(["old"])
    with pytest.raises(UnknownNameError, match="only in the tuned table .t.pt., not in o.txt"):
        pair.rows(["new"])
    with pytest.raises(UnknownNameError, match="did you mean 'good'?"):
        pair.rows(["godo"])


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(6)), st.integers(0, 3))
def test_a_permuted_file_with_extra_rows_has_not_moved(order, extra):
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(6, 4)).astype(np.float32)
    words = [f"w{row}" for row in range(6)]
    more = rng.normal(size=(extra, 4)).astype(np.float32)
    other = table(
        [f"<{row}>" for row in range(extra)] + [words[row] for row in order],
        np.vstack([more, matrix[order]]),
    )
    pair = align(table(words, matrix), other)
    assert pair.words == tuple(words)
    assert not pair.moved.any()


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.float64, (5, 4), elements=st.floats(-10, 10)),
    arrays(np.float64, (5, 4), elements=st.floats(-1, 1)),
    st.floats(0, 0.9),
)
def test_what_was_computed_moves_by_the_distance_of_whole_rows(matrix, way, part):
    """Within a share of a row's length nothing moved, be it in one number or in all."""
    matrix[:, 0] += 20  # no row is short
    step = way / np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-3)
    share = Rounding.of_computation("bfloat16").of_length
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    computed = table("abcde", matrix, Rounding.of_computation("bfloat16"))
    near = (matrix + part * share * lengths * step).astype(np.float16)
    stored = table("abcde", near.astype(np.float32), Rounding.of_dtype("float16"))
    assert not align(computed, stored).moved.any()
    assert align(computed, table("abcde", matrix + 1.1 * share * lengths / 2)).moved.all()


def test_the_tolerance_of_what_was_computed_survives_being_saved(tmp_path):
    import driftkit as dk

    one = table("w", [[1.0]], Rounding.of_computation("bfloat16"))
    one.save(tmp_path / "table")
    again = dk.load(tmp_path / "table")
    assert again.source.rounding == one.source.rounding
    assert align(again, table("w", [[1.0]], Rounding.of_dtype("float16"))).tolerance == (
        "more than the rounding of the sources, 0.0156 of a row's length and 0.000488 x |value| + "
        "2.98e-08 (computed in bfloat16: 4 units in the last of 8 bits; fp16: half a unit in the "
        "last of 11 bits)"
    )
