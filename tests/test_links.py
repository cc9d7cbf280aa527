"""Whether what reads the original vectors can read the tuned ones."""

import json

import numpy as np
import pytest

import driftkit as dk

WORDS = [f"w{row}" for row in range(400)]


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(5).normal(size=(400, 6)) + 0.3


def pair_of(before, after, words=WORDS):
    return dk.align(dk.Embeddings(words, before), dk.Embeddings(words, after))


def side(rows):
    return rows @ np.arange(1, 7) > 5


# --- the status -----------------------------------------------------------------------------------


def test_nothing_moved(rows):
    found = dk.link(pair_of(rows, rows))
    assert (found.status, found.rank, found.directions) == ("holds", 0, ())
    assert found.headline == "The link holds: none of 400 rows moved."


def test_rows_that_moved_by_too_little_to_matter_keep_the_link(rows):
    assert dk.link(pair_of(rows, rows * 1.001)).status == "holds"


@pytest.mark.parametrize("change", ["turned", "exchanged", "scaled"])
def test_a_short_step_breaks_the_link_where_rows_lie_closer_than_that(change, rows):
    """Rows that share a long mean: all of them move by less than a hundredth of their length."""
    near = 100 + 0.3 * rows
    mean = near.mean(axis=0)
    tuned = {
        "turned": mean + (near - mean)[:, ::-1],
        "exchanged": np.random.default_rng(0).permutation(near),
        "scaled": 1.008 * near,
    }[change]
    found = dk.link(pair_of(near, tuned))
    assert found.step[1] < 0.01
    assert found.status == "broken"
    assert bool(found.map) == (change != "exchanged")
    noise = np.random.default_rng(1).normal(size=rows.shape)
    assert dk.link(pair_of(near, near + 1e-4 * noise)).status == "holds"


@pytest.mark.parametrize("made", ["moved", "zero", "zero before"])
def test_one_row_that_moved_by_more_than_the_others_is_enough(made, rows):
    tuned, original = 1.001 * rows, rows.copy()
    if made == "zero before":
        original[7] = 0
    else:
        tuned[7] *= 1.02 if made == "moved" else 0
    found = dk.link(pair_of(original, tuned))
    assert found.status == "weakened"
    said = {"moved": "half of them", "zero": "1 row became zero", "zero before": "1 row was zero"}
    assert said[made] in found.headline


def test_rows_that_became_zero_are_found_nowhere(rows):
    tuned = rows.copy()
    tuned[300:] = 0
    found = dk.link(pair_of(rows, tuned))
    assert found.status == "broken"
    assert "0.0% are found where they were; 100 rows became zero" in found.headline
    assert "half of them by 100.0% or more" in found.headline


def test_a_table_of_one_row_repeated_is_as_one_of_one_row():
    many = dk.link(pair_of(np.ones((400, 6)), np.full((400, 6), 1.001)))
    one = dk.link(pair_of(np.ones((1, 6)), np.full((1, 6), 1.001), ["w0"]))
    assert many.status == one.status == "holds"
    assert many.crossings == one.crossings


@pytest.mark.parametrize("twins", ["pairs", "one untrained row"])
def test_equal_rows_are_one_place(twins, rows):
    """A table that was turned is broken and has a map; where rows were exchanged, it has none."""
    rows = rows.copy()
    if twins == "pairs":
        rows[200:] = rows[:200]
    else:
        rows[180:] = rows[180]
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))[0]
    turned = dk.link(pair_of(rows, rows @ turn))
    assert turned.status == "broken"
    assert turned.map.affine.name == "rotation"
    assert turned.map.evidence.found[1] == 1
    told_apart = {each.n for each in turned.crossings}
    assert told_apart == {200 if twins == "pairs" else 181}
    exchanged = rows.copy()
    exchanged[:180] = np.random.default_rng(1).permutation(rows[:180])
    for tuned in (exchanged, exchanged @ turn, exchanged * 1.001):
        found = dk.link(pair_of(rows, tuned))
        assert found.status == "broken"
        assert not found.map


@pytest.mark.parametrize("share", [0.1, 1.0])
def test_nearly_equal_rows_are_tied_and_are_one_place_too(share, rows):
    """Twins a rounding apart: no row is first, and the link is judged by which ranks got worse."""
    twins = int(share * 200)
    near = rows.copy()
    near[200 : 200 + twins] = np.nextafter(near[:twins].astype(np.float32), np.float32(99))
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))[0]
    turned = dk.link(pair_of(near, near @ turn))
    assert turned.status == "broken"
    assert turned.map.affine.name == "rotation"
    assert turned.map.evidence.found[1] == 1
    assert dk.link(pair_of(near, near * 1.0001)).status == "holds"
    places = np.roll(np.arange(twins), 1)
    for length in (1, np.linalg.norm(near, axis=1, keepdims=True)):
        unit = near / length
        exchanged = unit.copy()
        exchanged[:twins], exchanged[200 : 200 + twins] = unit[places], unit[200 + places]
        found = dk.link(pair_of(unit, exchanged))
        assert found.status == "broken"
        assert not found.map
    swapped = near.copy()
    swapped[:twins], swapped[200 : 200 + twins] = near[200 : 200 + twins], near[:twins]
    assert dk.link(pair_of(near, swapped)).status == "holds"


def test_a_row_that_had_no_direction_is_kept_nowhere(rows):
    """Else the zero rows, which are found nowhere, would outweigh what was exchanged."""
    original, tuned = rows.copy(), rows.copy()
    original[20:] = 0
    tuned[:20] = np.roll(rows[:20], 1, axis=0)
    assert dk.link(pair_of(original, tuned)).status == "broken"


@pytest.mark.parametrize("factor", [1e30, 1e-30])
def test_numbers_of_any_size_are_said_shortly(factor, rows):
    found = dk.link(pair_of(rows, factor * rows))
    assert (
        f"nine in ten moved rows are {factor:.3g} to {factor:.3g} times as long" in found.headline
    )
    assert found.map.affine.name == "scale"


@pytest.mark.parametrize("change", ["scaled", "turned", "exchanged"])
def test_a_space_that_is_read_wrongly_is_broken(change, rows):
    tuned = {
        "scaled": 3 * rows,
        "turned": rows[:, ::-1],
        "exchanged": np.random.default_rng(0).permutation(rows),
    }[change]
    found = dk.link(pair_of(rows, tuned))
    assert found.status == "broken"
    assert bool(found.map) == (change != "exchanged")


def test_without_a_consumer_rows_that_moved_may_always_be_decided_otherwise(rows):
    noise = np.random.default_rng(1).normal(size=rows.shape)
    found = dk.link(pair_of(rows, rows + 0.05 * noise))
    assert found.status == "weakened"
    assert "no consumer was given, so no decision was looked at" in found.headline


def test_a_consumer_decides(rows):
    away = np.arange(1, 7) - (np.arange(1, 7) ** 2).sum() / 21  # no step across its plane
    away = away - (away @ np.arange(1, 7)) / 91 * np.arange(1, 7)
    along = pair_of(rows, rows + 2 * away)
    assert dk.link(along).status == "broken"
    assert dk.link(along, consumer=side).status == "holds"
    assert dk.link(pair_of(rows, -rows), consumer=side).status == "broken"


def test_widths_that_differ_are_broken_and_a_map_is_fitted(rows):
    wide = rows @ np.linalg.qr(np.random.default_rng(0).normal(size=(9, 9)))[0][:6]
    found = dk.link(pair_of(rows, wide), consumer=side)
    assert found.status == "broken"
    assert found.crossings == ()
    assert found.map(wide) == pytest.approx(rows, abs=1e-4)


# --- what is measured -----------------------------------------------------------------------------


def test_crossings_are_those_of_a_plain_search(rows):
    tuned = rows + 0.5 * np.random.default_rng(2).normal(size=rows.shape)
    found = dk.link(pair_of(rows, tuned))
    before, after = rows.astype(np.float32).astype(float), tuned.astype(np.float32).astype(float)
    near = np.linalg.norm(after[:, None] - before[None], axis=2).argmin(axis=1)
    (l2,) = (each for each in found.crossings if (each.group, each.way) == ("all", "l2"))
    assert l2.at_1 == (near == np.arange(400)).mean()
    assert l2.original_at_1 == 1


def test_lengths_steps_and_dot_products(rows):
    found = dk.link(pair_of(rows, 2 * rows))
    assert found.lengths == pytest.approx((2, 2, 2), rel=1e-5)
    assert found.step == pytest.approx((1, 1), rel=1e-5)
    assert found.dots == pytest.approx(1, rel=1e-5)


def test_the_rank_of_the_drift_and_the_words_at_its_ends(rows):
    direction = np.eye(6)[0]
    tuned = rows + np.outer(np.random.default_rng(3).normal(size=400), direction)
    found = dk.link(pair_of(rows, tuned))
    assert found.rank == 1
    first = found.directions[0]
    assert first.share == pytest.approx(1, abs=1e-6)
    ends = rows[:, 0] / np.linalg.norm(rows, axis=1)
    assert {first.toward[0], first.away[0]} == {WORDS[ends.argmax()], WORDS[ends.argmin()]}


# --- what is shown --------------------------------------------------------------------------------


def test_the_document_is_plain_and_whole(rows):
    found = dk.link(pair_of(rows, rows[:, ::-1]), side)
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert document["schema"] == "driftkit.link/1"
    assert document["flips"]["flipped"] == found.flips.flipped
    assert document["map"]["map"] == "rotation"
    assert "Search across the two spaces" in repr(found)
