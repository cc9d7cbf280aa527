"""DriftBench: its measures by other formulas, its analysis on frames with known answers."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr
from scipy.stats import t as student

from benchmarks.predict import analysis, combine, consumers, measures, report, resi, summary
from driftkit import Embeddings

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


def test_intervals_are_over_settings_within_tasks(rng):
    cells = frame(rng, 0.1)
    x, y = cells[["true", "other"]].to_numpy(), cells["outcome"].to_numpy()
    without, tasks = analysis.spread(cells, x, y)
    assert without.shape == (len(TASKS) * len(MODELS), 2)
    left = cells[(cells["task"] != "trec") | (cells["model"] != "cnn")].reset_index(drop=True)
    at = [*cells.groupby(analysis.SETTING).indices].index(("trec", "cnn", 1.0))
    expected = analysis.by_task(
        left, left[["true", "other"]].to_numpy(), left["outcome"].to_numpy()
    )
    assert without[at] == pytest.approx(expected)
    assert tasks[at] == "trec"


def test_the_jackknife_of_a_mean_is_student_s_interval(rng):
    """Each task's value is the mean of its settings; what is found is the mean over tasks."""
    values = rng.normal(size=(3, 5))
    tasks = np.repeat(TASKS, 5)
    without = np.array(
        [
            (values.mean(axis=1).sum() - values[t].mean() + np.delete(values[t], i).mean()) / 3
            for t in range(3)
            for i in range(5)
        ]
    )
    error = np.sqrt((values.var(axis=1, ddof=1) / 5).sum()) / 3
    expected = student.ppf(0.975, 12) * error
    assert analysis.half(without[:, None], tasks) == pytest.approx([expected])


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


def test_a_lead_is_of_strengths_and_none_over_itself(rng):
    cells = frame(rng, 0.1)
    cells = cells.assign(turned=-cells["true"])
    strength = summary.Strength(cells, "outcome", ["turned", "true", "other"])
    assert strength.lead("turned", "other")["low"] > 0
    assert set(strength.lead("turned", "true").values()) == {0}


def test_standings_are_shares_of_the_training_tables():
    among = np.array([[1.0], [2.0], [2.0], [4.0]])
    assert combine.standing(np.array([[0.0], [2.0], [9.0]]), among).ravel().tolist() == [0, 0.5, 1]


def test_a_cell_is_trained_once_measured_and_nothing_changes_where_nothing_moved(rng, tmp_path):
    from benchmarks.forgetting.cell import Cell
    from benchmarks.predict import measuring, tables

    words = [f"word{n}" for n in range(40)]
    lines = [
        f"{n % 2} {' '.join(rng.choice(words, 4))} {['bad', 'good'][n % 2]}" for n in range(150)
    ]
    (tmp_path / "rt-polarity.all").write_text("\n".join(lines) + "\n")
    vectors = Embeddings([*words, "good", "bad"], rng.normal(size=(42, 8)).astype(np.float32))
    setting = measuring.Setting(vectors, "mr", 1.0, 0, tmp_path)
    rows = {}
    with torch.random.fork_rng():
        for recipe in ("frozen", "tuned-1e-2"):
            cell = Cell("mr", "mlp", recipe, 0, 1.0, 2, 42)
            tables.keep(tables.path_of(tmp_path, cell), cell, vectors, tmp_path)
            rows[recipe] = measuring.row_of(tmp_path, cell, setting)
    assert {rows["frozen"][consumer] for consumer in consumers.CONSUMERS} == {0}
    assert rows["frozen"]["pip_loss[all]"] == rows["frozen"]["moved share"] == 0
    assert rows["tuned-1e-2"]["moved share"] > 0.9
    assert rows["tuned-1e-2"]["l2[moved]"] > 0
    assert set(rows["frozen"]) <= set(rows["tuned-1e-2"])


@pytest.fixture(scope="module")
def summed():
    return json.loads(summary.SUMMARY.read_text())


def test_the_page_says_what_the_summary_says(summed):
    assert report.PAGE.read_text() == report.page_of(summed, pd.read_csv(resi.PUBLISHED))


def test_the_summary_says_what_the_results_say(summed):
    """To six digits, but for intervals, which take minutes, and predictions of trees."""
    cells = analysis.tuned(pd.read_csv(summary.RESULTS))
    names = analysis.measures_of(cells)
    assert summed["counts"]["tuned"] == len(cells)
    assert summed["counts"]["measures"] == len(names)
    for view, consumer, some in summary.views(cells):
        written = pd.DataFrame(row for row in summed["ranking"] if row["view"] == view)
        table = analysis.table_of(some, consumer, written["measure"])
        for column in ("all", "trec", "within tasks", "within recipes", "within settings"):
            expected = written[column].astype(float).to_numpy()
            assert table[column].to_numpy() == pytest.approx(expected, abs=2e-6, nan_ok=True)
        for row in summed["held out"]:
            if row["view"] == view and row["way"] == "single":
                chosen = analysis.held_out(some, consumer, summary.of_set(names, row["from"]))
                assert dict(zip(chosen["task"], chosen["measure"], strict=True)) == row["of"]
                for task, value in zip(chosen["task"], chosen["held out"], strict=True):
                    assert abs(value) == pytest.approx(row[task])


def test_intervals_hold_what_they_are_of(summed):
    for row in summed["held out"]:
        assert row["low"] <= row["high"]
        assert row["way"] != "single" or row["difference"] == row["low"] == row["high"] == 0


def test_resi_s_language_figures_are_means_of_its_four_sets():
    found = pd.read_csv(resi.PUBLISHED).set_index("measure").mean(axis=1)
    assert found.round(3).to_dict() == {
        "RSA": 0.773, "distance correlation": 0.766, "CKA": 0.757, "Procrustes": 0.720,
        "Jaccard": 0.646,
    }  # fmt: skip
