"""DriftBench: its measures by other formulas, its analysis on frames with known answers."""

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr

from benchmarks.predict import analysis, combine, consumers, measures

TASKS, MODELS, RECIPES, SEEDS = ("mr", "sst2", "trec"), ("mlp", "cnn"), 12, 3


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def frame(rng, noise):
    """Cells whose outcome is a drift that seeds share, and noise of their own."""
    cells = pd.MultiIndex.from_product(
        [TASKS, MODELS, [1.0], [f"recipe {n}" for n in range(RECIPES)], range(SEEDS)],
        names=["task", "model", "fraction", "recipe", "seed"],
    ).to_frame(index=False)
    drift = np.repeat(rng.normal(size=len(cells) // SEEDS), SEEDS)
    return cells.assign(
        outcome=drift + noise * rng.normal(size=len(cells)),
        true=drift,
        other=rng.normal(size=len(cells)),
    )


def test_distance_correlation_by_sums_over_pairs_and_triples(rng):
    x, y = rng.normal(size=(30, 3)), rng.normal(size=(30, 2))
    y += x[:, :2]

    def covariance(a, b):
        # Szekely & Rizzo 2009: the mean of a b, less twice that over shared rows, and of each.
        triples = (a.sum(axis=1) * b.sum(axis=1)).sum() / len(a) ** 3
        return (a * b).mean() - 2 * triples + a.mean() * b.mean()

    a, b = cdist(x, x), cdist(y, y)
    expected = np.sqrt(covariance(a, b) / np.sqrt(covariance(a, a) * covariance(b, b)))
    assert measures.distance_correlation(x, y) == pytest.approx(expected)
    assert measures.distance_correlation(x, 3 * x) == pytest.approx(1)


def test_rdm_drift_is_one_less_the_rank_correlation_of_cosine_distances(rng):
    x = rng.normal(size=(40, 5))
    turned = x @ np.linalg.qr(rng.normal(size=(5, 5)))[0]
    assert measures.rdm_drift(x, 2 * turned) == pytest.approx(0)
    y = x + rng.normal(size=x.shape)
    pairs = np.triu_indices(len(x), 1)
    expected = 1 - spearmanr(cdist(x, x, "cosine")[pairs], cdist(y, y, "cosine")[pairs])[0]
    assert measures.rdm_drift(x, y) == pytest.approx(expected)


def test_one_direction_has_rank_one_and_one_shift_is_common(rng):
    x = rng.normal(size=(50, 6))
    along = measures.of_differences(x, x + np.outer(rng.normal(size=50), np.ones(6)))
    for name in ("effective rank", "stable rank", "participation ratio", "first direction"):
        assert along[f"drift {name}"] == pytest.approx(1)
    assert measures.of_differences(x, x + 0.5)["drift common shift"] == pytest.approx(1)
    assert measures.of_differences(x, 3 * x)["drift norm, relative"] == pytest.approx(2)


def test_words_weigh_as_often_as_texts_use_them():
    values = np.array([1.0, 0.0, np.nan, 0.5])
    assert measures.weighted(values, np.array([3, 1, 9, 0])) == 0.75
    assert np.isnan(measures.weighted(values, np.zeros(4)))


def test_texts_that_stay_have_no_drift_and_those_that_swap_sides_flip(rng):
    x = np.column_stack([np.r_[-np.ones(20), np.ones(20)], rng.normal(size=40) / 9])
    x += rng.normal(size=x.shape) / 99
    still = measures.of_texts(x, x + 1e-9 * rng.normal(size=x.shape))
    assert still["text cka"] == pytest.approx(1)
    assert still["text rdm_drift"] == pytest.approx(0, abs=1e-6)
    assert still["text random flips"] == pytest.approx(0, abs=1e-3)
    swapped = measures.of_texts(x, x * [-1, 1])
    assert swapped["text flips"] == swapped["text flips, fixed"] == 1


def test_retrieval_does_not_find_the_query_and_counts_what_is_no_longer_found(rng):
    x = rng.normal(size=(40, 5))
    found = consumers.ten_nearest(x, x)
    assert found.shape == (40, 10)
    assert not (found == np.arange(40)[:, None]).any()
    cosines = 1 - cdist(x, x, "cosine")
    assert (np.sort(found[3]) == np.sort(np.argsort(-cosines[3])[1:11])).all()
    assert consumers.changed_neighbors(found, consumers.ten_nearest(9 * x, x)) == 0
    assert consumers.changed_neighbors(np.array([[1, 2]]), np.array([[2, 3]])) == 0.5


def test_rank_correlations_are_those_of_scipy(rng):
    x, y = rng.integers(5, size=(30, 3)), rng.integers(5, size=30)
    expected = [spearmanr(column, y).statistic for column in x.T]
    assert analysis.spearman(x, y) == pytest.approx(expected)
    assert np.isnan(analysis.spearman(np.ones((30, 1)), y)[0])


def test_a_measure_within_recipes_is_not_carried_by_recipes(rng):
    cells = frame(rng, 0).assign(between=lambda f: f["recipe"].str[7:].astype(int))
    cells["outcome"] = cells["between"] * 10 - cells["true"]
    table = analysis.table_of(cells, "outcome", ["between", "true"]).set_index("measure")
    assert table.loc["between", "all"] > 0.9
    assert np.isnan(table.loc["between", "within recipes"])
    assert table.loc["true", "within recipes"] == pytest.approx(-1)


def test_the_held_out_task_has_no_say_in_the_choice(rng):
    cells = frame(rng, 0)
    trec = cells["task"] == "trec"
    cells["elsewhere"] = np.where(trec, cells["other"], cells["true"])  # worth nothing on trec
    cells["there"] = np.where(trec, cells["true"], cells["other"])  # worth nothing but on trec
    found = analysis.held_out(cells, "outcome", ["elsewhere", "there"]).set_index("task")
    assert found.loc["trec", "measure"] == "elsewhere"
    assert abs(found.loc["trec", "held out"]) < 0.4
    assert found.loc["trec", "others"] == pytest.approx(1)


def test_intervals_resample_settings_within_tasks(rng):
    cells = frame(rng, 0.1)
    for places in analysis.draws(cells, 5):
        drawn = cells.iloc[places]
        assert len(drawn) == len(cells)
        sizes = drawn.groupby(["task", "model"]).size()
        assert (sizes % (RECIPES * SEEDS) == 0).all()
        assert (drawn.groupby("task").size() == len(MODELS) * RECIPES * SEEDS).all()
    (low, high), _ = np.percentile(
        analysis.resampled(cells, "outcome", ["true", "other"], 50), [2.5, 97.5], axis=0
    ).T
    assert 0.9 < low < high <= 1


@pytest.mark.parametrize("noise", [0.3, 1.0])
def test_the_ceiling_is_what_the_truth_reaches(rng, noise):
    cells = pd.concat(
        [frame(rng, noise).assign(fraction=fraction) for fraction in np.linspace(0.1, 1, 8)]
    ).reset_index(drop=True)
    reached = analysis.spearman(cells[["true"]].to_numpy(), cells["outcome"].to_numpy())[0]
    found = analysis.ceilings(cells, "outcome", 20).set_index("over")
    assert found.loc["all", "root"] == pytest.approx(reached, abs=0.03)
    assert found.loc["all", "simulated"] == pytest.approx(reached, abs=0.06)
    assert found.loc["all", "seeds"] == pytest.approx(reached**2, abs=0.06)


def test_a_combination_finds_two_parts_and_never_turns_a_measure_round(rng):
    cells = frame(rng, 0)
    cells["first"], cells["second"] = rng.normal(size=(2, len(cells)))
    cells["outcome"] = 1 / (1 + np.exp(-(cells["first"] + cells["second"]))) * 0.5
    made, weights = combine.predictions(cells, "outcome", ["first", "second", "other"])
    assert analysis.by_task(cells, made[:, None], cells["outcome"].to_numpy())[0] > 0.95
    assert (weights.to_numpy() >= 0).all()
    one = combine.gain(cells, "outcome", made, cells["first"].to_numpy(), 30)
    assert one["low"] > 0
    none = combine.gain(cells, "outcome", made, made, 30)
    assert none["low"] == none["high"] == none["difference"] == 0


def test_standings_are_shares_of_the_training_tables():
    among = np.array([[1.0], [2.0], [2.0], [4.0]])
    assert combine.standing(np.array([[0.0], [2.0], [9.0]]), among).ravel().tolist() == [0, 0.5, 1]
