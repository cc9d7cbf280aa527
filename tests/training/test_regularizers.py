import numpy as np
import pytest
import torch
from torch import nn

from driftkit import Embeddings, align, neighbor_shifts
from driftkit.errors import OptionError
from driftkit.training.embedding import MixoutEmbedding
from driftkit.training.regularizers import EWC, L2SP, NeighborPreserving, fisher_diagonal


def table_of(n=40, d=6, sparse=False, seed=0):
    table = nn.Embedding(n, d, sparse=sparse)
    with torch.no_grad():
        table.weight.normal_(generator=torch.Generator().manual_seed(seed))
    return table


def shift(table, rows, by=0.5):
    with torch.no_grad():
        table.weight[rows] += by


def test_l2sp_is_half_alpha_times_the_squared_distance():
    table = table_of()
    penalty = L2SP(table, alpha=0.3)
    start = table.weight.detach().clone()
    shift(table, [1, 7])
    assert penalty().item() == pytest.approx(0.15 * (table.weight - start).square().sum().item())
    penalty().backward()
    torch.testing.assert_close(table.weight.grad, 0.3 * (table.weight.detach() - start))
    batch = torch.tensor([[7, 2], [7, 1]])
    assert penalty(batch).item() == pytest.approx(penalty().item())


def test_l2sp_over_rows_of_a_sparse_table_has_a_sparse_gradient_of_those_rows():
    table = table_of(sparse=True)
    penalty = L2SP(table, alpha=1.0)
    shift(table, [3, 4])
    penalty(torch.tensor([3, 9])).backward()
    gradient = table.weight.grad.coalesce()
    assert gradient.indices().tolist() == [[3, 9]]
    torch.testing.assert_close(gradient.values(), torch.tensor([[0.5] * 6, [0.0] * 6]))


def test_l2sp_of_a_whole_module():
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    penalty = L2SP(model, alpha=2.0)
    with torch.no_grad():
        model[1].bias += 3.0
    assert penalty().item() == pytest.approx(9.0)
    with pytest.raises(OptionError, match="Embedding"):
        penalty(torch.tensor([0]))
    with pytest.raises(OptionError, match="0 or more"):
        L2SP(model, alpha=-1)


def test_the_fisher_information_of_a_quadratic_loss_is_known():
    """For loss (w.x - y)^2 / 2 at residuals r the diagonal is the mean of (r x)^2."""
    rng = torch.Generator().manual_seed(0)
    x, y = torch.randn(50, 3, generator=rng), torch.randn(50, generator=rng)
    model = nn.Linear(3, 1, bias=False)
    residuals = model.weight.detach() @ x.T - y  # (1, n)
    seen = []
    fisher = fisher_diagonal(
        model,
        lambda each: (model(each[0]).squeeze() - each[1]).square() / 2,
        list(zip(x, y, strict=True)),
        progress=lambda done, total: seen.append((done, total)),
    )
    torch.testing.assert_close(fisher["weight"], (residuals.T * x).square().mean(0, keepdim=True))
    assert seen[-1] == (50, 50)
    of_the_mean = (residuals.T * x).mean(0).square()
    assert not torch.allclose(fisher["weight"][0], of_the_mean, rtol=0.5)


def test_sparse_and_dense_tables_have_the_same_fisher_information():
    examples = [torch.tensor(rows) for rows in ([0, 1, 1], [2], [1, 3])]
    found = []
    for sparse in (False, True):
        table = table_of(5, 3, sparse=sparse)
        loss = lambda rows, table=table: table(rows).pow(3).sum()  # noqa: E731
        found.append(fisher_diagonal(table, loss, iter(examples))["weight"])
    torch.testing.assert_close(found[0], found[1])
    assert found[0][4].abs().sum() == 0


def test_ewc_finds_the_known_optimum_of_a_quadratic():
    """Task (w - target)^2 / 2 and penalty strength / 2 F (w - start)^2 meet at a weighted mean."""
    start, target = torch.tensor([1.0, -2.0, 0.0]), torch.tensor([3.0, 3.0, 3.0])
    model = nn.Linear(3, 1, bias=False)
    with torch.no_grad():
        model.weight.copy_(start)
    fisher = torch.tensor([[4.0, 0.5, 0.0]])
    penalty = EWC(model, {"weight": fisher}, strength=2.0, proxy="a quadratic")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(400):
        optimizer.zero_grad()
        ((model.weight - target).square().sum() / 2 + penalty()).backward()
        optimizer.step()
    known = (target + 2.0 * fisher[0] * start) / (1 + 2.0 * fisher[0])
    torch.testing.assert_close(model.weight.detach()[0], known, rtol=1e-4, atol=1e-4)
    assert penalty.proxy == "a quadratic"


def test_ewc_over_rows_counts_each_once():
    table = table_of()
    penalty = EWC(table, {"weight": torch.rand(40, 6)}, strength=3.0, proxy="none")
    shift(table, [4])
    assert penalty(torch.tensor([4, 4, 5])).item() == pytest.approx(penalty().item())
    with pytest.raises(OptionError, match="lacks"):
        EWC(table, {"bias": torch.rand(1)}, strength=1.0, proxy="none")
    with pytest.raises(OptionError, match="no example"):
        fisher_diagonal(table, lambda _: torch.zeros(()), [])


def test_neighbor_preserving_is_the_mean_squared_change_of_cosines():
    table = table_of()
    penalty = NeighborPreserving(table, strength=2.0, k=4)
    start = table.weight.detach().numpy().copy()
    asked = torch.tensor([3, 3, 8])
    assert penalty(asked).item() == pytest.approx(0, abs=1e-6)
    shift(table, [3, 20, 21])
    now = table.weight.detach().numpy()
    words = [f"w{i}" for i in range(40)]
    shifts = neighbor_shifts(align(Embeddings(words, start), Embeddings(words, now)), k=4)
    changes = []
    for row in (3, 8):
        for neighbor, cosine in shifts.at(row).before:
            u, v = now[row], now[int(neighbor[1:])]
            changes.append((u @ v / np.linalg.norm(u) / np.linalg.norm(v) - cosine) ** 2)
    assert penalty(asked).item() == pytest.approx(2.0 * np.mean(changes), rel=1e-4)


def test_neighbor_preserving_moves_only_rows_asked_about_and_pulls_them_back():
    table = table_of(sparse=True)
    penalty = NeighborPreserving(table, strength=1.0, k=5, rows=torch.arange(10), candidates=30)
    shift(table, [2], by=torch.linspace(-1, 1, 6))
    rows = torch.tensor([2, 35])  # 35 was not named at the start
    penalty(rows).backward()
    assert table.weight.grad.coalesce().indices().tolist() == [[2]]
    before = penalty(rows).item()
    optimizer = torch.optim.SparseAdam(table.parameters(), lr=0.01)
    for _ in range(200):
        optimizer.zero_grad()
        penalty(rows).backward()
        optimizer.step()
    assert penalty(rows).item() < 0.05 * before
    with pytest.warns(UserWarning, match="none of the 1 rows of this batch is one of the 10"):
        assert penalty(torch.tensor([35])).item() == 0
    with pytest.raises(OptionError, match="1 or more"):
        NeighborPreserving(table, 1.0, k=0)


@pytest.mark.parametrize("strength", [float("nan"), float("inf"), -1.0, "1"])
def test_a_strength_that_is_none(strength):
    table = table_of()
    for make in (
        lambda: L2SP(table, strength),
        lambda: EWC(table, {"weight": torch.ones(40, 6)}, strength, proxy="none"),
        lambda: NeighborPreserving(table, strength),
        lambda: MixoutEmbedding(table, strength),
    ):
        with pytest.raises(OptionError, match=r"0 or more|at least 0"):
            make()


def test_the_fisher_information_under_no_grad():
    table, examples = table_of(5, 3), [torch.tensor([0, 1])]
    with torch.no_grad():
        within = fisher_diagonal(table, lambda rows: table(rows).pow(3).sum(), examples)
    without = fisher_diagonal(table, lambda rows: table(rows).pow(3).sum(), examples)
    assert torch.equal(within["weight"], without["weight"])


def test_a_whole_penalty_that_makes_a_sparse_gradient_dense_is_told():
    table = table_of(sparse=True)
    penalty = L2SP(table, 1.0)
    shift(table, [4])
    penalty()  # its value alone makes no gradient
    penalty(torch.tensor([4])).backward()
    assert table.weight.grad.is_sparse
    with pytest.warns(UserWarning, match="makes its gradient dense"):
        penalty().backward()
    with pytest.raises(RuntimeError, match="SparseAdam does not support dense gradients"):
        torch.optim.SparseAdam(table.parameters()).step()


def test_rows_of_a_table_that_is_computed():
    table = table_of()
    nn.utils.parametrizations.weight_norm(table)
    penalty = L2SP(table, 1.0)
    assert penalty().item() == 0
    with pytest.raises(OptionError, match="cannot be taken over rows; call it without"):
        penalty(torch.tensor([4]))
