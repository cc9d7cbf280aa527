"""What must hold of every measure by name, whatever the tables: each law is drawn, not one case."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group

from driftkit import Embeddings, align
from driftkit.drift.space import space_drift
from driftkit.drift.words import word_drift
from driftkit.measures.registry import REGISTRY, requested_measures
from driftkit.neighbors.optional_measures import OPTIONAL, shifts_with_measures

HUBS = ("hubness_skewness", "largest_hub", "antihub_share")
ASKED = [*OPTIONAL, *HUBS, "displacement", "displacement(center=1)", "displacement(anchors=1000)"]
OURS = [each for each in REGISTRY.values() if each.kind in ("word", "space")]
"""What driftkit brings along, before any test registers more."""
UNCHANGED = {each.name: each.identity for each in OURS if each.identity is not None}
"""What each measure that compares reads where nothing changed."""
LOOSE = {"procrustes_angle": 2e-3, "pip_loss": 1e-5}
"""Roots of what rounding leaves."""
ROTATION_SEEN = {"self_cosine", "l2", "relative_l2", "displacement"}
SHIFT_KEPT = {"l2", "cka", "debiased_cka", "procrustes", "procrustes_angle", "isoscore",
              "effective_rank", "stable_rank", "participation_ratio"}  # fmt: skip

SEEDS = st.integers(0, 2**32 - 1)
quick = settings(max_examples=25, deadline=None)


def pair_of(before, after):
    words = [f"w{row}" for row in range(len(before))]
    return align(Embeddings(words, before), Embeddings(words, after))


def words_of(before, after, k):
    """Every per-word measure (n,) by name."""
    pair, asked = pair_of(before, after), requested_measures(ASKED, k)
    shifts, _ = shifts_with_measures(pair, pair.words, k, asked)
    return {**word_drift(pair, asked).values, **shifts.values}


def space_of(before, after, k):
    """Every measure of the space over all rows, by name and table."""
    pair, asked = pair_of(before, after), requested_measures(ASKED, k)
    _, hubs = shifts_with_measures(pair, pair.words, k, asked)
    figures = (*space_drift(pair), *hubs)
    return {(each.measure, each.of): each.value for each in figures if each.group == "all"}


def name_of(measure):
    return measure.split("@")[0].split("(")[0]


def equal(found, expected, tolerance=1e-6):
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, tolerance, tolerance, err_msg=str(name))


@st.composite
def tables(draw, least=12, ties=True):
    """An original and a tuned table: plain, or full of ties, duplicates and zero rows; some rows
    stayed.
    """
    n, d = draw(st.integers(least, 40)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if ties and draw(st.booleans()):
        make = lambda: rng.integers(-1, 2, (n, d)).astype(np.float32)  # noqa: E731
    else:
        make = lambda: rng.normal(size=(n, d)).astype(np.float32)  # noqa: E731
    before, after = make(), make()
    stayed = rng.random(n) < draw(st.sampled_from([0, 0.5, 0.9]))
    after[stayed] = before[stayed]
    return before, after, draw(st.sampled_from([1, 3, 10, 60]))


def test_every_measure_of_words_and_spaces_is_held_to_the_laws():
    before = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    taken = {name_of(name) for name in words_of(before, before, 3)}
    taken |= {name_of(name) for name, _ in space_of(before, before, 3)}
    assert taken == {each.name for each in OURS}
    describing = {name_of(name) for name, of in space_of(before, before, 3) if of != "pair"}
    assert taken - describing == UNCHANGED.keys()


@given(tables(least=1))
@quick
def test_identity(case):
    """What did not change reads so to the last bit, whatever the processor."""
    before, _, k = case
    for name, values in words_of(before, before.copy(), k).items():
        assert (values[~np.isnan(values)] == UNCHANGED[name_of(name)]).all(), name
    space = space_of(before, before.copy(), k)
    for (name, of), value in space.items():
        if of == "pair" and not np.isnan(value):
            assert value == UNCHANGED[name_of(name)], name
        if of == "tuned":
            np.testing.assert_array_equal(value, space[name, "original"])


@given(tables(), st.integers(1, 5))
@quick
def test_identity_in_every_group_that_did_not_change(case, band):
    """Rows that never changed read so, among others that did, and so does a band of them."""
    before, after, _ = case
    after[:band] = before[:band]
    pair = pair_of(before, after)
    words = word_drift(pair, requested_measures(["displacement"], 1))
    for name, values in words.values.items():
        known = ~pair.changed & ~np.isnan(values)
        assert (values[known] == UNCHANGED[name_of(name)]).all(), name
    tuned = {}
    for each in space_drift(pair, bands=[band]):
        if each.group in ("unmoved", f"rank 1-{band}") and not np.isnan(each.value):
            if each.of == "pair":
                assert each.value == UNCHANGED[each.measure], (each.measure, each.group)
            else:
                first = tuned.setdefault((each.measure, each.group), each.value)
                assert each.value == first, (each.measure, each.group)


@given(tables())
@quick
def test_range(case):
    for name, values in words_of(*case).items():
        measure = REGISTRY[name_of(name)]
        known = values[~np.isnan(values)]
        assert ((measure.low <= known) & (known <= measure.high)).all(), name
    for (name, _), value in space_of(*case).items():
        measure = REGISTRY[name_of(name)]
        assert np.isnan(value) or measure.low <= value <= measure.high, name


@given(tables(ties=False), SEEDS)
@quick
def test_permutation(case, seed):
    before, after, k = case
    order = np.random.default_rng(seed).permutation(len(before))
    found = words_of(before[order], after[order], k)
    # In one dimension there are only two directions, and which of equals is near goes by place.
    if before.shape[1] > 1:
        equal(found, {name: v[order] for name, v in words_of(before, after, k).items()})
        equal(space_of(before[order], after[order], k), space_of(before, after, k), 1e-5)


@given(tables(), SEEDS)
@quick
def test_rotation_of_both(case, seed):
    """Swapping and reflecting axes is a rotation that float32 holds exactly."""
    before, after, k = case
    rng = np.random.default_rng(seed)
    axes = rng.permutation(before.shape[1])
    signs = rng.choice(np.array([-1, 1], np.float32), len(axes))
    turned = before[:, axes] * signs, after[:, axes] * signs
    found, expected = words_of(*turned, k), words_of(before, after, k)
    # Sums in another order round differently, and cosines that tie may then part.
    for name in ("l2", "relative_l2", "norm_ratio", "self_cosine"):
        np.testing.assert_allclose(found[name], expected[name], atol=1e-6, err_msg=name)
    space = space_of(*turned, k)
    for key, value in space_of(before, after, k).items():
        if name_of(key[0]) not in HUBS:
            close = max(LOOSE.get(key[0], 0), 1e-5)
            assert space[key] == pytest.approx(value, abs=close, nan_ok=True), key


@given(tables(ties=False), SEEDS)
@quick
def test_rotation_of_one_keeps_company_and_shape(case, seed):
    before, _, k = case
    d = before.shape[1]
    if d == 1:
        return
    after = before @ ortho_group.rvs(d, random_state=seed)
    for name, values in words_of(before, after, k).items():
        if name_of(name) not in ROTATION_SEEN and not np.isnan(values).all():
            atol = 0.2 if "overlap" in name or name_of(name) in ("rbo", "jaccard") else 1e-4
            median = np.nanmedian(np.abs(values - UNCHANGED[name_of(name)]))
            assert median <= atol, name  # rounding may swap a near tie
    anchored = words_of(before, after, k)["displacement(center=0,anchors=1000)"]
    assert np.nanmax(anchored) < 1e-5
    for (name, of), value in space_of(before, after, k).items():
        if of == "pair" and not np.isnan(value):
            expected = UNCHANGED[name_of(name)]
            assert value == pytest.approx(expected, abs=max(LOOSE.get(name, 0), 1e-4)), name


@given(tables(), st.sampled_from([0.25, 2.0, 64.0]))
@quick
def test_scaling(case, factor):
    """A power of two is exact, so what does not depend on scale keeps every bit."""
    before, after, k = case
    plain = words_of(before, after, k)
    both, one = words_of(factor * before, factor * after, k), words_of(before, factor * after, k)
    of_size = {"l2", "relative_l2", "norm_ratio"}
    for name, values in plain.items():
        if name_of(name) not in of_size | {"displacement"}:
            np.testing.assert_array_equal(both[name], values, err_msg=name)
            np.testing.assert_array_equal(one[name], values, err_msg=name)
    np.testing.assert_allclose(both["l2"], factor * plain["l2"])
    np.testing.assert_allclose(one["norm_ratio"], factor * plain["norm_ratio"])
    space, scaled = space_of(before, after, k), space_of(before, factor * after, k)
    for (name, of), value in space.items():
        if name not in ("procrustes", "pip_loss", "partition_isotropy", "eigenspace_instability"):
            close = max(LOOSE.get(name, 0), 1e-6)
            assert scaled[name, of] == pytest.approx(value, abs=close, nan_ok=True), name


@given(tables(), st.sampled_from([-2.0, 1.0, 8.0]))
@quick
def test_translation(case, step):
    before, after, k = case
    plain, moved = (words_of(before + s, after + s, k) for s in (0, step))
    for name in ("l2", "displacement(center=1,anchors=0)"):
        known = ~np.isnan(plain[name]) & ~np.isnan(moved[name])
        far = known & (np.linalg.norm(before - before.mean(axis=0), axis=1) > 0.1)
        far &= np.linalg.norm(after - after.mean(axis=0), axis=1) > 0.1
        np.testing.assert_allclose(moved[name][far], plain[name][far], atol=1e-3, err_msg=name)
    space, shifted = (space_of(before + s, after + s, k) for s in (0, step))
    for (name, of), value in space.items():
        if name in SHIFT_KEPT and not np.isnan(value + shifted[name, of]):
            close = max(LOOSE.get(name, 0), 1e-3)
            assert shifted[name, of] == pytest.approx(value, abs=close, rel=1e-3), name


@given(tables(ties=False))
@quick
def test_duplicates(case):
    """A word's twin is as near as can be, and stands in for it everywhere."""
    before, after, k = case
    pair = pair_of(np.repeat(before, 2, axis=0), np.repeat(after, 2, axis=0))
    asked = requested_measures(ASKED, k)
    shifts, _ = shifts_with_measures(pair, pair.words, k, asked)
    assert (shifts.before_cosine[:, 0] == 1).all()
    if before.shape[1] > 1:
        twin = np.arange(len(pair)) ^ 1
        np.testing.assert_array_equal(shifts.before[:, 0], twin)
        np.testing.assert_array_equal(shifts.after[:, 0], twin)
    figures = word_drift(pair, asked).values
    for name, values in figures.items():
        np.testing.assert_array_equal(values[::2], values[1::2], err_msg=name)


@given(tables(), SEEDS)
@quick
def test_zero_rows(case, seed):
    """Rows without a direction have no figure, and are not there for any other word."""
    before, after, k = case
    keep = ~((before == 0).all(axis=1) | (after == 0).all(axis=1))
    before, after = before[keep], after[keep]
    if len(before) < 2:
        return
    at = np.sort(np.random.default_rng(seed).permutation(len(before) + 3)[:3])
    holes = [place - number for number, place in enumerate(at.tolist())]
    with_zero = [np.insert(table, holes, 0, axis=0) for table in (before, after)]
    found = words_of(*with_zero, k)
    rest = np.ones(len(with_zero[0]), bool)
    rest[at] = False
    for name, values in words_of(before, after, k).items():
        if "center=1" in name:
            continue  # a zero row counts in the mean
        np.testing.assert_allclose(found[name][rest], values, atol=1e-9, err_msg=name)
        if name_of(name) not in ("l2", "k_occurrence_change"):
            assert np.isnan(found[name][at]).all(), name
