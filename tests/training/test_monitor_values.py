import math

import numpy as np
import pytest
import torch

from driftkit import Embeddings, align, neighbor_shifts, score
from driftkit.datasets import AnalogyBenchmark
from driftkit.drift import word_drift
from driftkit.errors import OptionError, UnknownNameError
from driftkit.provenance import Rounding, Source
from driftkit.training.monitor_values import (
    STEP,
    Probes,
    TableValues,
    moved_rows,
    probe_rows,
    repeated,
)

WORDS = tuple(f"w{i}" for i in range(60))
INDEX = {word: row for row, word in enumerate(WORDS)}


@pytest.fixture
def tables(make_table):
    before = make_table().weight.detach().clone()
    after = before.clone()
    after[[3, 10, 41]] += torch.linspace(-1, 2, 8)
    after[10] = -before[10]
    return before, after


def pair_of(before, after):
    return align(Embeddings(WORDS, before.numpy().copy()), Embeddings(WORDS, after.numpy().copy()))


def test_moved_rows_and_self_cosines_are_those_of_a_pair(tables):
    before, after = tables
    pair = pair_of(before, after)
    moved, cosines = moved_rows(after, before)
    assert moved.tolist() == np.flatnonzero(pair.moved).tolist() == [3, 10, 41]
    np.testing.assert_allclose(cosines, word_drift(pair).self_cosine[[3, 10, 41]], atol=1e-12)
    assert cosines[1] == pytest.approx(-1)
    assert [len(part) for part in moved_rows(before, before)] == [0, 0]
    after[3] = 0
    after[41, 2] = torch.nan
    _, cosines = moved_rows(after, before)
    assert cosines.isnan().tolist() == [True, False, False]
    assert cosines.isinf().tolist() == [False, False, True]


def test_moved_rows_of_a_table_of_several_steps():
    before = torch.ones(2 * STEP + 3, 2)
    after = before.clone()
    changed = [0, STEP - 1, STEP, 2 * STEP + 2]
    after[changed, 1] = -1
    assert moved_rows(after, before)[0].tolist() == changed


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_half_precision_moves_are_those_of_a_pair(kind, make_table):
    before = make_table().weight.detach().to(kind)
    after = before.clone()
    after[3] *= 1 + 2 * torch.finfo(kind).eps
    after[5:9] = after[5:9].nextafter(torch.tensor(torch.inf, dtype=kind))  # the last unit
    after[10, 0] = torch.nan
    rounding = Rounding.of_dtype(str(kind).removeprefix("torch."))
    one, other = (
        Embeddings(WORDS, each.float().nan_to_num().numpy(), source=Source(rounding=rounding))
        for each in (before, after)
    )
    assert moved_rows(after, before)[0].tolist() == np.flatnonzero(align(one, other).moved).tolist()
    assert {3, 10} <= set(moved_rows(after, before)[0].tolist())
    whole = make_table().weight.detach()
    assert len(moved_rows(whole.to(kind), whole)[0]) == 0


def test_probes_agree_with_neighbor_shifts(tables):
    before, after = tables
    probes = Probes(before, torch.tensor([1, 3, 50]), torch.arange(40), k=6)
    shifts = neighbor_shifts(pair_of(before, after), ["w1", "w3", "w50"], k=6, candidates=40)
    np.testing.assert_array_equal(probes.overlaps(after), shifts.overlap)
    assert shifts.overlap.min() < 1
    np.testing.assert_array_equal(probes.overlaps(before), 1.0)


def test_probes_are_drawn_among_words_with_a_direction_and_by_seed(tables):
    before, _ = tables
    before[:50] = 0
    drawn = probe_rows(before, INDEX, 4, seed=1)
    assert len(drawn) == 4
    assert drawn.min() >= 50
    assert torch.equal(drawn, probe_rows(before, INDEX, 4, seed=1))
    assert probe_rows(before, INDEX, 99, seed=0).tolist() == list(range(50, 60))
    assert probe_rows(before, INDEX, ["w3", "w1", "w3"], seed=0).tolist() == [3, 1]
    with pytest.raises(OptionError, match="at least 1"):
        probe_rows(before, INDEX, 0, seed=0)
    with pytest.raises(OptionError, match="at least 1"):
        probe_rows(before[:50], INDEX, 5, seed=0)
    with pytest.raises(OptionError, match="list of words"):
        probe_rows(before, INDEX, "w1", seed=0)
    with pytest.raises(UnknownNameError, match="probe"):
        probe_rows(before, INDEX, ["w60"], seed=0)


def test_values_are_split_by_moved(tables):
    before, after = tables
    values = TableValues(before, Probes(before, torch.arange(60), torch.arange(60), 5), [])
    seen = torch.zeros(60, dtype=torch.bool)
    seen[[3, 10, 20]] = True
    now = values.measure(after, seen)
    shifts = neighbor_shifts(pair_of(before, after), k=5)
    assert (now["seen"], now["moved"], now["moved_unseen"]) == (3, 3, 1)
    assert now["overlap@5"] == pytest.approx(shifts.overlap.mean())
    assert now["overlap@5[moved]"] == pytest.approx(shifts.overlap[shifts.moved].mean())
    assert now["overlap@5[unmoved]"] == pytest.approx(shifts.overlap[~shifts.moved].mean())
    assert now["self_cosine_p05"] < now["self_cosine_p50"] < now["self_cosine_p95"] < 1
    untouched = values.measure(before, seen)
    np.testing.assert_equal(untouched, {**values.unchanged(), "seen": 3})
    after[10, 0] = torch.nan
    assert np.isnan(values.measure(after, seen)["overlap@5"])


def scored(weight, of):
    table = Embeddings(WORDS, weight.numpy().copy())
    return next(iter(score(table, [of]))).value


def test_similarity_is_what_score_returns_before_and_after(toy, make_table):
    weight = make_table().weight.detach().clone()
    benchmark = repeated(toy, (), INDEX, weight)  # without words it cannot be `driftkit.score`
    assert benchmark.name == "spearman[toy]"
    assert benchmark.start == pytest.approx(scored(weight, toy), abs=1e-12)
    weight[5:30] *= -0.5
    weight[2:20, 3] += 1
    assert benchmark.value(weight) == pytest.approx(scored(weight, toy), abs=1e-12)
    assert benchmark.value(weight) != benchmark.start
    weight[INDEX[toy.pairs[0][0]]] = 0
    assert math.isnan(benchmark.value(weight))


def test_words_without_a_row_leave_their_pairs_out(toy, make_table):
    weight = make_table().weight.detach()[:30]
    index = {word: row for word, row in INDEX.items() if row < 30}
    benchmark = repeated(toy, WORDS[:30], index, weight)
    table = Embeddings(WORDS[:30], weight.numpy().copy())
    assert benchmark.start == pytest.approx(next(iter(score(table, [toy]))).value, abs=1e-12)


def test_analogies_are_what_score_returns(make_table):
    weight = make_table().weight.detach().clone()
    weight[3] = weight[1] - weight[0] + weight[2]
    quadruples = (("w0", "w1", "w2", "w3"), ("w4", "w5", "w6", "w7"))
    quads = AnalogyBenchmark("quads", quadruples, ("all", "all"))
    benchmark = repeated(quads, WORDS, INDEX, weight)
    assert benchmark.name == "3cosadd@1[quads]"
    assert benchmark.start == scored(weight, quads) == 0.5
    weight[3] *= -1
    assert benchmark.value(weight) == 0
