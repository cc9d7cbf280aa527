"""The cost model: what it counts, that it finds costs that were planted, and what its page says."""

import doctest
import re

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks.speed import cost, cost_page
from benchmarks.speed.cost import (
    HERE,
    Model,
    Node,
    Processor,
    Run,
    Tiles,
    chosen,
    cost_of,
    errors,
    pairs,
    read,
    waiting,
    work_of,
    work_on_a_card,
)

PARALLEL = {"products": 5e-12, "looks": 2e-10, "heaps": 7e-8, "decided": 1e-9, "encoded": 2e-9}
SERIAL = {"words": 4e-6, "rows": 2e-7}


def planted(n: int, d: int, moved: float, asked: int) -> Run:
    work = work_of(n, d, moved, asked)
    serial = cost_of(work, SERIAL)
    seconds = cost_of(work, PARALLEL) + serial
    return Run(HERE, "int8", 1, "both", n, d, moved, asked, seconds, serial)


def some_runs() -> list[Run]:
    return [
        planted(n, d, moved, asked)
        for n in (10_000, 50_000, 200_000)
        for d in (50, 128, 300)
        for moved in (0.05, 1.0)
        for asked in (500, n)
    ]


@pytest.mark.parametrize("module", [cost, cost_page])
def test_examples_hold(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


def test_planted_costs_are_found_and_predict_larger_tables():
    found = Processor.of(some_runs())
    assert found.parallel == pytest.approx(PARALLEL, rel=1e-6)
    assert found.serial == pytest.approx(SERIAL, rel=1e-6)
    assert np.abs(errors(some_runs())).max() < 1e-6


def test_what_costs_nothing_is_not_given_less():
    found = cost.fitted([{"a": 1.0, "b": 1.0}, {"a": 1.0, "b": 2.0}], [1.0, 0.9], ("a", "b"))
    assert found["b"] == 0
    assert 0.9 < found["a"] < 1


@pytest.mark.parametrize("moved", [0.0, 0.05, 0.5])
def test_pairs_are_those_with_a_moved_word(moved):
    n = 400
    words = np.arange(n) < moved * n
    with_moved = words[:, None] | words
    first, second = pairs(n, moved, n)
    assert first == pytest.approx(np.triu(np.ones((n, n))).sum(), rel=2 / n)
    assert second == pytest.approx(np.triu(with_moved).sum(), abs=n)
    some = np.random.default_rng(0).permutation(n)[:100]
    _, of_some = pairs(n, moved, 100)
    assert of_some == pytest.approx(with_moved[some].sum(), rel=0.25, abs=1)


def test_where_all_moved_the_second_space_is_searched_whole():
    assert pairs(100, 1.0, 100) == (5_000, 5_000)


def test_lists_that_do_not_fit_into_memory_cost_twice_the_products():
    small, large = work_of(400_000, 64, 1.0), work_of(4_000_000, 64, 1.0)
    assert large["products"] == pytest.approx(2 * 100 * small["products"])
    assert large["words"] == pytest.approx(10 * small["words"])


def test_a_card_searches_both_spaces_whole():
    assert work_on_a_card(1_000, 50)["looks"] == 2e6
    assert work_on_a_card(1_000, 50)["products"] == 2e6 * 64


def test_a_thread_that_took_the_longest_tile_last_is_waited_for():
    assert waiting([1, 1, 2], 2) == 1.5
    areas = np.random.default_rng(0).random(500).tolist()
    for threads in (1, 3, 64):
        assert 1 <= waiting(areas, threads) < 1 + threads * max(areas) / sum(areas)


@pytest.mark.parametrize("n", [60_000, 3_000_000])
def test_no_thread_waits_long_for_a_tile(n):
    assert all(Tiles(n, 300).waits(threads) < 1.02 for threads in (4, 16, 64))


def test_more_nodes_never_take_longer_and_memory_is_kept_to():
    model = Model.of(read())
    for node in (Node(), Node(cards=1)):
        plans = [model.plan(3_000_000, 300, 0.05, nodes, node) for nodes in (1, 8, 64, 1_000)]
        totals = [plan.total for plan in plans]
        assert totals == sorted(totals, reverse=True)
    tight = model.plan(30_000_000, 128, 0.05, 8, Node(memory=13e9))
    assert tight.processes <= 2
    assert model.plan(1_000_000_000, 128, 0.05, 8, Node(memory=100e9)) is None


def test_runs_in_the_repository_tell_larger_ones_within_a_quarter():
    runs = chosen(read(), machine=HERE, engine="int8", what="both")
    far = [run for run in runs if run.n > cost.SMALL]
    found = np.abs(errors(runs))
    whole = [error for run, error in zip(far, found, strict=True) if run.asked == run.n]
    assert len(whole) >= 12
    assert max(whole) < 0.25
    assert found.mean() < 0.1
    assert (found < 0.25).mean() > 0.95
    assert np.abs(cost.card_errors(chosen(read(), machine=cost.CARD))).max() < 0.25


def test_the_page_says_what_the_runs_in_the_repository_say():
    """To a unit of the last digit, since another processor may round the other way."""
    number = re.compile(r"\d+(?:\.\d+)?")
    written = cost_page.PAGE.read_text(encoding="utf-8").replace(",", "")
    computed = cost_page.page_of(read()).replace(",", "")
    assert number.sub("#", written) == number.sub("#", computed)
    for mine, theirs in zip(number.findall(written), number.findall(computed), strict=True):
        digits = len(mine.partition(".")[2])
        assert abs(float(mine) - float(theirs)) <= 1.01 * 10.0**-digits
