"""Parameter groups of a layer's own."""

import gc
from contextlib import ExitStack

import pytest
import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from driftkit.errors import OptionError
from driftkit.training import AtEpoch, SlantedTriangular, Times, freeze_then_unfreeze
from driftkit.training.monitor import DriftMonitor
from driftkit.training.optimizers import give_own_group
from driftkit.training.steps import Steps


def lists(optimizer, *names):
    return [[group[name] for name in names] for group in optimizer.param_groups]


def test_a_layer_that_spans_two_groups_keeps_the_options_of_each():
    weight, bias, other, late = (nn.Parameter(torch.zeros(1)) for _ in range(4))
    optimizer = torch.optim.AdamW(
        [
            {"params": [weight, other], "weight_decay": 0.1, "lr": 0.5},
            {"params": [bias], "weight_decay": 0.0, "lr": 0.2},
        ]
    )
    give_own_group(optimizer, [weight, bias, late], None)
    assert lists(optimizer, "params", "weight_decay", "lr") == [
        [[other], 0.1, 0.5],
        [[weight, late], 0.1, 0.5],
        [[bias], 0.0, 0.2],
    ]
    give_own_group(optimizer, [weight, bias], 0.01)
    assert lists(optimizer, "weight_decay", "lr") == [
        [0.1, 0.5],
        [0.1, 0.5],
        [0.1, 0.01],
        [0.0, 0.01],
    ]


def test_a_rate_may_be_a_factor_of_the_base_rate_and_the_schedule_starts_from_it():
    table, head = nn.Embedding(9, 4), nn.Linear(4, 2)
    optimizer = torch.optim.SGD(head.parameters(), lr=0.5)
    freeze_then_unfreeze(optimizer, table, AtEpoch(1), rate=Times(0.25))
    assert lists(optimizer, "lr") == [[0.5], [0.125]]
    SlantedTriangular(optimizer, total=100, ratio=2)
    assert lists(optimizer, "lr") == [[0.25], [0.0625]]
    assert all(type(group["lr"]) is float for group in optimizer.param_groups)
    with pytest.raises(OptionError, match=r"^-0.1 was given as a rate"):
        freeze_then_unfreeze(
            torch.optim.SGD(table.parameters()), table, AtEpoch(1), rate=Times(-0.1)
        )


def test_a_monitor_may_be_collected_in_the_middle_of_a_step_or_of_a_pass(make_table, toy):
    """As garbage collection may do at any moment: torch goes through its hooks just then."""
    table = make_table()
    optimizer = torch.optim.SGD(table.parameters(), lr=0.1)
    lost = []

    def collect(*_):
        lost.clear()
        gc.collect()

    with ExitStack() as hooks:
        hooks.callback(register_optimizer_step_pre_hook(collect).remove)
        hooks.callback(table.register_forward_pre_hook(collect).remove)
        hooks.callback(table.register_forward_hook(collect).remove)
        for _ in range(2):
            lost.append(DriftMonitor(table, [f"w{i}" for i in range(60)], benchmarks=[toy]))
            lost.append(Steps(optimizer))
            table(torch.tensor([1])).sum().backward()
            lost.append(DriftMonitor(table, [f"w{i}" for i in range(60)], benchmarks=[toy]))
            lost.append(Steps(optimizer))
            optimizer.step()
    assert lost == []
