from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from driftkit.arrays import generator
from driftkit.evaluators.analogy.relations import answer_relations, logistic_regression


def test_the_regression_is_that_of_scikit_learn(rng: np.random.Generator) -> None:
    linear_model = pytest.importorskip("sklearn.linear_model", reason="scikit-learn (extra dev)")
    x = rng.normal(size=(80, 6))
    y = (x[:, 0] + rng.normal(size=80) > 0.3).astype(float)
    weights, offset = logistic_regression(x, y)
    theirs = linear_model.LogisticRegression(C=1.0, tol=1e-10, max_iter=2000).fit(x, y)
    np.testing.assert_allclose(weights, theirs.coef_[0], atol=1e-5)
    assert offset == pytest.approx(theirs.intercept_[0], abs=1e-5)


def test_the_regression_has_no_slope_left(rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(30, 4)), (rng.random(30) < 0.4).astype(float)
    weights, offset = logistic_regression(x, y)
    error = expit(x @ weights + offset) - y
    np.testing.assert_allclose(x.T @ error + weights, 0, atol=1e-8)
    assert error.sum() == pytest.approx(0, abs=1e-8)


def space(rng: np.random.Generator):
    """Ten pairs that differ by one offset and some noise, among other words."""
    sources = rng.normal(size=(10, 8))
    offset = np.zeros(8)
    offset[0] = 3
    targets = sources + offset + 0.1 * rng.normal(size=(10, 8))
    matrix = np.concatenate([sources, targets, rng.normal(size=(60, 8))]).astype(np.float32)
    norms = np.linalg.norm(matrix.astype(float), axis=1)
    return matrix, norms, np.arange(10), np.arange(10, 20)


def test_3cosavg_by_its_definition(rng: np.random.Generator) -> None:
    matrix, norms, a, b = space(rng)
    found = answer_relations(
        matrix, norms, a, b, np.zeros(10, int), np.arange(80), method="3cosavg", k=3
    )
    unit = matrix / norms[:, None]
    for i in range(10):
        others = np.arange(10) != i
        goal = unit[a[i]] + unit[b[others]].mean(axis=0) - unit[a[others]].mean(axis=0)
        cosine = unit @ goal / np.linalg.norm(goal)
        cosine[a[i]] = -np.inf
        assert found.rows[i].tolist() == np.argsort(-cosine, kind="stable")[:3].tolist()
        assert found.scores[i] == pytest.approx(np.sort(cosine)[::-1][:3])


@pytest.mark.parametrize("method", ["3cosavg", "lrcos"])
def test_a_relation_is_learned(method, rng: np.random.Generator) -> None:
    matrix, norms, a, b = space(rng)
    found = answer_relations(
        matrix, norms, a, b, np.zeros(10, int), np.arange(80), method=method, k=1
    )
    assert (found.first == b).mean() >= 0.7
    assert not (found.first == a).any()
    free = answer_relations(
        matrix, norms, a, b, np.zeros(10, int), np.arange(80), method=method, exclude=False
    )
    assert free.scores[:, 0].min() >= found.scores[:, 0].min()


def test_two_pairs_teach_nothing(rng: np.random.Generator) -> None:
    matrix, norms, a, b = space(rng)
    relation = np.repeat([0, 1], [2, 8])
    calls: list[tuple[int, int]] = []
    found = answer_relations(
        matrix, norms, a, b, relation, np.arange(80), method="3cosavg",
        progress=lambda *call: calls.append(call),
    )  # fmt: skip
    assert found.first[:2].tolist() == [-1, -1]
    assert (found.first[2:] >= 0).all()
    assert calls[-1] == (8, 8)


@pytest.mark.parametrize("method", ["3cosavg", "lrcos"])
def test_equal_candidates_give_the_lowest_row(
    method, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("driftkit.arrays.BLOCK_ROWS", 5)
    matrix, norms, a, b = space(rng)
    doubled, everyone = np.concatenate([matrix, matrix]), np.arange(160)
    relation = np.zeros(10, int)
    found = answer_relations(doubled, np.tile(norms, 2), a, b, relation, everyone, method=method)
    assert ((found.first < 80) | (found.first - 80 == a)).all()
    if method == "3cosavg":
        once = answer_relations(
            matrix, norms, a, b, relation, np.arange(80), method=method, exclude=False
        )
        kept = found.first < 80
        assert (found.first[kept] == once.first[kept]).all()


def test_lrcos_by_its_definition(rng: np.random.Generator) -> None:
    matrix, norms, a, b = space(rng)
    everyone = np.arange(80)
    found = answer_relations(
        matrix, norms, a, b, np.zeros(10, int), everyone, method="lrcos", k=3, seed=1
    )
    unit = matrix / norms[:, None]
    noise = unit[generator(1, "relation negatives").choice(everyone, 50, replace=False)]
    for i in range(10):
        others = np.arange(10) != i
        x = np.concatenate([unit[b[others]], unit[a[others]], noise])
        weights, offset = logistic_regression(x, np.repeat([1.0, 0.0], [9, 59]))
        score = unit @ unit[a[i]] * expit(unit @ weights + offset)
        score[a[i]] = -np.inf
        assert found.rows[i].tolist() == np.argsort(-score, kind="stable")[:3].tolist()
