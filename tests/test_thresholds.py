"""A cut-off carried over: counted as a slow reading of its definition counts, and held out."""

import numpy as np
import pytest

import driftkit as dk
from driftkit.errors import AlignmentError, OptionError
from driftkit.thresholds import SLACK, TILE, threshold_document


def table(matrix):
    return dk.Embeddings([f"item {row}" for row in range(len(matrix))], matrix)


def joined(before, after):
    return dk.align(table(before), table(after))


def cosines(matrix):
    unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    return unit @ unit.T


def drawn(n, d=16, seed=0, noise=0.5, shift=0.5):
    rng = np.random.default_rng(seed)
    before = rng.normal(size=(n, d))
    return before, before + rng.normal(0, noise, (n, d)) + shift


def assert_counted(count, *passed):
    """As many pairs have every cosine at its threshold or above; the nearest below may count."""
    surely, perhaps = (
        np.logical_and.reduce([each >= at - slack for each, at in passed]).sum()
        for slack in (0, 2 * SLACK)
    )
    assert surely <= count <= perhaps


@pytest.mark.parametrize("n", [75, 2 * TILE + 301])
def test_all_pairs_are_counted(n):
    before, after = drawn(n)
    found = dk.translate_threshold(joined(before, after), 0.4)
    upper = np.triu_indices(n, 1)
    was, now = cosines(before)[upper], cosines(after)[upper]
    assert found.n_pairs == len(was)
    assert_counted(found.passed, (was, 0.4))
    # A bin of cosines is 0.00003 wide, and the fullest has that share of the pairs, or twice.
    assert abs(found.passed_after - found.passed) <= 1e-4 * found.n_pairs
    assert_counted(found.passed_after, (now, found.tuned))
    assert_counted(found.kept, (was, 0.4), (now, found.tuned))
    assert_counted(found.untranslated, (now, 0.4))
    assert found.low < found.tuned < found.high
    sizes = [n // 2, n - n // 2]
    assert [half.n_pairs for half in found.held_out] == [m * (m - 1) // 2 for m in sizes]


@pytest.mark.parametrize("d", [16, 24, 32, 384, 1_000])
@pytest.mark.parametrize("pairs", ["all", "nearest"])
def test_pairs_at_the_threshold_pass(d, pairs):
    """Rows of signs have whole numbers for products, and many pairs lie at each."""
    signs = np.random.default_rng(d).choice([-1, 1], size=(400, d))
    products = signs @ signs.T
    if pairs == "all":
        exact = products[np.triu_indices(400, 1)]
    else:
        np.fill_diagonal(products, -d)
        exact = products.max(axis=1)
    values, many = np.unique(exact, return_counts=True)
    tried = 0
    for value in values[many >= 10].tolist():
        passed = int((exact >= value).sum())
        if min(passed, len(exact) - passed) >= 10:
            same = dk.translate_threshold(joined(signs, signs), value / d, pairs=pairs)
            assert (same.passed, same.passed_after, same.untranslated) == (passed,) * 3
            assert same.tuned == same.original
            tried += 1
    assert tried


@pytest.mark.parametrize("pairs", ["all", "nearest"])
def test_copies_pass_at_one(pairs):
    rows = np.random.default_rng(0).normal(size=(60, 300))
    rows[1:60:3] = 3 * rows[0:60:3]
    found = dk.translate_threshold(joined(rows, rows), 1.0, pairs=pairs)
    assert found.passed == found.passed_after == (20 if pairs == "all" else 40)


def test_nearest_pairs_are_counted():
    before, after = drawn(1_500)
    found = dk.translate_threshold(joined(before, after), 0.75, pairs="nearest")
    both = [cosines(matrix) - 3 * np.eye(len(matrix)) for matrix in (before, after)]
    was, now = both[0].max(axis=1) >= 0.75 - SLACK, both[1].max(axis=1) >= found.tuned - SLACK
    same = both[0].argmax(axis=1) == both[1].argmax(axis=1)
    assert found.n_pairs == found.items == 1_500
    assert found.passed == found.passed_after == was.sum() == now.sum()
    assert found.kept == (was & now).sum()
    assert found.same_match == (was & now & same).sum()
    assert found.untranslated == (both[1].max(axis=1) >= 0.75 - SLACK).sum()
    assert found.low < found.tuned < found.high


@pytest.mark.parametrize("pairs", ["all", "nearest"])
def test_identical_tables_give_the_same_threshold_back(pairs):
    before, _ = drawn(500, d=8)
    found = dk.translate_threshold(joined(before, before), 0.82, pairs=pairs)
    assert found.tuned == found.low == found.high == 0.82
    assert found.kept == found.passed == found.untranslated
    assert found.points == 0
    assert "Every pair that passed still passes" in repr(found)


@pytest.mark.parametrize("pairs", ["all", "nearest"])
def test_one_rotation_and_one_factor_leave_it_alone(pairs):
    before, _ = drawn(500, d=8)
    threshold = 0.5 if pairs == "all" else 0.9
    rotation, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(8, 8)))
    found = dk.translate_threshold(joined(before, 7 * before @ rotation), threshold, pairs=pairs)
    assert found.tuned == pytest.approx(threshold, abs=1e-3)
    assert found.kept >= found.passed - 2  # a cosine at the threshold itself may round either way


@pytest.mark.parametrize(
    ("pairs", "threshold", "points"),
    [("all", 0.3, 0.1), ("all", 0.6, 0.1), ("nearest", 0.92, 1.5), ("nearest", 0.95, 1.5)],
)
def test_a_common_direction_shifts_it_by_a_known_map(pairs, threshold, points):
    """Unit rows that all gain one coordinate of length 1 have the cosines ``(c + 1) / 2``."""
    before, _ = drawn(800, d=6)
    before /= np.linalg.norm(before, axis=1, keepdims=True)
    before = np.column_stack([before, np.zeros(len(before))])
    after = before + np.eye(7)[6]
    found = dk.translate_threshold(joined(before, after), threshold, pairs=pairs)
    assert found.tuned == pytest.approx((threshold + 1) / 2, abs=2e-3)
    assert found.kept >= 0.999 * found.passed
    assert found.points < points


@pytest.mark.parametrize("threshold", [0.7, 0.82, 0.9])
def test_on_real_vectors_the_held_out_share_is_within_a_point(glove, threshold):
    words, before = list(glove.words[:4_000]), np.array(glove.matrix[:4_000])
    rng = np.random.default_rng(0)
    after = before * rng.uniform(0.3, 2, 50) + rng.normal(0, 0.3, before.shape) + 0.5
    pair = dk.align(dk.Embeddings(words, before), dk.Embeddings(words, after))
    found = dk.translate_threshold(pair, threshold)
    assert found.passed > 100
    assert found.points < 1
    assert len(found.held_out) == 2
    assert abs(found.untranslated - found.passed) > found.passed / 5  # so it had to be translated


def test_a_half_judges_the_other_one():
    """What the halves give differs as far as they do, and each is tried where it was not made."""
    found = dk.translate_threshold(joined(*drawn(400)), 0.5)
    first, second = found.held_out
    assert first.tuned != second.tuned
    assert (first.tuned > found.tuned) != (second.tuned > found.tuned)
    assert found.points == max(first.points, second.points)
    other = dk.translate_threshold(joined(*drawn(400)), 0.5, seed=1)
    assert other.tuned == found.tuned
    assert other.held_out != found.held_out


def test_the_interval_holds_the_threshold_of_the_population():
    truth = dk.translate_threshold(joined(*drawn(6_000, seed=99)), 0.5).tuned
    held = 0
    for seed in range(60):
        found = dk.translate_threshold(joined(*drawn(120, seed=seed)), 0.5)
        held += found.low <= truth <= found.high
    assert 50 <= held <= 60


def test_items_are_drawn_at_random_and_zero_rows_left_out():
    before, after = drawn(300)
    before[:10] = 0
    pair = joined(before, after)
    assert dk.translate_threshold(pair, 0.4).items == 290
    fewer = dk.translate_threshold(pair, 0.4, candidates=100)
    assert fewer.items == 100
    assert fewer == dk.translate_threshold(pair, 0.4, candidates=100)
    assert fewer != dk.translate_threshold(pair, 0.4, candidates=100, seed=1)


def test_halves_that_say_too_little_are_not_held_out():
    before, after = drawn(60, d=4)
    found = dk.translate_threshold(joined(before, after), 0.92)
    assert found.passed >= 10
    assert found.held_out == ()
    assert np.isnan(found.points)
    assert "Held out: not measured: in one half of the items only" in repr(found)


def test_progress_reaches_its_end():
    pair = joined(*drawn(2_100))
    for pairs, threshold in (("all", 0.5), ("nearest", 0.8)):
        told = []
        dk.translate_threshold(
            pair, threshold, pairs=pairs, progress=lambda *at, told=told: told.append(at)
        )
        assert told == sorted(told)
        assert told[-1][0] == told[-1][1]


@pytest.mark.parametrize(
    ("threshold", "options", "said"),
    [
        (1.5, {}, "threshold=1.5 was given; a cosine is from -1 to 1."),
        (float("nan"), {}, "threshold=nan was given; a cosine is from -1 to 1."),
        ("0.8", {}, "threshold='0.8' was given; a cosine is from -1 to 1."),
        (True, {}, "threshold=True was given; a cosine is from -1 to 1."),
        (0.5, {"pairs": "some"}, "pairs='some' was given; it is 'all' or 'nearest'."),
        (0.5, {"candidates": 5}, "candidates=5 was given; it must be a whole number, 20 or more."),
        (0.99, {}, "of 4,950 pairs of the original table 0 pass it, and at least 10 must lie on "),
        (-0.99, {}, "of 4,950 pairs of the original table 0 do not pass it, and at least 10 must "),
        (0.99, {"pairs": "nearest"}, "of 100 nearest pairs of the original table 0 pass it, and "),
    ],
)
def test_what_cannot_be_translated_is_refused(threshold, options, said):
    with pytest.raises(OptionError) as error:
        dk.translate_threshold(joined(*drawn(100)), threshold, **options)
    assert said in str(error.value)


def test_tables_that_are_too_small_are_refused():
    with pytest.raises(AlignmentError, match="19 shared items have a direction in both tables; a"):
        dk.translate_threshold(joined(*drawn(19)), 0.5)
    with pytest.raises(OptionError, match=r"call dk.translate_threshold\(dk.align\(original, t"):
        dk.translate_threshold(table(np.eye(3)), 0.5)


def test_the_document_holds_plain_values():
    found = dk.translate_threshold(joined(*drawn(300)), 0.4)
    assert isinstance(found, dk.TranslatedThreshold)
    document = threshold_document("a.npy", "b.npy", [found])
    (entry,) = document["thresholds"]
    assert document["schema"] == "driftkit.thresholds/1"
    assert entry["original"] == 0.4
    assert entry["passed"] == found.passed
    assert entry["held_out"][0]["n_pairs"] == 150 * 149 // 2
    assert all(type(value) in (int, float, str, list, type(None)) for value in entry.values())
