import numpy as np
import pytest
import torch

from driftkit import Embeddings, align, neighbor_shifts
from driftkit.drift import word_drift
from driftkit.errors import OptionError, UnknownNameError
from driftkit.training.figures import Probes, TableFigures, moved_rows, probe_rows

WORDS = tuple(f"w{i}" for i in range(60))


@pytest.fixture
def tables(make_table):
    before = make_table().weight.detach().clone()
    after = before.clone()
    after[[3, 10, 41]] += torch.linspace(-1, 2, 8)
    after[10] = -before[10]
    return before, after


def pair_of(before, after):
    return align(Embeddings(WORDS, before.numpy().copy()), Embeddings(WORDS, after.numpy().copy()))


def test_moved_rows_and_self_cosines_are_those_of_a_pair(tables, monkeypatch):
    monkeypatch.setattr("driftkit.training.figures.STEP", 7)
    before, after = tables
    pair = pair_of(before, after)
    moved, cosines = moved_rows(after, before)
    assert moved.tolist() == np.flatnonzero(pair.moved).tolist() == [3, 10, 41]
    np.testing.assert_allclose(cosines, word_drift(pair).self_cosine[[3, 10, 41]], atol=1e-12)
    assert cosines[1] == pytest.approx(-1)
    assert moved_rows(after, before, torch.tensor([41, 2, 3]))[0].tolist() == [41, 3]
    assert [len(part) for part in moved_rows(before, before)] == [0, 0]
    assert [len(part) for part in moved_rows(after, before, torch.arange(0))] == [0, 0]
    after[3] = 0
    after[41, 2] = torch.nan
    _, cosines = moved_rows(after, before)
    assert cosines.isnan().tolist() == [True, False, False]
    assert cosines.isinf().tolist() == [False, False, True]


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
    index = {word: row for row, word in enumerate(WORDS)}
    drawn = probe_rows(before, index, 4, seed=1)
    assert len(drawn) == 4
    assert drawn.min() >= 50
    assert torch.equal(drawn, probe_rows(before, index, 4, seed=1))
    assert probe_rows(before, index, 99, seed=0).tolist() == list(range(50, 60))
    assert probe_rows(before, index, ["w3", "w1", "w3"], seed=0).tolist() == [3, 1]
    with pytest.raises(OptionError, match="at least 1"):
        probe_rows(before, index, 0, seed=0)
    with pytest.raises(OptionError, match="at least 1"):
        probe_rows(before[:50], index, 5, seed=0)
    with pytest.raises(OptionError, match="list of words"):
        probe_rows(before, index, "w1", seed=0)
    with pytest.raises(UnknownNameError, match="probe"):
        probe_rows(before, index, ["w60"], seed=0)


def test_figures_are_split_by_moved(tables):
    before, after = tables
    figures = TableFigures(before, Probes(before, torch.arange(60), torch.arange(60), 5), [])
    seen = torch.zeros(60, dtype=torch.bool)
    seen[[3, 10, 20]] = True
    now = figures.measure(after, seen, only_seen=False)
    shifts = neighbor_shifts(pair_of(before, after), k=5)
    assert (now["seen"], now["moved"], now["moved_unseen"]) == (3, 3, 1)
    assert now["overlap@5"] == pytest.approx(shifts.overlap.mean())
    assert now["overlap@5[moved]"] == pytest.approx(shifts.overlap[shifts.moved].mean())
    assert now["overlap@5[unmoved]"] == pytest.approx(shifts.overlap[~shifts.moved].mean())
    assert now["self_cosine_p05"] < now["self_cosine_p50"] < now["self_cosine_p95"] < 1
    blind = figures.measure(after, seen, only_seen=True)
    assert (blind["moved"], blind["moved_unseen"]) == (2, 0)
    untouched = figures.measure(before, seen, only_seen=False)
    np.testing.assert_equal(untouched, {**figures.unchanged(), "seen": 3})
    after[10, 0] = torch.nan
    assert np.isnan(figures.measure(after, seen, only_seen=False)["overlap@5"])
