"""The simplest map that explains a change, and none where none does."""

import numpy as np
import pytest

from driftkit import Embeddings, align
from driftkit.drift.remedy import remedy

N, D = 200, 6
RNG = np.random.default_rng(0)
BEFORE = RNG.normal(size=(N, D))
ROTATION = np.linalg.qr(RNG.normal(size=(D, D)))[0]


def found(after, before=BEFORE):
    words = [f"w{row}" for row in range(len(before))]
    return remedy(align(Embeddings(words, before), Embeddings(words, after)))


@pytest.mark.parametrize(
    ("after", "name"),
    [
        (0.01 * BEFORE, "one scale"),
        (-BEFORE, "one scale"),
        (BEFORE * RNG.uniform(0.2, 5, (N, 1)), "a length for each word"),
        (BEFORE / np.linalg.norm(BEFORE, axis=1, keepdims=True), "a length for each word"),
        (BEFORE + RNG.normal(size=D), "one shift"),
        (BEFORE[:, RNG.permutation(D)], "one order of the dimensions"),
        (BEFORE @ ROTATION, "one rotation"),
        (3 * BEFORE @ ROTATION, "one rotation"),
        (BEFORE @ RNG.normal(size=(D, D)) + 1, "one affine map"),
    ],
)
def test_simplest(after, name):
    assert found(after).name == name


def test_only_moved_rows_are_explained():
    after = BEFORE.copy()
    after[:50] *= 2
    assert found(after).name == "one scale"


@pytest.mark.parametrize(
    "after",
    [
        BEFORE,
        RNG.permutation(BEFORE),
        BEFORE + 0.3 * RNG.normal(size=BEFORE.shape),
        np.repeat(BEFORE.mean(axis=0, keepdims=True), N, axis=0),  # nothing leads back
    ],
)
def test_none(after):
    assert found(after) is None


def test_a_few_rows_are_explained_by_no_rotation():
    few = BEFORE[:D]
    assert found(RNG.normal(size=few.shape), few) is None
