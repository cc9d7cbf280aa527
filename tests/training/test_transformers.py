import json
import shutil
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from driftkit import load
from driftkit.errors import MissingExtraError, OptionError
from driftkit.training import transformers as ours
from driftkit.training.embedding import WordEmbedding
from driftkit.training.monitor import Budget, DriftMonitor
from driftkit.training.unfreezing import AtEpoch, AtStep, OnPlateau, Stage

WORDS = tuple(f"w{i}" for i in range(60))


def test_without_transformers_the_message_names_the_extra(monkeypatch):
    monkeypatch.setattr(ours, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"driftkit\[transformers\]"):
        ours.DriftTrainerCallback(None, None)


class Model(nn.Module):
    def __init__(self, table):
        super().__init__()
        self.table, self.head = table, nn.Linear(8, 1)

    def forward(self, rows, labels=None):
        return {"loss": self.head(self.table(rows)).square().mean() + 0 * labels.sum()}


@pytest.fixture
def make_trainer(make_table, tmp_path, monkeypatch):
    """Return a function that makes a Trainer, ten steps an epoch, of a model always the same."""
    pytest.importorskip("transformers", reason="extra transformers is not installed")
    pytest.importorskip("accelerate", reason="extra transformers is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from transformers import Trainer, TrainingArguments
    # Our folder tests/datasets is on the path and is taken for the library of that name.
    monkeypatch.setattr("transformers.trainer.is_datasets_available", lambda: False)

    def make(steps, **options):
        torch.manual_seed(0)
        start = make_table().weight.detach()
        model = Model(WordEmbedding(WORDS, start, found=[True] * 60, sparse=False))
        data = [{"rows": [2 * i, 2 * i + 1], "labels": 0} for i in range(20)]
        settings = {
            "output_dir": str(tmp_path / "out"),
            "max_steps": steps,
            "per_device_train_batch_size": 2,
            "learning_rate": 0.1,
            "lr_scheduler_type": "constant",
            "save_steps": 10,
            "report_to": [],
            "use_cpu": True,
            "disable_tqdm": True,
            **options,
        }
        return Trainer(
            model=model,
            args=TrainingArguments(**settings),
            train_dataset=data,
            eval_dataset=data,
        )

    with warnings.catch_warnings(), torch.random.fork_rng():
        warnings.simplefilter("ignore")  # advice of transformers and accelerate
        yield make


@pytest.fixture
def fit(make_trainer, toy):
    def run(steps, budgets=(), resume=None):
        trainer = make_trainer(steps)
        monitor = DriftMonitor(
            trainer.model.table, every=3, benchmarks=[toy], probes=30, k=5, budgets=budgets
        )
        trainer.add_callback(ours.DriftTrainerCallback(trainer, monitor))
        trainer.train(resume_from_checkpoint=resume)
        return trainer, monitor

    return run


@pytest.mark.slow
def test_a_run_stops_on_a_budget(fit):
    trainer, free = fit(30)
    assert trainer.state.global_step == free.steps == 30
    logged = [record for record in trainer.state.log_history if "drift/overlap_at_5" in record]
    assert [record["step"] for record in logged] == list(range(3, 31, 3))
    fallen = free.to_frame()
    first = int(fallen["step"][fallen["overlap@5"] < 0.9].iloc[0])
    trainer, monitor = fit(30, budgets=[Budget("overlap@5", 0.1)])
    assert monitor.should_stop
    assert trainer.state.global_step == monitor.steps == first < 30


@pytest.mark.slow
def test_a_resumed_run_gives_the_same_history(fit, tmp_path):
    """Also from a folder that was moved and renamed."""
    _, whole = fit(20)
    shutil.move(tmp_path / "out" / "checkpoint-10", tmp_path / "elsewhere")
    shutil.rmtree(tmp_path / "out")
    _, resumed = fit(20, resume=str(tmp_path / "elsewhere"))
    np.testing.assert_equal(resumed.history, whole.history)
    assert [record["step"] for record in whole.history] == [*range(0, 20, 3), 20]
    saved = tmp_path / "out" / "checkpoint-20" / "model.safetensors"
    assert tuple(load(saved).words) == WORDS


@pytest.mark.slow
def test_a_run_saved_at_its_end_and_resumed_for_more_gives_the_same_history(fit, tmp_path):
    _, short = fit(10)
    assert [record["step"] for record in short.history] == [0, 3, 6, 9, 10]
    _, resumed = fit(20, resume=str(tmp_path / "out" / "checkpoint-10"))
    _, whole = fit(20)
    np.testing.assert_equal(resumed.history, whole.history)


@pytest.mark.slow
def test_the_last_step_is_checked_and_then_the_best_model(make_trainer):
    def run(**options):
        trainer = make_trainer(20, eval_strategy="epoch", save_strategy="epoch", **options)
        monitor = DriftMonitor(trainer.model.table, every=15, benchmarks=(), probes=20)
        trainer.add_callback(ours.DriftTrainerCallback(trainer, monitor))
        trainer.train()
        return trainer.model.table.weight, monitor

    table, monitor = run()
    first_is_best = {"metric_for_best_model": "loss", "greater_is_better": True}
    best, watched = run(load_best_model_at_end=True, **first_is_best)
    assert not torch.equal(best, table)
    assert watched.history[:-1] == monitor.history
    assert [record["step"] for record in watched.history] == [0, 15, 20, 20]
    assert watched.latest == watched.check() != monitor.latest


@pytest.mark.slow
def test_every_value_reaches_the_tracker_at_its_step_and_two_monitors_stay_apart(
    make_trainer, tmp_path, monkeypatch
):
    pytest.importorskip("tensorboard", reason="extra tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "board"))
    trainer = make_trainer(20, report_to=["tensorboard"])
    monitors = [
        DriftMonitor(trainer.model.table, every=every, benchmarks=(), probes=20) for every in (3, 7)
    ]
    for monitor, name in zip(monitors, ("", "slow"), strict=True):
        trainer.add_callback(ours.DriftTrainerCallback(trainer, monitor, name))
    trainer.train()
    events = EventAccumulator(str(tmp_path / "board")).Reload()
    shown = {name.removeprefix("train/"): name for name in events.Tags()["scalars"]}
    for monitor, prefix in zip(monitors, ("drift", "drift/slow"), strict=True):
        told = [(e.step, e.value) for e in events.Scalars(shown[f"{prefix}/overlap_at_10"])]
        records = monitor.history[1:]
        assert told == [(r["step"], np.float32(r["overlap@10"])) for r in records]
    resumed = make_trainer(20)
    again = [
        DriftMonitor(resumed.model.table, every=every, benchmarks=(), probes=20) for every in (3, 7)
    ]
    for monitor, name in zip(again, ("", "slow"), strict=True):
        resumed.add_callback(ours.DriftTrainerCallback(resumed, monitor, name))
    resumed.train(resume_from_checkpoint=str(tmp_path / "out" / "checkpoint-10"))
    for mine, other in zip(again, monitors, strict=True):
        np.testing.assert_equal(mine.history, other.history)


@pytest.mark.slow
def test_what_could_not_be_measured_leaves_the_json_whole(make_trainer, tmp_path):
    trainer = make_trainer(10)
    monitor = DriftMonitor(trainer.model.table, every=3, benchmarks=(), probes=["w59"])
    trainer.add_callback(ours.DriftTrainerCallback(trainer, monitor))
    trainer.train()
    assert any(np.isnan(value) for value in monitor.latest.values())  # w59 did not move

    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    saved = (tmp_path / "out" / "checkpoint-10" / "trainer_state.json").read_text()
    json.loads(saved, parse_constant=refuse)


@pytest.mark.slow
@pytest.mark.parametrize("save", [{"save_steps": 1}, {"save_strategy": "epoch"}])
def test_a_run_resumed_from_any_step_ends_as_if_never_stopped(make_trainer, tmp_path, save):
    def run(resume=None):
        trainer = make_trainer(40, lr_scheduler_type="linear", **save)
        model = trainer.model
        stages = Stage([model.head.weight], AtStep(5)), Stage(model.table, AtEpoch(2), rate=0.01)
        callback = ours.UnfreezingTrainerCallback(trainer, *stages)
        trainer.add_callback(callback)
        trainer.train(resume_from_checkpoint=resume)
        return model, callback.recipe.state_dict()

    whole, ended = run()
    assert (ended["steps"], ended["epochs"], ended["thawed"]) == (40, 4, 2)
    shutil.move(tmp_path / "out", tmp_path / "all")
    for step in (3, 10, 14, 20, 30):  # 10, 20 and 30 end an epoch
        if (folder := tmp_path / "all" / f"checkpoint-{step}").is_dir():
            model, state = run(str(folder))
            assert state == ended
            for mine, other in zip(model.parameters(), whole.parameters(), strict=True):
                assert torch.equal(mine, other), step


@pytest.mark.slow
def test_nothing_moves_before_its_time_and_the_rate_is_its_own(make_trainer):
    trainer = make_trainer(10, save_strategy="no")
    start = trainer.model.table.weight.detach().clone()
    stage = Stage(trainer.model.table, AtEpoch(1), rate=0.01)
    trainer.add_callback(ours.UnfreezingTrainerCallback(trainer, stage))
    trainer.train()
    assert torch.equal(trainer.model.table.weight, start)
    assert sorted(group["lr"] for group in trainer.optimizer.param_groups)[0] == 0.01


@pytest.mark.slow
def test_a_head_that_is_frozen_with_the_table_is_named(make_trainer):
    trainer = make_trainer(10)
    trainer.model.tied = nn.Linear(8, 60)
    trainer.model.tied.weight = trainer.model.table.weight
    with pytest.warns(UserWarning, match=r"table\.weight, tied\.weight are one weight"):
        ours.UnfreezingTrainerCallback(trainer, Stage(trainer.model.table, AtEpoch(1)))


@pytest.mark.slow
def test_a_plateau_waits_for_an_evaluated_value(make_trainer):
    def run(metric, **options):
        trainer = make_trainer(30, eval_strategy="epoch", **options)
        stage = Stage(trainer.model.table, OnPlateau(patience=2))
        callback = ours.UnfreezingTrainerCallback(trainer, stage, metric=metric)
        trainer.add_callback(callback)
        trainer.train()
        return callback.recipe

    assert run("eval_loss", save_strategy="epoch").thawed == 1  # it only falls: no improvement
    with pytest.raises(OptionError, match="no evaluation gave metric='eval_accuracy'"):
        run("eval_accuracy", save_strategy="epoch")
    with pytest.raises(OptionError, match='save_strategy="epoch"'):
        run("eval_loss")


@pytest.mark.slow
def test_a_checkpoint_without_the_callback_is_refused(make_trainer, tmp_path):
    make_trainer(10).train()
    trainer = make_trainer(20)
    monitor = DriftMonitor(trainer.model.table, benchmarks=(), probes=20)
    trainer.add_callback(ours.DriftTrainerCallback(trainer, monitor))
    with pytest.raises(OptionError, match=r"step 10 holds no driftkit DriftTrainerCallback\[\]"):
        trainer.train(resume_from_checkpoint=str(tmp_path / "out" / "checkpoint-10"))


@pytest.mark.slow
def test_a_trainer_that_makes_its_model_anew_is_refused(make_trainer):
    """The layer of a callback would not be that of the model which is trained."""
    given = make_trainer(10)
    trainer = type(given)(
        model_init=lambda: make_trainer(10).model, args=given.args, train_dataset=[]
    )
    table = trainer.model.table
    monitor = DriftMonitor(table, benchmarks=(), probes=20)
    for make in (
        lambda: ours.UnfreezingTrainerCallback(trainer, Stage(table, AtEpoch(1))),
        lambda: ours.DriftTrainerCallback(trainer, monitor),
    ):
        with pytest.raises(OptionError, match=r"make the Trainer with model=model_init\(\)"):
            make()


@pytest.mark.slow
def test_a_batch_size_that_did_not_fit_begins_the_steps_anew(make_trainer):
    trainer = make_trainer(8, auto_find_batch_size=True, save_strategy="no")
    train, thawed = trainer.training_step, []

    def training_step(model, inputs, *rest):
        if len(inputs["rows"]) == 2 and trainer.state.global_step == 3:
            raise RuntimeError("CUDA out of memory.")
        thawed.append(callback.recipe.thawed)
        return train(model, inputs, *rest)

    trainer.training_step = training_step
    callback = ours.UnfreezingTrainerCallback(trainer, Stage(trainer.model.table, AtStep(5)))
    trainer.add_callback(callback)
    trainer.train()
    assert thawed == [0] * 3 + [0] * 5 + [1] * 3
    assert callback.recipe.steps == trainer.state.global_step == 8


@pytest.mark.slow
def test_a_second_training_goes_on_with_what_was_unfrozen(make_trainer):
    trainer = make_trainer(4, save_strategy="no")
    callback = ours.UnfreezingTrainerCallback(trainer, Stage(trainer.model.table, AtStep(3)))
    trainer.add_callback(callback)
    for _ in range(2):
        trainer.train()
    assert (callback.recipe.steps, callback.recipe.thawed) == (8, 1)
