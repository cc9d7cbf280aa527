import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit import Embeddings, align
from driftkit.arrays import BLOCK_ROWS
from driftkit.drift.clipping import PAST, saturated


def pair_of(before, after):
    words = [f"w{row}" for row in range(len(before))]
    return align(Embeddings(words, before), Embeddings(words, after))


def table(seed, n=200, d=8):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.5, 2.5))
def test_a_clip_cuts_exactly_the_rows_that_reached_past_it(seed, at):
    before = table(seed)
    after = np.clip(before, np.float32(-at), np.float32(at))
    expected = (np.abs(before) > PAST * np.float32(at)).any(axis=1)
    assert expected.sum() > 1
    assert np.array_equal(saturated(pair_of(before, after)), expected)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from(
        [
            lambda x: x,
            lambda x: 0.5 * x,
            lambda x: -3 * x,
            np.tanh,
            lambda x: x.astype(np.float16),
            lambda x: np.float32(np.round(x * 2.0**4) / 2.0**4),
            lambda x: x + np.random.default_rng(1).normal(0, 0.05, x.shape),
            lambda x: x / np.linalg.norm(x, axis=1, keepdims=True),
            *(lambda x, most=most: _quantized(x, most) for most in (1, 7, 127)),
        ]
    ),
)
def test_what_keeps_numbers_apart_or_rounds_them_cuts_none(seed, change):
    before = table(seed)
    assert not saturated(pair_of(before, change(before))).any()


def _quantized(x, most):
    """Signed integers of one scale for the table, as they read back."""
    scale = np.abs(x).max() / most
    return np.round(x / scale) * scale


def test_what_was_at_the_end_of_the_scale_before_is_no_damage():
    before = np.clip(table(0), -1, 1)
    assert not saturated(pair_of(before, before)).any()
    after = before.copy()
    after[:20] *= 0.5
    assert not saturated(pair_of(before, after)).any()
    assert not saturated(pair_of(before, table(0))).any()  # the damage undone


def test_one_number_or_equal_ones_are_no_clip():
    before = table(0)
    before[3, 2] = before[9, 1] = 9
    after = before.copy()
    after[3, 2] = after[9, 1] = 7
    assert not saturated(pair_of(before, after)).any()
    before[9, 1] = -8
    after[9, 1] = -7
    assert np.flatnonzero(saturated(pair_of(before, after))).tolist() == [3, 9]


@pytest.mark.parametrize("scale", [2.0**14, 2.0**15])
def test_a_loss_scale_that_overflowed_half_precision(nudged, scale):
    """As a writer leaves it that clips at the largest float16 and divides again."""
    largest = np.float32(65504)
    after = (np.clip(nudged.before * scale, -largest, largest) / scale).astype(np.float32)
    found = saturated(pair_of(nudged.before, after))
    assert np.array_equal(found, (np.abs(nudged.before) > PAST * largest / scale).any(axis=1))
    assert found.sum() > 10


def test_cuts_in_different_blocks_belong_together():
    before = np.zeros((BLOCK_ROWS + 2, 2), np.float32)
    before[0, 0], before[-1, 1] = 5, -6
    after = np.clip(before, -1, 1)
    assert np.flatnonzero(saturated(pair_of(before, after))).tolist() == [0, BLOCK_ROWS + 1]


def test_a_table_of_zeros_is_another_kind_of_damage():
    before = table(0)
    assert not saturated(pair_of(np.zeros_like(before), before)).any()
    assert not saturated(pair_of(before, np.zeros_like(before))).any()
