"""What an unfreezing sees of a training, and says where it would be blind."""

import copy
import warnings

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler as schedulers

from driftkit.errors import OptionError
from driftkit.training import (
    AtEpoch,
    AtStep,
    OnPlateau,
    Stage,
    Times,
    Unfreezing,
    discriminative_rates,
    freeze_then_unfreeze,
    gradual_unfreezing,
)

ROWS = torch.tensor([3, 4, 7])


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.head = nn.Embedding(60, 8), nn.Linear(8, 2)

    def forward(self, rows):
        return self.head(self.table(rows))


@pytest.fixture
def model():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield Model()


def sgd(model, **options):
    return torch.optim.SGD(model.parameters(), **{"lr": 0.5} | options)


def loss_of(model):
    return model(ROWS).square().mean()


def take_step(model, optimizer):
    optimizer.zero_grad()
    loss_of(model).backward()
    optimizer.step()


# What was frozen before


def test_what_was_frozen_in_a_layer_before_stays_frozen():
    encoder, head = nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 4)), nn.Linear(4, 2)
    encoder[0].weight.requires_grad_(False)
    optimizer = sgd(nn.Sequential(encoder, head))
    for _ in range(2):  # also where the cell of a notebook is run twice
        recipe = gradual_unfreezing(optimizer, [encoder, head])
    assert [each.requires_grad for each in encoder.parameters()] == [False] * 3
    recipe.end_epoch()
    assert [each.requires_grad for each in encoder.parameters()] == [False, True, True]
    assert any("1 parameters of a layer were frozen before and stay so" in n for n in recipe.notes)
    recipe.load_state_dict(recipe.state_dict())
    assert not encoder[0].weight.requires_grad


def test_a_layer_that_was_frozen_whole_is_unfrozen(model):
    model.table.weight.requires_grad_(False)
    recipe = freeze_then_unfreeze(sgd(model), model.table, AtEpoch(1))
    assert recipe.notes == ()
    recipe.end_epoch()
    assert model.table.weight.requires_grad


def gpt2():
    transformers = pytest.importorskip("transformers", reason="extra transformers is not installed")
    pytest.importorskip("peft", reason="extra peft is not installed")
    config = transformers.GPT2Config(
        vocab_size=60,
        n_positions=16,
        n_embd=8,
        n_layer=1,
        n_head=2,
        bos_token_id=0,
        eos_token_id=0,
        tie_word_embeddings=False,
    )
    return transformers.GPT2LMHeadModel(config)


@pytest.mark.slow
def test_the_weight_under_lora_stays_frozen():
    base = gpt2()
    from peft import LoraConfig, get_peft_model

    options = {"r": 2, "fan_in_fan_out": True, "target_modules": ["wte", "c_attn"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own, about transformers
        model = get_peft_model(base, LoraConfig(**options))
    trained = [name for name, each in model.named_parameters() if each.requires_grad]
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.5)
    table = model.get_input_embeddings()
    recipe = freeze_then_unfreeze(optimizer, table, AtStep(1), model=model)
    start = table.weight.detach().clone()
    for _ in range(3):
        optimizer.zero_grad()
        model(input_ids=ROWS[None], labels=ROWS[None]).loss.backward()
        optimizer.step()
        recipe.step()
    assert recipe.thawed == 1
    assert [name for name, each in model.named_parameters() if each.requires_grad] == trained
    assert torch.equal(table.weight, start)


# Steps


def test_steps_that_a_gradient_scaler_skips_are_none(model):
    optimizer = sgd(model)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0)
    recipe = freeze_then_unfreeze(optimizer, model.table, AtStep(2))
    thawed = []
    for factor in (1.0, float("inf"), 1.0, 1.0):
        optimizer.zero_grad()
        scaler.scale(loss_of(model) * factor).backward()
        scaler.step(optimizer)
        scaler.update()
        thawed.append(recipe.step())
    assert thawed == [0, 0, 1, 0]
    assert recipe.steps == 3


def test_a_fused_optimizer_under_a_gradient_scaler(model):
    """It takes no step either where a gradient overflowed, though its ``step`` is called."""
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0)
    recipe = freeze_then_unfreeze(optimizer, model.table, AtStep(2))
    for factor in (1.0, float("inf"), 1.0):
        optimizer.zero_grad()
        scaler.scale(loss_of(model) * factor).backward()
        scaler.step(optimizer)
        scaler.update()
        recipe.step()
    assert recipe.steps == optimizer.state[model.head.weight]["step"].item() == 2


@pytest.mark.parametrize("is_prepared", [False, True])
def test_steps_that_accelerate_accumulates_are_one(model, is_prepared):
    accelerate = pytest.importorskip("accelerate", reason="extra transformers is not installed")
    accelerate.state.GradientState._reset_state()  # one a process, as another test left it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own
        accelerator = accelerate.Accelerator(gradient_accumulation_steps=4, cpu=True)
    plain = sgd(model)
    recipe = None if is_prepared else freeze_then_unfreeze(plain, model.table, AtStep(2))
    model, optimizer = accelerator.prepare(model, plain)
    recipe = recipe or freeze_then_unfreeze(optimizer, model.table, AtStep(2))
    thawed = []
    for _ in range(8):
        with accelerator.accumulate(model):
            accelerator.backward(loss_of(model))
            optimizer.step()
            optimizer.zero_grad()
        thawed.append(recipe.step())
    assert thawed == [0] * 7 + [1]
    assert recipe.steps == 2


def test_an_optimizer_inside_another_one_steps_once(model):
    class Careful(torch.optim.Optimizer):
        def __init__(self, inner):
            super().__init__(inner.param_groups, {})
            self.inner, self.param_groups = inner, inner.param_groups

        def step(self, closure=None):
            return self.inner.step(closure)

    optimizer = Careful(sgd(model))
    recipe = freeze_then_unfreeze(optimizer, model.table, AtStep(3))
    for _ in range(2):
        take_step(model, optimizer)
        recipe.step()
    take_step(model, optimizer.inner)
    assert (recipe.step(), recipe.steps) == (1, 3)


def test_steps_between_two_calls_all_count(model):
    optimizer = sgd(model)
    recipe = freeze_then_unfreeze(optimizer, model.table, AtStep(5))
    for _ in range(5):
        take_step(model, optimizer)
    assert (recipe.step(), recipe.steps) == (1, 5)


def test_a_copy_counts_the_steps_of_its_own_optimizer(model):
    recipe = freeze_then_unfreeze(sgd(model), model.table, AtStep(2))
    copied, other = copy.deepcopy((recipe, model))
    for steps in (1, 2):
        take_step(other, copied.optimizer)
        copied.step()
        assert (copied.steps, copied.thawed) == (steps, steps // 2)
    assert (recipe.step(), recipe.steps) == (0, 0)


# An optimizer, a layer or a model that was made anew


def test_an_optimizer_made_anew_is_told(model):
    recipe = freeze_then_unfreeze(sgd(model), model.table, AtStep(5))
    optimizer = torch.optim.SGD([each for each in model.parameters() if each.requires_grad], lr=0.5)
    take_step(model, optimizer)
    with pytest.warns(UserWarning, match=r"takes no steps, and another one \(SGD\) does"):
        recipe.step()
    take_step(model, optimizer)
    recipe.step()  # once


def test_a_model_made_anew_is_told():
    old = Model()
    recipe = freeze_then_unfreeze(sgd(old), old.table, AtEpoch(5))
    new = Model()
    take_step(new, sgd(new))
    recipe.step()
    with pytest.warns(UserWarning, match="after the model and the optimizer were made"):
        recipe.end_epoch()


def test_a_model_made_anew_is_told_where_no_epoch_is_counted():
    old = Model()
    recipe = freeze_then_unfreeze(sgd(old), old.table, AtStep(12))
    new = Model()
    optimizer = sgd(new)
    for _ in range(11):
        take_step(new, optimizer)
        recipe.step()
    with pytest.warns(UserWarning, match=r"another one \(SGD\) does"):
        recipe.step()


def test_steps_that_are_never_taken_are_told(model):
    recipe = freeze_then_unfreeze(sgd(model), model.table, AtStep(2))
    for _ in range(99):
        recipe.step()
    with pytest.warns(UserWarning, match="takes no steps, so no step is counted"):
        recipe.step()


def test_another_optimizer_that_steps_more_often_is_no_reason_to_warn(model):
    heads, tables = sgd(model.head), sgd(model.table)
    recipe = freeze_then_unfreeze(tables, model.table, AtStep(2))
    for step in range(4):
        take_step(model, heads)
        if step % 2 == 0:
            tables.step()
        recipe.step()
    recipe.end_epoch()
    assert recipe.steps == 2


def test_a_frozen_layer_that_trains_is_told(model):
    optimizer = sgd(model)
    recipe = freeze_then_unfreeze(optimizer, model.table, AtEpoch(3))
    take_step(model, optimizer)
    recipe.step()
    model.requires_grad_(True)
    take_step(model, optimizer)
    with pytest.warns(UserWarning, match=r"something called requires_grad_\(True\)"):
        recipe.step()


def test_a_layer_or_a_weight_that_was_replaced_is_told(model):
    optimizer = sgd(model)
    recipe = freeze_then_unfreeze(optimizer, model.table, AtEpoch(3))
    take_step(model, optimizer)
    recipe.step()
    model.table.weight = nn.Parameter(torch.zeros(60, 8))
    take_step(model, optimizer)
    with pytest.warns(UserWarning, match="was replaced in the model"):
        recipe.step()
    recipe = freeze_then_unfreeze(optimizer, model.table, AtEpoch(3), model=model)
    model.table = nn.Embedding(60, 8)
    with pytest.warns(UserWarning, match="was replaced in the model"):
        recipe.end_epoch()


# Schedulers


@pytest.mark.parametrize(
    "make",
    [
        lambda o, high: schedulers.OneCycleLR(o, max_lr=high, total_steps=20),
        lambda o, high: schedulers.CyclicLR(o, 1e-5, max_lr=high, step_size_up=4),
    ],
    ids=["OneCycleLR", "CyclicLR"],
)
@pytest.mark.parametrize("rate", [0.125, Times(0.25)])
def test_a_scheduler_that_would_lose_the_rate_of_a_layer_is_refused(model, make, rate):
    optimizer = sgd(model, momentum=0.5)
    recipe = freeze_then_unfreeze(optimizer, model.table, AtStep(1), rate=rate)
    schedule = make(optimizer, 0.5)
    take_step(model, optimizer)
    schedule.step()
    with pytest.raises(OptionError, match=r"the rate 0\.125.*takes it to 0\.5.*\[0\.5, 0\.125\]"):
        recipe.step()
    optimizer = sgd(model, momentum=0.5)
    recipe = freeze_then_unfreeze(optimizer, model.table, AtStep(1), rate=rate)
    schedule = make(optimizer, [0.5, 0.125])
    rates = []
    for _ in range(10):
        take_step(model, optimizer)
        schedule.step()
        recipe.step()
        rates.append(optimizer.param_groups[1]["lr"])
    assert recipe.thawed == 1
    assert max(rates) <= 0.125


def test_without_a_rate_any_highest_rate_will_do(model):
    optimizer = sgd(model, momentum=0.5)
    recipe = freeze_then_unfreeze(optimizer, model.table, AtStep(1))
    schedulers.OneCycleLR(optimizer, max_lr=2.0, total_steps=20)
    take_step(model, optimizer)
    assert recipe.step() == 1


def test_a_scheduler_that_waits_for_a_plateau_may_come_before_unless_it_lists_rates(model):
    def train(least):
        optimizer = sgd(model)
        schedule = schedulers.ReduceLROnPlateau(optimizer, factor=0.5, patience=0, min_lr=least)
        recipe = freeze_then_unfreeze(optimizer, model.table, AtStep(1), rate=0.125)
        for _ in range(3):
            take_step(model, optimizer)
            schedule.step(1.0)
            recipe.step()
        return [group["lr"] for group in optimizer.param_groups]

    assert train(0.0) == [0.125, 0.03125]
    with pytest.raises(OptionError, match="ReduceLROnPlateau was made before the unfreezing"):
        train([0.0])


# Metrics and moments


def test_a_metric_that_is_nan_is_told_and_does_not_count(model):
    recipe = freeze_then_unfreeze(sgd(model), model.table, OnPlateau(patience=1))
    recipe.end_epoch(0.5)
    with pytest.warns(UserWarning, match="the metric of epoch 2 is NaN"):
        assert recipe.end_epoch(float("nan")) == 0
    assert recipe.end_epoch(torch.tensor(0.5)) == 1


@pytest.mark.parametrize("metric", ["0.3", [0.3], torch.zeros(2)])
def test_a_metric_that_is_no_number(model, metric):
    recipe = freeze_then_unfreeze(sgd(model), model.table, OnPlateau(patience=1))
    with pytest.raises(OptionError, match="as the metric; give one number"):
        recipe.end_epoch(metric)


@pytest.mark.parametrize("mode", ["minimum", "Max", "lower", None])
def test_a_mode_that_is_none(mode):
    with pytest.raises(OptionError, match=r'it is "max".*"min"'):
        OnPlateau(mode=mode)


@pytest.mark.parametrize(
    "make",
    [
        lambda: AtStep(float("nan")),
        lambda: AtStep(2.5),
        lambda: AtEpoch("2"),
        lambda: AtEpoch(True),
        lambda: OnPlateau(1.5),
    ],
)
def test_numbers_that_are_not_whole(make):
    with pytest.raises(OptionError, match="whole numbers"):
        make()


@pytest.mark.parametrize("least", [float("nan"), -0.1, "0"])
def test_a_least_improvement_that_is_none(least):
    with pytest.raises(OptionError, match="from 0"):
        OnPlateau(least=least)


@pytest.mark.parametrize("when", [2, 2.0, "epoch", None, AtEpoch])
def test_a_moment_that_is_none(model, when):
    with pytest.raises(OptionError, match=r"as the moment; give AtEpoch\(2\)"):
        freeze_then_unfreeze(sgd(model), model.table, when)


# Layers


@pytest.mark.parametrize(
    ("pick", "kind"),
    [
        (lambda model: model.table.weight, "Parameter"),
        (lambda _: "table", "str"),
        (lambda model: model.table.named_parameters(), "tuple"),
        (lambda model: [model.table, model.head], "Embedding"),
        (lambda _: None, "NoneType"),
    ],
    ids=["weight", "name", "named_parameters", "modules", "None"],
)
def test_what_is_no_layer(model, pick, kind):
    for make in (
        lambda: freeze_then_unfreeze(sgd(model), pick(model), AtEpoch(1)),
        lambda: discriminative_rates([pick(model)], 0.1),
    ):
        with pytest.raises(OptionError, match=f"a {kind} was given as a layer or in one"):
            make()


def test_an_optimizer_that_takes_one_group(model):
    with pytest.raises(OptionError, match="LBFGS takes one parameter group"):
        Unfreezing(torch.optim.LBFGS(model.parameters()), [Stage(model.table, AtEpoch(1))])


def test_what_moves_in_a_frozen_layer_is_noted():
    layers = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
    (note,) = freeze_then_unfreeze(sgd(layers), layers, AtEpoch(1)).notes
    assert "BatchNorm goes on updating its running mean" in note
    layers.eval()
    start = layers[1].running_mean.clone()
    layers(torch.ones(2, 4))
    assert torch.equal(layers[1].running_mean, start)  # what the note advises


@pytest.mark.parametrize("kind", [nn.Embedding, nn.EmbeddingBag])
def test_max_norm_moves_frozen_rows_and_is_noted(kind):
    table = kind(60, 8, max_norm=0.5)
    (note,) = freeze_then_unfreeze(sgd(table), table, AtEpoch(1)).notes
    assert "max_norm shortens rows of the batch" in note
    start = table.weight.detach().clone()
    table(ROWS[None])
    assert not torch.equal(table.weight, start)
