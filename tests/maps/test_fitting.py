"""A map is given where one mends the link, and refused where none does."""

import numpy as np
import pytest

import driftkit as dk
from driftkit.errors import OptionError
from driftkit.maps.affine import families


def rotation(d, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0]


# --- what one map made is undone by it ------------------------------------------------------------


@pytest.mark.parametrize("name", ["scale", "translation", "rotation", "affine"])
def test_what_a_map_made_its_inverse_undoes(name, space, pair_of):
    rng = np.random.default_rng(3)
    tuned = {
        "scale": 3 * space,
        "translation": space + rng.normal(size=8),
        "rotation": space @ rotation(8),
        "affine": space @ (np.eye(8) + 0.3 * rng.normal(size=(8, 8))) + 1,
    }[name]
    found = dk.fit_map(pair_of(tuned))
    assert found.affine.name == name
    assert found(tuned) == pytest.approx(space, abs=1e-5)
    assert found.evidence.found[1] == 1


def test_a_map_of_low_rank_is_found_where_rows_moved_in_two_directions(space, pair_of):
    rng = np.random.default_rng(4)
    directions, weights = rng.normal(size=(2, 8)), rng.normal(size=(8, 2))
    found = dk.fit_map(pair_of(space + 0.3 * space @ weights @ directions))
    assert found.affine.name == "rank-2 affine"


@pytest.mark.parametrize("to", ["original", "tuned"])
def test_the_direction_is_the_one_asked_for(to, space, pair_of):
    tuned = space @ rotation(8)
    there = dk.fit_map(pair_of(tuned), to=to)
    source, target = (tuned, space) if to == "original" else (space, tuned)
    assert there.to == to
    assert there(source) == pytest.approx(target, abs=1e-5)


@pytest.mark.parametrize("width", [5, 12])
def test_widths_may_differ(width, space, pair_of):
    tuned = (space @ rotation(8))[:, :5] if width == 5 else space @ rotation(12)[:8]
    pair = pair_of(tuned)
    back = dk.fit_map(pair, to="tuned" if width == 5 else "original")
    source, target = (space, tuned) if width == 5 else (tuned, space)
    assert back(source) == pytest.approx(target, abs=1e-4)


def test_only_rows_that_moved_are_fitted_and_mapped(space, pair_of):
    tuned = space.copy()
    tuned[:200] = space[:200] @ rotation(8)
    found = dk.fit_map(pair_of(tuned))
    assert found.names == {f"w{row}" for row in range(200)}
    mapped = found.apply(pair_of(tuned).tuned).matrix
    assert mapped == pytest.approx(space, abs=1e-5)


def test_rows_that_a_map_takes_from_their_place_are_told(space, pair_of):
    tuned = space @ rotation(8)
    tuned[::20] = space[::20] + 0.05 * np.random.default_rng(0).normal(size=(30, 8))
    found = dk.fit_map(pair_of(tuned))
    before, after = found.evidence.found
    assert found.evidence.lost > max(0, before - after)
    assert f"{found.evidence.lost:.1%} lose theirs by it" in " ".join(repr(found).split())
    whole = dk.fit_map(pair_of(space @ rotation(8)))
    assert whole.evidence.lost == 0
    assert "lose" not in repr(whole)


@pytest.mark.parametrize("m", [30, 60, 120])
def test_few_rows_of_many_dimensions_do_not_make_a_map_wild(m):
    """A rotation fits few rows perfectly and others not at all, so nothing is built on it."""
    rng = np.random.default_rng(0)
    original = rng.normal(size=(500, 40))
    tuned = original @ (np.eye(40) + 0.05 * rng.normal(size=(40, 40)))
    made = {each.name: each for each in families(tuned[:m], original[:m], np.ones(m))}
    left = np.square(made["affine, ridge 1"](tuned[m:]) - original[m:]).sum()
    assert left < 0.9 * np.square(tuned[m:] - original[m:]).sum()


def test_the_order_of_rows_says_nothing(space):
    tuned = space @ (np.eye(8) + 0.2 * np.ones((8, 8)))
    words = np.array([f"w{row}" for row in range(len(space))])
    order = np.random.default_rng(1).permutation(len(space))
    one, other = (
        dk.fit_map(
            dk.align(
                dk.Embeddings(words[rows], space[rows]), dk.Embeddings(words[rows], tuned[rows])
            )
        )
        for rows in (np.arange(len(space)), order)
    )
    assert one.affine.name == other.affine.name
    assert one.affine.matrix == pytest.approx(other.affine.matrix, abs=1e-6)


# --- what no map can mend is refused --------------------------------------------------------------


def planted(kind, size, seed, space):
    rng = np.random.default_rng(seed)
    if kind == "rows exchanged":
        return space[rng.permutation(len(space))]
    if kind == "some rows exchanged":
        some = rng.permutation(len(space))[: max(40, int(size * 300))]
        tuned = space.copy()
        tuned[some] = space[rng.permutation(some)]
        return tuned
    steps = rng.normal(size=space.shape)
    if kind == "a step of each row's own size":
        lengths = np.linalg.norm(space, axis=1, keepdims=True)
        steps *= lengths / np.linalg.norm(steps, axis=1, keepdims=True)
    elif kind == "signs":
        steps = np.sign(steps) * (rng.random(space.shape) < 0.5)
    elif kind == "new rows":
        return rng.permuted(space, axis=0)
    return space + size * steps


KINDS = (
    "rows exchanged", "some rows exchanged", "noise", "a step of each row's own size", "signs",
    "new rows",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [0.1, 0.3, 0.7, 1.5])
def test_rows_that_moved_each_its_own_way_have_no_map(kind, size, space, pair_of):
    for seed in range(2):
        found = dk.fit_map(pair_of(planted(kind, size, seed, space)))
        assert not found
        assert "find their place" in found.reason or "each its own way" in found.reason


def test_a_map_is_not_needed_where_nothing_moved(space, pair_of):
    assert dk.fit_map(pair_of(space)).reason == "none is needed, no row moved"
    near = dk.fit_map(pair_of(space * 1.0001))
    assert near.reason == (
        "none is needed, rows moved by less than a hundredth of their length, and are found where "
        "they were"
    )


def test_a_few_rows_are_too_few(space, pair_of):
    tuned = space.copy()
    tuned[:5] += 1
    assert dk.fit_map(pair_of(tuned)).reason.startswith("5 moved rows have a direction")


# --- a consumer decides ---------------------------------------------------------------------------


def sides(rows):
    """Decide on which side of a plane a row lies."""
    return rows @ np.arange(1, 9) > 20


def test_a_consumer_that_gets_its_decisions_back(space, pair_of):
    found = dk.fit_map(pair_of(space @ rotation(8)), consumer=sides)
    before, after = found.evidence.flips
    assert before.flipped > 0.1
    assert after.flipped == 0
    assert after.n == 300  # half of the rows had no say


def test_a_map_that_leaves_the_flips_is_refused(space, pair_of):
    rng = np.random.default_rng(0)
    crafted = np.arange(1, 9) / np.linalg.norm(np.arange(1, 9))
    # All rows are shifted across the plane's normal, which a map undoes; along it they are mixed.
    tuned = space + 3 * (np.ones(8) - crafted.sum() * crafted)
    tuned += np.outer(rng.permutation(space @ crafted) - space @ crafted, crafted)
    found = dk.fit_map(pair_of(tuned), consumer=sides)
    assert not found
    assert "the consumer decides" in found.reason


@pytest.mark.parametrize("kind", KINDS)
def test_decisions_drawn_to_the_commonest_one_are_not_taken_back(kind, space, pair_of):
    """Nine in ten rows are decided alike, and so is what a map draws to the mean."""
    plane = np.arange(1, 9)
    bound = np.quantile(space @ plane, 0.9)
    pair = pair_of(planted(kind, 1.5, 0, space))
    found = dk.fit_map(pair, consumer=lambda rows: rows @ plane > bound)
    assert not found
    assert "the consumer decides" in found.reason


@pytest.mark.parametrize("share", [0.95, 0.9])
def test_a_rare_decision_is_given_back_where_one_row_for_all_would_give_it_too(
    share, space, pair_of
):
    """Only rows of the rare decision moved: their mean is of it too, and so shows nothing."""
    plane = np.arange(1, 9)
    bound = np.quantile(space @ plane, share)
    over = np.maximum(space @ plane - bound, 0)[:, None]
    own = 0.1 * (over > 0) * np.random.default_rng(0).normal(size=space.shape)
    pair = pair_of(space - 2 * over * plane / (plane @ plane) - 1e-3 * (over > 0) * plane + own)
    found = dk.fit_map(pair, consumer=lambda rows: rows @ plane > bound)
    assert found
    before, _ = found.evidence.flips
    assert before.flipped > 0.7 * (1 - share)
    assert found.evidence.unseen.flipped < 0.2 * before.flipped


def test_a_step_that_a_consumer_notices_is_never_too_short_for_a_map(space, pair_of):
    unit = space / np.linalg.norm(space, axis=1, keepdims=True)
    words = [f"w{row}" for row in range(len(unit))]
    pair = dk.align(dk.Embeddings(words, unit), dk.Embeddings(words, 1.009 * unit))
    assert not dk.fit_map(pair)
    found = dk.fit_map(pair, consumer=lambda rows: np.linalg.norm(rows, axis=1) > 1.0045)
    assert found.affine.name == "scale"
    assert [each.flipped for each in found.evidence.flips] == [1, 0]


def test_a_consumer_that_decides_as_it_did_needs_no_map(space, pair_of):
    tuned = space * np.where(np.arange(8) == 0, 1, 2)
    found = dk.fit_map(pair_of(tuned), consumer=lambda rows: rows[:, 0] > 0.5)
    assert found.reason == "none is needed, the consumer decides all of 300 inputs as it did"


def test_rows_that_became_zero_are_zero_to_a_consumer_of_the_map_too(space, pair_of):
    tuned = space @ rotation(8)
    tuned[::4] = 0
    pair = pair_of(tuned)
    found = dk.fit_map(pair, consumer=sides)
    assert found.evidence.zeros == 150
    mapped = found.apply(pair.tuned).matrix
    assert not mapped[::4].any()
    truly = (sides(mapped) != sides(pair.before)).mean()
    new = found.evidence.flips[1]
    assert truly > 0.05
    assert new.low <= truly <= new.high


def test_rows_count_as_often_as_the_inputs_hold_them(space, pair_of):
    """Rows that inputs hold moved by one map, the many others by another: the first is found."""
    tuned = space @ rotation(8)
    tuned[:120] = space[:120] + 2
    words = [f"w{row}" for row in range(120)]
    found = dk.fit_map(pair_of(tuned), consumer=sides, inputs=[[word] for word in words] * 20)
    before, after = found.evidence.flips
    assert before.flipped > 0.5
    assert after.flipped < 0.2


def test_inputs_that_repeat_are_no_more_evidence_for_a_map(space, pair_of):
    pair = pair_of(space + 0.7 * np.random.default_rng(2).normal(size=space.shape))
    for seed in range(10):
        some = np.random.default_rng(seed).choice(600, 8, replace=False)
        found = dk.fit_map(pair, consumer=sides, inputs=[[f"w{row}"] for row in some] * 60)
        assert not found


def test_words_with_equal_rows_are_one_row_to_fit_on(space, pair_of):
    rows = space.copy()
    rows[15:] = rows[15]
    words = [f"w{row}" for row in range(600)]
    pair = dk.align(dk.Embeddings(words, rows), dk.Embeddings(words, 2 * rows))
    assert dk.fit_map(pair).reason.startswith(
        "16 moved rows have a direction on both sides and dif"
    )


# --- options --------------------------------------------------------------------------------------


def test_natural_mistakes(space, pair_of):
    pair = pair_of(2 * space)
    with pytest.raises(OptionError, match="dk.fit_map takes a pair, and a table was given"):
        dk.fit_map(pair.tuned)
    with pytest.raises(OptionError, match="a map leads to original or to tuned"):
        dk.fit_map(pair, to="old")
    with pytest.raises(OptionError, match="a consumer reads original vectors"):
        dk.fit_map(pair, to="tuned", consumer=sides)
    with pytest.raises(OptionError, match="inputs are what a consumer decides about"):
        dk.fit_map(pair, inputs=["w1 w2"])


def test_families_come_from_simple_to_rich():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 12))
    made = list(families(x, x + rng.normal(size=x.shape), np.ones(300)))
    counts = [each.parameters for each in made]
    assert counts[:2] == [1, 12]
    assert len({each.name for each in made}) == len(made)
    assert counts == sorted(counts) or counts[2] == 78  # a rotation lies among the low ranks
