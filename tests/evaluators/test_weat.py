from __future__ import annotations

import json
import math
from itertools import combinations

import numpy as np
import pytest

from driftkit.datasets import WORD_SETS, WordSets
from driftkit.embeddings import Embeddings
from driftkit.errors import BenchmarkError, UnknownNameError
from driftkit.evaluators import WEAT
from driftkit.pair import align

NAMES = {
    key: tuple(f"{key}{i}" for i in range(n)) for key, n in zip("xyab", (5, 4, 3, 3), strict=True)
}
SETS = WordSets("toy", ("x", "y", "a", "b"), **NAMES)
WORDS = [word for names in NAMES.values() for word in names]


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
        assert found.effect_size == pytest.approx(effect, abs=1e-6)
        assert found.p_value == pytest.approx(p)


def test_swapping_the_attributes_turns_the_sign(rng: np.random.Generator) -> None:
    table = (WORDS, rng.normal(size=(15, 6)))
    turned = WordSets("toy", SETS.labels, SETS.x, SETS.y, SETS.b, SETS.a)
    assert WEAT(turned).score(table).effect_size == pytest.approx(
        -WEAT(SETS).score(table).effect_size
    )


def test_many_partitions_are_drawn(rng: np.random.Generator) -> None:
    words = [f"{key}{i}" for key in "xyab" for i in range(20)]
    sets = WordSets(
        "big", ("x", "y", "a", "b"), *(tuple(words[i : i + 20]) for i in (0, 20, 40, 60))
    )
    found = WEAT(sets).score((words, rng.normal(size=(80, 10))))
    assert 0.001 < found.p_value < 0.999
    leans = np.array([*found.leans.values()])
    spread = leans.std(ddof=0) * math.sqrt(20 * 20 / 39)
    z = (leans[:20].sum() - leans.sum() / 2) / spread
    from scipy.special import ndtr

    assert found.p_value == pytest.approx(ndtr(-z), abs=0.02)


def test_the_standard_tests_on_glove(glove: Embeddings) -> None:
    """Caliskan et al. found all ten biases in GloVe 840B; these smaller vectors have them too."""
    for name in ("weat1", "weat2", "weat6", "weat7", "weat8"):
        found = WEAT(name).score(glove)
        assert found.effect_size > 0.8
        assert found.p_value < 0.05
    assert found.labels == ("science", "arts", "male terms", "female terms")


def test_too_few_words_are_not_measured() -> None:
    found = WEAT(SETS).score((WORDS[:7], np.eye(7, 6) + 0.1))
    assert math.isnan(found.effect_size)
    assert "5, 2, 0 and 0 words" in str(found.reason)
    assert found.oov[0] == "y2"
    assert found.to_dict()["effect_size"] is None
    assert len(found.to_frame()) == 0
    alike = WEAT(SETS).score((WORDS, np.ones((15, 3))))
    assert alike.reason == "all targets lean alike"


def test_before_and_after(rng: np.random.Generator) -> None:
    before = rng.normal(size=(15, 6))
    after = before.copy()
    after[:5] += 3 * before[9]  # X goes to A
    after[5:9] += 3 * before[12]
    pair = align(Embeddings(WORDS, before), Embeddings(WORDS, after))
    change = WEAT(SETS).compare(pair, resamples=500)
    assert change.original.effect_size == pytest.approx(WEAT(SETS).score(pair.original).effect_size)
    assert change.delta == change.tuned.effect_size - change.original.effect_size > 0.5
    assert change.ci_low <= change.delta <= change.ci_high
    json.dumps(change.to_dict(), allow_nan=False)
    frame = change.tuned.to_frame()
    assert frame.columns.tolist() == ["word", "set", "lean"]
    assert frame.set.value_counts().to_dict() == {"x": 5, "y": 4}
    assert "effect_size" in change.tuned._repr_html_()
    nothing = WEAT("weat6").compare(pair)
    assert math.isnan(nothing.delta)
    assert nothing.to_dict()["delta"] is None


def test_sets_from_a_file(tmp_path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("x: x0, x1, x2\ny: y0, y1, y2\na: a0, a1\nb: b0, b1\n")
    assert WEAT(path).sets.name == "mine"
    path.write_text(path.read_text() + ": second\n" + path.read_text())
    with pytest.raises(BenchmarkError, match="holds 2 tests"):
        WEAT(path)
    with pytest.raises(UnknownNameError, match="did you mean 'weat"):
        WEAT("weat66")
    assert len(WORD_SETS) == 10
    path.write_text("x: x0, x1, x2\ny: x0, y1, y2\na: a0, a1\nb: b0, b1\n")
    with pytest.raises(BenchmarkError, match="'x0' in both sets"):
        WEAT(path)
