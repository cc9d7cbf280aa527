import numpy as np
import pytest
import torch

from driftkit.errors import OptionError
from driftkit.neighbors.search.space import Space, row_norms, usable_device


def test_norms_are_of_rows():
    assert row_norms(np.array([[3, 4], [6, 8], [1, 0]], np.float32)).tolist() == [5, 10, 1]


def test_refuses_a_device_nobody_has():
    with pytest.raises(OptionError, match="'abacus' cannot be used"):
        usable_device("abacus")


def test_the_error_bound_holds():
    rng = np.random.default_rng(0)
    matrix = (rng.normal(size=(400, 300)) + 1).astype(np.float32)
    space = Space(matrix, row_norms(matrix), np.arange(400), torch.device("cpu"))
    unit = space.unit(space.live)
    x = matrix.astype(np.float64) / space.norms[:, None]
    assert np.abs((unit @ unit.T).numpy() - x @ x.T).max() <= space.error


def test_unit_rows_and_cosines():
    matrix = np.array([[3, 4], [4, 3]], np.float32)
    space = Space(matrix, row_norms(matrix), np.arange(2), torch.device("cpu"))
    np.testing.assert_allclose(space.unit(np.array([0])).numpy(), [[0.6, 0.8]])
    assert space.cosine(np.array([0, 1]), np.array([1, 1])).tolist() == [np.float32(0.96), 1]
