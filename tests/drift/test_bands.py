import numpy as np
import pytest

from driftkit.drift.bands import band_masks
from driftkit.errors import OptionError


@pytest.mark.parametrize("n", [1001, 10_000, 10_001, 250_000])
def test_every_word_is_in_one_band(n):
    masks = band_masks(n)
    assert (np.sum(list(masks.values()), axis=0) == 1).all()
    assert next(iter(masks)) == "rank 1-1000"
    assert list(masks)[-1].endswith(f"-{n}")


@pytest.mark.parametrize("last", [[10, 5], [0], [5, 5]])
def test_ranks_must_ascend(last):
    with pytest.raises(OptionError, match="must ascend"):
        band_masks(100, last)
