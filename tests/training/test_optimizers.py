"""Parameter groups of a layer's own."""

import torch
from torch import nn

from driftkit.training.optimizers import give_own_group


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
