import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler as schedulers

from driftkit.errors import OptionError
from driftkit.training.schedules import SlantedTriangular, WarmUp, discriminative_rates
from driftkit.training.unfreezing import (
    AtEpoch,
    AtStep,
    OnPlateau,
    Stage,
    Unfreezing,
    freeze_then_unfreeze,
    gradual_stages,
    gradual_unfreezing,
)


class Model(nn.Module):
    def __init__(self, sparse=False):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.table = nn.Embedding(20, 4, sparse=sparse)
        self.middle = nn.Linear(4, 4)
        self.head = nn.Linear(4, 2)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.normal_(generator=generator)

    def forward(self, rows):
        return self.head(torch.tanh(self.middle(self.table(rows))))


def train(model, optimizer, steps, first=0):
    for step in range(first, first + steps):
        rows = torch.arange(step, step + 5) % 10  # rows 10 to 19 are never seen
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(rows), rows % 2).backward()
        optimizer.step()


@pytest.mark.parametrize(
    "make",
    [
        lambda p: torch.optim.Adam(p, lr=0.1, weight_decay=0.1),
        lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.1),
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.1),
        lambda p: torch.optim.RMSprop(p, lr=0.1, momentum=0.9),
        lambda p: torch.optim.Adagrad(p, lr=0.1, weight_decay=0.1),
    ],
)
def test_frozen_rows_are_bit_identical_and_have_no_optimizer_state(make):
    model = Model()
    start, head = model.table.weight.detach().clone(), model.head.weight.detach().clone()
    optimizer = make(model.parameters())
    before = {id(each) for each in optimizer.state}  # Adagrad makes its state at once
    recipe = freeze_then_unfreeze(optimizer, model.table, AtEpoch(2), rate=0.01)
    train(model, optimizer, 8)
    recipe.end_epoch()
    assert torch.equal(model.table.weight, start)
    assert not torch.equal(model.head.weight, head)
    assert (id(model.table.weight) in {id(each) for each in optimizer.state}) == (
        id(model.table.weight) in before
    )
    assert recipe.end_epoch() == 1
    train(model, optimizer, 8)
    assert not torch.equal(model.table.weight[:10], start[:10])


def test_unfreezing_keeps_the_state_of_the_head():
    model = Model()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    recipe = freeze_then_unfreeze(optimizer, model.table, AtStep(5), rate=0.001)
    train(model, optimizer, 4)
    recipe.steps = 4
    state = {key: value.clone() for key, value in optimizer.state[model.head.weight].items()}
    assert recipe.step() == 1
    for key, value in optimizer.state[model.head.weight].items():
        assert torch.equal(value, state[key])
    assert state["step"] == 4
    train(model, optimizer, 1)
    assert optimizer.state[model.head.weight]["step"] == 5
    assert optimizer.state[model.table.weight]["step"] == 1


def test_the_frozen_phase_equals_a_training_without_the_table():
    """Freezing is nothing but leaving the table out, bit for bit."""
    ours, theirs = Model(), Model()
    optimizer = torch.optim.Adam(ours.parameters(), lr=0.01)
    freeze_then_unfreeze(optimizer, ours.table, AtEpoch(99))
    theirs.table.weight.requires_grad_(False)
    others = [*theirs.middle.parameters(), *theirs.head.parameters()]
    train(ours, optimizer, 10)
    train(theirs, torch.optim.Adam(others, lr=0.01), 10)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine, other)


def test_a_table_the_optimizer_did_not_hold_joins_it():
    model = Model(sparse=True)
    dense = torch.optim.Adam([*model.middle.parameters(), *model.head.parameters()])
    sparse = torch.optim.SparseAdam(model.table.parameters(), lr=9.0)
    freeze_then_unfreeze(sparse, model.table, AtEpoch(1), rate=0.5)
    assert [group["lr"] for group in sparse.param_groups] == [0.5]
    freeze_then_unfreeze(dense, [nn.Parameter(torch.zeros(1))], AtEpoch(1), rate=0.25)
    assert [group["lr"] for group in dense.param_groups] == [0.001, 0.25]


def test_by_plateau():
    model = Model()
    recipe = freeze_then_unfreeze(
        torch.optim.Adam(model.parameters()), model.table, OnPlateau(patience=2, least=0.01)
    )
    scores = [0.5, 0.6, 0.605, 0.7, 0.70, 0.71]  # 0.605 and the last two are no improvement
    assert [recipe.end_epoch(score) for score in scores] == [0, 0, 0, 0, 0, 1]
    lower_is_better = freeze_then_unfreeze(
        torch.optim.Adam(model.parameters()), model.table, OnPlateau(patience=1, mode="min")
    )
    assert [lower_is_better.end_epoch(loss) for loss in (1.0, 0.5, 0.6)] == [0, 0, 1]
    with pytest.raises(OptionError, match="metric"):
        freeze_then_unfreeze(
            torch.optim.Adam(model.parameters()), model.table, OnPlateau()
        ).end_epoch()


def test_gradual_unfreezing_goes_from_the_top_down_the_table_last():
    model = Model()
    layers = [model.table, model.middle, model.head]
    rates = [group["lr"] for group in discriminative_rates(layers, 0.1)]
    optimizer = torch.optim.Adam(model.parameters(), lr=1.0)
    recipe = gradual_unfreezing(optimizer, layers, rates=rates)

    def trained():
        return [layer.weight.requires_grad for layer in layers]

    assert trained() == [False, False, True]
    recipe.end_epoch()
    assert trained() == [False, True, True]
    recipe.end_epoch()
    assert trained() == [True, True, True]
    rate_of = {
        id(parameter): group["lr"]
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    assert [rate_of[id(layer.weight)] for layer in layers] == rates
    assert sorted(map(id, model.parameters())) == sorted(rate_of)


def test_gradual_stages_are_those_of_gradual_unfreezing():
    model = Model()
    layers, rates = [model.table, model.middle, model.head], [0.1, 0.2, 0.3]
    recipe = gradual_unfreezing(torch.optim.Adam(model.parameters()), layers, every=2, rates=rates)
    assert tuple(gradual_stages(layers, every=2, rates=rates)) == recipe.stages
    assert [stage.when for stage in recipe.stages] == [AtEpoch(0), AtEpoch(2), AtEpoch(4)]


def test_a_stage_reads_its_parameters_once():
    model = Model()
    stage = Stage(model.middle.parameters(), AtEpoch(1))
    for _ in range(2):
        Unfreezing(torch.optim.Adam(model.parameters()), [stage])
    assert not model.middle.weight.requires_grad


def test_a_plateau_is_counted_from_the_thaw_before():
    model = Model()
    recipe = Unfreezing(
        torch.optim.Adam(model.parameters()),
        [Stage(model.middle, AtEpoch(3)), Stage(model.table, OnPlateau(patience=1))],
    )
    assert [recipe.end_epoch(0.5) for _ in range(5)] == [0, 0, 1, 0, 1]


@pytest.mark.parametrize("stop_at", [1, 2, 3, 5])
def test_a_restored_run_goes_on_as_if_never_stopped(stop_at):
    def make():
        model = Model()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
        recipe = Unfreezing(
            optimizer,
            [Stage(model.middle, AtStep(4), 0.01), Stage(model.table, OnPlateau(1), 0.001)],
        )
        return model, optimizer, recipe, SlantedTriangular(optimizer, 24)

    def epochs(parts, first, last):
        model, optimizer, recipe, schedule = parts
        for epoch in range(first, last):
            for step in range(3):
                train(model, optimizer, 1, first=3 * epoch + step)
                recipe.step()
                schedule.step()
            recipe.end_epoch(1.0)

    whole, half = make(), make()
    epochs(whole, 0, 6)
    epochs(half, 0, stop_at)
    resumed = make()
    for part, saved in zip(resumed, half, strict=True):
        part.load_state_dict(saved.state_dict())
    epochs(resumed, stop_at, 6)
    assert resumed[2].state_dict() == whole[2].state_dict()
    assert whole[2].thawed == 2
    for mine, other in zip(resumed[0].parameters(), whole[0].parameters(), strict=True):
        assert torch.equal(mine, other)


def test_notes_report_what_moves_other_rows():
    model = Model()
    adam = torch.optim.Adam(model.parameters(), weight_decay=0.1)
    assert len(freeze_then_unfreeze(adam, model.table, AtEpoch(1)).notes) == 2
    sgd = torch.optim.SGD(model.parameters())
    assert freeze_then_unfreeze(sgd, model.table, AtEpoch(1)).notes == ()
    assert freeze_then_unfreeze(adam, model.head, AtEpoch(1)).notes == ()


def gradual(make_schedule):
    model = Model()
    layers = [model.table, model.middle, model.head]
    optimizer = torch.optim.Adam(model.parameters())
    recipe = gradual_unfreezing(optimizer, layers, rates=[0.01, 0.02, 0.04])
    return model, optimizer, recipe, make_schedule(optimizer)


def rates_of(parts, make_schedule, first, last, put_back):
    """Train epochs of eight steps; return the parts and the rates of each epoch, (8, groups)."""
    model, optimizer, recipe, schedule = parts
    rates = []
    for epoch in range(first, last):
        rates.append([])
        for step in range(8):
            rates[-1].append([group["lr"] for group in optimizer.param_groups])
            train(model, optimizer, 1, first=8 * epoch + step)
            schedule.step()
        if recipe.end_epoch():
            for group in optimizer.param_groups if put_back else ():
                group["lr"] = group["initial_lr"]
            schedule = make_schedule(optimizer)
    return (model, optimizer, recipe, schedule), rates


@pytest.mark.parametrize(
    ("make_schedule", "put_back"),
    [
        (lambda o: SlantedTriangular(o, 8), False),
        (lambda o: WarmUp(o, 8), False),
        (lambda o: schedulers.LambdaLR(o, lambda step: 1 - step / 9), False),
        (lambda o: schedulers.OneCycleLR(o, max_lr=[0.04, 0.02, 0.01], total_steps=9), False),
        (lambda o: schedulers.CosineAnnealingLR(o, 8), True),
        (lambda o: schedulers.StepLR(o, 3), True),
        (lambda o: schedulers.LinearLR(o, 0.1, total_iters=8), True),
    ],
    ids=[
        "SlantedTriangular",
        "WarmUp",
        "LambdaLR",
        "OneCycleLR",
        "CosineAnnealingLR",
        "StepLR",
        "LinearLR",
    ],
)
def test_a_schedule_begins_again_at_every_thaw(make_schedule, put_back):
    """As in the code of ULMFiT, and the same after a resume."""
    whole, rates = rates_of(gradual(make_schedule), make_schedule, 0, 3, put_back)
    assert whole[2].thawed == 3
    assert rates[0][0] != rates[0][-1]
    assert rates[0] == rates[1] == rates[2]
    half, _ = rates_of(gradual(make_schedule), make_schedule, 0, 1, put_back)
    resumed = gradual(make_schedule)
    for part, saved in zip(resumed, half, strict=True):
        part.load_state_dict(saved.state_dict())
    resumed, rest = rates_of(resumed, make_schedule, 1, 3, put_back)
    assert rest == rates[1:]
    for mine, other in zip(resumed[0].parameters(), whole[0].parameters(), strict=True):
        assert torch.equal(mine, other)


def test_a_head_that_is_frozen_with_the_table_is_named():
    model = nn.ModuleDict({"table": nn.Embedding(6, 3), "head": nn.Linear(3, 6, bias=False)})
    model["head"].weight = model["table"].weight
    optimizer = torch.optim.Adam(model.parameters())
    tied = r"table\.weight, (0\.)?head\.weight are one weight \(tied\), so freezing one freezes all"
    with pytest.warns(UserWarning, match=tied):
        freeze_then_unfreeze(optimizer, model["table"], AtEpoch(1), model=model)
    with pytest.warns(UserWarning, match=tied):
        freeze_then_unfreeze(optimizer, [model["table"].weight], AtEpoch(1), model=model)
    other = nn.Linear(3, 2)
    with pytest.warns(UserWarning, match=tied):
        gradual_unfreezing(optimizer, [model["table"], other], model=nn.Sequential(model, other))
    with pytest.raises(OptionError, match="does not hold that weight"):
        freeze_then_unfreeze(optimizer, model["table"], AtEpoch(1), model=other)


def test_what_is_frozen_whole_or_trained_at_once_is_no_tie_to_name():
    model = nn.ModuleDict({"table": nn.Embedding(6, 3), "head": nn.Linear(3, 6, bias=False)})
    model["again"] = model["table"]
    optimizer = torch.optim.Adam(model.parameters())
    freeze_then_unfreeze(optimizer, model["table"], AtEpoch(1), model=model)
    model["head"].weight = model["table"].weight
    freeze_then_unfreeze(optimizer, model, AtEpoch(1), model=nn.ModuleList([model]))
    freeze_then_unfreeze(optimizer, model["table"], AtEpoch(0), model=model)


def test_what_cannot_be():
    model = Model()
    optimizer = torch.optim.Adam(model.parameters())
    with pytest.raises(OptionError, match="start at 0"):
        freeze_then_unfreeze(optimizer, model.table, AtEpoch(-1))
    with pytest.raises(OptionError, match="start at 0"):
        freeze_then_unfreeze(optimizer, model.table, AtStep(-1))
    with pytest.raises(OptionError, match="patience"):
        freeze_then_unfreeze(optimizer, model.table, OnPlateau(patience=0))
    with pytest.raises(OptionError, match="rate"):
        freeze_then_unfreeze(optimizer, model.table, AtEpoch(1), rate=-1)
    with pytest.raises(OptionError, match="tied"):
        Unfreezing(optimizer, [Stage(model.table, AtEpoch(1)), Stage(model, AtEpoch(2))])
    with pytest.raises(OptionError, match="rates were given"):
        gradual_unfreezing(optimizer, [model.table, model.head], rates=[0.1])
    recipe = freeze_then_unfreeze(optimizer, model.table, AtEpoch(1))
    with pytest.raises(OptionError, match="stages"):
        recipe.load_state_dict({"thawed": 2})
    SlantedTriangular(optimizer, 10)
    with pytest.raises(OptionError, match="then the scheduler"):
        freeze_then_unfreeze(optimizer, model.table, AtEpoch(1))
