from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from driftkit import compare_scores
from driftkit.datasets import AnalogyBenchmark, get
from driftkit.embeddings import Embeddings
from driftkit.errors import BenchmarkError, OptionError, UnknownNameError
from driftkit.evaluators import Analogy
from driftkit.pair import align

GENSIM_SECTIONS = {
    "capital-common-countries": (401, 506),
    "capital-world": (3099, 4524),
    "currency": (73, 808),
    "city-in-state": (378, 2467),
    "family": (349, 506),
    "gram1-adjective-to-adverb": (151, 992),
    "gram2-opposite": (77, 812),
    "gram3-comparative": (690, 1332),
    "gram4-superlative": (321, 1122),
    "gram5-present-participle": (439, 1056),
    "gram6-nationality-adjective": (1376, 1599),
    "gram7-past-tense": (585, 1560),
    "gram8-plural": (798, 1332),
    "gram9-plural-verbs": (299, 870),
}


@pytest.mark.slow
def test_gensim_s_evaluate_word_analogies(glove: Embeddings, tmp_path: Path) -> None:
    """gensim's settings: 300,000 words, upper case. Its own run, on every 50th question; the
    values of its full run, which takes a minute, by section."""
    found = Analogy("google", case="fold", limit=300_000).score(glove)
    by_name = {s.category: (s.n_correct, s.n_used) for s in found.scores}
    assert {name: by_name[name] for name in GENSIM_SECTIONS} == GENSIM_SECTIONS
    assert by_name[None] == (9036, 19486)
    frame = found.item_frame()
    sample = frame.iloc[::50]
    lines = []
    for name, some in sample.groupby("category", sort=False):
        lines += [f": {name}", *some[["a", "b", "c", "d"]].agg(" ".join, axis=1)]
    path = tmp_path / "sample.txt"
    path.write_text("\n".join(lines) + "\n")
    accuracy, sections = glove.to_gensim().evaluate_word_analogies(str(path))
    assert len(sections[-1]["correct"]) == sample.correct.sum()
    assert accuracy == pytest.approx(sample.correct.sum() / sample.used.sum(), abs=1e-6)


@pytest.mark.slow
def test_reference_values_of_glove(glove: Embeddings) -> None:
    mul = Analogy("google", "3cosmul").score(glove)
    assert (mul.scores[0].n_correct, round(mul.value, 4)) == (7219, 0.3694)
    free = Analogy("google", exclude=False).score(glove)
    assert round(free.value, 4) == 0.3043


@pytest.mark.slow
def test_relations_of_glove(frequent: Embeddings) -> None:
    """No values are published for these vectors; what must hold: learning a relation helps.

    The mean of many offsets beats one of them; the class of the answers, as LRCos learns it,
    beats the nearest neighbor.
    """
    add = Analogy("google").score(frequent)
    average = Analogy("google", "3cosavg").score(frequent)
    regression = Analogy("google", "lrcos").score(frequent)
    assert average.value > add.value
    pairs = average.item_frame().query("used")
    unit = frequent.matrix / frequent.norms[:, None]
    words, answers = (frequent.rows(pairs[c].str.lower()) for c in "cd")
    cosine = unit[words] @ unit.T
    cosine[np.arange(len(words)), words] = -1
    assert regression.value > (cosine.argmax(axis=1) == answers).mean()
    assert average.scores[0].n_used == regression.scores[0].n_used
    pairs = average.item_frame()
    assert not pairs.duplicated(["c", "d", "category"]).any()
    assert Analogy("google", "lrcos").score(frequent).scores == regression.scores


WORDS = ["man", "king", "woman", "queen", "apple", "Pear"]
ROWS = [[1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 1, 1], [0.5, -1, 0.5], [0.1, 0.9, 1.05]]
TABLE = Embeddings(WORDS, ROWS)


def toy(*quadruples: tuple[str, str, str, str], **more: object) -> AnalogyBenchmark:
    return AnalogyBenchmark("toy", quadruples, ("",) * len(quadruples), **more)


def test_any_accepted_answer_is_right() -> None:
    asked = toy(("man", "king", "woman", "empress"), alternatives=(("queen", "lady"),))
    found = Analogy(asked).score(TABLE)
    assert found.value == 1
    assert found.oov == ()  # one accepted answer is enough
    only = Analogy(toy(("man", "king", "woman", "empress"))).score(TABLE)
    assert only.oov == ("empress",)
    assert math.isnan(only.value)
    second = toy(("man", "king", "woman", "apple"), alternatives=(("queen",),))
    assert Analogy(second).score(TABLE).value == 1


def test_depth() -> None:
    asked = toy(("man", "king", "woman", "Pear"))
    assert Analogy(asked).score(TABLE).value == 0
    two = Analogy(asked, "3cosadd@2")
    assert two.score(TABLE).value == 1
    assert two.measure == "3cosadd@2"
    assert two.score(TABLE).item_frame().answer.tolist() == ["queen"]


def test_inputs_not_excluded() -> None:
    asked = toy(("man", "man", "woman", "woman"))
    assert Analogy(asked).score(TABLE).value == 0
    assert Analogy(asked, exclude=False).score(TABLE).value == 1
    assert Analogy(asked, exclude=False).settings["inputs"] == "not excluded"


def test_limit_and_folding() -> None:
    asked = toy(("Man", "KING", "woman", "pear"))
    assert Analogy(asked).score(TABLE).oov == ("pear",)  # only Pear is there
    assert Analogy(asked, case="fold", limit=5).score(TABLE).oov == ("pear",)
    assert Analogy(asked, "3cosadd@2", case="fold").score(TABLE).value == 1
    doubled = Embeddings([*WORDS, "QUEEN"], [*ROWS, [0, 1, 1]])
    one = Analogy(toy(("man", "king", "woman", "queen")), "3cosadd@2", case="fold").score(doubled)
    assert one.value == 1
    assert Analogy(asked, limit=2).score(TABLE).n_used == 0


@pytest.mark.parametrize("measure", ["3cosadd@3", "3cosmul", "pairdirection", "3cosavg", "lrcos"])
def test_a_pair_is_answered_as_each_table_alone(measure: str, rng: np.random.Generator) -> None:
    words = [f"w{i}" for i in range(60)]
    before = rng.normal(size=(60, 6))
    after = before.copy()
    after[:20] += rng.normal(size=(20, 6))
    names = rng.integers(0, 60, (200, 4))
    asked = AnalogyBenchmark(
        "toy", tuple(tuple(words[i] for i in row) for row in names), ("x", "y") * 100
    )
    pair = align(Embeddings(words, before), Embeddings(words, after))
    for options in ({}, {"limit": 50}, {"exclude": False}):
        one = Analogy(asked, measure, **options)
        change = compare_scores(pair, one)["toy"]
        alone = [one.score(table) for table in (pair.original, pair.tuned)]
        assert (change.original, change.tuned) == tuple(found.value for found in alone)
        assert change.n_used == alone[0].n_used
        frame = change.items.to_frame()
        answers = alone[1].item_frame().query("used").answer
        assert frame.tuned.tolist() == answers.tolist()


def test_methods_of_one_benchmark_side_by_side(frequent: Embeddings) -> None:
    pair = align(frequent, frequent)
    memo: dict = {}
    few = Embeddings(frequent.words[:3000], frequent.matrix[:3000])
    pair = align(few, few)
    changes = compare_scores(pair, [Analogy("google"), Analogy("google", "3cosmul")], memo=memo)
    assert [change.measure for change in changes] == ["3cosadd@1", "3cosmul@1"]
    assert len(memo) == 2


def test_what_is_no_analogy() -> None:
    with pytest.raises(BenchmarkError, match="no analogies"):
        Analogy("ws353")
    with pytest.raises(OptionError, match="does not answer analogies"):
        Analogy("google", "spearman")
    with pytest.raises(UnknownNameError, match="did you mean '3cosmul'"):
        Analogy("google", "3cosmull")
    with pytest.raises(OptionError, match="limit=0"):
        Analogy("google", limit=0)
    assert get("google").accepted[0] == ("Iraq",)
