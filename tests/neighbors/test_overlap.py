import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit.neighbors import overlap as agreement
from driftkit.neighbors.overlap import adjusted_overlap, common_by_depth, overlap, rbo


def lists(*texts):
    """Words of letters as lists of positions, padded with -1 to the longest."""
    k = max(map(len, texts))
    return [np.array([[ord(c) for c in text] + [-1] * (k - len(text))], np.int32) for text in texts]


def slow_rbo(a, b, p):
    """Webber, Moffat & Zobel 2010, equation 32, term by term."""
    shorter, longer = sorted((a, b), key=len)
    s, length = len(shorter), len(longer)
    common = lambda d: len(set(shorter[:d]) & set(longer[:d]))  # noqa: E731
    total = sum(common(d) / d * p**d for d in range(1, length + 1))
    total += sum(common(s) * (d - s) / (s * d) * p**d for d in range(s + 1, length + 1))
    tail = (common(length) - common(s)) / length + common(s) / s
    return (1 - p) / p * total + tail * p**length


@pytest.mark.parametrize(
    ("a", "b", "p", "expected"),
    [
        ("abcdefg", "zcavwxy", 0.9, 0.2882172857),
        ("abcdefg", "zcavwxy", 0.95, 0.2907304368),
        ("abcdefg", "zcavwxy", 0.98, 0.2887201604),
        ("abcde", "edcba", 0.9, 0.737775),
        ("abcde", "bacde", 0.9, 0.9),
    ],
)
def test_rbo_fixtures(a, b, p, expected):
    assert rbo(*lists(a, b), p=p)[0] == pytest.approx(expected, abs=5e-11)


def test_average_overlap_fixture():
    common = common_by_depth(*lists("abcdefg", "zcavwxy"))[0]
    assert np.mean(common / np.arange(1, 8)) == pytest.approx(0.312, abs=5e-4)


def test_random_lists_agree_by_chance_and_no_more():
    rng = np.random.default_rng(0)
    before, after = (
        np.array([rng.permutation(100)[:10] for _ in range(3_000)], np.int32) for _ in range(2)
    )
    assert overlap(before, after).mean() == pytest.approx(10 / 100, abs=0.005)
    assert adjusted_overlap(before, after, 101).mean() == pytest.approx(0, abs=0.005)
    assert (adjusted_overlap(before, before, 101) == 1).all()


@pytest.mark.parametrize(("candidates", "measured"), [(99, False), (100, True)])
def test_too_few_candidates_for_more_than_chance(candidates, measured):
    same = np.arange(10, dtype=np.int32)[None]
    assert np.isnan(adjusted_overlap(same, same, candidates)).all() != measured


@st.composite
def two_lists(draw):
    k = draw(st.integers(1, 12))
    unique = st.lists(st.integers(0, 15), max_size=k, unique=True)
    return k, draw(st.lists(st.tuples(unique, unique), min_size=1, max_size=6))


@given(two_lists(), st.floats(0.1, 0.98))
@settings(max_examples=100, deadline=None)
def test_agrees_with_sets_and_the_published_formula(case, p):
    k, pairs = case
    pad = lambda row: row + [-1] * (k - len(row))  # noqa: E731
    before = np.array([pad(a) for a, _ in pairs], np.int32)
    after = np.array([pad(b) for _, b in pairs], np.int32)
    values = zip(pairs, overlap(before, after), rbo(before, after, p), strict=True)
    for (a, b), share, ranked in values:
        if a and b:
            assert share == len(set(a) & set(b)) / max(len(a), len(b))
            assert ranked == pytest.approx(min(slow_rbo(a, b, p), 1), abs=1e-12)
        else:
            assert np.isnan([share, ranked]).all()


@given(two_lists())
@settings(max_examples=50, deadline=None)
def test_symmetric_within_range_and_one_for_equal_lists(case):
    k, pairs = case
    rows = [np.array([each + [-1] * (k - len(each)) for each in side], np.int32)
            for side in zip(*pairs, strict=True)]  # fmt: skip
    for measure in (overlap, rbo):
        value = measure(*rows)
        np.testing.assert_allclose(value, measure(*reversed(rows)), atol=1e-12)
        assert ((value >= 0) & (value <= 1) | np.isnan(value)).all()
        same = measure(rows[0], rows[0])
        assert np.allclose(same[rows[0][:, 0] >= 0], 1)


def test_blocks_of_lists_do_not_show(monkeypatch):
    rng = np.random.default_rng(0)
    before, after = (np.argsort(rng.random((50, 20)))[:, :10].astype(np.int32) for _ in range(2))
    expected = rbo(before, after)
    monkeypatch.setattr(agreement, "_BLOCK_ENTRIES", 70)
    np.testing.assert_array_equal(rbo(before, after), expected)
