"""Which items can show a change, and what a status is when too few can."""

from __future__ import annotations

import math

import numpy as np
import pytest

from driftkit.datasets import (
    AnalogyBenchmark,
    CategorizationBenchmark,
    ChoiceBenchmark,
    OutlierBenchmark,
    OutlierGroup,
    SimilarityBenchmark,
)
from driftkit.embeddings import Embeddings
from driftkit.evaluators import Analogy, ScoreChange, compare_scores, score
from driftkit.evaluators.comparison.verdict import agreed, fewest_changeable
from driftkit.pair import Pair, align

RELATIONS, PAIRS = 3, 14  # of words that a benchmark asks about


@pytest.fixture(scope="module")
def table() -> Embeddings:
    """Pairs whose two words differ by the vector of their relation; then words nobody asks for."""
    rng = np.random.default_rng(1)
    first = rng.normal(size=(RELATIONS, PAIRS, 12))
    second = first + 2 * rng.normal(size=(RELATIONS, 1, 12))
    asked = np.stack([first, second], axis=2).reshape(-1, 12)
    names = [
        f"{side}{r}.{p}" for r in range(RELATIONS) for p in range(PAIRS) for side in ("a", "b")
    ]
    others = rng.normal(size=(200, 12))
    return Embeddings([*names, *(f"o{i}" for i in range(200))], np.vstack([asked, others]))


@pytest.fixture(scope="module")
def analogies() -> AnalogyBenchmark:
    asked = [
        (f"a{r}.{p}", f"b{r}.{p}", f"a{r}.{q}", f"b{r}.{q}")
        for r in range(RELATIONS)
        for p in range(PAIRS)
        for q in range(PAIRS)
        if p != q
    ]
    return AnalogyBenchmark("quads", tuple(asked), tuple(q[0][1] for q in asked))


@pytest.fixture(scope="module")
def pairs(table: Embeddings) -> SimilarityBenchmark:
    """Pairs that people rate as the table does, but for some noise."""
    rng = np.random.default_rng(2)
    chosen = rng.integers(0, 2 * RELATIONS * PAIRS, (300, 2))
    chosen = chosen[chosen[:, 0] != chosen[:, 1]]
    unit = table.matrix / table.norms[:, None]
    gold = (unit[chosen[:, 0]] * unit[chosen[:, 1]]).sum(axis=1) + 0.2 * rng.normal(
        size=len(chosen)
    )
    words = tuple((table.words[a], table.words[b]) for a, b in chosen.tolist())
    return SimilarityBenchmark("pairs", words, gold)


def changed(table: Embeddings, rows, by, words=None) -> Pair:
    matrix = np.array(table.matrix)
    matrix[rows] = by
    return align(table, Embeddings(words or table.words, matrix))


def asked_rows(table: Embeddings) -> np.ndarray:
    return np.arange(2 * RELATIONS * PAIRS)


def others(table: Embeddings) -> np.ndarray:
    return np.arange(2 * RELATIONS * PAIRS, len(table))


def only(pair: Pair, benchmark) -> ScoreChange:
    return compare_scores(pair, [benchmark], resamples=400)[0]


def test_what_moved_outside_a_benchmark_is_not_tested_by_it(table, pairs) -> None:
    rng = np.random.default_rng(3)
    rows = others(table)
    change = only(changed(table, rows, rng.normal(size=(len(rows), 12))), pairs)
    assert (change.status, change.items_changeable, change.delta) == ("not tested", 0, 0)
    assert change.reason == "no item of it has a word that moved; a status needs 10"


def test_items_without_moved_words_do_not_change(table, pairs) -> None:
    rng = np.random.default_rng(4)
    change = only(changed(table, [0, 1, 2], rng.normal(size=(3, 12))), pairs)
    still = change.items.moved == 0
    assert (change.items.before[still] == change.items.after[still]).all()
    assert change.items_changeable == (~still).sum() > 10
    assert change.status != "not tested"


def test_a_few_items_that_could_change_are_too_few(table, pairs) -> None:
    word = pairs.pairs[0][0]
    change = only(changed(table, table.index[word], 5 * np.ones(12)), pairs)
    assert 0 < change.items_changeable < 10
    assert change.status == "not tested"
    assert f"{change.items_changeable} of its {change.n_used} items have a word" in change.reason


@pytest.mark.parametrize(("n", "fewest"), [(7, 7), (353, 10), (1000, 10), (19_544, 196)])
def test_ten_items_and_one_in_a_hundred_must_be_changeable(n: int, fewest: int) -> None:
    assert fewest_changeable(n) == fewest


def test_an_answer_that_its_rival_left_to_is_no_gain(table, analogies) -> None:
    """Rivals stand where some answers should be, and leave; no word of a question moved."""
    rows = others(table)
    crowded = np.array(table.matrix)
    answers = asked_rows(table)[1::2]
    crowded[rows[: len(answers)]] = table.matrix[answers] * 1.01
    crowded[answers] += 0.4 * np.random.default_rng(5).normal(size=(len(answers), 12))
    original = Embeddings(table.words, crowded)
    change = only(
        changed(original, rows, np.random.default_rng(6).normal(size=(len(rows), 12))), analogies
    )
    assert change.delta > 0.1
    assert change.ci_low > 0
    assert (change.items_changeable, change.status) == (0, "not tested")
    assert change.items_rivals >= round(change.delta * change.n_used)
    assert (change.items.without_rivals().delta, change.split[0].n) == (0, change.n_used)


def test_rivals_that_come_are_a_loss(table, analogies) -> None:
    rows = others(table)
    answers = asked_rows(table)[1::2]
    by = np.array(table.matrix[rows])
    by[: len(answers)] = table.matrix[answers] + 0.01  # nearer to what is asked than some answers
    by[: len(answers)] += 0.05 * np.random.default_rng(7).normal(size=(len(answers), 12))
    change = only(changed(table, rows, by), analogies)
    assert change.items_changeable == 0
    assert change.items_rivals > 0
    assert change.delta < -0.1
    assert change.status == "lost"


def test_a_gain_by_rivals_hides_no_loss() -> None:
    assert agreed("retained", "lost") == agreed("gained", "lost") == "lost"
    assert agreed("lost", "retained") == "lost"
    assert agreed("gained", "retained") == agreed("retained", "gained") == "retained"
    assert agreed("gained", "gained") == "gained"
    assert agreed("gained", "inconclusive") == agreed("inconclusive", "retained") == "inconclusive"


@pytest.mark.parametrize("measure", ["3cosadd", "3cosadd@3", "3cosmul", "3cosavg", "pairdirection"])
def test_added_names_are_answers_of_the_tuned_table(table, analogies, measure) -> None:
    """As many as `score` of the tuned table alone finds right."""
    rng = np.random.default_rng(8)
    answers = asked_rows(table)[1::2]
    added = table.matrix[answers] + 0.05 * rng.normal(size=(len(answers), 12))
    words = [f"+{i}" for i in range(len(added))]
    order = rng.permutation(len(table) + len(words))
    everything = np.vstack([table.matrix, added]).astype(np.float32)
    names = [*table.words, *words]
    tuned = Embeddings([names[i] for i in order], everything[order])
    asked = Analogy(analogies, measure)
    change = only(align(table, tuned), asked)
    assert change.tuned == score(tuned, [asked])[0].value
    assert change.original == score(table, [asked])[0].value
    assert change.items_changeable == 0
    if measure == "3cosadd":
        assert change.status == "lost"
        assert change.items.to_frame().tuned.str.startswith("+").sum() == change.items_rivals


@pytest.mark.parametrize("measure", ["spearman", "pearson"])
def test_a_table_that_knows_nothing_has_nothing_to_lose(table, pairs, measure) -> None:
    rng = np.random.default_rng(9)
    guess = SimilarityBenchmark("pairs", pairs.pairs, rng.normal(size=len(pairs)))
    pair = changed(table, asked_rows(table), rng.normal(size=(84, 12)))
    change = only(pair, guess)
    assert change.status == "not measured"
    assert change.reason.startswith("nothing to lose: the original's own spearman of")
    assert not math.isnan(change.ci_low)
    assert only(pair, pairs).status == "lost"


def choices(stems: list[str], options: list[tuple[str, ...]]) -> ChoiceBenchmark:
    return ChoiceBenchmark("choices", tuple(stems), tuple(options), (0,) * len(stems))


def test_guessing_is_nothing_to_lose(table) -> None:
    rng = np.random.default_rng(10)
    names = np.array(table.words)
    guessed = choices(
        rng.choice(names, 200).tolist(), [tuple(rng.choice(names, 4, False)) for _ in range(200)]
    )
    labels = tuple(rng.choice(["x", "y", "z"], 200).tolist())
    drawn = rng.permuted(np.tile(names, (40, 1)), axis=1)[:, :8].tolist()
    sets = [OutlierGroup(f"g{i}", tuple(row[:5]), tuple(row[5:])) for i, row in enumerate(drawn)]
    wrong = tuple(tuple(rng.choice(names, 4, False)) for _ in range(400))
    noisy = changed(table, slice(None), rng.normal(size=table.matrix.shape))
    for benchmark in (
        guessed,
        CategorizationBenchmark("labels", tuple(rng.choice(names, 200, False)), labels),
        OutlierBenchmark("sets", tuple(sets)),
        AnalogyBenchmark("wrong", wrong, ("",) * 400),
    ):
        change = only(noisy, benchmark)
        assert change.status == "not measured", benchmark
        assert "nothing to lose" in change.reason


def test_a_score_below_the_margin_cannot_fall_by_it(table, analogies) -> None:
    """A few right ones are no chance among so many words, and still too few to lose."""
    rng = np.random.default_rng(11)
    few = analogies.quadruples[::40]
    wrong = [(*q[:3], f"o{i % 200}") for i, q in enumerate(analogies.quadruples * 3)]
    mixed = AnalogyBenchmark("mixed", (*few, *wrong), ("",) * (len(wrong) + len(few)))
    pair = changed(table, asked_rows(table), rng.normal(size=(84, 12)))
    change = only(pair, mixed)
    assert 0 < change.original < 0.01
    assert "less than the smallest change that counts, 0.01" in change.reason


def test_few_items_answered_test_nothing_but_a_loss(table, pairs) -> None:
    rng = np.random.default_rng(12)
    strange = tuple((f"?{i}", "?") for i in range(2 * len(pairs) + 10))
    sparse = SimilarityBenchmark(
        "sparse", (*pairs.pairs, *strange), np.append(pairs.gold, np.zeros(len(strange)))
    )
    rows = asked_rows(table)
    gentle = changed(table, rows, table.matrix[rows] * 1.001 + 1e-4 * rng.normal(size=(84, 12)))
    assert only(gentle, pairs).status == "retained"
    change = only(gentle, sparse)
    assert (change.status, change.items_changeable) == ("not tested", change.n_used)
    assert "under a third" in change.reason
    assert only(changed(table, rows, rng.normal(size=(84, 12))), sparse).status == "lost"


def test_items_that_left_the_set_are_counted_and_their_words_named(table, pairs) -> None:
    kept = [row for row in range(len(table)) if row != 3]
    matrix = np.array(table.matrix[kept])
    matrix[5] = 0
    tuned = Embeddings([table.words[row] for row in kept], matrix)
    gone, zeroed = table.words[3], tuned.words[5]
    change = only(align(table, tuned), pairs)
    lost = change.items_lost_from_set
    assert (lost.removed, lost.zeroed) == ((gone,), (zeroed,))
    assert lost.count == sum(bool({gone, zeroed} & set(pair)) for pair in pairs.pairs)
    assert change.n_used == len(pairs) - lost.count
    assert f"{lost.count} items left the set (1 word removed, 1 word zeroed)" in repr(change)
    assert change.to_dict()["items_lost_from_set"]["removed"] == [gone]
    assert only(align(table, table), pairs).items_lost_from_set.count == 0


def test_the_least_visible_fall_is_what_the_interval_leaves(table, pairs) -> None:
    rng = np.random.default_rng(13)
    rows = asked_rows(table)
    change = only(changed(table, rows, table.matrix[rows] + 0.3 * rng.normal(size=(84, 12))), pairs)
    assert change.least_visible_fall == max(change.margin, change.ci_high - change.delta)
    assert change.to_dict()["least_visible_fall"] == change.least_visible_fall


def test_words_of_many_items_widen_the_interval(table, pairs) -> None:
    rng = np.random.default_rng(14)
    rows = asked_rows(table)
    items = only(
        changed(table, rows, table.matrix[rows] + 0.5 * rng.normal(size=(84, 12))), pairs
    ).items
    spread = items.spread(400, np.random.default_rng(0))
    again = items.spread(400, np.random.default_rng(0))
    assert spread.effect > 1
    assert (spread.drawn == again.drawn).all()
    plain = spread.difference.percentiles(spread.resampled)
    assert spread.bounds().low < plain.low < plain.high < spread.bounds().high
    items.related = np.arange(len(items))[:, None]  # each item its own cluster
    alone = items.spread(400, np.random.default_rng(0))
    assert alone.bounds() == plain
