"""A run that resumes pulls to where it began, although its table is tuned by then."""

import io

import pytest
import torch
from torch import nn

from driftkit.errors import OptionError
from driftkit.training import EWC, L2SP, Ball, MixoutEmbedding, NeighborPreserving

ROWS = torch.tensor([2, 9])
FISHER = {"weight": torch.full((60, 8), 2.0)}


def ewc(table, original=None, fisher=FISHER):
    return EWC(table, fisher, 0.5, proxy="none", original=original)


def neighbors(table, original=None):
    return NeighborPreserving(table, 0.5, k=3, original=original)


def l2sp(table, original=None):
    return L2SP(table, 0.5, original=original)


PENALTIES = pytest.mark.parametrize("make", [l2sp, ewc, neighbors])


def through_a_file(state):
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.fixture
def start(make_table):
    return make_table().weight.detach().clone()


@pytest.fixture
def tune():
    def tune(table):
        with torch.no_grad():
            table.weight[ROWS] += torch.linspace(-1, 1, 8)
        return table

    return tune


@PENALTIES
def test_a_penalty_made_of_a_tuned_table_takes_its_start_from_its_own_state(make, make_table, tune):
    table = make_table()
    first = make(table)
    tune(table)
    resumed = make(tune(make_table()))
    assert resumed(ROWS).item() == pytest.approx(0, abs=1e-6)
    resumed.load_state_dict(through_a_file(first.state_dict()))
    assert resumed(ROWS).item() == first(ROWS).item() > 0.001


@PENALTIES
def test_a_penalty_made_of_a_tuned_table_may_be_given_the_original(make, make_table, tune, start):
    table = make_table()
    first = make(table)
    tune(table)
    assert make(table, start)(ROWS).item() == first(ROWS).item() > 0.001
    with pytest.raises(OptionError, match=r"original.* has shape \(59, 8\)"):
        make(table, start[1:])


def test_ewc_takes_its_fisher_information_from_its_state_too(make_table, tune):
    table = make_table()
    first = ewc(table)
    tune(table)
    resumed = ewc(table, fisher={"weight": torch.ones(60, 8)})
    resumed.load_state_dict(first.state_dict())
    assert resumed().item() == first().item() > 0


def test_the_original_of_a_model_is_its_state_dict():
    model = nn.Sequential(nn.Embedding(5, 2), nn.Linear(2, 1))
    original = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad():
        model[1].bias += 3.0
    assert L2SP(model, 2.0, original=original)().item() == pytest.approx(9.0)
    assert L2SP(model, 2.0)().item() == 0
    with pytest.raises(OptionError, match=r"lacks 0\.weight"):
        L2SP(model, 2.0, original={"1.bias": original["1.bias"], "1.weight": original["1.weight"]})
    with pytest.raises(OptionError, match="one tensor and there are 3 parameters"):
        L2SP(model, 2.0, original=original["0.weight"])


def test_a_ball_keeps_its_centers(make_table, tune, start):
    table = make_table()
    first = Ball(table, 0.1, relative=True)
    tune(table)
    resumed, told = Ball(table, 0.1, relative=True), Ball(table, 0.1, relative=True, original=start)
    resumed.load_state_dict(through_a_file(first.state_dict()))
    for ball in (resumed, told):
        assert torch.equal(ball.center, start)
        assert torch.equal(ball.radius, first.radius)
    assert resumed.project() == 2


def test_mixout_saves_its_original_with_the_model(make_table, tune, start):
    first = MixoutEmbedding(make_table(), 0.5)
    tune(first.embedding)
    resumed = MixoutEmbedding(nn.Embedding(60, 8), 0.5)
    resumed.load_state_dict(through_a_file(first.state_dict()))
    assert torch.equal(resumed.original, start)
    assert torch.equal(resumed(ROWS), first(ROWS))
    told = MixoutEmbedding(tune(make_table()), 0.5, original=start)
    assert torch.equal(told.original, start)


def test_states_of_other_penalties(make_table):
    table = make_table()
    with pytest.raises(OptionError, match="another penalty"):
        l2sp(table).load_state_dict(ewc(table).state_dict())
    with pytest.raises(OptionError, match="another penalty"):
        neighbors(table).load_state_dict(l2sp(table).state_dict())
    with pytest.raises(OptionError, match="not of a ball"):
        Ball(table, 0.1).load_state_dict(l2sp(table).state_dict())
    for make in (l2sp, neighbors):
        state = make(nn.Embedding(59, 8)).state_dict()
        with pytest.raises(OptionError, match="59"):
            make(table).load_state_dict(state)
