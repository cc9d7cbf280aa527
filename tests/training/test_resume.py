"""A run that resumes pulls to where it began, although its table is tuned by then."""

import io

import numpy as np
import pytest
import torch
from torch import nn

from driftkit import Embeddings
from driftkit.errors import OptionError
from driftkit.training import (
    EWC,
    L2SP,
    Ball,
    MixoutEmbedding,
    NeighborPreserving,
    embedding_from,
)

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


@pytest.fixture
def checkpointed(tune):
    """Return a fresh layer into which a tuned one of the same words was loaded."""
    source = Embeddings([f"w{i}" for i in range(60)], np.random.default_rng(0).normal(size=(60, 8)))
    layer = embedding_from(source, specials=())
    layer.load_state_dict(tune(embedding_from(source, specials=())).state_dict())
    return layer


def ball(table, original=None):
    return Ball(table, 0.1, original=original)


def use(made):
    return made.project(ROWS) if isinstance(made, Ball) else made(ROWS)


WARNED = pytest.mark.parametrize(
    ("make", "kind"),
    [(l2sp, "L2SP"), (ewc, "EWC"), (neighbors, "NeighborPreserving"), (ball, "Ball")],
)


@WARNED
def test_a_start_taken_after_a_checkpoint_was_loaded_is_warned_of_once(make, kind, checkpointed):
    made = make(checkpointed)
    with pytest.warns(UserWarning, match=rf"this {kind} was made after.*Give it original="):
        use(made)
    use(made)


@WARNED
def test_no_warning_where_the_start_is_known(make, kind, checkpointed, start):
    use(make(checkpointed, start))
    use(make(checkpointed, checkpointed.weight))
    made = make(checkpointed)
    made.load_state_dict(make(checkpointed).state_dict())
    use(made)


@WARNED
def test_no_warning_where_the_penalty_came_before_the_checkpoint(make, kind, checkpointed):
    source = checkpointed.to_embeddings()
    layer = embedding_from(source, specials=())
    made = make(layer)
    layer.load_state_dict(checkpointed.state_dict())
    use(made)


def test_a_model_that_holds_a_loaded_table_is_warned_of_too(checkpointed):
    penalty = L2SP(nn.Sequential(checkpointed, nn.Linear(8, 2)), 1.0)
    with pytest.warns(UserWarning, match="L2SP was made after"):
        penalty()


def test_mixout_around_a_loaded_table_is_warned_of_unless_its_original_is_loaded(checkpointed):
    saved = MixoutEmbedding(checkpointed, 0.5).state_dict()
    with pytest.warns(UserWarning, match="MixoutEmbedding was made after"):
        MixoutEmbedding(checkpointed, 0.5)(ROWS)
    layer = MixoutEmbedding(checkpointed, 0.5)
    layer.load_state_dict(saved)
    layer(ROWS)
    MixoutEmbedding(checkpointed, 0.5, original=checkpointed.weight)(ROWS)
    part = MixoutEmbedding(checkpointed, 0.5)
    part.load_state_dict({"embedding.weight": saved["embedding.weight"]}, strict=False)
    with pytest.warns(UserWarning, match="MixoutEmbedding was made after"):
        part(ROWS)
