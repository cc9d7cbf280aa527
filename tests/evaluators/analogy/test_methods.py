from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit.evaluators.analogy.methods import METHODS


@pytest.mark.parametrize("name", METHODS)
def test_bounds_hold_what_they_promise(name: str) -> None:
    """The bounds, taken in float32 with its error, enclose the best score in float64."""
    method = METHODS[name]

    @settings(max_examples=80, deadline=None)
    @given(st.integers(0, 2**20), st.booleans())
    def check(seed: int, close: bool) -> None:
        rng = np.random.default_rng(seed)
        d, g = 5, 8
        unit = rng.normal(size=(3 + g, d))
        if close:  # candidates next to c and opposite to a, where rounding hurts most
            unit[3:6] = unit[2] + 1e-4 * rng.normal(size=(3, d))
            unit[6:9] = -unit[0] + 1e-4 * rng.normal(size=(3, d))
        unit /= np.linalg.norm(unit, axis=1, keepdims=True)
        cosine = torch.from_numpy((unit[:3] @ unit[3:].T).astype(np.float32))
        inner = np.array([unit[2] @ (unit[1] - unit[0])])
        exact = method.exact(*(unit[:3, None] @ unit[3:].T), inner[:, None])
        a, b, c = (torch.tensor([row]) for row in range(3))
        base, part, error = method.tables(cosine, a, b, 9 * 2.0**-24)
        inner32 = torch.from_numpy(inner.astype(np.float32))
        low, high = method.between(base.clone(), part[c], inner32[:, None], error[:, None])
        on_c = np.isnan(exact)
        assert ((low.numpy() <= exact) | on_c).all()
        assert ((exact <= high.numpy()) | on_c).all()
        top = np.nanmax(exact)
        above = method.above(
            base.amax(1, keepdim=True), part[c].amax(1, keepdim=True), inner32[:, None], error
        )
        assert float(above) >= min(top, float(above) if top < 0 else top)

    check()


def test_3cosmul_is_the_product_of_its_definition() -> None:
    a, b, c = (np.array([[x]]) for x in (0.5, 0.2, -1.0))
    assert METHODS["3cosmul"].exact(a, b, c, np.zeros((1, 1))) == 0
    found = METHODS["3cosmul"].exact(b, a, a, np.zeros((1, 1)))
    assert found == pytest.approx(0.75 * 0.75 / (0.6 + 0.001))


def test_a_candidate_on_c_has_no_direction() -> None:
    one = np.ones((1, 1))
    assert np.isnan(METHODS["pairdirection"].exact(0 * one, one, one, 0 * one))
