"""A cut holds: after it the table moves at a share of what its schedule says, whichever it is."""

import warnings

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler as schedulers

from driftkit.errors import OptionError
from driftkit.training.monitor import Budget, DriftMonitor
from driftkit.training.schedules import SlantedTriangular, WarmUp

WORDS = tuple(f"w{i}" for i in range(60))
CUT = Budget("overlap@5", fall=0.1, action="cut", factor=0.25)

SCHEDULES = {
    "none": lambda o: schedulers.ConstantLR(o, factor=1.0),
    "SlantedTriangular": lambda o: SlantedTriangular(o, total=30),
    "WarmUp": lambda o: WarmUp(o, steps=15),
    "LambdaLR": lambda o: schedulers.LambdaLR(o, lambda t: 1 - t / 40),
    "StepLR": lambda o: schedulers.StepLR(o, step_size=4, gamma=0.5),
    "MultiStepLR": lambda o: schedulers.MultiStepLR(o, milestones=[3, 12], gamma=0.5),
    "LinearLR": lambda o: schedulers.LinearLR(o, 0.1, total_iters=15),
    "ExponentialLR": lambda o: schedulers.ExponentialLR(o, gamma=0.9),
    "PolynomialLR": lambda o: schedulers.PolynomialLR(o, total_iters=40),
    "CosineAnnealingLR": lambda o: schedulers.CosineAnnealingLR(o, T_max=7, eta_min=0.01),
    "CosineAnnealingWarmRestarts": lambda o: schedulers.CosineAnnealingWarmRestarts(o, T_0=6),
    "OneCycleLR": lambda o: schedulers.OneCycleLR(
        o, max_lr=0.3, total_steps=40, cycle_momentum=False
    ),
    "CyclicLR": lambda o: schedulers.CyclicLR(o, 0.1, 0.3, step_size_up=3, cycle_momentum=False),
    "SequentialLR": lambda o: schedulers.SequentialLR(
        o, [WarmUp(o, steps=3), schedulers.ExponentialLR(o, gamma=0.9)], milestones=[8]
    ),
    "ChainedScheduler": lambda o: schedulers.ChainedScheduler(
        [WarmUp(o, steps=3), schedulers.ExponentialLR(o, gamma=0.9)]
    ),
}


def harm(table):
    with torch.no_grad():
        table.weight[1:20] *= -1


def monitor_of(table, toy, **options):
    return DriftMonitor(
        table, WORDS, **{"every": 5, "benchmarks": [toy], "probes": 30, "k": 5} | options
    )


def moves_of(table, optimizer, schedule, monitor=None, harmed_at=()):
    """Return how far row 0 moves at each of 20 steps; its gradient is always 1."""
    moves = []
    for step in range(1, 21):
        before = table.weight[0, 0].item()
        optimizer.zero_grad()
        table(torch.tensor([0])).sum().backward()
        optimizer.step()
        moves.append(before - table.weight[0, 0].item())
        if step in harmed_at:
            harm(table)
        if monitor is not None:
            monitor.step(optimizer)
        schedule.step()
    return moves


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_after_a_cut_the_table_moves_at_a_share_of_its_schedule(make_table, toy, schedule):
    def make():
        table = make_table().double()
        optimizer = torch.optim.SGD(table.parameters(), lr=0.2)
        return table, optimizer, schedule(optimizer)

    free = moves_of(*make())
    table, optimizer, rates = make()
    monitor = monitor_of(table, toy, budgets=[CUT])
    cut = moves_of(table, optimizer, rates, monitor, harmed_at=[4])
    assert cut[:5] == pytest.approx(free[:5])
    assert cut[5:] == pytest.approx([0.25 * move for move in free[5:]])
    assert [record["rate_left"] for record in monitor.history] == [1, 0.25, 0.25, 0.25, 0.25]


def test_the_rate_that_a_plateau_lowers_stays_cut(make_table, toy):
    table = make_table().double()
    optimizer = torch.optim.SGD(table.parameters(), lr=0.2)
    monitor = monitor_of(table, toy, budgets=[CUT])
    plateau = schedulers.ReduceLROnPlateau(optimizer, factor=0.5, patience=0)
    plateau.step(1.0)
    harm(table)
    monitor.check(optimizer)
    plateau.step(1.0)
    moves = moves_of(table, optimizer, schedulers.ConstantLR(optimizer, factor=1.0))
    assert moves == pytest.approx([0.2 * 0.5 * 0.25] * 20)


def test_a_check_cuts_once_for_all_budgets_and_again_after_a_further_fall(make_table, toy):
    table = make_table()
    near, same = Budget("overlap@5", 0.1, "cut", 0.5), Budget("self_cosine_p50", 0.3, "cut", 0.1)
    monitor = monitor_of(table, toy, budgets=[near, same])
    optimizer = torch.optim.SGD(table.parameters(), lr=1.0)
    harm(table)
    first = monitor.check(optimizer)
    assert near.times_broken(monitor.start, first) > 1
    assert same.times_broken(monitor.start, first) > 1
    assert first["rate_left"] == 0.1
    assert monitor.check(optimizer)["rate_left"] == 0.1
    with torch.no_grad():
        table.weight[20:50] = table.weight[20:50].roll(1, 1)
    assert monitor.check(optimizer)["rate_left"] == 0.1 * 0.5


def test_a_group_keeps_its_rate_and_other_groups_are_left_alone(make_table, toy):
    table, head = make_table().double(), nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([{"params": [head]}, {"params": [table.weight]}], lr=0.5)
    monitor = monitor_of(table, toy, budgets=[CUT])
    harm(table)
    monitor.check(optimizer)
    head.grad = torch.ones(1)
    table(torch.tensor([0])).sum().backward()
    before = table.weight[0, 0].item()
    optimizer.step()
    assert head.item() == -0.5
    assert before - table.weight[0, 0].item() == pytest.approx(0.125)
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.5]


def test_a_resumed_run_takes_its_first_step_at_the_cut_rate(make_table, toy):
    table = make_table().double()
    monitor = monitor_of(table, toy, budgets=[CUT])
    harm(table)
    monitor.check(torch.optim.SGD(table.parameters(), lr=0.2))
    resumed = make_table().double()
    again = monitor_of(resumed, toy, budgets=[CUT])
    again.load_state_dict(monitor.state_dict())
    optimizer = torch.optim.SGD(resumed.parameters(), lr=0.2)
    moves = moves_of(resumed, optimizer, schedulers.ConstantLR(optimizer, factor=1.0))
    assert moves == pytest.approx([0.05] * 20)


def test_a_closed_monitor_lowers_nothing(make_table, toy):
    table = make_table().double()
    optimizer = torch.optim.SGD(table.parameters(), lr=0.2)
    monitor = monitor_of(table, toy, budgets=[CUT])
    harm(table)
    monitor.check(optimizer)
    monitor.close()
    moves = moves_of(table, optimizer, schedulers.ConstantLR(optimizer, factor=1.0))
    assert moves == pytest.approx([0.2] * 20)


def test_a_cut_without_an_optimizer_or_a_rate_says_so(make_table, toy):
    head = nn.Parameter(torch.zeros(1))
    for missing in (None, torch.optim.SGD([head])):
        table = make_table()
        monitor = monitor_of(table, toy, budgets=[CUT])
        harm(table)
        with pytest.raises(OptionError, match="trains the table"):
            monitor.check(missing)


def test_transformers_adafactor_that_sets_its_rate_itself_says_so(make_table, toy):
    transformers = pytest.importorskip("transformers", reason="extra transformers is missing")
    table = make_table(sparse=False)
    optimizer = transformers.Adafactor(table.parameters())
    monitor = monitor_of(table, toy, budgets=[CUT])
    harm(table)
    with pytest.raises(OptionError, match="relative_step=False"):
        monitor.check(optimizer)


def moves_by_one(table, optimizer):
    before = table.weight[0, 0].item()
    optimizer.zero_grad()
    table(torch.tensor([0])).sum().backward()
    optimizer.step()
    return before - table.weight[0, 0].item()


def test_a_monitor_made_again_has_the_rate_to_itself(make_table, toy):
    """As where a cell of a notebook is run twice."""
    table = make_table().double()
    optimizer = torch.optim.SGD(table.parameters(), lr=0.2)
    old = monitor_of(table, toy, budgets=[CUT])
    harm(table)
    old.check(optimizer)
    assert moves_by_one(table, optimizer) == pytest.approx(0.05)
    new = monitor_of(table, toy, budgets=[CUT])
    assert moves_by_one(table, optimizer) == pytest.approx(0.2)
    harm(table)
    assert new.check(optimizer)["rate_left"] == 0.25
    assert moves_by_one(table, optimizer) == pytest.approx(0.05)
    with pytest.raises(OptionError, match="a monitor made later may cut the rate of this layer"):
        old.step(optimizer)
    new.close()
    assert moves_by_one(table, optimizer) == pytest.approx(0.05)
    old.check(optimizer)
    del old
    assert moves_by_one(table, optimizer) == pytest.approx(0.2)


def test_monitors_of_two_tables_in_one_group_restore_its_rate(make_table, toy):
    tables = [make_table().double(), make_table().double()]
    optimizer = torch.optim.SGD([each.weight for each in tables], lr=0.2)
    monitors = [monitor_of(each, toy, budgets=[CUT]) for each in tables]
    for table, monitor in zip(tables, monitors, strict=True):
        harm(table)
        monitor.check(optimizer)
    for _ in range(3):
        assert moves_by_one(tables[0], optimizer) == pytest.approx(0.2 * 0.25 * 0.25)
        assert optimizer.param_groups[0]["lr"] == 0.2


FOLLOW = {
    "Adafactor": {},
    "Adadelta": {},
    "Adagrad": {},
    "Adam": {},
    "Adamax": {},
    "ASGD": {},
    "NAdam": {},
    "RAdam": {},
    "RMSprop": {"momentum": 0.9},
    "SGD": {"momentum": 0.9},
}


@pytest.mark.parametrize("name", FOLLOW)
def test_an_optimizer_that_follows_its_rate_may_be_cut(make_table, toy, name):
    table = make_table(sparse=False)
    optimizer = getattr(torch.optim, name)(table.parameters(), lr=0.1, **FOLLOW[name])
    monitor = monitor_of(table, toy, budgets=[CUT])
    moves_by_one(table, optimizer)
    monitor.step(optimizer)


def test_an_optimizer_that_ignores_its_rate_is_refused_at_the_first_step(make_table, toy):
    table = make_table(sparse=False)
    optimizer = torch.optim.Rprop(table.parameters(), lr=0.1)
    monitor = monitor_of(table, toy, budgets=[CUT])
    moves_by_one(table, optimizer)
    with pytest.raises(OptionError, match=r"Rprop goes on at its own pace .* action=.stop"):
        monitor.step()
    stopping = monitor_of(table, toy, budgets=[Budget("overlap@5", fall=0.1)])
    stopping.step(optimizer)


class Own(torch.optim.Optimizer):
    """Keeps its rate to itself."""

    def __init__(self, parameters, rate):
        self.rate = rate
        super().__init__(parameters, {})

    @torch.no_grad()
    def step(self, _closure=None):
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter -= self.rate * parameter.grad


def test_an_optimizer_without_a_rate_in_its_groups_is_refused_at_the_first_step(make_table, toy):
    table = make_table(sparse=False)
    optimizer = Own(table.parameters(), 0.1)
    monitor = monitor_of(table, toy, budgets=[CUT])
    moves_by_one(table, optimizer)
    with pytest.raises(OptionError, match="a Own, which has none in its parameter groups"):
        monitor.step(optimizer)
    moves_by_one(table, optimizer)


class Model(nn.Module):
    """Its loss has the gradient 1 at every number of row 0."""

    def __init__(self, table):
        super().__init__()
        self.table = table

    def forward(self, rows, labels=None):
        return {"loss": self.table(rows).sum(-1).mean() + 0 * labels.sum()}


@pytest.mark.slow
def test_a_cut_holds_against_the_linear_schedule_of_the_trainer(
    make_table, toy, tmp_path, monkeypatch
):
    for name in ("transformers", "accelerate"):
        pytest.importorskip(name, reason="extra transformers is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from transformers import Trainer, TrainerCallback, TrainingArguments
    # Our folder tests/datasets is on the path and is taken for the library of that name.
    monkeypatch.setattr("transformers.trainer.is_datasets_available", lambda: False)

    def moves_in_a_run(budgets):
        table, positions = make_table(sparse=False).double(), []

        class Record(TrainerCallback):
            def on_step_end(self, args, state, control, **_):  # noqa: ARG002
                positions.append(table.weight[0, 0].item())
                if state.global_step == 4:
                    harm(table)
                monitor.step()

        monitor = monitor_of(table, toy, budgets=budgets)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # advice of transformers and accelerate
            arguments = TrainingArguments(
                output_dir=str(tmp_path / "out"),
                max_steps=20,
                per_device_train_batch_size=2,
                learning_rate=0.2,
                lr_scheduler_type="linear",
                optim="sgd",
                max_grad_norm=0.0,
                save_strategy="no",
                report_to=[],
                use_cpu=True,
                disable_tqdm=True,
            )
            data = [{"rows": [0], "labels": 0}] * 40
            Trainer(Model(table), arguments, train_dataset=data, callbacks=[Record()]).train()
        return -torch.tensor(positions, dtype=torch.float64).diff()

    free, cut = moves_in_a_run([]), moves_in_a_run([CUT])
    assert free.min() > 0
    assert cut[:4].tolist() == pytest.approx(free[:4].tolist())  # the moves of steps 2 to 5
    assert cut[4:].tolist() == pytest.approx((0.25 * free[4:]).tolist())
