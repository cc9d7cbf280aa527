from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit.datasets import AnalogyBenchmark, get
from driftkit.embeddings import Embeddings
from driftkit.evaluators import analogy
from driftkit.evaluators.analogy import TIE, Answers, answer, answer_again
from driftkit.evaluators.items import find_items


def oracle(matrix: np.ndarray, questions: np.ndarray, candidates: np.ndarray) -> list[int]:
    """3CosAdd read off its definition, a question and a candidate at a time."""
    norms = np.linalg.norm(matrix.astype(float), axis=1)
    unit = matrix.astype(float) / np.where(norms > 0, norms, 1)[:, None]
    answers = []
    for a, b, c in questions:
        best, row = -np.inf, -1
        for d in candidates:
            if d in (a, b, c) or norms[d] == 0:
                continue
            score = unit[d] @ (unit[b] - unit[a] + unit[c])
            if score > best + TIE:
                best, row = score, d
        answers.append(int(row))
    return answers


def norms_of(matrix: np.ndarray) -> np.ndarray:
    return np.linalg.norm(matrix.astype(float), axis=1)


@st.composite
def spaces(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Small whole numbers, so that equal rows, ties and zero rows are common."""
    n, d, m = draw(st.integers(2, 14)), draw(st.integers(1, 4)), draw(st.integers(1, 12))
    seed = draw(st.integers(0, 2**20))
    rng = np.random.default_rng(seed)
    matrix = rng.integers(-1, 2, (n, d)).astype(np.float32)
    matrix[0] = 1  # one row at least has a direction
    with_direction = np.flatnonzero(norms_of(matrix) > 0)
    return matrix, rng.choice(with_direction, (m, 3))


@pytest.fixture
def tiny_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many blocks, batches and tiles even for a handful of rows."""
    monkeypatch.setattr(analogy, "SMALLEST_BLOCK", 3)
    monkeypatch.setattr(analogy, "QUESTIONS", 5)
    monkeypatch.setattr(analogy, "TILE", 6)


def check_against_oracle(space: tuple[np.ndarray, np.ndarray]) -> None:
    matrix, questions = space
    found = answer(matrix, norms_of(matrix), questions)
    assert found.rows.tolist() == oracle(matrix, questions, np.arange(len(matrix)))
    some = np.arange(0, len(matrix), 2)
    found = answer(matrix, norms_of(matrix), questions, some)
    assert found.rows.tolist() == oracle(matrix, questions, some)


@settings(max_examples=60, deadline=None)
@given(spaces())
def test_the_oracle_in_one_block(space: tuple[np.ndarray, np.ndarray]) -> None:
    check_against_oracle(space)


@pytest.mark.usefixtures("tiny_blocks")
def test_the_oracle_across_blocks_batches_and_tiles() -> None:
    @settings(max_examples=100, deadline=None)
    @given(spaces())
    def check(space: tuple[np.ndarray, np.ndarray]) -> None:
        check_against_oracle(space)

    check()


@pytest.mark.usefixtures("tiny_blocks")
def test_answering_again_is_answering() -> None:
    @settings(max_examples=150, deadline=None)
    @given(spaces(), st.integers(0, 2**20), st.floats(0, 1))
    def check(space: tuple[np.ndarray, np.ndarray], seed: int, share: float) -> None:
        before, questions = space
        rng = np.random.default_rng(seed)
        chosen = rng.random(len(before)) < share
        after = before.copy()
        after[chosen] = rng.integers(-1, 2, after[chosen].shape)
        zeroed = norms_of(after) == 0
        zeroed[np.unique(questions)] &= False
        after[norms_of(after) == 0] = 1
        after[zeroed] = 0
        changed = (before != after).any(axis=1)
        old = answer(before, norms_of(before), questions)
        again = answer_again(after, norms_of(after), questions, old, changed)
        anew = answer(after, norms_of(after), questions)
        assert again.rows.tolist() == anew.rows.tolist()
        np.testing.assert_allclose(again.scores, anew.scores, atol=1e-12)

    check()


def test_float_rows_against_the_oracle(rng: np.random.Generator) -> None:
    matrix = rng.normal(size=(200, 30)).astype(np.float32)
    questions = rng.integers(0, 200, (40, 3))
    found = answer(matrix, norms_of(matrix), questions)
    assert found.rows.tolist() == oracle(matrix, questions, np.arange(200))


def test_equal_rows_in_different_blocks_give_the_lowest(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analogy, "SMALLEST_BLOCK", 7)
    matrix = rng.normal(size=(50, 20)).astype(np.float32)
    matrix = np.concatenate([matrix, matrix * np.float32(2)])
    questions = rng.integers(0, 50, (30, 3))
    found = answer(matrix, norms_of(matrix), questions)
    twins = np.isin(found.rows - 50, questions)
    assert (twins | (found.rows < 50)).all()  # a twin only where the first is an input


def test_no_candidate_left() -> None:
    matrix = np.eye(3, dtype=np.float32)
    found = answer(matrix, norms_of(matrix), np.array([[0, 1, 2]]))
    assert found.rows.tolist() == [-1]
    assert found.scores.tolist() == [-np.inf]
    nobody = answer(matrix, norms_of(matrix), np.array([[0, 1, 1]]), np.empty(0, np.int64))
    assert nobody.rows.tolist() == [-1]


def test_no_question() -> None:
    matrix = np.eye(3, dtype=np.float32)
    assert len(answer(matrix, norms_of(matrix), np.empty((0, 3), np.int64)).rows) == 0


def test_progress_ends_at_the_total(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analogy, "SMALLEST_BLOCK", 3)
    monkeypatch.setattr(analogy, "QUESTIONS", 2)
    calls: list[tuple[int, int]] = []
    matrix = np.eye(10, dtype=np.float32)
    questions = np.array([[0, 1, 2]] * 5)
    answer(matrix, norms_of(matrix), questions, progress=lambda *call: calls.append(call))
    assert calls == [(done, 12) for done in range(1, 13)]


def google(table: Embeddings, fold=str) -> tuple[AnalogyBenchmark, np.ndarray, np.ndarray, Answers]:
    benchmark = get("google")
    assert isinstance(benchmark, AnalogyBenchmark)
    asked = [tuple(map(fold, quadruple)) for quadruple in benchmark.quadruples]
    items = find_items(asked, table.index, table.norms == 0)
    rows = items.rows[items.usable]
    return benchmark, items.usable, rows, answer(table.matrix, table.norms, rows[:, :3])


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
def test_gensim_s_evaluate_word_analogies(glove: Embeddings, tmp_path) -> None:
    """gensim's settings: 300,000 words, upper case. Its own run, on every 50th question; the
    figures of its full run, which takes a minute, by section."""
    limit = 300_000
    folded = Embeddings([word.upper() for word in glove.words[:limit]], glove.matrix[:limit])
    benchmark, usable, rows, answers = google(folded, str.upper)
    correct = np.zeros(len(benchmark), bool)
    correct[usable] = answers.rows == rows[:, 3]
    category = np.array(benchmark.categories)
    ours = {
        name: (int(correct[category == name].sum()), int(usable[category == name].sum()))
        for name in benchmark.sections
    }
    assert ours == GENSIM_SECTIONS
    assert (correct.sum(), usable.sum()) == (9036, 19486)

    sample = np.arange(0, len(benchmark), 50)
    lines, last = [], None
    for i in sample:
        if benchmark.categories[i] != last:
            last = benchmark.categories[i]
            lines.append(f": {last}")
        lines.append(" ".join(benchmark.quadruples[i]))
    path = tmp_path / "sample.txt"
    path.write_text("\n".join(lines) + "\n")
    accuracy, sections = glove.to_gensim().evaluate_word_analogies(str(path))
    total = sections[-1]
    assert len(total["correct"]) == correct[sample].sum()
    assert len(total["correct"]) + len(total["incorrect"]) == usable[sample].sum()
    assert accuracy == pytest.approx(correct[sample].sum() / usable[sample].sum(), abs=1e-6)
