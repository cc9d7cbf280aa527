from __future__ import annotations

import json
import math
from itertools import combinations

import numpy as np
import pytest

from driftkit.datasets import WordSets
from driftkit.embeddings import Embeddings
from driftkit.errors import BenchmarkError, UnknownNameError
from driftkit.evaluators import WEAT, Evaluation, compare_scores, score
from driftkit.pair import Pair, align

NAMES = {
    key: tuple(f"{key}{i}" for i in range(n)) for key, n in zip("xyab", (5, 4, 3, 3), strict=True)
}
SETS = WordSets("toy", ("x", "y", "a", "b"), **NAMES)
WORDS = [word for names in NAMES.values() for word in names]


def p_of(found: Evaluation) -> float:
    return found.scores[0].details["p_value"]


def by_definition(matrix: np.ndarray) -> tuple[float, float]:
    unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    row = dict(zip(WORDS, unit, strict=True))

    def lean(word: str) -> float:
        to_a = np.mean([row[word] @ row[a] for a in SETS.a])
        return float(to_a - np.mean([row[word] @ row[b] for b in SETS.b]))

    leans = [lean(word) for word in (*SETS.x, *SETS.y)]
    effect = (np.mean(leans[:5]) - np.mean(leans[5:])) / np.std(leans, ddof=1)
    observed = sum(leans[:5])
    sums = [sum(leans[i] for i in chosen) for chosen in combinations(range(9), 5)]
    return float(effect), float(np.mean([s >= observed - 1e-12 for s in sums]))


def test_effect_and_p_by_the_definition(rng: np.random.Generator) -> None:
    for _ in range(10):
        matrix = rng.normal(size=(15, 6)).astype(np.float32)
        found = WEAT(SETS).score((WORDS, matrix))
        effect, p = by_definition(matrix)
        assert found.value == pytest.approx(effect, abs=1e-6)
        assert p_of(found) == pytest.approx(p)


def test_swapping_the_attributes_turns_the_sign(rng: np.random.Generator) -> None:
    table = (WORDS, rng.normal(size=(15, 6)))
    turned = WordSets("toy", SETS.labels, SETS.x, SETS.y, SETS.b, SETS.a)
    assert WEAT(turned).score(table).value == pytest.approx(-WEAT(SETS).score(table).value)


def test_many_partitions_are_drawn(rng: np.random.Generator) -> None:
    words = [f"{key}{i}" for key in "xyab" for i in range(20)]
    sets = WordSets(
        "big", ("x", "y", "a", "b"), *(tuple(words[i : i + 20]) for i in (0, 20, 40, 60))
    )
    found = WEAT(sets).score((words, rng.normal(size=(80, 10))))
    assert 0.001 < p_of(found) < 0.999
    leans = found.item_frame().lean.to_numpy()
    spread = leans.std(ddof=0) * math.sqrt(20 * 20 / 39)
    z = (leans[:20].sum() - leans.sum() / 2) / spread
    from scipy.special import ndtr

    assert p_of(found) == pytest.approx(ndtr(-z), abs=0.02)


def test_the_standard_tests_on_glove(glove: Embeddings) -> None:
    """Caliskan et al. found all ten biases in GloVe 840B; these smaller vectors have them too."""
    for name in ("weat1", "weat2", "weat6", "weat7", "weat8"):
        found = WEAT(name).score(glove)
        assert found.value > 0.8
        assert p_of(found) < 0.05
    assert found.scores[0].details["labels"] == ["science", "arts", "male terms", "female terms"]


def test_too_few_words_are_not_measured() -> None:
    found = WEAT(SETS).score((WORDS[:7], np.eye(7, 6) + 0.1))
    assert math.isnan(found.value)
    assert "5, 2, 0 and 0 words" in str(found.scores[0].reason)
    assert found.oov[0] == "y2"
    (entry,) = found.to_dict()["results"]
    assert entry["value"] is None
    assert entry["details"] == {"labels": list("xyab"), "n": [5, 2, 0, 0], "p_value": None}
    assert not found.item_frame().used.any()
    alike = WEAT(SETS).score((WORDS, np.ones((15, 3))))
    assert alike.scores[0].reason == "all targets lean alike"


@pytest.fixture
def biased(rng: np.random.Generator) -> Pair:
    before = rng.normal(size=(15, 6))
    after = before.copy()
    after[:5] += 3 * before[9]  # X goes to A
    after[5:9] += 3 * before[12]
    return align(Embeddings(WORDS, before), Embeddings(WORDS, after))


def test_before_and_after(biased: Pair) -> None:
    change = compare_scores(biased, WEAT(SETS), resamples=500)[0]
    assert change.original == pytest.approx(WEAT(SETS).score(biased.original).value)
    assert change.delta == change.tuned - change.original > 0.5
    assert change.ci_low <= change.delta <= change.ci_high
    for side, table in (("original", biased.original), ("tuned", biased.tuned)):
        alone = WEAT(SETS).score(table)
        assert change.tests[side].statistic == pytest.approx(alone.value)
        assert change.tests[side].p_value == p_of(alone)
    json.dumps(change.to_dict(), allow_nan=False)
    frame = change.items.to_frame()
    assert frame.columns.tolist() == ["word", "set", "original", "tuned", "moved"]
    assert frame.set.value_counts().to_dict() == {"x": 5, "y": 4}
    assert list(map(len, change.items.words)) == [5, 4, 3, 3]
    bca = compare_scores(biased, WEAT(SETS), resamples=500, method="bca")[0]
    assert bca.ci_low <= bca.delta <= bca.ci_high


def test_a_change_of_bias_is_neither_lost_nor_gained(biased: Pair) -> None:
    assert compare_scores(biased, WEAT(SETS))[0].status == "inconclusive"
    same = compare_scores(align(biased.original, biased.original), WEAT(SETS))[0]
    assert (same.status, same.items_changeable) == ("not tested", 0)
    nothing = compare_scores(biased, "weat6")[0]
    assert math.isnan(nothing.delta)
    assert nothing.status == "not measured"
    assert nothing.to_dict()["delta"] is None


def test_sets_from_a_file(tmp_path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("x: x0, x1, x2\ny: y0, y1, y2\na: a0, a1\nb: b0, b1\n")
    assert WEAT(path).benchmark.name == "mine"
    assert score((WORDS, np.eye(15) + 0.1), path).results[0].measure == "weat"
    path.write_text(path.read_text() + ": second\n" + path.read_text())
    with pytest.raises(BenchmarkError, match="holds 2 tests"):
        WEAT(path)
    with pytest.raises(UnknownNameError, match="did you mean 'weat"):
        WEAT("weat66")
    with pytest.raises(BenchmarkError, match="has no sets of words"):
        WEAT("ws353")
    path.write_text("x: x0, x1, x2\ny: x0, y1, y2\na: a0, a1\nb: b0, b1\n")
    with pytest.raises(BenchmarkError, match="'x0' in both sets"):
        WEAT(path)
