import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cosine as cosine_distance

from driftkit import Embeddings, align, arrays
from driftkit.drift.words import word_drift
from driftkit.errors import UnknownNameError


def pair_of(before, after):
    words = [f"w{i}" for i in range(len(before))]
    return align(Embeddings(words, before), Embeddings(words, after))


@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.integers(1, 8))
@settings(max_examples=50, deadline=None)
def test_agrees_with_scipy_and_numpy(seed, n, d):
    rng = np.random.default_rng(seed)
    before, after = rng.normal(size=(2, n, d)).astype(np.float32)
    drift = word_drift(pair_of(before, after))
    x, y = before.astype(float), after.astype(float)
    expected = [1 - cosine_distance(a, b) for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(drift.self_cosine, expected, atol=1e-12)
    np.testing.assert_allclose(drift.l2, np.linalg.norm(x - y, axis=1), rtol=1e-12)
    ratio = np.linalg.norm(y, axis=1) / np.linalg.norm(x, axis=1)
    np.testing.assert_allclose(drift.norm_ratio, ratio, rtol=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.floats(-30, 30))
@settings(max_examples=100, deadline=None)
def test_identical_rows_give_exact_values(seed, d, exponent):
    row = (np.random.default_rng(seed).normal(size=(5, d)) * 10.0**exponent).astype(np.float32)
    drift = word_drift(pair_of(row, row.copy()))
    directed = ~np.isnan(drift.self_cosine)
    assert (drift.self_cosine[directed] == 1).all()
    assert (drift.norm_ratio[directed] == 1).all()
    assert (drift.l2 == 0).all()
    assert not drift.moved.any()


def test_scaling_changes_only_the_norm():
    before = np.random.default_rng(0).normal(size=(30, 7)).astype(np.float32)
    drift = word_drift(pair_of(before, 2 * before))
    np.testing.assert_allclose(drift.self_cosine, 1, atol=1e-15)
    np.testing.assert_allclose(drift.norm_ratio, 2, rtol=1e-15)


def test_blocks_do_not_show(monkeypatch):
    before, after = np.random.default_rng(1).normal(size=(2, 50, 4)).astype(np.float32)
    whole = word_drift(pair_of(before, after))
    monkeypatch.setattr(arrays, "BLOCK_ROWS", 7)
    parts = word_drift(pair_of(before, after))
    for name, values in whole.values.items():
        np.testing.assert_array_equal(values, parts.values[name])


@pytest.fixture
def zeros():
    """Rows: unchanged, lost its direction, gained one, never had one, turned a little."""
    before = np.array([[1, 0], [3, 4], [0, 0], [0, 0], [1, 0]])
    after = np.array([[1, 0], [0, 0], [3, 4], [0, 0], [1, 0.1]])
    return word_drift(pair_of(before, after))


def test_zero_rows_have_no_direction_but_a_distance(zeros):
    assert np.isnan(zeros.self_cosine).tolist() == [False, True, True, True, False]
    assert zeros.l2[:4].tolist() == [0, 5, 5, 0]
    np.testing.assert_array_equal(zeros.norm_ratio[:4], [1, 0, np.nan, np.nan])


def test_most_moved_puts_a_lost_direction_first_and_none_last(zeros):
    assert zeros.most_moved().tolist() == [1, 2, 4, 0, 3]
    assert zeros.most_moved(1).tolist() == [1]


def test_summary_leaves_out_what_could_not_be_measured(zeros):
    rows = {(row.measure, row.group): row for row in zeros.summary()}
    assert list(dict.fromkeys(measure for measure, _ in rows)) == [
        "self_cosine",
        "l2",
        "norm_ratio",
        "relative_l2",
    ]
    assert (rows["self_cosine", "all"].n, rows["self_cosine", "all"].unmeasured) == (2, 3)
    assert rows["self_cosine", "unmoved"].mean == 1


def test_frame_dict_and_item_say_the_same(zeros):
    frame = zeros.to_frame().set_index("word")
    assert list(frame) == ["moved", "self_cosine", "l2", "norm_ratio", "relative_l2"]
    assert dict(frame.loc["w4"].drop("moved")) == zeros["w4"]
    document = json.loads(json.dumps(zeros.to_dict(), allow_nan=False))
    assert document["words"] == list(zeros.words)
    assert document["measures"]["self_cosine"][1] is None
    assert document["measures"]["l2"] == zeros.l2.tolist()


def test_views(zeros):
    lines = repr(zeros).splitlines()
    assert lines[0] == "Drift of 5 words, 3 moved, 3 with a zero row; most moved:"
    assert [line.split()[0] for line in lines[2:]] == ["w1", "w2", "w4", "w0", "w3"]
    assert ">Drift of 5 words" in zeros._repr_html_()


def test_an_unknown_word_gets_the_nearest(zeros):
    with pytest.raises(UnknownNameError, match="among the 5 shared words"):
        zeros["w9"]
