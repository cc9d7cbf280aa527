import numpy as np
import pytest
import torch

from driftkit.neighbors.search import rerank, resident
from driftkit.neighbors.search.resident import Resident
from driftkit.neighbors.search.space import Space

CPU = torch.device("cpu")
WIDTHS = [1, 2, 7, 8, 9, 50, 127, 128, 129, 200, 300, 1000, 1025]


@pytest.mark.parametrize("d", WIDTHS)
def test_sums_take_the_steps_of_numpy(d):
    rng = np.random.default_rng(d)
    numbers = rng.normal(size=(200, d)) * 10.0 ** rng.integers(-8, 8, (200, d))
    found = resident.ordered_sums(torch.from_numpy(numbers)).numpy()
    assert found.tobytes() == numbers.sum(axis=1).tobytes()


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("d", [3, 50, 300])
def test_cosines_have_the_bits_of_the_processor(monkeypatch, kind, d):
    monkeypatch.setattr(resident, "_PAIR_NUMBERS", 1000)
    rng = np.random.default_rng(d)
    asked = Space.of(rng.normal(size=(40, d)).astype(kind))
    space = Space.of(
        (rng.normal(size=(60, d)) * 10.0 ** rng.integers(-30, 30, (60, 1))).astype("f4")
    )
    left, right = rng.integers(0, 40, 500), rng.integers(0, 60, 500)
    tables = [Resident.of(each.matrix, each.norms, CPU) for each in (asked, space)]
    found = resident.cosines(*tables, torch.from_numpy(left), torch.from_numpy(right))
    assert found.numpy().tobytes() == rerank.cosines(asked, left, space, right).tobytes()


def test_a_table_is_sent_in_parts(monkeypatch):
    monkeypatch.setattr(resident, "_STAGE", 100)
    matrix = np.arange(60, dtype=np.float32).reshape(20, 3)
    matrix.setflags(write=False)
    table = Resident.of(matrix, np.ones(20), CPU)
    np.testing.assert_array_equal(table.rows.numpy(), matrix)


def test_keys_are_those_of_the_processor():
    score = np.array([0.5, -0.5, 0.5, np.nan, -0.0, 0, 1, -1], np.float32)
    identity = np.array([7, 1, 3, 4, 2, 0, -1, 5], np.int32)
    keys = resident.keys_of(torch.from_numpy(score), torch.from_numpy(identity))
    expected = rerank.keys_of(score, identity)
    np.testing.assert_array_equal(keys.numpy(), expected)
    for one, other in zip(resident.entries_of(keys), rerank.entries_of(expected), strict=True):
        np.testing.assert_array_equal(one.numpy(), other)
