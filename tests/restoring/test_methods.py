"""Ways back toward the original, each by what it promises at every strength."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import driftkit as dk
from driftkit.errors import OptionError
from driftkit.restoring.back_map import back_map
from driftkit.restoring.ball import ball
from driftkit.restoring.curve import between
from driftkit.restoring.directions import directions
from driftkit.restoring.gains import gains
from driftkit.restoring.interpolation import interpolation
from driftkit.restoring.norm import norm
from driftkit.restoring.propagation import propagation
from driftkit.restoring.selection import paid, rare

CURVES = {
    "interpolate": interpolation,
    "gains": lambda pair: gains(pair, 5, 300),
    "paid": lambda pair: paid(pair, 5, 300),
    "rare": lambda pair: rare(pair, {word: row for row, word in enumerate(pair.words)}),
    "directions": directions,
    "ball": ball,
}
"""Those that end at the original."""


def rows_of(pair, curve, strength):
    rows = pair.after.copy()
    rows[curve.rows] = curve.at(strength)
    return rows


@pytest.mark.parametrize("name", CURVES)
def test_the_ends_are_the_two_tables_bit_for_bit(pair, name):
    curve = CURVES[name](pair)
    assert_array_equal(rows_of(pair, curve, curve.strengths[0]), pair.after)
    assert_array_equal(rows_of(pair, curve, curve.strengths[-1]), pair.before)


@pytest.mark.parametrize("name", CURVES)
def test_movement_only_falls_along_the_curve(pair, name):
    curve = CURVES[name](pair)
    far = [
        np.linalg.norm(rows_of(pair, curve, each).astype("f8") - pair.before, axis=1).sum()
        for each in curve.strengths
    ]
    assert len(far) > 3
    assert (np.diff(far) <= 1e-6 * far[0]).all()
    assert far[-2] > 0


@pytest.mark.parametrize("name", CURVES)
def test_a_table_that_did_not_move_stays(pair, name):
    same = dk.align(pair.original, pair.original)
    curve = CURVES[name](same)
    for strength in curve.strengths:
        assert_array_equal(rows_of(same, curve, strength), same.before)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_numbers_of_any_size_are_kept_at_the_ends(share):
    before = np.array([[1e-38, 3e38, -0.0, 1.0]], "f4")
    after = np.array([[3e38, 1e-45, 0.0, 1e-20]], "f4")
    made = between(before, after, share)
    assert made.tobytes() == (after if share else before).tobytes()


def test_interpolation_is_the_mean_weighted_by_the_share(pair):
    rows = rows_of(pair, interpolation(pair), 0.25)
    assert_allclose(rows, 0.75 * pair.before + 0.25 * pair.after, atol=1e-6)


def test_the_ball_holds_every_row_and_leaves_those_inside(pair):
    rows = rows_of(pair, ball(pair), 0.2)
    gone = np.linalg.norm(rows - pair.before, axis=1)
    assert (gone <= 0.2 * pair.before_norms * (1 + 1e-5)).all()
    inside = np.linalg.norm(pair.after - pair.before, axis=1) <= 0.2 * pair.before_norms
    assert inside.any()
    assert_array_equal(rows[inside], pair.after[inside])


def test_norm_gives_lengths_back_and_leaves_directions(pair):
    curve = norm(pair)
    assert_array_equal(rows_of(pair, curve, 1.0), pair.after)
    rows = rows_of(pair, curve, 0.0)
    assert_allclose(np.linalg.norm(rows, axis=1), pair.before_norms, rtol=1e-5)
    cosine = (rows * pair.after).sum(axis=1) / np.linalg.norm(rows, axis=1) / pair.after_norms
    assert_allclose(cosine, 1, atol=1e-6)
    half = np.linalg.norm(rows_of(pair, curve, 0.5), axis=1)
    assert_allclose(half, np.sqrt(pair.before_norms * pair.after_norms), rtol=1e-5)


def test_no_movement_is_left_along_the_directions_taken_back(pair):
    from driftkit.explain.directions import drift_directions

    move = rows_of(pair, directions(pair), 2) - pair.before.astype("f8")
    for each in drift_directions(pair, 2):
        assert_allclose(move @ each.vector, 0, atol=1e-5)
    assert np.linalg.norm(move) > 1


def test_rows_whose_neighbors_paid_most_are_restored_first(pair):
    shifts = dk.neighbor_shifts(pair, k=5)
    rows = rows_of(pair, paid(pair, 5, 300), 0.5)
    restored = (rows == pair.before).all(axis=1) & pair.moved
    assert restored.sum() == 50
    stays = pair.moved & ~restored
    assert shifts.overlap[restored].max() <= shifts.overlap[stays].min()


def test_rows_seen_too_rarely_are_restored(pair):
    counts = {word: row for row, word in enumerate(pair.words) if row % 2}
    rows = rows_of(pair, rare(pair, counts), 100)
    seen = np.array([counts.get(word, 0) for word in pair.words])
    assert_array_equal(rows[seen < 100], pair.before[seen < 100])
    assert_array_equal(rows[seen >= 100], pair.after[seen >= 100])


def test_words_without_a_count_are_told(pair):
    counts = dict.fromkeys(pair.words[:150], 3)
    found = dk.restore(pair, method="rare", counts=counts, strength=2)
    assert "(50 of 100 moved words have no count, which is taken for 0)" in found.means
    counts = dict.fromkeys(pair.words, 3)
    assert "no count" not in dk.restore(pair, method="rare", counts=counts, strength=2).means


def test_gains_take_the_cheapest_neighbors_first(space):
    """One row far away, which is dear, and one that lost as many neighbors by a small step."""
    tuned = space.copy()
    far, near = 10, 20
    tuned[far] += 40
    away = tuned[near] - tuned[near].mean()
    tuned[near] -= 1.6 * away
    words = [f"w{row}" for row in range(len(space))]
    pair = dk.align(dk.Embeddings(words, space), dk.Embeddings(words, tuned))
    kept = dk.neighbor_shifts(pair, ["w10", "w20"], k=5).overlap
    assert kept.max() < 0.5
    rows = rows_of(pair, gains(pair, 5, 300), 0.9)
    assert_array_equal(rows[near], pair.before[near])
    assert_array_equal(rows[far], pair.after[far])


def test_gains_keep_more_neighbors_than_interpolation_for_the_same_distance(pair):
    def neighbors(curve, strength):
        made = dk.Embeddings(pair.words, rows_of(pair, curve, strength))
        return dk.neighbor_shifts(dk.align(pair.original, made), k=5).overlap[pair.moved].mean()

    assert neighbors(gains(pair, 5, 300), 0.5) > neighbors(interpolation(pair), 0.5)


def test_unmoved_rows_follow_their_moved_neighbors():
    """Two far clusters; all but one row of the first moved by the same step."""
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.normal(size=(20, 4)) * 0.1 + 5 * np.eye(4)[at] for at in (0, 1)])
    tuned = rows.copy()
    tuned[1:20] += [0, 0, 2, 0]
    words = [f"w{row}" for row in range(40)]
    pair = dk.align(dk.Embeddings(words, rows), dk.Embeddings(words, tuned))
    curve = propagation(pair, 5, 40)
    assert_array_equal(rows_of(pair, curve, 0.0), pair.after)
    moved = rows_of(pair, curve, 1.0)
    assert_allclose(moved[0] - pair.before[0], [0, 0, 2, 0], atol=1e-5)
    assert_array_equal(moved[20:], pair.after[20:])
    assert_array_equal(moved[1:20], pair.after[1:20])
    half = rows_of(pair, curve, 0.5)
    assert_allclose(half[0] - pair.before[0], [0, 0, 1, 0], atol=1e-5)


def test_nothing_follows_where_all_or_none_moved(pair):
    same = dk.align(pair.original, pair.original)
    assert len(propagation(same, 5, 300).rows) == 0
    other = dk.align(pair.original, dk.Embeddings(pair.words, pair.before + 1))
    assert len(propagation(other, 5, 300).rows) == 0


def test_the_back_map_of_a_rotated_table_ends_at_the_original(space):
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(12, 12)))
    words = [f"w{row}" for row in range(len(space))]
    pair = dk.align(dk.Embeddings(words, space), dk.Embeddings(words, space @ turn))
    curve = back_map(pair, 0)
    assert_array_equal(rows_of(pair, curve, 1.0), pair.after)
    assert_allclose(rows_of(pair, curve, 0.0), pair.before, atol=1e-4)


def test_the_back_map_of_noise_is_refused(space):
    words = [f"w{row}" for row in range(len(space))]
    noise = np.random.default_rng(8).normal(size=space.shape)
    pair = dk.align(dk.Embeddings(words, space), dk.Embeddings(words, space + noise))
    assert not back_map(pair, 0)
    found = dk.restore(pair, "moved <= 100%", method="map")
    assert not found
    assert found.headline.startswith("Not restored: no map helps: ")


@pytest.mark.parametrize(
    ("method", "strength"),
    [
        ("interpolate", -0.1),
        ("interpolate", 1.1),
        ("interpolate", True),
        ("interpolate", "0.5"),
        ("ball", -1),
        ("norm", np.nan),
        ("paid", "x"),
        ("directions", 1.5),
        ("directions", 13),
    ],
)
def test_a_strength_without_meaning_is_refused(pair, method, strength):
    with pytest.raises(OptionError, match="was given; it is"):
        dk.restore(pair, method=method, strength=strength)
