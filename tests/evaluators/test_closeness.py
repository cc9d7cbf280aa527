from __future__ import annotations

import numpy as np
import pytest

from driftkit.evaluators.closeness import CLOSENESS, cosines, dots, nearness


def test_cosines_by_the_definition(rng: np.random.Generator) -> None:
    matrix = rng.normal(size=(6, 5)).astype(np.float32)
    pairs = np.array([[0, 1], [2, 2], [5, 3]])
    for (i, j), cosine in zip(pairs, cosines(matrix, pairs), strict=True):
        u, v = matrix[i].astype(float), matrix[j].astype(float)
        assert cosine == pytest.approx(u @ v / np.sqrt((u @ u) * (v @ v)), abs=1e-12)


def test_a_table_whose_rows_are_all_alike_orders_nothing(rng: np.random.Generator) -> None:
    """Without rounding, the noise of the last bit would give a correlation here."""
    matrix = (np.ones((40, 1)) * rng.normal(size=(1, 37)) * rng.uniform(1, 9, (40, 1))).astype("f4")
    pairs = np.arange(40).reshape(20, 2)
    exact = np.ones((40, 1), np.float32) * rng.normal(size=(1, 37)).astype(np.float32)
    assert np.ptp(cosines(exact, pairs)) == 0
    # Rows rounded one by one to float32 do differ, by 1e-14 at most in cosine.
    assert np.ptp(cosines(matrix, pairs)) <= 1e-12


def test_dot_and_distance_by_the_definition(rng: np.random.Generator) -> None:
    matrix = rng.normal(size=(6, 5)).astype(np.float32)
    matrix[4] = 0  # a zero row has no cosine, but a product and a distance
    pairs = np.array([[0, 1], [2, 2], [5, 4]])
    for (i, j), dot, near in zip(pairs, dots(matrix, pairs), nearness(matrix, pairs), strict=True):
        u, v = matrix[i].astype(float), matrix[j].astype(float)
        assert dot == pytest.approx(u @ v, abs=1e-11)
        assert near == pytest.approx(-np.sqrt(((u - v) ** 2).sum()), abs=1e-11)


def test_all_three_order_unit_rows_alike(rng: np.random.Generator) -> None:
    matrix = rng.normal(size=(30, 4))
    matrix = (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype(np.float32)
    pairs = rng.integers(0, 30, (20, 2))
    pairs[:, 1] = (pairs[:, 0] + 1 + pairs[:, 1] % 28) % 30
    orders = {name: np.argsort(close(matrix, pairs)).tolist() for name, close in CLOSENESS.items()}
    assert orders["cosine"] == orders["dot"] == orders["euclidean"]
