from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors
from gensim.test.utils import datapath

from driftkit import compare_scores
from driftkit.datasets import SimilarityBenchmark
from driftkit.embeddings import Embeddings
from driftkit.errors import BenchmarkError, OptionError, UnknownNameError
from driftkit.evaluators import Similarity
from driftkit.evaluators.closeness import cosines
from driftkit.evaluators.correlations import kendall, pearson, spearman
from driftkit.pair import align

WORDS = ["Tea", "tea", "coffee", "milk", "void"]
ROWS = [[1, 0.2], [0.1, 1], [1, 0.9], [0.4, 1], [0, 0]]
TABLE = Embeddings(WORDS, ROWS)


def benchmark(*pairs: tuple[str, str, float]) -> SimilarityBenchmark:
    return SimilarityBenchmark(
        "toy", tuple((a, b) for a, b, _ in pairs), np.array([g for *_, g in pairs], float)
    )


TOY = benchmark(
    ("tea", "coffee", 5), ("Coffee", "milk", 4), ("tea", "milk", 1), ("tea", "whey", 2),
    ("void", "tea", 3),
)  # fmt: skip


def check_to_the_last_bit(vectors: KeyedVectors, name: str, file: str, **options: bool) -> None:
    theirs = vectors.evaluate_word_pairs(datapath(file), **options)
    case = None if options.get("case_insensitive", True) else "exact"
    found = Similarity(name, oov="gensim", case=case).score(vectors)
    assert found["pearson"].value == theirs[0][0]
    assert found["spearman"].value == theirs[1][0]
    assert 100 * (1 - found.n_used / found.scores[0].n_total) == pytest.approx(theirs[2], abs=1e-12)


def test_published_values_of_gensim_s_own_vectors() -> None:
    vectors = KeyedVectors.load_word2vec_format(datapath("euclidean_vectors.bin"), binary=True)
    found = Similarity("ws353", oov="gensim").score(vectors)
    assert found["pearson"].value == pytest.approx(0.2442501054, abs=1e-10)
    assert found["spearman"].value == pytest.approx(0.2736024135, abs=1e-10)
    exact = Similarity("ws353", oov="gensim", case="exact").score(vectors)
    assert exact["pearson"].value == pytest.approx(0.2240613467, abs=1e-10)
    assert exact["spearman"].value == pytest.approx(0.2646218923, abs=1e-10)
    assert 100 * (1 - exact.n_used / 353) == pytest.approx(71.1048, abs=1e-4)
    check_to_the_last_bit(vectors, "ws353", "wordsim353.tsv")
    check_to_the_last_bit(vectors, "ws353", "wordsim353.tsv", case_insensitive=False)


def test_published_values_of_lee_fasttext() -> None:
    vectors = KeyedVectors.load_word2vec_format(datapath("lee_fasttext.vec"))
    found = Similarity("ws353", oov="gensim").score(vectors)
    assert found["pearson"].value == pytest.approx(-0.1196325602, abs=1e-10)
    assert found["spearman"].value == pytest.approx(-0.0587712077, abs=1e-10)
    check_to_the_last_bit(vectors, "ws353", "wordsim353.tsv")


@pytest.mark.slow
def test_gensim_s_evaluate_word_pairs_on_glove(glove: Embeddings) -> None:
    vectors = glove.to_gensim()
    check_to_the_last_bit(vectors, "ws353", "wordsim353.tsv")
    check_to_the_last_bit(vectors, "simlex999", "simlex999.txt")
    found = Similarity("simlex999", oov="gensim").score(glove)
    assert (round(found.value, 5), found.n_used) == (0.26306, 998)  # one word past row 300,000


def test_all_three_correlations(glove: Embeddings) -> None:
    found = Similarity("ws353").score(glove)
    frame = found.item_frame()
    close = cosines(glove.matrix, glove.rows(w.lower() for w in [*frame.word1, *frame.word2])
                    .reshape(2, -1).T)  # fmt: skip
    np.testing.assert_array_equal(frame.score, close)
    for measure, correlation in (
        ("spearman", spearman),
        ("pearson", pearson),
        ("kendall", kendall),
    ):
        assert found[measure].value == correlation(frame.gold.to_numpy(), close)
    assert round(found.value, 5) == 0.50332
    first = Similarity("ws353", measure="kendall").score(glove).scores[0]
    assert first == found["kendall"]


def test_pairs_out_of_vocabulary_by_policy() -> None:
    skip = Similarity(TOY).score(TABLE)
    assert (skip.n_used, skip.scores[0].n_total, skip.oov) == (3, 5, ("whey",))
    assert skip.scores[0].zero == ("void",)
    zero = Similarity(TOY, oov="zero").score(TABLE)
    assert zero.n_used == 5
    assert zero.item_frame().score.tolist()[3:] == [0, 0]
    mean = Similarity(TOY, oov="mean").score(TABLE)
    assert mean.n_used == 4  # a zero row has no direction, whatever stands beside it
    average, tea = np.mean(ROWS, axis=0), np.array(ROWS[1])
    expected = average @ tea / np.linalg.norm(average) / np.linalg.norm(tea)
    assert mean.item_frame().score[3] == pytest.approx(expected, abs=1e-6)
    frame = skip.item_frame()
    assert frame.used.tolist() == [True, True, True, False, False]
    assert frame.gold_rank[:3].tolist() == [1, 2, 3]
    assert math.isnan(frame["rank"][4])


def test_the_mean_vector_in_every_closeness() -> None:
    average, tea = np.mean(ROWS, axis=0), np.array(ROWS[1])
    dot = Similarity(TOY, oov="mean", closeness="dot").score(TABLE).item_frame().score
    assert dot[3] == pytest.approx(average @ tea, abs=1e-6)
    near = Similarity(TOY, oov="mean", closeness="euclidean").score(TABLE).item_frame().score
    assert near[3] == pytest.approx(-np.linalg.norm(average - tea), abs=1e-6)
    assert near[4] == pytest.approx(-np.linalg.norm(tea), abs=1e-6)  # a zero row has a distance


def test_case_by_policy() -> None:
    pairs = benchmark(("Tea", "coffee", 1), ("TEA", "Coffee", 2), ("tea", "MILK", 3))
    used = {
        case: Similarity(pairs, case=case).score(TABLE).item_frame().used.tolist()
        for case in ("exact", "exact-then-folded", "fold")
    }
    assert used["exact"] == [True, False, False]
    assert used["exact-then-folded"] == used["fold"] == [True, True, True]
    exact_first = Similarity(pairs).score(TABLE).item_frame().score
    folded = Similarity(pairs, case="fold").score(TABLE).item_frame().score
    assert exact_first[1] == pytest.approx(cosines(TABLE.matrix, np.array([[1, 2]]))[0])
    assert folded[1] == pytest.approx(cosines(TABLE.matrix, np.array([[0, 2]]))[0])


def test_the_limit_makes_later_rows_oov() -> None:
    assert Similarity(TOY, limit=3).score(TABLE).oov == ("milk", "whey", "void")


def test_a_perfect_table_by_every_closeness() -> None:
    pairs = benchmark(("tea", "coffee", 2), ("coffee", "milk", 3), ("tea", "Tea", 1))
    for closeness in ("cosine", "dot", "euclidean"):
        assert -1 <= Similarity(pairs, closeness=closeness).score(TABLE).value <= 1


def test_a_pair_is_compared_with_the_same_policies(rng: np.random.Generator) -> None:
    words = [f"w{i}" for i in range(40)]
    before, after = rng.normal(size=(2, 40, 5))
    names = rng.integers(0, 40, (60, 2))
    toy = SimilarityBenchmark(
        "toy", tuple((words[a], words[b].upper()) for a, b in names), rng.normal(size=60)
    )
    pair = align(Embeddings(words, before), Embeddings(words, after))
    for options in ({"measure": "pearson"}, {"closeness": "dot"}, {"closeness": "euclidean"}):
        one = Similarity(toy, **options)
        change = compare_scores(pair, one)["toy"]
        assert change.measure == one.measure
        assert change.original == pytest.approx(one.score(pair.original).value, abs=1e-12)
        assert change.tuned == pytest.approx(one.score(pair.tuned).value, abs=1e-12)
    assert compare_scores(pair, Similarity(toy, case="exact"))["toy"].n_used == 0


def test_all_sets_on_a_loaded_table(glove: Embeddings, shared_data: Path) -> None:
    found = [Similarity(path).score(glove) for path in sorted(shared_data.glob("similarity/*.txt"))]
    assert len(found) == 13
    values = {one.scores[0].benchmark: one.value for one in found}
    assert round(values["EN-WS-353-ALL"], 5) == 0.50332
    assert round(values["EN-SIMLEX-999"], 5) == 0.26458
    assert round(values["EN-MEN-TR-3k"], 3) == 0.652
    assert all(one.n_used > 0.9 * one.scores[0].n_total for one in found if "RW" not in repr(one))


def test_options_that_do_not_fit() -> None:
    for options in ({"measure": "spearmn"}, {"oov": "skp"}, {"closeness": "cosin"}, {"case": "up"}):
        with pytest.raises(UnknownNameError):
            Similarity(TOY, **options)
    with pytest.raises(OptionError, match="gensim only has the cosine"):
        Similarity(TOY, oov="gensim", closeness="dot")
    with pytest.raises(
        OptionError, match="limit=0 was given; it must be a whole number, 1 or more"
    ):
        Similarity(TOY, limit=0)
    with pytest.raises(BenchmarkError, match="no word pairs"):
        Similarity("google")
    pair = align(TABLE, TABLE)
    with pytest.raises(OptionError, match="kendall can be scored"):
        compare_scores(pair, Similarity(TOY, measure="kendall"))


def test_nothing_answered_is_nan_with_a_reason() -> None:
    strange = benchmark(("x", "y", 1), ("y", "z", 2), ("x", "z", 3))
    for oov in ("skip", "gensim"):
        found = Similarity(strange, oov=oov).score(TABLE)
        assert math.isnan(found.value)
        assert "no item can be answered" in str(found.scores[0].reason)
