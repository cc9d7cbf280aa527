import numpy as np
import pytest

from driftkit.errors import OptionError
from driftkit.neighbors.search.space import Space, usable_device


@pytest.mark.parametrize("name", ["abacus", "meta", "privateuseone", "xla"])
def test_refuses_a_device_that_computes_nothing(name):
    with pytest.raises(
        OptionError, match=rf"'{name}' cannot be used \([^()]+(\(\))?[^()]*\); 'cpu'"
    ):
        usable_device(name)


def test_the_error_bound_holds():
    rng = np.random.default_rng(0)
    space = Space.of((rng.normal(size=(400, 300)) + 1).astype(np.float32))
    unit = space.unit(np.arange(400))
    x = space.matrix.astype(np.float64) / space.norms[:, None]
    assert np.abs((unit @ unit.T).numpy() - x @ x.T).max() <= space.error


def test_a_zero_row_has_no_unit_row():
    space = Space.of(np.array([[3, 4], [0, 0]], np.float32))
    np.testing.assert_allclose(space.unit(np.array([0, 1])).numpy(), [[0.6, 0.8], [np.nan] * 2])
    told = Space.of(np.array([[3, 4], [1, 0]], np.float32), norms=np.array([5.0, 0]))
    assert np.isnan(told.unit(np.array([1])).numpy()).all()


def test_nothing_is_as_near_as_a_product_below():
    space = Space.of(np.eye(3, dtype=np.float32))
    below = space.below(np.array([0.5, np.nan], np.float32))
    assert 0.4999 < below[0] < 0.5 - space.error
    assert below[1] == -np.inf
