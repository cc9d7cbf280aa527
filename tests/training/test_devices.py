"""What is made before a table goes to another device or type follows it there.

A CPU stands in for a GPU in two ways: with another type, where results can be compared, and with
fake tensors that claim to be elsewhere, which refuse to be mixed with those on the CPU.
"""

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.symbolic_shapes import GuardOnDataDependentSymNode, ShapeEnv

from driftkit.training import EWC, L2SP, Ball, MixoutEmbedding, NeighborPreserving, mask_rows

GPU = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
PLACES = [
    pytest.param("cpu", torch.float16),
    pytest.param("cpu", torch.bfloat16),
    pytest.param("cpu", torch.float64),
    pytest.param("cuda", torch.float32, marks=GPU),
    pytest.param("cuda", torch.float16, marks=GPU),
]
PENALTIES = {
    "L2SP": lambda table: L2SP(table, alpha=0.5),
    "EWC": lambda table: EWC(table, {"weight": torch.full((60, 8), 2.0)}, 0.5, proxy="none"),
    "NeighborPreserving": lambda table: NeighborPreserving(table, 0.5, k=3),
}
ROWS = torch.tensor([[2, 7], [7, 7]])
ELSEWHERE = "lazy"  # the one device but meta that torch knows on every machine


def shift(table, by=0.25):
    with torch.no_grad():
        table.weight[[2, 9]] += torch.linspace(-by, by, 8).to(table.weight)


def rows_with_gradient(table):
    gradient = table.weight.grad.to_dense()
    return set(gradient.any(dim=1).nonzero().flatten().tolist())


@pytest.mark.parametrize(("device", "dtype"), PLACES)
@pytest.mark.parametrize("make", PENALTIES.values(), ids=PENALTIES)
def test_a_penalty_is_what_it_would_be_if_made_after_the_move(make, make_table, device, dtype):
    before, after = make_table(sparse=False), make_table(sparse=False)
    penalty = make(before)
    before.to(device, dtype)
    after.to(device, dtype)
    known = make(after)
    assert penalty(ROWS).item() == pytest.approx(0, abs=1e-5)
    shift(before)
    shift(after)
    value = penalty(ROWS.to(device))
    assert value.device == before.weight.device
    assert value.dtype == torch.promote_types(dtype, torch.float32)
    assert value.item() == pytest.approx(known(ROWS.to(device)).item(), rel=0.02)
    value.backward()
    assert 2 in rows_with_gradient(before) <= {2, 7}


@pytest.mark.parametrize(("device", "dtype"), PLACES)
def test_rows_that_never_moved_are_at_their_start_after_the_table_was_rounded(
    make_table, device, dtype
):
    table = make_table()
    penalty, ball = L2SP(table, alpha=1.0), Ball(table, radius=0.0)
    table.to(device, dtype)
    assert penalty().item() == penalty(ROWS).item() == ball.project() == 0


def test_small_squares_are_not_lost_in_half_precision():
    table = nn.Embedding.from_pretrained(torch.zeros(4, 2, dtype=torch.float16))
    penalty = L2SP(table, alpha=2.0)
    table.weight[1] += 1e-4
    assert penalty().item() == pytest.approx(2e-8, rel=0.01)


@pytest.mark.parametrize(("device", "dtype"), PLACES)
@pytest.mark.parametrize("relative", [False, True])
def test_a_ball_stays_around_its_centers(make_table, device, dtype, relative):
    table = make_table()
    ball = Ball(table, 0.1, relative=relative)
    table.to(device, dtype)
    start = table.weight.detach().clone()
    shift(table, by=2.0)
    assert ball.project(ROWS) == 1
    assert ball.project(torch.tensor([0, 9])) == 1
    distance = (table.weight - start).double().norm(dim=1)
    torch.testing.assert_close(distance[[2, 9]], ball.radius[[2, 9]].double(), rtol=0.05, atol=0)
    assert not distance[[0, 7]].any()


@pytest.mark.parametrize(("device", "dtype"), PLACES)
@pytest.mark.parametrize("sparse", [False, True])
def test_a_mask_holds(make_table, device, dtype, sparse):
    table = make_table(sparse)
    handle = mask_rows(table, torch.arange(60) == 7)
    table.to(device, dtype)
    table(ROWS.to(device)).sum().backward()
    assert rows_with_gradient(table) == {7}
    handle.remove()
    table.weight.grad = None
    table(ROWS.to(device)).sum().backward()
    assert rows_with_gradient(table) == {2, 7}


@pytest.mark.parametrize(("device", "dtype"), PLACES)
def test_mixout_swaps_alike_everywhere(make_table, device, dtype):
    def mixed(device, dtype):
        table = make_table()
        layer = MixoutEmbedding(table, 0.5, seed=1).to(device, dtype)
        shift(table)
        return layer(ROWS.to(device))

    here, there = mixed("cpu", torch.float32), mixed(device, dtype)
    assert there.device.type == device
    assert there.dtype == dtype
    torch.testing.assert_close(there.cpu().float(), here, rtol=0.02, atol=0.01)


def test_a_mask_follows_a_weight_that_was_replaced():
    """`.to("meta")`, `.to_empty` and some wrappers put a new parameter in the old one's place."""
    table = nn.Embedding(4, 2)
    mask_rows(table, torch.tensor([True, False, True, True]))
    table.weight = nn.Parameter(table.weight.detach().clone())
    table(torch.arange(4)).sum().backward()
    assert table.weight.grad.tolist() == [[1, 1], [0, 0], [1, 1], [1, 1]]
    table.to("meta")
    table(torch.arange(4, device="meta")).sum().backward()
    assert table.weight.grad.device.type == "meta"


@pytest.mark.parametrize("make", [PENALTIES["L2SP"], PENALTIES["EWC"]], ids=["L2SP", "EWC"])
def test_a_penalty_follows_to_meta(make, make_table):
    table = make_table()
    penalty = make(table)
    table.to("meta")
    assert penalty().device.type == penalty(ROWS).device.type == "meta"


@pytest.fixture
def leave():
    """Return what puts a fake copy of a table's weight on a device that is not the CPU."""

    def leave(table):
        weight = mode.from_tensor(table.weight.detach()).to(ELSEWHERE)
        with pytest.raises(RuntimeError, match="same device"):
            weight + torch.ones(60, 8)
        table.weight = nn.Parameter(weight, requires_grad=False)

    with FakeTensorMode(allow_non_fake_inputs=True, shape_env=ShapeEnv()) as mode:
        yield leave


@pytest.mark.parametrize(
    "make",
    [*PENALTIES.values(), lambda table: MixoutEmbedding(table, 0.5)],
    ids=[*PENALTIES, "Mixout"],
)
def test_nothing_is_left_behind_on_the_cpu(make, make_table, request):
    table = make_table()
    made = make(table)
    request.getfixturevalue("leave")(table)
    assert made(ROWS.to(ELSEWHERE)).device.type == ELSEWHERE


def test_a_ball_leaves_nothing_behind_on_the_cpu(make_table, leave):
    table = make_table()
    ball = Ball(table, 0.1)
    leave(table)
    with pytest.raises(GuardOnDataDependentSymNode, match="specialized integer"):
        ball.project(ROWS.to(ELSEWHERE))  # all is done but the count, which fake tensors lack
