import warnings

import numpy as np
import pytest
import torch
from torch import nn

from driftkit.errors import MissingExtraError
from driftkit.training import lightning as ours
from driftkit.training.monitor import Budget, DriftMonitor

WORDS = tuple(f"w{i}" for i in range(60))


def test_without_lightning_the_message_names_the_extra(monkeypatch):
    monkeypatch.setattr(ours, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"driftkit\[lightning\]"):
        ours.DriftCallback(None)


@pytest.fixture
def fit(make_table, toy, tmp_path):
    pytest.importorskip("lightning", reason="extra lightning is not installed")
    import lightning.pytorch as pl

    class Model(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.table, self.head = make_table(), nn.Linear(8, 1)

        def training_step(self, batch, _):
            return self.head(self.table(batch[0])).sigmoid().mean()

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=30.0)

    def run(epochs, budgets=(), resume=None, accumulate=1):
        torch.manual_seed(0)
        model = Model()
        monitor = DriftMonitor(
            model.table, WORDS, every=3, benchmarks=[toy], probes=30, k=5, budgets=budgets
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Lightning's advice about workers and loggers
            data = torch.utils.data.TensorDataset(torch.arange(40).reshape(20, 2))
            trainer = pl.Trainer(
                max_epochs=epochs,
                accelerator="cpu",
                logger=False,
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
                accumulate_grad_batches=accumulate,
                callbacks=[ours.DriftCallback(monitor)],
            )
            trainer.fit(model, torch.utils.data.DataLoader(data, batch_size=2), ckpt_path=resume)
            trainer.save_checkpoint(tmp_path / "last.ckpt")
        return trainer, monitor

    with torch.random.fork_rng():
        yield run


@pytest.mark.slow
def test_a_run_stops_on_a_budget(fit):
    trainer, free = fit(4)
    assert trainer.global_step == free.steps == 40
    assert "drift/overlap@5" in trainer.logged_metrics
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


@pytest.mark.slow
def test_accumulated_batches_are_one_step(fit):
    trainer, monitor = fit(2, accumulate=2)
    assert trainer.global_step == monitor.steps == 10
