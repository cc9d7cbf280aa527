import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from driftkit.errors import OptionError
from driftkit.training.optimizers import parameters_of
from driftkit.training.schedules import (
    SlantedTriangular,
    WarmUp,
    discriminative_rates,
    slanted_triangular,
)


def published(t, total, cut_frac, ratio, rate):
    """Howard & Ruder 2018, equation 3, as printed."""
    cut = math.floor(total * cut_frac)
    p = t / cut if t < cut else 1 - (t - cut) / (cut * (1 / cut_frac - 1))
    return rate * (1 + p * (ratio - 1)) / ratio


@given(
    cut=st.integers(1, 40),
    tenths=st.integers(1, 9),
    ratio=st.sampled_from([1.0, 2.0, 32.0]),
    share=st.floats(0, 1),
)
def test_the_published_formula_wherever_it_needs_no_floor(cut, tenths, ratio, share):
    total = 10 * cut  # total * cut_frac is whole
    t = round(share * total)
    expected = published(t, total, tenths / 10, ratio, 1.0)
    assert slanted_triangular(t, total, tenths / 10, ratio) == pytest.approx(expected, abs=1e-12)


def test_the_floor_makes_the_published_rate_negative_and_ours_never():
    assert published(15, 15, 0.1, 32, 1.0) < 0
    shares = [slanted_triangular(t, 15) for t in range(16)]
    assert min(shares) == 1 / 32
    assert shares == [*shares[:2], *sorted(shares[2:], reverse=True)]


def test_a_training_too_short_to_rise_only_falls():
    with pytest.raises(ZeroDivisionError):
        published(0, 5, 0.1, 32, 1.0)
    shares = [slanted_triangular(t, 5) for t in range(6)]
    assert shares[0] == 1
    assert shares[-1] == 1 / 32
    assert [a - b for a, b in pairwise(shares)] == pytest.approx([(1 - 1 / 32) / 5] * 5)


def test_slanted_rates_in_every_group_and_after_a_restore():
    def make():
        head, table = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
        optimizer = torch.optim.SGD(
            [{"params": [head], "lr": 0.1}, {"params": [table], "lr": 0.01}]
        )
        return optimizer, SlantedTriangular(optimizer, total=40, cut_frac=0.25, ratio=8)

    optimizer, schedule = make()
    seen = []
    for _ in range(50):
        seen.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        schedule.step()
        if schedule.last_epoch == 17:
            other_optimizer, other = make()
            other_optimizer.load_state_dict(optimizer.state_dict())
            other.load_state_dict(schedule.state_dict())
            optimizer, schedule = other_optimizer, other
    for t, (head, table) in enumerate(seen):
        expected = published(min(t, 40), 40, 0.25, 8, 0.1)
        assert head == pytest.approx(expected)
        assert table == pytest.approx(expected / 10)


def test_warm_up_rises_evenly_and_stays():
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.4)
    schedule = WarmUp(optimizer, steps=4)
    rates = []
    for _ in range(6):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4])


@given(layers=st.integers(1, 6), factor=st.floats(1, 5))
def test_each_layer_down_is_slower_by_the_factor(layers, factor):
    stack = [nn.Linear(1, 1) for _ in range(layers)]
    groups = discriminative_rates(stack, 0.5, factor)
    rates = [group["lr"] for group in groups]
    assert rates[-1] == 0.5
    for below, above in pairwise(rates):
        assert above / below == pytest.approx(factor)
    assert torch.optim.Adam(groups).param_groups[0]["params"] == list(stack[0].parameters())


@pytest.mark.parametrize(
    "make",
    [
        lambda o: SlantedTriangular(o, total=0),
        lambda o: SlantedTriangular(o, total=9, cut_frac=1.0),
        lambda o: SlantedTriangular(o, total=9, ratio=0.5),
        lambda o: WarmUp(o, steps=0),
        lambda _: discriminative_rates([nn.Linear(1, 1)], rate=0),
        lambda _: discriminative_rates([nn.Linear(1, 1)], rate=1, factor=0.5),
        lambda _: parameters_of([nn.ReLU()]),
    ],
)
def test_options_out_of_range(make):
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))])
    with pytest.raises(OptionError):
        make(optimizer)


def test_tied_weights_cannot_have_two_rates():
    table, head = nn.Embedding(4, 2), nn.Linear(2, 4, bias=False)
    head.weight = table.weight
    with pytest.raises(OptionError, match="tied"):
        discriminative_rates([table, head], 0.1)
