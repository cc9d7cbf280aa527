"""Which rows may move, and which an optimizer moves: measured, against `row_motion`."""

import copy
import io

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from driftkit.errors import OptionError
from driftkit.training.optimizers import row_motion
from driftkit.training.rows import Ball, mask_rare_rows, mask_rows

BATCHES = ([0, 1], [2, 3], [2, 3])  # rows 4 and 5 are in none; 0 and 1 only in the first


@pytest.mark.parametrize("sparse", [False, True])
def test_only_frequent_rows_learn(sparse):
    table = nn.Embedding(6, 3, sparse=sparse)
    start = table.weight.detach().clone()
    handle = mask_rare_rows(table, torch.tensor([0, 1, 2, 3, 4, 5]), at_least=3)
    make = torch.optim.SparseAdam if sparse else torch.optim.Adam
    optimizer = make(table.parameters(), lr=0.1)

    def moved():
        return (table.weight != start).any(dim=1).nonzero().squeeze(1).tolist()

    for _ in range(3):
        optimizer.zero_grad()
        table(torch.tensor([0, 1, 2, 3, 4])).square().sum().backward()
        optimizer.step()
    assert moved() == [3, 4]
    handle.remove()
    optimizer.zero_grad()
    table(torch.tensor([0])).square().sum().backward()
    optimizer.step()
    assert 0 in moved()


def test_masks_that_do_not_fit():
    table = nn.Embedding(6, 3)
    with pytest.raises(OptionError, match="one bool"):
        mask_rows(table, torch.ones(5, dtype=torch.bool))
    with pytest.raises(OptionError, match="one bool"):
        mask_rows(table, torch.ones(6))
    with pytest.raises(OptionError, match="1 or more"):
        mask_rare_rows(table, torch.ones(6), 0)
    table.weight.requires_grad_(False)
    with pytest.raises(OptionError, match="frozen"):
        mask_rows(table, torch.ones(6, dtype=torch.bool))


@pytest.mark.parametrize("relative", [False, True])
def test_no_row_leaves_its_ball_and_rows_inside_are_untouched(relative):
    table = nn.Embedding(50, 4)
    ball = Ball(table, 0.5, relative=relative)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        table.weight += torch.randn(50, 4, generator=generator) * torch.rand(
            50, 1, generator=generator
        )
    outside_of_it = table.weight.detach().clone()
    radius = 0.5 * ball.center.norm(dim=1) if relative else torch.full((50,), 0.5)
    distance = (table.weight - ball.center).norm(dim=1)
    inside = distance <= radius
    assert ball.project() == int((~inside).sum()) > 0
    assert inside.any()
    assert torch.equal(table.weight[inside], outside_of_it[inside])
    moved = table.weight - ball.center
    torch.testing.assert_close(moved.norm(dim=1)[~inside], radius[~inside])
    directions = nn.functional.cosine_similarity(moved, outside_of_it - ball.center)
    torch.testing.assert_close(directions, torch.ones(50))


def test_only_rows_asked_about_are_put_back():
    table = nn.Embedding(5, 2)
    ball = Ball(table, 0.0)
    with torch.no_grad():
        table.weight += 1
    assert ball.project(torch.tensor([1, 1, 3])) == 2
    assert (table.weight == ball.center).all(dim=1).tolist() == [False, True, False, True, False]
    with pytest.raises(OptionError, match="radius"):
        Ball(table, -1)


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


@pytest.mark.parametrize("sparse", [False, True])
def test_what_is_not_finite_does_not_leak_into_masked_rows(sparse):
    table = nn.Embedding(3, 2, sparse=sparse)
    start = table.weight.detach().clone()
    mask_rows(table, torch.tensor([True, False, True]))
    (table(torch.tensor([0, 1])) * torch.tensor([[1.0], [torch.nan]])).sum().backward()
    torch.optim.SGD(table.parameters(), lr=0.1).step()
    assert torch.equal(table.weight[1], start[1])
    assert not torch.equal(table.weight[0], start[0])


MASK = torch.tensor([True, True, True, False, True, True])


@pytest.mark.parametrize(
    ("make", "sparse", "goes_on"),
    [
        (lambda p: torch.optim.SGD(p, lr=0.1), False, False),
        (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), False, True),
        (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), True, True),
        (lambda p: torch.optim.Adam(p, lr=0.1), False, True),
        (lambda p: torch.optim.RMSprop(p, lr=0.1), False, False),
        (lambda p: torch.optim.RMSprop(p, lr=0.1, momentum=0.9), False, True),
        (lambda p: torch.optim.Adagrad(p, lr=0.1), False, False),
        (lambda p: torch.optim.Adadelta(p, lr=0.1), False, False),
        (lambda p: torch.optim.SparseAdam(p, lr=0.1), True, False),
    ],
)
def test_momentum_from_before_the_mask_is_warned_of_where_it_moves_rows(make, sparse, goes_on):
    table = nn.Embedding(6, 3, sparse=sparse)
    optimizer = make(table.parameters())

    def step():
        optimizer.zero_grad()
        table(torch.tensor([2, 3])).square().sum().backward()
        optimizer.step()

    step()
    if goes_on:
        with pytest.warns(UserWarning, match="momentum of rows from before"):
            mask_rows(table, MASK, optimizer=optimizer)
    else:
        mask_rows(table, MASK, optimizer=optimizer)
    before = table.weight[3].detach().clone()
    step()
    assert (not torch.equal(table.weight[3], before)) == goes_on


def test_what_the_warning_of_momentum_says_to_do_helps():
    table = nn.Embedding(6, 3)
    optimizer = torch.optim.Adam(table.parameters(), lr=0.1)
    table(torch.tensor([2, 3])).sum().backward()
    optimizer.step()
    del optimizer.state[table.weight]
    mask_rows(table, MASK, optimizer=optimizer)
    before = table.weight.detach().clone()
    optimizer.zero_grad()
    table(torch.tensor([2, 3])).sum().backward()
    optimizer.step()
    assert (table.weight != before).any(dim=1).nonzero().flatten().tolist() == [2]


@pytest.mark.parametrize(
    ("make", "setting"),
    [
        (lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.1), "weight_decay"),
        (lambda p: torch.optim.ASGD(p, lr=0.1, lambd=0.1), "lambd"),
    ],
)
def test_decay_of_masked_rows_is_warned_of(make, setting):
    table = nn.Embedding(6, 3)
    optimizer = make(table.parameters())
    with pytest.warns(UserWarning, match=rf"does not hold: .* a parameter group with {setting}=0"):
        mask_rows(table, MASK, optimizer=optimizer)
    before = table.weight[3].detach().clone()
    table(torch.tensor([2, 3])).sum().backward()
    optimizer.step()
    assert not torch.equal(table.weight[3], before)
    with pytest.raises(OptionError, match="does not train that weight"):
        mask_rows(nn.Embedding(6, 3), MASK, optimizer=optimizer)


def test_a_tied_head_is_named():
    model = nn.ModuleDict({"table": nn.Embedding(6, 3), "head": nn.Linear(3, 6, bias=False)})
    mask_rows(model["table"], MASK, model=model).remove()
    model["head"].weight = model["table"].weight
    with pytest.warns(UserWarning, match=r"table.weight, head.weight are one weight"):
        mask_rows(model["table"], MASK, model=model)
    model["head"](torch.ones(1, 3)).sum().backward()
    assert not model["head"].weight.grad[3].any()
    with pytest.raises(OptionError, match="does not hold that weight"):
        mask_rows(nn.Embedding(6, 3), MASK, model=model)


def through_pickle(model):
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


@pytest.mark.parametrize("copied", [copy.deepcopy, through_pickle])
def test_a_copied_model_is_masked_too(copied):
    model = nn.Sequential(nn.Embedding(6, 3), nn.Linear(3, 1))
    handle = mask_rows(model[0], MASK)
    twin = copied(model)
    handle.remove()
    for each, learns in ((twin, False), (model, True)):
        each(torch.tensor([2, 3])).sum().backward()
        assert each[0].weight.grad[2].any()
        assert each[0].weight.grad[3].any() == learns


def test_a_mask_over_a_mask_is_told_and_removed_with_it():
    table = nn.Embedding(6, 2)
    mask_rows(table, torch.arange(6) >= 4)
    with pytest.warns(UserWarning, match="a row learns only if both let it"):
        second = mask_rows(table, torch.arange(6) >= 1)
    table(torch.arange(6)).sum().backward()
    assert table.weight.grad.any(dim=1).tolist() == [False] * 4 + [True] * 2
    second.remove()
    table.weight.grad = None
    table(torch.arange(6)).sum().backward()
    assert table.weight.grad.all()
    mask_rows(table, torch.arange(6) >= 1)  # alone, so nothing is told


def test_a_table_whose_weight_is_computed_is_refused():
    for compute in (
        nn.utils.parametrizations.weight_norm,
        lambda table: prune.l1_unstructured(table, "weight", amount=0.5),
    ):
        table = nn.Embedding(6, 2)
        ball = Ball(table, 0.1)
        compute(table)
        for use in (
            lambda table=table: mask_rows(table, torch.arange(6) >= 1),
            lambda table=table: Ball(table, 0.1),
            ball.project,
        ):
            with pytest.raises(OptionError, match="computed from other parameters"):
                use()


def test_max_norm_moves_masked_rows_and_is_told():
    table = nn.Embedding(6, 2, max_norm=0.1)
    start = table.weight.detach().clone()
    with pytest.warns(UserWarning, match="the mask does not hold: max_norm shortens rows"):
        mask_rows(table, torch.arange(6) >= 3)
    table(torch.arange(3))
    assert (table.weight != start).any(dim=1).tolist() == [True] * 3 + [False] * 3


@pytest.mark.parametrize("radius", [float("nan"), float("inf"), -0.1, "1"])
def test_a_radius_that_is_none(radius):
    with pytest.raises(OptionError, match="radius=.* 0 or more"):
        Ball(nn.Embedding(3, 2), radius)
