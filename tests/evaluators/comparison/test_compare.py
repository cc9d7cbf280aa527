from __future__ import annotations

import json
import math

import numpy as np
import pytest

from driftkit.datasets import AnalogyBenchmark, SimilarityBenchmark
from driftkit.embeddings import Embeddings
from driftkit.errors import OptionError, UnknownNameError
from driftkit.evaluators import ScoreChanges, compare_scores, score
from driftkit.evaluators.analogy.search import Answers
from driftkit.pair import Pair, align
from driftkit.provenance import Rounding, Source

KEYS = {
    "name", "measure", "n_total", "n_used", "oov", "original", "tuned", "delta", "ci_low",
    "ci_high", "p_value", "p_holm", "status", "reason", "split",
}  # fmt: skip


def tuned_from(table: Embeddings, matrix: np.ndarray) -> Pair:
    return align(table, Embeddings(table.words, matrix.astype(np.float32)))


@pytest.fixture(scope="module")
def permuted(frequent: Embeddings) -> Pair:
    order = np.random.default_rng(1).permutation(len(frequent))
    return tuned_from(frequent, frequent.matrix[order])


@pytest.fixture(scope="module")
def rotated(frequent: Embeddings) -> Pair:
    rotation, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(50, 50)))
    return tuned_from(frequent, frequent.matrix @ rotation)


@pytest.fixture(scope="module")
def replaced(frequent: Embeddings) -> Pair:
    rng = np.random.default_rng(3)
    matrix = np.array(frequent.matrix)
    rows = rng.choice(len(matrix), len(matrix) // 20, replace=False)
    matrix[rows] = matrix[rng.permutation(rows)]
    return tuned_from(frequent, matrix)


@pytest.fixture(scope="module")
def of_replaced(replaced: Pair) -> ScoreChanges:
    return compare_scores(replaced)


def test_rows_permuted_among_words_lose_everything(permuted: Pair) -> None:
    changes = compare_scores(permuted)
    assert [change.status for change in changes] == ["lost"] * 3
    assert abs(changes["ws353"].tuned) < 0.2
    assert changes["google"].tuned < 0.01
    assert max(change.p_holm for change in changes) < 0.01


def test_one_rotation_loses_nothing(rotated: Pair) -> None:
    changes = compare_scores(rotated)
    assert [change.status for change in changes] == ["retained"] * 3
    assert max(abs(change.delta) for change in changes) < 1e-3
    assert all(change.split[0].n == 0 for change in changes)


def test_the_unmoved_split_is_a_control(of_replaced: ScoreChanges) -> None:
    changes = of_replaced
    for name in ("ws353", "simlex999"):
        none, some, _ = changes[name].split
        assert none.of == {"moved": "none"}
        assert none.n > 100
        assert none.delta == 0
        assert some.n > 10
        assert some.tuned < some.original
    for change in changes:
        assert sum(row.n for row in change.split) == change.n_used
        frame = change.items.to_frame()
        assert len(frame) == change.n_used
    pairs = changes["ws353"].items.to_frame()
    still = pairs[pairs.moved == 0]
    assert (still.original == still.tuned).all()
    moved = pairs[pairs.moved > 0]
    assert moved.rank_change.abs().mean() > still.rank_change.abs().mean()


def test_items_name_the_analogies_that_broke(of_replaced: ScoreChanges) -> None:
    change = of_replaced["google"]
    frame = change.items.to_frame()
    assert frame.broke.sum() - frame.mended.sum() == round(-change.delta * change.n_used)
    broke = frame[frame.broke]
    assert (broke.original == broke.d.str.lower()).all()
    assert (broke.tuned != broke.d.str.lower()).all()
    assert frame.original_correct.mean() == pytest.approx(change.original)


def test_both_sides_equal_a_score_over_the_shared_words(
    replaced: Pair, of_replaced: ScoreChanges
) -> None:
    changes = of_replaced
    for table, side in ((replaced.original, "original"), (replaced.tuned, "tuned")):
        alone = {(s.benchmark, s.measure): s for s in score(table) if s.category is None}
        for change in changes:
            single = alone[change.name, change.measure]
            assert getattr(change, side) == pytest.approx(single.value, abs=1e-12)
            assert (change.n_used, change.oov) == (single.n_used, single.oov)


def test_both_tables_answer_the_same_items_over_the_same_words(frequent: Embeddings) -> None:
    """A tuned table without every seventh word, in another order, and nothing else changed."""
    kept = np.random.default_rng(4).permutation(
        [row for row in range(len(frequent)) if row % 7 != 3]
    )
    tuned = Embeddings([frequent.words[row] for row in kept], frequent.matrix[kept])
    changes = compare_scores(align(frequent, tuned))
    for change in changes:
        assert change.delta == 0
        assert (change.ci_low, change.ci_high, change.p_value) == (0, 0, 1)
        assert (change.status, change.items_changeable) == ("not tested", 0)
        assert "no item of it has a word that moved" in str(change.reason)
        assert change.oov
        lost = change.items_lost_from_set
        assert 0 < lost.count <= change.n_total - change.n_used
        assert set(lost.removed) <= set(change.oov)
        assert lost.zeroed == ()


def test_the_same_with_the_same_seed_whatever_else_is_asked(replaced: Pair) -> None:
    alone = compare_scores(replaced, "simlex999", seed=7)["simlex999"]
    among = compare_scores(replaced, ["ws353", "simlex999"], seed=7)["simlex999"]
    other = compare_scores(replaced, ["simlex999"], seed=8)["simlex999"]
    assert (alone.ci_low, alone.ci_high) == (among.ci_low, among.ci_high)
    assert (alone.ci_low, alone.ci_high) != (other.ci_low, other.ci_high)
    assert alone.ci_low <= alone.delta <= alone.ci_high


def test_the_memo_saves_the_search_of_the_original(
    replaced: Pair, rotated: Pair, of_replaced: ScoreChanges
) -> None:
    memo: dict = {}
    plain = of_replaced["google"]
    with_memo = compare_scores(replaced, ["google"], memo=memo)["google"]
    assert with_memo.to_dict() == plain.to_dict() | {"p_holm": with_memo.p_holm}
    (key,) = memo
    assert compare_scores(rotated, ["google"], memo=memo)["google"].original == plain.original
    assert len(memo) == 1
    memo[key] = Answers(np.full_like(memo[key].rows, -1), memo[key].scores)
    assert compare_scores(replaced, ["google"], memo=memo)["google"].original == 0


def toy(n: int, seed: int = 0) -> tuple[Embeddings, SimilarityBenchmark, AnalogyBenchmark]:
    rng = np.random.default_rng(seed)
    words = [f"w{i}" for i in range(40)]
    table = Embeddings(words, rng.normal(size=(40, 6)))
    chosen = rng.integers(0, 40, (n, 4))
    pairs = tuple((words[a], words[b]) for a, b, *_ in chosen)
    quadruples = tuple(tuple(words[i] for i in row) for row in chosen)
    return (
        table,
        SimilarityBenchmark("pairs", pairs, rng.normal(size=n)),
        AnalogyBenchmark("quads", quadruples, ("",) * n),
    )


def test_too_few_items_decide_nothing() -> None:
    table, pairs, quads = toy(9)
    changes = compare_scores(align(table, table), [pairs, quads])
    for change, least in zip(changes, (10, 100), strict=True):
        assert change.status == "not measured"
        assert f"needs {least} or more" in str(change.reason)
        assert math.isnan(change.ci_low)
        assert math.isnan(change.p_holm)
    entry = changes["pairs"].to_dict()
    assert entry["ci_low"] is None
    assert entry["original"] is not None
    assert len(toy(10)[1]) == 10
    table, pairs, _ = toy(10)
    assert not math.isnan(compare_scores(align(table, table), [pairs])["pairs"].ci_low)


def test_no_item_in_common() -> None:
    table, pairs, quads = toy(120)
    other = Embeddings(["w0", "other"], np.ones((2, 6)))
    changes = compare_scores(align(table, other), [pairs, quads])
    for change in changes:
        assert change.status == "not measured"
        assert "no item can be answered" in str(change.reason)
        assert change.n_total == 120
    assert changes["quads"].to_dict()["original"] is None
    assert len(changes["pairs"].items.to_frame()) == 0
    assert len(changes["quads"].items.to_frame()) == 0
    assert "not measured" in repr(changes)


def test_a_collapsed_table_is_not_measured_rather_than_retained() -> None:
    table, pairs, _ = toy(50)
    change = compare_scores(tuned_from(table, np.ones((40, 6))), [pairs])["pairs"]
    assert change.status == "not measured"
    assert "cosines are all equal" in str(change.reason)


def test_nothing_to_lose_is_not_measured() -> None:
    table, _, _ = toy(1)
    wrong = tuple(("w0", "w1", "w2", "w0") for _ in range(150))  # the answer is an input
    change = compare_scores(align(table, table), [AnalogyBenchmark("wrong", wrong, ("",) * 150)])[
        "wrong"
    ]
    assert (change.original, change.tuned) == (0, 0)
    assert change.status == "not measured"
    assert "nothing to lose" in str(change.reason)


def test_zero_rows_on_either_side_are_left_out_and_named() -> None:
    table, pairs, quads = toy(150)
    matrix = np.array(table.matrix)
    matrix[5] = 0
    changes = compare_scores(tuned_from(table, matrix), [pairs, quads])
    for change in changes:
        assert change.zero == ("w5",)
        assert change.n_used < change.n_total
        assert change.delta == 0  # nothing else changed
    frame = changes["quads"].items.to_frame()
    assert "w5" not in set(frame.original) | set(frame.tuned)


def test_rounding_is_forgiven_by_moved_but_not_by_answers() -> None:
    table, _, quads = toy(150)
    matrix = np.array(table.matrix) + np.float32(0.4) * (np.arange(40) % 2 == 0)[:, None]
    coarse = Source("coarse", rounding=Rounding(absolute=1.0))
    tuned = Embeddings(table.words, matrix.astype(np.float32), source=coarse)
    pair = align(table, tuned)
    assert not pair.moved.any()
    found = compare_scores(pair, [quads])["quads"].items.to_frame()
    exact = compare_scores(tuned_from(table, matrix), [quads])["quads"].items.to_frame()
    assert found.tuned.tolist() == exact.tuned.tolist()
    assert found.tuned.tolist() != found.original.tolist()


def test_every_exit_of_the_result(replaced: Pair) -> None:
    changes = compare_scores(replaced, ["ws353", "simlex999"])
    document = json.loads(json.dumps(changes.to_dict(), allow_nan=False))
    assert all(entry.keys() >= KEYS for entry in document["benchmarks"])
    assert [row["moved"] for row in document["benchmarks"][0]["split"]] == ["none", "some", "all"]
    assert changes.to_frame().name.tolist() == ["ws353", "simlex999"]
    assert len(changes.split_frame()) == 6
    assert "ws353" in repr(changes)
    assert "<table" in changes._repr_html_()
    assert len(changes) == 2
    with pytest.raises(UnknownNameError, match="did you mean 'ws353'"):
        changes["ws35"]


def test_options_out_of_range(replaced: Pair) -> None:
    with pytest.raises(OptionError, match="a whole number, 100 or more"):
        compare_scores(replaced, resamples=99)
    with pytest.raises(
        OptionError, match="seed=-1 was given; it must be a whole number, 0 or more"
    ):
        compare_scores(replaced, seed=-1)


def test_progress_rises_to_its_total() -> None:
    table, pairs, quads = toy(150)
    calls: list[tuple[int, int]] = []
    pair = tuned_from(table, table.matrix[::-1])
    compare_scores(pair, [quads, pairs], progress=lambda *call: calls.append(call))
    done = [d for d, _ in calls]
    assert done == sorted(done)
    assert len(set(done)) > 2
    assert calls[-1] == (2000, 2000)


def test_margins_can_be_set_and_are_told(replaced: Pair) -> None:
    wide = compare_scores(replaced, ["ws353", "simlex999"], margins={"spearman": 0.9})
    assert [change.status for change in wide] == ["retained", "retained"]
    assert {change.margin for change in wide} == {0.9}
    assert "at least 0.9 (spearman)" in repr(wide)
    assert wide.to_dict()["benchmarks"][0]["margin"] == 0.9
    with pytest.raises(OptionError, match="give a number above 0"):
        compare_scores(replaced, "ws353", margins={"spearman": 0})
    with pytest.raises(UnknownNameError, match="measure of benchmarks"):
        compare_scores(replaced, "ws353", margins={"overlap": 0.1})


def test_bca_on_request(replaced: Pair) -> None:
    plain = compare_scores(replaced, "ws353")["ws353"]
    bca = compare_scores(replaced, "ws353", method="bca")["ws353"]
    assert (plain.method, bca.method) == ("percentile", "bca")
    assert (plain.ci_low, plain.ci_high) != (bca.ci_low, bca.ci_high)
    assert bca.ci_low == pytest.approx(plain.ci_low, abs=0.02)
    with pytest.raises(UnknownNameError, match="did you mean 'bca'"):
        compare_scores(replaced, "ws353", method="bcaa")


def test_other_tests_of_the_same_difference(of_replaced: ScoreChanges) -> None:
    for change in of_replaced:
        assert change.status == "lost" or change.p_value > 0.001
        for test in change.tests.values():
            assert np.sign(test.statistic) == np.sign(change.delta)
        assert change.tests["permutation"].p_value < 0.2
    assert of_replaced["google"].tests.keys() == {"permutation", "mcnemar"}
    assert of_replaced["ws353"].tests.keys() == {"permutation", "steiger", "williams", "meng"}
    frame = of_replaced.test_frame()
    assert len(frame) == 4 + 4 + 2
    google = of_replaced["google"]
    assert google.cluster_low < google.delta < google.cluster_high
    assert math.isnan(of_replaced["ws353"].cluster_low)
    assert google.effect[0] == "cohen_h"
    assert google.effect[1] < 0


def test_what_the_benchmark_could_have_shown(of_replaced: ScoreChanges) -> None:
    for change in of_replaced:
        width = change.ci_high - change.ci_low
        assert change.detectable == pytest.approx(2.8 * width / 3.92, rel=0.1)


def test_frequency_bands(of_replaced: ScoreChanges, replaced: Pair) -> None:
    change = of_replaced["ws353"]
    assert [tuple(band.of.values()) for band in change.bands] == [
        (1, 1000), (1001, 10_000), (10_001, 100_000), (100_001, None),
    ]  # fmt: skip
    assert sum(band.n for band in change.bands) == change.n_used
    frame = change.items.to_frame()
    rows = replaced.rows([word.lower() for word in [*frame.word1, *frame.word2]]).reshape(2, -1)
    assert change.bands[0].n == (rows.max(axis=0) < 1000).sum()
    assert change.bands[3].n == 0
    assert math.isnan(change.bands[3].delta)
    assert len(of_replaced.band_frame()) == 12


def test_the_document_names_what_broke(of_replaced: ScoreChanges) -> None:
    for entry in json.loads(json.dumps(of_replaced.to_dict(), allow_nan=False))["benchmarks"]:
        assert len(entry["broken"]) == 20
        assert entry["method"] == "percentile"
        assert entry["detectable"] > 0
        assert len(entry["bands"]) == 4
    plot = of_replaced.plot_frame()
    assert plot.columns.tolist() == ["label", "x", "low", "high", "margin", "status"]
    broken = of_replaced["google"].broken_frame
    assert len(broken) == of_replaced["google"].items.to_frame().broke.sum()
