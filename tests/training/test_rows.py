import pytest
import torch
from torch import nn

from driftkit.errors import OptionError
from driftkit.training.rows import Ball, mask_rare_rows, mask_rows


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
