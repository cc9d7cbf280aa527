import shutil
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from driftkit.errors import MissingExtraError, OptionError, UnknownNameError
from driftkit.training import lightning as ours
from driftkit.training.embedding import MixoutEmbedding
from driftkit.training.monitor import Budget, DriftMonitor
from driftkit.training.schedules import SlantedTriangular
from driftkit.training.unfreezing import AtEpoch, AtStep, OnPlateau, Stage, freeze_then_unfreeze

WORDS = tuple(f"w{i}" for i in range(60))


def test_without_lightning_the_message_names_the_extra(monkeypatch):
    monkeypatch.setattr(ours, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"driftkit\[lightning\]"):
        ours.DriftCallback(None)


@pytest.fixture
def make_model(make_table):
    pytest.importorskip("lightning", reason="extra lightning is not installed")
    import lightning.pytorch as pl

    class Model(pl.LightningModule):
        def __init__(self, make_optimizers):
            super().__init__()
            torch.manual_seed(0)
            self.table, self.head = make_table(sparse=False), nn.Linear(8, 1)
            self.configure_optimizers = lambda: make_optimizers(self)

        def training_step(self, _, at):
            # By its number, as Lightning does not put a loader back to the middle of an epoch.
            rows = torch.tensor([2 * at, 2 * at + 1])
            loss = self.head(self.table(rows)).sigmoid().mean()
            self.log("loss", loss, on_epoch=True)
            return loss

    return Model


@pytest.fixture
def fit_model(make_model, tmp_path):
    """Return a function that trains a model, ten steps an epoch, and saves it at the end."""
    import lightning.pytorch as pl

    def fit(model, callbacks, epochs, resume=None, **options):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Lightning's advice about workers and loggers
            warnings.filterwarnings("always", module="driftkit")
            trainer = pl.Trainer(
                max_epochs=epochs,
                accelerator="cpu",
                enable_progress_bar=False,
                enable_model_summary=False,
                callbacks=callbacks,
                **{"logger": False, "enable_checkpointing": False, **options},
            )
            trainer.fit(model, torch.utils.data.DataLoader(range(10)), ckpt_path=resume)
            trainer.save_checkpoint(tmp_path / "last.ckpt")
        return trainer

    with torch.random.fork_rng():
        yield fit


def plain(model):
    return torch.optim.SGD(model.parameters(), lr=30.0)


@pytest.fixture
def fit(make_model, fit_model, toy):
    def run(epochs, budgets=(), resume=None, accumulate=1):
        model = make_model(plain)
        monitor = DriftMonitor(
            model.table, WORDS, every=3, benchmarks=[toy], probes=30, k=5, budgets=budgets
        )
        callbacks = [ours.DriftCallback(monitor)]
        trainer = fit_model(model, callbacks, epochs, resume, accumulate_grad_batches=accumulate)
        return trainer, monitor

    return run


@pytest.mark.slow
def test_a_run_stops_on_a_budget(fit):
    trainer, free = fit(4)
    assert trainer.global_step == free.steps == 40
    assert "drift/overlap_at_5" in trainer.callback_metrics
    fallen = free.to_frame()
    first = int(fallen["step"][fallen["overlap@5"] < 0.9].iloc[0])
    trainer, monitor = fit(4, budgets=[Budget("overlap@5", 0.1)])
    assert monitor.should_stop
    assert trainer.global_step == monitor.steps == first < 40


@pytest.mark.slow
def test_a_resumed_run_gives_the_same_history(fit, tmp_path):
    _, whole = fit(4)
    fit(2)
    _, resumed = fit(4, resume=tmp_path / "last.ckpt")
    np.testing.assert_equal(resumed.history, whole.history)
    assert [record["step"] for record in whole.history] == [*range(0, 40, 3), 40]


@pytest.mark.slow
def test_the_check_at_the_end_is_in_the_history_and_not_in_checkpoints(
    make_model, fit_model, tmp_path
):
    """Also in the checkpoint that Lightning saves after it, and after training has gone on."""
    from lightning.pytorch.callbacks import ModelCheckpoint

    model = make_model(plain)
    monitor = DriftMonitor(model.table, WORDS, every=3, benchmarks=(), probes=20)
    callback = ours.DriftCallback(monitor)
    keeps = ModelCheckpoint(tmp_path / "kept", save_last=True, every_n_epochs=9)
    fit_model(model, [callback, keeps], 1, enable_checkpointing=True)
    assert [record["step"] for record in monitor.history] == [0, 3, 6, 9, 10]
    for saved in (tmp_path / "kept" / "last.ckpt", tmp_path / "last.ckpt"):
        state = torch.load(saved, weights_only=True)["callbacks"][callback.state_key]
        assert (state["steps"], [record["step"] for record in state["history"]]) == (
            10,
            [0, 3, 6, 9],
        )
    fit_model(model, [callback], 1)
    assert [record["step"] for record in monitor.history[4:]] == [10, 12, 15, 18, 20]
    assert callback.state_dict()["history"] == monitor.history[:-1]


@pytest.mark.slow
def test_a_layer_without_a_weight_of_its_own(make_model, fit_model):
    model = make_model(plain)
    model.table = MixoutEmbedding(model.table, 0.5)
    budget = Budget("overlap@5", 0.1, "cut")
    monitor = DriftMonitor(model.table, WORDS, every=3, k=5, benchmarks=(), budgets=[budget])
    fit_model(model, [ours.DriftCallback(monitor)], 2)
    assert monitor.latest["seen"] == 20
    assert monitor.latest["rate_left"] < 1


@pytest.mark.slow
def test_accumulated_batches_are_one_step(fit):
    trainer, monitor = fit(2, accumulate=2)
    assert trainer.global_step == monitor.steps == 10


@pytest.mark.slow
def test_every_value_reaches_the_loggers_at_its_step_and_two_monitors_stay_apart(
    make_model, fit_model, tmp_path
):
    pytest.importorskip("tensorboard", reason="extra tensorboard is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tensorboard's own, about its dependencies
        from lightning.pytorch.loggers import TensorBoardLogger
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    def monitors(model):
        monitor, other = (
            DriftMonitor(model.table, WORDS, every=every, benchmarks=(), probes=20)
            for every in (3, 7)
        )
        return [ours.DriftCallback(monitor), ours.DriftCallback(other, name="slow")]

    model = make_model(plain)
    callbacks = monitors(model)
    logger = TensorBoardLogger(tmp_path, name="", version="")
    fit_model(model, callbacks, 2, logger=logger)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        events = EventAccumulator(str(tmp_path)).Reload()
    for callback, prefix in zip(callbacks, ("drift", "drift/slow"), strict=True):
        told = [(e.step, e.value) for e in events.Scalars(f"{prefix}/overlap_at_10")]
        records = callback.monitor.history[1:]
        assert told == [(r["step"], np.float32(r["overlap@10"])) for r in records]
    model = make_model(plain)
    resumed = monitors(model)
    fit_model(model, resumed, 3, tmp_path / "last.ckpt")
    assert [len(each.monitor.history) for each in resumed] == [
        11,
        6,
    ]  # 0, 7, 14, 21, 28 and the end


def adam(model):
    return torch.optim.Adam(model.parameters(), lr=0.5)


def adam_with_schedulers(model):
    optimizer = adam(model)
    warm_up = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1, (step + 1) / 8))
    slanted = SlantedTriangular(optimizer, 40)
    both = torch.optim.lr_scheduler.SequentialLR(optimizer, [warm_up, slanted], milestones=[8])
    return [optimizer], [{"scheduler": both, "interval": "step"}]


@pytest.mark.slow
@pytest.mark.parametrize("make_optimizers", [adam, adam_with_schedulers])
def test_a_run_resumed_from_any_step_ends_as_if_never_stopped(
    make_model, fit_model, tmp_path, make_optimizers
):
    from lightning.pytorch.callbacks import ModelCheckpoint

    def run(epochs, resume=None, more=(), **options):
        model = make_model(make_optimizers)
        stages = Stage([model.head.weight], AtStep(5)), Stage(model.table, AtEpoch(2), 0.125)
        callback = ours.UnfreezingCallback(*stages)
        fit_model(model, [callback, *more], epochs, resume, **options)
        return model, callback.recipe.state_dict()

    every_step = ModelCheckpoint(tmp_path / "all", every_n_train_steps=1, save_top_k=-1)
    whole, ended = run(4, more=[every_step], enable_checkpointing=True)
    assert (ended["steps"], ended["epochs"], ended["thawed"]) == (40, 4, 2)
    for step in (3, 5, 10, 14, 20, 30):  # 10, 20 and 30 end an epoch
        copied = tmp_path / "copy.ckpt"
        shutil.copy(next((tmp_path / "all").glob(f"*step={step}.ckpt")), copied)
        model, state = run(4, copied)
        assert state == ended
        for mine, other in zip(model.parameters(), whole.parameters(), strict=True):
            assert torch.equal(mine, other), step


@pytest.mark.slow
def test_the_callback_does_what_the_plain_loop_does(make_model, fit_model):
    """Also when the scheduler was made before: the rate is where the schedule starts from."""
    theirs = make_model(adam)
    optimizer = adam(theirs)
    recipe = freeze_then_unfreeze(optimizer, theirs.table, AtEpoch(1), rate=0.125)
    schedule = SlantedTriangular(optimizer, 20)
    for _ in range(2):
        for rows in torch.arange(20).reshape(10, 2):
            optimizer.zero_grad()
            theirs.head(theirs.table(rows)).sigmoid().mean().backward()
            optimizer.step()
            schedule.step()
            recipe.step()
        recipe.end_epoch()

    def slanted(model):
        optimizer = adam(model)
        schedule = SlantedTriangular(optimizer, 20)
        return [optimizer], [{"scheduler": schedule, "interval": "step"}]

    model = make_model(slanted)
    start = model.table.weight.detach().clone()
    callback = ours.UnfreezingCallback(Stage(model.table, AtEpoch(1), rate=0.125))
    fit_model(model, [callback], 2)
    assert not torch.equal(model.table.weight, start)
    for mine, other in zip(model.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, other)


PLATEAU = torch.optim.lr_scheduler.ReduceLROnPlateau
ONE_CYCLE = torch.optim.lr_scheduler.OneCycleLR
CYCLIC = torch.optim.lr_scheduler.CyclicLR


def scheduled(make):
    """Return a `configure_optimizers` whose scheduler steps with every batch."""

    def configure(model):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.5)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": make(optimizer), "interval": "step", "monitor": "loss"},
        }

    return configure


@pytest.mark.slow
@pytest.mark.parametrize("least", [0.0, [0.0]])
@pytest.mark.parametrize("rate", [None, 0.125])
def test_a_scheduler_that_waits_for_a_plateau(make_model, fit_model, rate, least):
    model = make_model(
        scheduled(lambda o: PLATEAU(o, factor=0.5, patience=18, threshold=9.0, min_lr=least))
    )
    callback = ours.UnfreezingCallback(Stage(model.table, AtEpoch(1), rate=rate))
    trainer = fit_model(model, [callback], 2)
    rates = [group["lr"] for group in trainer.optimizers[0].param_groups]
    assert rates == [0.25, (rate or 0.5) / 2]
    assert callback.recipe.thawed == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [lambda o: ONE_CYCLE(o, 0.5, total_steps=20), lambda o: CYCLIC(o, 0.25, 0.5, step_size_up=4)],
    ids=["OneCycleLR", "CyclicLR"],
)
def test_a_scheduler_with_a_highest_rate(make_model, fit_model, make):
    """It goes on as it would, and where the layer is to have a rate of its own it is refused."""
    model = make_model(scheduled(make))
    trainer = fit_model(model, [ours.UnfreezingCallback(Stage(model.table, AtEpoch(1)))], 2)
    alone = torch.optim.SGD(model.head.parameters(), lr=0.5, momentum=0.5)
    schedule = make(alone)
    for _ in range(20):
        alone.step()
        schedule.step()
    rates = [group["lr"] for group in trainer.optimizers[0].param_groups]
    assert rates == [alone.param_groups[0]["lr"]] * 2
    model = make_model(scheduled(make))
    with pytest.raises(OptionError, match="in configure_optimizers"):
        fit_model(model, [ours.UnfreezingCallback(Stage(model.table, AtEpoch(1), 0.125))], 1)


@pytest.mark.slow
def test_steps_are_those_of_the_optimizer_that_has_the_layer(make_model, fit_model):
    """Where a model steps its optimizers itself, one may step less often than the other."""
    model = make_model(
        lambda model: [
            torch.optim.SGD(part.parameters(), lr=0.5) for part in (model.head, model.table)
        ]
    )
    model.automatic_optimization = False
    taken = []

    def training_step(_, batch_idx):
        heads, tables = model.optimizers()
        model.manual_backward(model.head(model.table(torch.tensor([batch_idx]))).sum())
        heads.step()
        if batch_idx % 4 == 0:
            tables.step()
            taken.append(callback.recipe.thawed)

    model.training_step = training_step
    callback = ours.UnfreezingCallback(Stage(model.table, AtStep(4)))
    fit_model(model, [callback], 2)
    assert taken == [0, 0, 0, 0, 1, 1]  # steps 0, 4 and 8 of both epochs
    assert callback.recipe.steps == 6


@pytest.mark.slow
def test_a_value_of_a_validation_that_is_left_out(make_model, fit_model):
    model = make_model(plain)
    model.validation_step = lambda _, __: model.log("val_loss", torch.tensor(1.0))
    model.val_dataloader = lambda: torch.utils.data.DataLoader(range(1))
    callback = ours.UnfreezingCallback(Stage(model.table, OnPlateau()), metric="val_loss")
    with pytest.raises(UnknownNameError, match="check_val_every_n_epoch=2 leaves out validations"):
        fit_model(model, [callback], 2, check_val_every_n_epoch=2, num_sanity_val_steps=0)


@pytest.mark.slow
def test_an_optimizer_of_one_group(make_model, fit_model):
    model = make_model(lambda model: torch.optim.LBFGS(model.parameters()))
    with pytest.raises(OptionError, match="LBFGS takes one parameter group"):
        fit_model(model, [ours.UnfreezingCallback(Stage(model.table, AtEpoch(1)))], 1)


@pytest.mark.slow
def test_a_plateau_waits_for_a_logged_value(make_model, fit_model):
    model = make_model(plain)
    stage = Stage(model.table, OnPlateau(patience=2, mode="max"))
    callback = ours.UnfreezingCallback(stage, metric="loss_epoch")
    fit_model(model, [callback], 3)  # the loss only falls, which is no improvement here
    assert callback.recipe.thawed == 1
    model = make_model(plain)
    stage = Stage(model.table, OnPlateau())
    with pytest.raises(UnknownNameError, match="loss_epoch"):
        fit_model(model, [ours.UnfreezingCallback(stage, metric="accuracy")], 1)


@pytest.mark.slow
def test_a_head_that_is_frozen_with_the_table_is_named(make_model, fit_model):
    model = make_model(plain)
    model.tied = nn.Linear(8, 60)
    model.tied.weight = model.table.weight
    callback = ours.UnfreezingCallback(Stage(model.table, AtEpoch(1)))
    with pytest.warns(UserWarning, match=r"table\.weight, tied\.weight are one weight"):
        fit_model(model, [callback], 1)


@pytest.mark.slow
def test_what_cannot_be(make_model, fit_model, tmp_path):
    model = make_model(lambda model: torch.optim.SGD(model.head.parameters()))
    with pytest.raises(OptionError, match="no optimizer trains"):
        fit_model(model, [ours.UnfreezingCallback(Stage(model.table, AtEpoch(1)))], 1)
    fit_model(make_model(plain), [], 1)
    model = make_model(plain)
    callback = ours.UnfreezingCallback(Stage(model.table, AtEpoch(1)))
    with pytest.raises(OptionError, match=r"holds no UnfreezingCallback\[\]"):
        fit_model(model, [callback], 2, tmp_path / "last.ckpt")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["EMAWeightAveraging", "StochasticWeightAveraging"])
@pytest.mark.parametrize("is_first", [True, False])
def test_weights_that_are_averaged_at_the_end_are_checked(make_model, fit_model, name, is_first):
    from lightning.pytorch import callbacks

    options = {"decay": 0.9} if name[0] == "E" else {"swa_lrs": 0.05, "swa_epoch_start": 1}
    averaging = getattr(callbacks, name)(**options)
    model = make_model(lambda it: torch.optim.Adam(it.parameters(), lr=0.1))
    monitor = DriftMonitor(model.table, WORDS, every=5, benchmarks=(), probes=30, k=5)
    both = [ours.DriftCallback(monitor), averaging]
    fit_model(model, both if is_first else both[::-1], 2)
    last_step, latest = monitor.history[-2:]
    assert latest == monitor.history[-1] == {"step": monitor.steps, **monitor.check()}
    assert last_step["self_cosine_p50"] != latest["self_cosine_p50"]
