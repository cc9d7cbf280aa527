import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import orthogonal_procrustes
from scipy.stats import ortho_group

from driftkit import Embeddings, align, arrays
from driftkit.drift.moments import Moments, moments
from driftkit.drift.space import SpaceDrift, SpaceValue, space_drift
from driftkit.errors import UnknownNameError


def pair_of(before, after):
    words = [f"w{i}" for i in range(len(before))]
    return align(Embeddings(words, before), Embeddings(words, after))


def cka_oracle(x, y):
    """Centered Gram matrices, n x n (Kornblith et al. 2019)."""
    center = np.eye(len(x)) - 1 / len(x)
    k, m = center @ x @ x.T @ center, center @ y @ y.T @ center
    return np.sum(k * m) / np.sqrt(np.sum(k * k) * np.sum(m * m))


def procrustes_oracle(x, y):
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    rotation, _ = orthogonal_procrustes(y, x)
    return np.linalg.norm(x - y @ rotation)


def mean_cosine_oracle(x):
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    return (unit @ unit.T)[~np.eye(len(x), dtype=bool)].mean()


def value(drift, measure, group="all", of="pair"):
    return drift.find(measure, group, of).value


@given(st.integers(0, 2**32 - 1), st.integers(6, 40), st.integers(1, 8), st.floats(0, 100))
@settings(max_examples=60, deadline=None)
def test_agrees_with_the_n_by_n_formulas_in_every_group(seed, n, d, offset):
    rng = np.random.default_rng(seed)
    before = (rng.normal(size=(n, d)) + offset).astype(np.float32)
    after = before.copy()
    moved = np.arange(n) % 2 == 0
    after[moved] += rng.normal(size=(moved.sum(), d)).astype(np.float32)
    drift = space_drift(pair_of(before, after))
    for group, chosen in (("all", slice(None)), ("moved", moved), ("unmoved", ~moved)):
        x, y = before[chosen].astype(float), after[chosen].astype(float)
        assert value(drift, "cka", group) == pytest.approx(cka_oracle(x, y), abs=1e-8)
        distance = pytest.approx(procrustes_oracle(x, y), abs=1e-9 * np.linalg.norm(x))
        assert value(drift, "procrustes", group) == distance
        for of, space in (("original", x), ("tuned", y)):
            expected = pytest.approx(mean_cosine_oracle(space), abs=1e-12)
            assert value(drift, "mean_cosine", group, of) == expected


@pytest.fixture(scope="module")
def space():
    return (np.random.default_rng(0).normal(size=(200, 12)) + 0.5).astype(np.float32)


@pytest.fixture(scope="module")
def size(space):
    return np.linalg.norm(space - space.mean(axis=0))


def test_identity_is_no_drift(space):
    drift = space_drift(pair_of(space, space))
    assert value(drift, "cka") == pytest.approx(1, abs=1e-14)
    assert value(drift, "procrustes") == value(drift, "procrustes", "unmoved") == 0
    assert value(drift, "mean_cosine", of="original") == value(drift, "mean_cosine", of="tuned")


def test_rotation_and_translation_are_no_drift(space, size):
    rotation = ortho_group.rvs(12, random_state=1)
    drift = space_drift(pair_of(space, space @ rotation + 3))
    assert value(drift, "cka") == pytest.approx(1, abs=1e-6)
    assert value(drift, "procrustes") / size == pytest.approx(0, abs=1e-6)


def test_rotation_alone_keeps_the_mean_cosine(space):
    drift = space_drift(pair_of(space, space @ ortho_group.rvs(12, random_state=2)))
    original, tuned = (value(drift, "mean_cosine", of=of) for of in ("original", "tuned"))
    assert original == pytest.approx(tuned, abs=1e-7)


def test_scaling_is_seen_by_procrustes_alone(space, size):
    drift = space_drift(pair_of(space, 3 * space))
    assert value(drift, "cka") == pytest.approx(1, abs=1e-6)
    assert value(drift, "procrustes") == pytest.approx(2 * size, rel=1e-6)


def test_order_of_the_words_does_not_matter(space):
    rng = np.random.default_rng(3)
    after = space + rng.normal(size=space.shape).astype(np.float32)
    order = rng.permutation(len(space))
    straight = space_drift(pair_of(space, after))
    shuffled = space_drift(pair_of(space[order], after[order]))
    for one, other in zip(straight, shuffled, strict=True):
        assert one.value == pytest.approx(other.value, rel=1e-10, nan_ok=True)


def test_procrustes_is_a_metric(space):
    rng = np.random.default_rng(4)
    spaces = [space, *(space + s * rng.normal(size=space.shape) for s in (0.1, 2.0))]
    distance = lambda a, b: value(space_drift(pair_of(a, b)), "procrustes")  # noqa: E731
    ab, bc, ac = distance(*spaces[:2]), distance(*spaces[1:]), distance(spaces[0], spaces[2])
    assert ab == pytest.approx(distance(spaces[1], spaces[0]), rel=1e-6)
    assert ac <= ab + bc
    assert ab > 0


def test_the_smallest_step_of_one_word_is_not_lost(space):
    after = space.copy()
    after[7, 3] = np.nextafter(after[7, 3], np.inf)
    step = float(after[7, 3]) - float(space[7, 3])
    distance = value(space_drift(pair_of(space, after)), "procrustes")
    assert 0 < distance <= step
    assert distance == pytest.approx(step, rel=0.1)


def test_blocks_do_not_show(space, monkeypatch):
    after = space[::-1]
    whole = space_drift(pair_of(space, after))
    monkeypatch.setattr(arrays, "BLOCK_ROWS", 33)
    for one, other in zip(whole, space_drift(pair_of(space, after)), strict=True):
        assert one.value == pytest.approx(other.value, rel=1e-10, nan_ok=True)


def test_moments_of_two_halves_add_up(space):
    pair = pair_of(space, space[::-1] * 2)
    half = np.arange(200) < 70
    summed = moments(pair, half) + moments(pair, ~half)
    whole = moments(pair, np.ones(200, bool))
    for name in Moments.__slots__:
        np.testing.assert_allclose(getattr(summed, name), getattr(whole, name), rtol=1e-10)


def test_an_empty_group_is_not_measured_and_says_why(space):
    drift = space_drift(pair_of(space, space))
    assert value(drift, "cka", "unmoved") == value(drift, "cka", "all")
    for each in drift:
        assert np.isnan(each.value) == (each.group == "moved") == (each.reason is not None)
    assert drift.find("cka", "moved").reason == "only 0 rows to measure, and at least 3 are needed"
    assert drift.find("mean_cosine", "moved", "tuned").n == 0


@pytest.mark.parametrize("n", [1, 2])
def test_too_few_rows(n):
    drift = space_drift(pair_of(np.eye(n, 3), 2 * np.eye(n, 3)))
    assert np.isnan(value(drift, "cka"))
    assert np.isnan(value(drift, "procrustes")) == (n == 1)
    assert np.isnan(value(drift, "mean_cosine", of="tuned")) == (n == 1)


@pytest.mark.parametrize("constant", [0.1, 1 / 3, 7e8])
def test_equal_rows_have_no_shape(constant, space):
    drift = space_drift(pair_of(space, np.full_like(space, constant)))
    assert drift.find("cka").reason == "the rows of a table are all equal, so they have no shape"
    assert value(drift, "mean_cosine", of="tuned") == pytest.approx(1)


def test_zero_rows_are_points_but_have_no_cosine(space):
    after = space.copy()
    after[:5] = 0
    drift = space_drift(pair_of(space, after))
    assert drift.find("cka").n == drift.find("procrustes").n == 200
    assert value(drift, "cka") == pytest.approx(
        cka_oracle(*(m.astype(float) for m in (space, after)))
    )
    row = drift.find("mean_cosine", "all", "original")
    assert row.n == 195
    assert row.value == pytest.approx(mean_cosine_oracle(space[5:].astype(float)))
    assert drift.find("mean_cosine", "moved", "tuned").reason.startswith("only 0 rows")


def test_frame_and_dict_say_the_same(space):
    drift = space_drift(pair_of(space, space + 1))
    frame = drift.to_frame()
    assert list(frame) == ["measure", "group", "of", "n", "value", "reason"]
    assert len(frame) == len(drift.values) == 60
    rows = json.loads(json.dumps(drift.to_dict(), allow_nan=False))["figures"]
    assert [row["value"] for row in rows] == [
        None if np.isnan(each.value) else each.value for each in drift
    ]


def test_views(space):
    drift = space_drift(pair_of(space, space))
    assert repr(drift).startswith("Drift of the space, rows: 200 all, 0 moved, 200 unmoved\n")
    assert "mean_cosine, tuned" in repr(drift)
    assert "moved: only 0 rows" in repr(drift)
    assert "<table" in drift._repr_html_()


def test_an_unknown_value(space):
    with pytest.raises(UnknownNameError, match="did you mean 'cka, moved, pair'"):
        space_drift(pair_of(space, space)).find("cka", "moves")


@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_ties_zero_rows_one_row_and_one_column(seed, n, d):
    """Where the n x n formulas give a number, it is this one; where not, there is a reason."""
    rng = np.random.default_rng(seed)
    before = rng.integers(-1, 2, (n, d)).astype(np.float32)
    after = np.where(rng.random((n, 1)) < 0.5, before, rng.integers(-1, 2, (n, d)))
    pair = pair_of(before, after.astype(np.float32))
    drift = space_drift(pair)
    for group, mask in (("all", slice(None)), ("moved", pair.moved), ("unmoved", ~pair.moved)):
        x, y = pair.before[mask].astype(float), pair.after[mask].astype(float)
        # Rows that are all alike have nothing to compare; the oracle's rounding may say otherwise.
        varied = len(x) > 2 and (x != x[0]).any() and (y != y[0]).any()
        expected = cka_oracle(x, y) if varied else np.nan
        assert value(drift, "cka", group) == pytest.approx(expected, abs=1e-8, nan_ok=True)
        if len(x) > 1:
            distance = pytest.approx(procrustes_oracle(x, y), abs=1e-7)
            assert value(drift, "procrustes", group) == distance
        directed = x.any(axis=1) & y.any(axis=1)
        for of, space in (("original", x[directed]), ("tuned", y[directed])):
            cosine = mean_cosine_oracle(space) if len(space) > 1 else np.nan
            found = value(drift, "mean_cosine", group, of)
            assert found == pytest.approx(cosine, abs=1e-12, nan_ok=True)
    for row in drift:
        assert np.isnan(row.value) == (row.reason is not None)


def test_groups_come_in_their_order():
    values = tuple(
        SpaceValue("cka", group, "pair", 5, 1.0)
        for group in ("all", "moved", "unmoved", "rank 1-1000")
    )
    drift = SpaceDrift(values)
    assert drift.groups == ["all", "moved", "unmoved", "rank 1-1000"]
    assert "1-1000" in repr(drift)
    assert drift.find("cka", "rank 1-1000").value == 1
    unmeasured = SpaceDrift((*values[:3], SpaceValue("rsa", "all", "pair", 0, np.nan, "why")))
    assert "all: why" in repr(unmeasured)
