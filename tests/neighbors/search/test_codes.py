"""No true neighbor lies outside the bound, whatever the rows are."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit.neighbors.search.codes import LEAST_SCALE, WIDEST, Coding
from driftkit.neighbors.search.exact import nearest
from driftkit.neighbors.search.rerank import cosines
from driftkit.neighbors.search.space import Space, can_compile

if not can_compile():
    pytest.skip("needs numba, and NUMBA_DISABLE_JIT not set", allow_module_level=True)

ROWS = {
    "gaussian": lambda rng, n, d: rng.normal(size=(n, d)),
    "one huge number": lambda rng, n, d: np.where(
        np.arange(d) == rng.integers(0, d, (n, 1)), 1e30, rng.normal(size=(n, d))
    ),
    "one huge number in one row": lambda rng, n, d: np.where(
        (np.arange(n)[:, None] == n // 2) & (np.arange(d) == 0), 1e5, rng.normal(size=(n, d))
    ),
    "denormal": lambda rng, n, d: rng.normal(size=(n, d)) * 1e-41,
    "all equal": lambda rng, n, d: np.repeat(rng.normal(size=(1, d)), n, axis=0),
    "all but equal": lambda rng, n, d: 1 + 1e-6 * rng.normal(size=(n, d)),
    "opposite": lambda rng, n, d: rng.normal(size=(1, d)) * rng.choice([-1, 1], (n, 1)),
    "zero rows": lambda rng, n, d: rng.normal(size=(n, d)) * (rng.random((n, 1)) < 0.5),
    "all zero": lambda _, n, d: np.zeros((n, d)),
    "duplicates": lambda rng, n, d: rng.normal(size=(n, d))[rng.integers(0, max(1, n // 9), n)],
    "whole numbers": lambda rng, n, d: rng.integers(-1, 2, (n, d)),
}


def space_of(kind, seed, n, d):
    with np.errstate(over="ignore"):
        return Space.of(ROWS[kind](np.random.default_rng(seed), n, d).astype(np.float32))


def products(coding, space, rows):
    """What compiled code finds for every two rows (n, n), from the definition."""
    codes = coding.codes(space, rows)
    first, second = coding.starts(codes, codes)
    if coding.product == "float32":
        return (codes.words @ codes.words.T + (first[:, None] + second))[: len(rows), : len(rows)]
    number = codes.words.view(np.int8).astype(np.int64)
    turned = number + 128  # as the bytes of a column are multiplied
    out = number @ turned.T + first[:, None].astype(np.int64) + second
    assert np.abs(out).max() < 2**31
    return out[: len(rows), : len(rows)].astype(np.int32)


@given(
    st.sampled_from(sorted(ROWS)),
    st.integers(0, 2**32 - 1),
    st.integers(1, 60),
    st.integers(1, 70),
    st.sampled_from(["int8", "float32"]),
)
@settings(max_examples=200, deadline=None)
def test_no_cosine_is_above_what_its_product_stands_for(kind, seed, n, d, product):
    space, rows = space_of(kind, seed, n, d), np.arange(n)
    coding = Coding.of(space, rows, product)
    found = products(coding, space, rows)
    left, right = np.divmod(np.arange(n * n), n)
    cosine = cosines(space, left, space, right).reshape(n, n)
    there = ~np.isnan(cosine)
    assert (coding.cosine(found[there], space.error) >= cosine[there] - 1e-7).all()
    assert (found[~there] < coding.limits[0]).all() or product == "float32"
    assert np.isneginf(coding.cosine(found[~there], 0)).all()
    # and what is as near as a floor is not dropped by it
    assert (found[there] > coding.below(space.below(cosine[there]))).all()


@cache
def told_by_torch(kind, shape):
    """A space and the neighbors that torch finds in it, once for both products."""
    space = space_of(kind, 0, *shape)
    return space, nearest(space.matrix, np.arange(len(space.matrix)), 10, engine="torch")


@pytest.mark.parametrize("kind", sorted(ROWS))
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (700, 1), (700, 3), (700, 50), (300, 301)])
@pytest.mark.parametrize("engine", ["int8", "float32"], indirect=True)
def test_compiled_code_finds_the_neighbors_of_any_rows(kind, shape, engine, same):
    space, expected = told_by_torch(kind, shape)
    rows = np.arange(len(space.matrix))
    same(nearest(space.matrix, rows, 10, engine=engine), expected)


def test_a_center_shared_by_all_rows_costs_nothing():
    rng = np.random.default_rng(0)
    matrix = (5 + rng.normal(size=(500, 40))).astype(np.float32)  # cosines near .96
    space, rows = Space.of(matrix), np.arange(500)
    left, right = np.divmod(np.arange(500 * 500), 500)
    cosine = cosines(space, left, space, right).reshape(500, 500)
    centered = Coding.of(space, rows, "int8")
    plain = Coding("int8", np.zeros(40), 0.4 / 127)
    gap, without = (
        (coding.cosine(products(coding, space, rows), 0) - cosine).max()
        for coding in (centered, plain)
    )
    assert gap < without / 5
    assert centered.scale > LEAST_SCALE


def test_a_row_longer_than_int32_can_hold_is_not_rounded():
    space = Space.of(np.ones((2, WIDEST + 1), np.float32))
    assert Coding.of(space, np.arange(2), "int8").product == "float32"
    assert Coding.of(space, np.arange(0), "int8").product == "float32"
