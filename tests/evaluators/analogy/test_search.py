from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit.embeddings import Embeddings
from driftkit.evaluators.analogy import search as analogy_search
from driftkit.evaluators.analogy.methods import METHODS
from driftkit.evaluators.analogy.search import answer, answer_again
from driftkit.neighbors.search.exact import Search
from driftkit.neighbors.search.space import Space


def oracle(
    matrix: np.ndarray,
    questions: np.ndarray,
    candidates: np.ndarray,
    method: str = "3cosadd",
    k: int = 1,
    exclude: bool = True,
) -> list[list[int]]:
    """Each method read off its definition, a question and a candidate at a time.

    Scores are rounded to float32; the lowest of equal rows comes first.
    """
    norms = np.linalg.norm(matrix.astype(float), axis=1)
    unit = matrix.astype(float) / np.where(norms > 0, norms, 1)[:, None]

    def score(a: int, b: int, c: int, d: int) -> float:
        if norms[d] == 0 or (exclude and d in (a, b, c)):
            return -np.inf
        if method == "3cosadd":
            way = unit[b] - unit[a] + unit[c]
            size = np.linalg.norm(way)
            return unit[d] @ way / size if size > 1e-12 else -np.inf
        if method == "3cosmul":
            s = [max(0.0, (unit[d] @ unit[row] + 1) / 2) for row in (a, b, c)]
            return s[1] * s[2] / (s[0] + 0.001)
        way = unit[d] - unit[c]
        return way @ (unit[b] - unit[a]) / np.sqrt(way @ way) if way @ way > 1e-12 else -np.inf

    answers = []
    for a, b, c in questions:
        scores = np.array([score(a, b, c, d) for d in candidates], np.float32)
        order = np.argsort(-scores, kind="stable")[:k]
        best = [int(candidates[at]) if scores[at] > -np.inf else -1 for at in order]
        answers.append(best + [-1] * (k - len(best)))
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
    monkeypatch.setattr(analogy_search, "QUESTIONS", 5)
    monkeypatch.setattr(analogy_search, "BLOCK", 6)
    monkeypatch.setattr(analogy_search, "GROUP", 3)
    monkeypatch.setattr(analogy_search, "PAIRS", 7)
    monkeypatch.setattr(analogy_search, "WAITING", 4)


def check_against_oracle(space: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    matrix, questions = space
    norms = norms_of(matrix)
    rng = np.random.default_rng(seed)
    method = list(METHODS)[rng.integers(3)]
    k, exclude = int(rng.integers(1, 4)), bool(rng.integers(2))
    hints = rng.integers(-1, len(matrix), len(questions))
    hints[(hints >= 0) & (norms[hints] == 0)] = -1
    for candidates in (np.arange(len(matrix)), np.arange(0, len(matrix), 2)):
        found = answer(
            matrix, norms, questions, candidates, method=method, k=k, exclude=exclude, hints=hints
        )
        assert found.rows.tolist() == oracle(matrix, questions, candidates, method, k, exclude)


@settings(max_examples=60, deadline=None)
@given(spaces(), st.integers(0, 2**20))
def test_the_oracle_in_one_block(space: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    check_against_oracle(space, seed)


@pytest.mark.usefixtures("tiny_blocks")
def test_the_oracle_across_blocks_batches_and_tiles() -> None:
    @settings(max_examples=100, deadline=None)
    @given(spaces(), st.integers(0, 2**20))
    def check(space: tuple[np.ndarray, np.ndarray], seed: int) -> None:
        check_against_oracle(space, seed)

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
        method = list(METHODS)[seed % 3]
        old = answer(before, norms_of(before), questions, method=method)
        again = answer_again(after, norms_of(after), questions, old, changed, method=method)
        anew = answer(after, norms_of(after), questions, method=method)
        assert again.rows.tolist() == anew.rows.tolist()
        np.testing.assert_array_equal(again.scores, anew.scores)

    check()


@pytest.mark.parametrize("exclude", [True, False])
def test_asking_all_products_at_once_is_asking_in_turn(
    rng: np.random.Generator, exclude: bool
) -> None:
    matrix = rng.normal(size=(600, 12)).astype(np.float32)[rng.integers(0, 500, 600)]
    matrix[7] = 0
    questions = rng.integers(10, 600, (80, 3))
    questions[3] = questions[3, 0]
    space = Space.of(matrix)
    search = Search.over(space, np.flatnonzero(space.norms > 0))
    batch = analogy_search._Batch(search, questions, "3cosadd", 4, exclude)
    np.testing.assert_array_equal(batch.all_at_once(None), batch.run(None))


@pytest.mark.parametrize("method", METHODS)
def test_float_rows_against_the_oracle(method: str, rng: np.random.Generator) -> None:
    matrix = rng.normal(size=(200, 30)).astype(np.float32)
    questions = rng.integers(0, 200, (40, 3))
    found = answer(matrix, norms_of(matrix), questions, method=method, k=5)
    assert found.rows.tolist() == oracle(matrix, questions, np.arange(200), method, 5)
    assert (np.diff(found.scores, axis=1) <= 0).all()


@pytest.mark.parametrize("method", METHODS)
def test_real_vectors_against_a_plain_product(method: str, frequent: Embeddings) -> None:
    """Blocks, bounds and float32 against float64 over every candidate, on GloVe."""
    matrix, norms = frequent.matrix[:5000], frequent.norms[:5000]
    questions = np.random.default_rng(6).integers(0, 5000, (60, 3))
    unit = matrix / norms[:, None]
    a, b, c = (unit[questions[:, column]] @ unit.T for column in range(3))  # (m, n)
    inner = np.einsum(
        "ij,ij->i", unit[questions[:, 2]], unit[questions[:, 1]] - unit[questions[:, 0]]
    )
    scores = METHODS[method].exact(a, b, c, inner[:, None])
    np.put_along_axis(scores, questions, -np.inf, axis=1)
    found = answer(matrix, norms, questions, method=method, k=3)
    assert found.rows.tolist() == np.argsort(-scores, axis=1, kind="stable")[:, :3].tolist()


def test_a_cosine_of_minus_one_to_a_does_not_break_3cosmul() -> None:
    """Its divisor is then 0.001 and float32 says little: every group has to be looked at."""
    rng = np.random.default_rng(8)
    matrix = rng.normal(size=(90, 3)).astype(np.float32)
    matrix[1::2] = -matrix[::2]
    questions = rng.integers(0, 90, (40, 3))
    found = answer(matrix, norms_of(matrix), questions, method="3cosmul", k=2)
    assert found.rows.tolist() == oracle(matrix, questions, np.arange(90), "3cosmul", 2)


def test_equal_rows_in_different_blocks_give_the_lowest(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analogy_search, "GROUP", 7)
    monkeypatch.setattr(analogy_search, "BLOCK", 7)
    matrix = rng.normal(size=(50, 20)).astype(np.float32)
    matrix = np.concatenate([matrix, matrix * np.float32(2)])
    questions = rng.integers(0, 50, (30, 3))
    found = answer(matrix, norms_of(matrix), questions)
    twins = np.isin(found.first - 50, questions)
    assert (twins | (found.first < 50)).all()  # a twin only where the first is an input


def test_no_candidate_left() -> None:
    matrix = np.eye(3, dtype=np.float32)
    found = answer(matrix, norms_of(matrix), np.array([[0, 1, 2]]))
    assert found.rows.tolist() == [[-1]]
    assert found.scores.tolist() == [[-np.inf]]
    nobody = answer(matrix, norms_of(matrix), np.array([[0, 1, 1]]), np.empty(0, np.int64))
    assert nobody.rows.tolist() == [[-1]]


def test_a_vector_that_cancels_out_has_no_direction() -> None:
    matrix = np.array([[1, 1, 0], [1, 0, 1], [0, 1, -1], [5, 5, 0], [1, 2, 3]], np.float32)
    found = answer(matrix, norms_of(matrix), np.array([[0, 1, 2], [1, 0, 2]]))
    assert found.rows.tolist() == [[-1], [3]]


def test_no_question() -> None:
    matrix = np.eye(3, dtype=np.float32)
    assert len(answer(matrix, norms_of(matrix), np.empty((0, 3), np.int64)).rows) == 0


def test_progress_ends_at_the_total(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analogy_search, "GROUP", 3)
    monkeypatch.setattr(analogy_search, "BLOCK", 3)
    monkeypatch.setattr(analogy_search, "QUESTIONS", 2)
    calls: list[tuple[int, int]] = []
    matrix = np.eye(10, dtype=np.float32)
    questions = np.array([[0, 1, 2]] * 5)
    answer(matrix, norms_of(matrix), questions, progress=lambda *call: calls.append(call))
    assert calls == sorted(calls)
    assert len(calls) == 12
    assert calls[-1] == (3000, 3000)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("exclude", [True, False])
def test_a_card_answers_as_the_processor_does(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator, exclude: bool
) -> None:
    matrix = rng.normal(size=(40_000, 60)).astype(np.float32)[rng.integers(0, 30_000, 40_000)]
    matrix[7] = 0
    questions = rng.integers(10, 5_000, (500, 3))
    questions[3] = questions[3, 0]  # nothing is left of b - a + c but c
    found = []
    for least in (np.inf, 0):
        monkeypatch.setattr("driftkit.neighbors.search.space.WORTH_A_CARD", least)
        found.append(answer(matrix, norms_of(matrix), questions, k=3, exclude=exclude))
    assert found[0].rows.tobytes() == found[1].rows.tobytes()
    assert found[0].scores.tobytes() == found[1].scores.tobytes()
