"""Which rows an optimizer moves, measured, against what `row_motion` says of its settings."""

import pytest
import torch
from torch import nn

from driftkit.errors import OptionError
from driftkit.training.row_motion import row_motion

BATCHES = ([0, 1], [2, 3], [2, 3])  # rows 4 and 5 are in none; 0 and 1 only in the first


def rows_moved_in_the_last_step(make, sparse):
    table = nn.Embedding(6, 3, sparse=sparse)
    with torch.no_grad():
        table.weight.copy_(torch.arange(1, 19).reshape(6, 3) / 10)
    optimizer = make(table.parameters())
    for batch in BATCHES:
        before = table.weight.detach().clone()
        optimizer.zero_grad()
        table(torch.tensor(batch)).square().sum().backward()
        optimizer.step()
    moved = (table.weight != before).any(dim=1).nonzero().squeeze(1).tolist()
    return moved, row_motion(optimizer, table.weight)


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")  # torch's own Adagrad
@pytest.mark.parametrize(
    ("make", "sparse", "moved", "reasons"),
    [
        (lambda p: torch.optim.SparseAdam(p, lr=0.1), True, [2, 3], []),
        (lambda p: torch.optim.SGD(p, lr=0.1), True, [2, 3], []),
        (lambda p: torch.optim.Adagrad(p, lr=0.1), True, [2, 3], []),
        (lambda p: torch.optim.SGD(p, lr=0.1), False, [2, 3], []),
        (lambda p: torch.optim.Adagrad(p, lr=0.1), False, [2, 3], []),
        (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), False, [0, 1, 2, 3], ["running mean"]),
        (lambda p: torch.optim.Adam(p, lr=0.1), False, [0, 1, 2, 3], ["running mean"]),
        (lambda p: torch.optim.NAdam(p, lr=0.1), False, [0, 1, 2, 3], ["running mean"]),
        (lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.1), False, range(6), ["weight_decay"]),
        (
            lambda p: torch.optim.Adam(p, lr=0.1, weight_decay=0.1),
            False,
            range(6),
            ["running mean", "weight_decay"],
        ),
        (
            lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.1),
            False,
            range(6),
            ["running mean", "weight_decay"],
        ),
    ],
)
def test_each_optimizer_moves_the_rows_it_should(make, sparse, moved, reasons):
    found, said = rows_moved_in_the_last_step(make, sparse)
    assert found == list(moved)
    assert len(said) == len(reasons)
    for reason, sentence in zip(reasons, said, strict=True):
        assert reason in sentence


def test_an_optimizer_that_does_not_hold_the_table():
    table, other = nn.Embedding(2, 2), nn.Embedding(2, 2)
    with pytest.raises(OptionError, match="does not train"):
        row_motion(torch.optim.SGD(other.parameters()), table.weight)
