import numpy as np
import pytest

from driftkit.drift.crossing import own_ranks


@pytest.mark.parametrize("n", [1, 5, 5000])
def test_ranks_are_those_of_a_plain_search(n):
    rng = np.random.default_rng(n)
    rows, own = rng.normal(size=(n, 6)), rng.integers(n, size=40)
    queries = rows[own] + rng.normal(size=(40, 6))
    found = own_ranks(queries, rows, own)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    distances = np.linalg.norm(queries[:, None] - rows[None], axis=2)
    near = {"cosine": queries @ unit.T, "l2": -distances, "dot": queries @ rows.T}
    for way, values in near.items():
        mine = values[np.arange(40), own]
        ranks = 1 + (values > mine[:, None]).sum(axis=1)
        assert (found[way].ranks == ranks).all()
        assert found[way].at_1 == (ranks == 1).mean()
        assert found[way].mrr == pytest.approx((1 / ranks).mean())


def test_a_tie_counts_against_a_row():
    rows = np.array([[1.0, 2.0], [2.0, 4.0], [0.0, 1.0]])
    found = own_ranks(rows, rows, np.arange(3))
    assert found["cosine"].ranks.tolist() == [2, 2, 1]
    between = own_ranks(np.array([[1.0, 0.0]]), np.array([[0.0, 0.0], [2.0, 0.0]]), np.array([1]))
    assert between["l2"].ranks.tolist() == [2]


def test_a_row_is_kept_where_its_rank_is_no_worse_than_before():
    """Nearly equal rows are tied with each other, and with nothing else."""
    rows = np.random.default_rng(0).normal(size=(40, 3))
    rows[20:] = rows[:20] * (1 + 1e-15)
    own = np.arange(40)
    original = own_ranks(rows, rows, own)
    for change, kept in ((1 + 1e-9, 1), (-1, 0)):
        found = own_ranks(rows * change, rows, own)
        for way in ("cosine", "l2"):
            assert (original[way].ranks == 2).all()
            assert found[way].kept(original[way]).mean() == kept


def test_equal_rows_are_one_place_and_count_against_each_other_no_more_than_once():
    """As if none but a query's own were there, if its twins are not there either."""
    rng = np.random.default_rng(1)
    rows = np.repeat(rng.normal(size=(40, 3)), 3, axis=0)
    rows[-3:] = 0.0, -0.0, 0.0
    queries = rows + 0.5 * rng.normal(size=rows.shape)
    found = own_ranks(queries, rows, np.arange(120))
    for at in range(120):
        alone = np.flatnonzero((rows != rows[at]).any(axis=1) | (np.arange(120) == at))
        sought = own_ranks(queries[[at]], rows, np.array([at]), alone)
        for way, ranks in sought.items():
            assert found[way].ranks[at] == ranks.ranks[0]


def test_a_query_without_a_direction_finds_everything_first():
    for rows in (np.eye(3), np.diag([3.0, 1.0, 2.0])):  # a short row is the nearest by distance
        for found in own_ranks(np.zeros((1, 3)), rows, np.array([1])).values():
            assert found.ranks.tolist() == [3]


def test_a_row_is_sought_among_some_rows_alone():
    rng = np.random.default_rng(0)
    rows, among = rng.normal(size=(50, 4)).astype(np.float32), rng.permutation(50)[:20]
    queries = rows[among[:8]] + rng.normal(size=(8, 4)).astype(np.float32)
    some, alone = (
        own_ranks(queries, rows, among[:8], among),
        own_ranks(queries, rows[among], np.arange(8)),
    )
    for way, found in some.items():
        assert (found.ranks == alone[way].ranks).all()


def test_no_query_has_no_share():
    found = own_ranks(np.empty((0, 2)), np.eye(2), np.empty(0, np.int64))["cosine"]
    assert np.isnan(found.at_1)
    assert np.isnan(found.mrr)
