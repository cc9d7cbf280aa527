import shutil
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from driftkit import load
from driftkit.errors import MissingExtraError
from driftkit.training import transformers as ours
from driftkit.training.embedding import WordEmbedding
from driftkit.training.monitor import Budget, DriftMonitor

WORDS = tuple(f"w{i}" for i in range(60))


def test_without_transformers_the_message_names_the_extra(monkeypatch):
    monkeypatch.setattr(ours, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"driftkit\[transformers\]"):
        ours.DriftTrainerCallback(None)


class Model(nn.Module):
    def __init__(self, table):
        super().__init__()
        self.table, self.head = table, nn.Linear(8, 1)

    def forward(self, rows, labels=None):
        return {"loss": self.head(self.table(rows)).square().mean() + 0 * labels.sum()}


@pytest.fixture
def fit(make_table, toy, tmp_path, monkeypatch):
    pytest.importorskip("transformers", reason="extra transformers is not installed")
    pytest.importorskip("accelerate", reason="extra transformers is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from transformers import Trainer, TrainingArguments
    # Our folder tests/datasets is on the path and is taken for the library of that name.
    monkeypatch.setattr("transformers.trainer.is_datasets_available", lambda: False)

    def run(steps, budgets=(), resume=None):
        torch.manual_seed(0)
        start = make_table().weight.detach()
        model = Model(WordEmbedding(WORDS, start, found=[True] * 60, sparse=False))
        monitor = DriftMonitor(
            model.table, every=3, benchmarks=[toy], probes=30, k=5, budgets=budgets
        )
        data = [{"rows": [2 * i, 2 * i + 1], "labels": 0} for i in range(20)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # advice of transformers and accelerate
            arguments = TrainingArguments(
                output_dir=str(tmp_path / "out"),
                max_steps=steps,
                per_device_train_batch_size=2,
                learning_rate=0.1,
                lr_scheduler_type="constant",
                save_steps=10,
                report_to=[],
                use_cpu=True,
                disable_tqdm=True,
            )
            trainer = Trainer(
                model=model,
                args=arguments,
                train_dataset=data,
                callbacks=[ours.DriftTrainerCallback(monitor)],
            )
            trainer.train(resume_from_checkpoint=resume)
        return trainer, monitor

    with torch.random.fork_rng():
        yield run


@pytest.mark.slow
def test_a_run_stops_on_a_budget(fit):
    trainer, free = fit(30)
    assert trainer.state.global_step == free.steps == 30
    logged = [record for record in trainer.state.log_history if "drift/overlap@5" in record]
    assert [record["step"] for record in logged] == list(range(3, 31, 3))
    fallen = free.to_frame()
    first = int(fallen["step"][fallen["overlap@5"] < 0.9].iloc[0])
    trainer, monitor = fit(30, budgets=[Budget("overlap@5", 0.1)])
    assert monitor.should_stop
    assert trainer.state.global_step == monitor.steps == first < 30


@pytest.mark.slow
def test_a_resumed_run_gives_the_same_history(fit, tmp_path):
    _, whole = fit(20)
    shutil.rmtree(tmp_path / "out" / "checkpoint-20")
    _, resumed = fit(20, resume=str(tmp_path / "out" / "checkpoint-10"))
    np.testing.assert_equal(resumed.history, whole.history)
    assert len(resumed.history) == 7
    saved = tmp_path / "out" / "checkpoint-20" / "model.safetensors"
    assert tuple(load(saved).words) == WORDS
