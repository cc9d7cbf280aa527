"""Unfreezing and the monitor under DistributedDataParallel, in two real processes."""

import os
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FullyShardedDataParallel, fully_shard
from torch.nn.parallel import DistributedDataParallel
from two_processes import run

from driftkit.errors import OptionError
from driftkit.training.embedding import MixoutEmbedding
from driftkit.training.monitor import DriftMonitor
from driftkit.training.regularizers import L2SP, NeighborPreserving
from driftkit.training.rows import Ball
from driftkit.training.unfreezing import AtStep, OnPlateau, Stage, freeze_then_unfreeze

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not distributed.is_available(), reason="torch was built without it"),
]

STEPS, THAW = 8, 4


def make_model(sparse=False):
    model = nn.Sequential(nn.Embedding(20, 4, sparse=sparse), nn.Linear(4, 2))
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(generator=generator)
    return model


def make_optimizer(model):
    return torch.optim.SGD(model.parameters(), lr=0.5)


def train(wrapped, optimizer, recipe, part):
    """Take eight steps on batches of four rows, of which this process has `part`."""
    for step in range(STEPS):
        rows = (torch.arange(4) + step)[part]  # rows 11 to 19 are never seen
        optimizer.zero_grad()
        nn.functional.cross_entropy(wrapped(rows), rows % 2).backward()
        optimizer.step()
        recipe.step()


def wrapped_then_frozen(rank, out):
    model = make_model()
    wrapped = DistributedDataParallel(model, find_unused_parameters=True)
    optimizer = make_optimizer(model)
    recipe = freeze_then_unfreeze(optimizer, model[0], AtStep(THAW), rate=0.25)
    train(wrapped, optimizer, recipe, slice(2 * rank, 2 * rank + 2))
    torch.save(model.state_dict(), out / f"{rank}.pt")


def frozen_then_wrapped(rank, out):
    model = make_model()
    optimizer = make_optimizer(model)
    recipe = freeze_then_unfreeze(optimizer, model[0], AtStep(THAW))
    wrapped = DistributedDataParallel(model, find_unused_parameters=True)
    with pytest.raises(OptionError, match=r"wrap the model first, with find_unused_parameters"):
        train(wrapped, optimizer, recipe, slice(None))
    assert recipe.steps == 0


def sharded_by(shard):
    """What looks at whole tables says so, once the table was sharded by FSDP."""
    model = make_model()
    words = [f"w{row}" for row in range(20)]
    monitor = DriftMonitor(model[0], words, every=1, benchmarks=(), probes=9, all_ranks=True)
    made = {
        "L2SP": L2SP(model, 0.1),
        "NeighborPreserving": NeighborPreserving(model[0], 0.1, k=3),
        "MixoutEmbedding": MixoutEmbedding(model[0], 0.5),
    }
    ball = Ball(model[0], 0.1)
    wrapped = shard(model)
    optimizer = make_optimizer(wrapped)
    rows = torch.arange(4)
    nn.functional.cross_entropy(wrapped(rows), rows % 2).backward()
    optimizer.step()
    for look in (
        lambda: monitor.step(optimizer),
        lambda: DriftMonitor(model[0], words),
        ball.project,
    ):
        with pytest.raises(OptionError, match="sharded over processes"):
            look()
    for look in made.values():
        with pytest.raises(OptionError, match="sharded over processes"):
            look(rows)


def sharded_by_fsdp2(*_):
    mesh = init_device_mesh("cpu", (2,))
    sharded_by(lambda model: fully_shard(model, mesh=mesh))


def sharded_by_fsdp1(*_):
    device = torch.device("cpu")
    sharded_by(
        lambda model: FullyShardedDataParallel(model, use_orig_params=True, device_id=device)
    )


def left_out_of_sharding(rank, out):
    model = make_model()
    words = [f"w{row}" for row in range(20)]
    monitor = DriftMonitor(model[0], words, every=1, benchmarks=(), probes=9, all_ranks=True)
    stay = L2SP(model[0], 0.1)
    table = set(model[0].parameters())
    fully_shard(model, mesh=init_device_mesh("cpu", (2,)), ignored_params=table)
    optimizer = make_optimizer(model)
    rows = torch.arange(4) + 4 * rank
    (nn.functional.cross_entropy(model(rows), rows % 2) + stay(rows)).backward()
    for parameter in table:  # what is left out is joined by hand
        distributed.all_reduce(parameter.grad)
    optimizer.step()
    monitor.step(optimizer)
    torch.save({**monitor.latest, "table": model[0].weight.detach()}, out / f"{rank}.pt")


def wrapped_without_the_option(rank, out):
    model = make_model()
    wrapped = DistributedDataParallel(model)
    with pytest.raises(OptionError, match=r"find_unused_parameters=True"):
        freeze_then_unfreeze(make_optimizer(model), model[0], AtStep(THAW))
    assert wrapped.module[0].weight.requires_grad


def wrapped_with_a_sparse_table(rank, out):
    model = make_model(sparse=True)
    wrapped = DistributedDataParallel(model, find_unused_parameters=True)
    with pytest.raises(OptionError, match=r"sparse=False"):
        freeze_then_unfreeze(make_optimizer(model), wrapped.module[0], AtStep(THAW))


def metrics_that_differ(rank, out):
    model = make_model()
    recipe = freeze_then_unfreeze(make_optimizer(model), model[0], OnPlateau(1))
    assert [recipe.end_epoch(0.5) for _ in range(2)] == [0, 1]
    recipe = freeze_then_unfreeze(make_optimizer(model), model[0], OnPlateau(1))
    with pytest.raises(OptionError, match=r"\[0.0, 1.0\].*mean over all processes"):
        recipe.end_epoch(float(rank))


def everything_refused(rank, out):
    frozen_then_wrapped(rank, out)
    wrapped_without_the_option(rank, out)
    wrapped_with_a_sparse_table(rank, out)
    metrics_that_differ(rank, out)


def monitor_of(model, **options):
    words = [f"w{i}" for i in range(20)]
    return DriftMonitor(model[0], words, every=STEPS, benchmarks=(), probes=10, k=3, **options)


def train_watched(wrapped, monitor, part):
    optimizer = make_optimizer(wrapped)
    train(wrapped, optimizer, monitor, part)
    return monitor.history


def a_monitor_in_every_process(rank, out):
    model = make_model()
    monitor = monitor_of(model, all_ranks=True)
    wrapped = DistributedDataParallel(model)
    history = train_watched(wrapped, monitor, slice(2 * rank, 2 * rank + 2))
    torch.save(history, out / f"{rank}.pt")


def a_monitor_that_counts_its_own(rank, out):
    """Also in one process alone: nobody waits for the other."""
    model = make_model()
    wrapped = DistributedDataParallel(model)
    part = slice(2 * rank, 2 * rank + 2)
    if rank == 1:
        train(wrapped, make_optimizer(model), SimpleNamespace(step=lambda: None), part)
        return
    with pytest.warns(UserWarning, match=r"one of 2 processes .* with all_ranks=True"):
        (_, last) = train_watched(wrapped, monitor_of(model), part)
    assert (last["seen"], last["moved"], last["moved_unseen"]) == (STEPS + 1, STEPS + 3, 2)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = make_model()

    def forward(self, rows, labels):
        return {"loss": nn.functional.cross_entropy(self.layers(rows), labels)}


def with_a_trainer(rank, out):
    """The Trainer wraps its model when training starts, which is after the callback was made."""
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="2")
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT="1")  # read, not used: we are joined
    warnings.simplefilter("ignore")  # advice of transformers and accelerate
    import transformers.trainer
    from transformers import Trainer, TrainingArguments

    from driftkit.training.transformers import UnfreezingTrainerCallback

    # Our folder tests/datasets is on the path and is taken for the library of that name.
    transformers.trainer.is_datasets_available = lambda: False
    model = Model()
    arguments = TrainingArguments(
        output_dir=str(out),
        max_steps=STEPS,
        per_device_train_batch_size=2,
        learning_rate=0.1,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        ddp_backend="gloo",
        disable_tqdm=True,
    )
    data = [{"rows": row, "labels": row % 2} for row in range(16)]  # 16 to 19 are never seen
    trainer = Trainer(model, arguments, train_dataset=data)
    stage = Stage(model.layers[0], AtStep(THAW), rate=0.05)
    trainer.add_callback(UnfreezingTrainerCallback(trainer, stage))
    trainer.train()
    assert isinstance(trainer.model_wrapped, DistributedDataParallel)
    torch.save(model.layers.state_dict(), out / f"{rank}.pt")


@pytest.fixture
def in_two_processes(tmp_path):
    return lambda work: run(work, tmp_path)


def test_replicas_are_equal_and_move_as_one_process_would(in_two_processes, tmp_path):
    in_two_processes(wrapped_then_frozen)
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    alone = make_model()
    optimizer = make_optimizer(alone)
    recipe = freeze_then_unfreeze(optimizer, alone[0], AtStep(THAW), rate=0.25)
    train(alone, optimizer, recipe, slice(None))
    start = make_model()[0].weight
    moved = (first["0.weight"] != start).any(dim=1)
    assert torch.equal(moved, (alone[0].weight != start).any(dim=1))
    assert moved.nonzero().flatten().tolist() == list(range(THAW, STEPS + 3))
    for name, values in alone.state_dict().items():
        torch.testing.assert_close(first[name], values)


@pytest.mark.parametrize("work", [sharded_by_fsdp1, sharded_by_fsdp2])
def test_a_table_that_is_sharded_is_refused(in_two_processes, work):
    in_two_processes(work)


def test_a_table_that_is_left_out_of_sharding_is_watched(in_two_processes, tmp_path):
    in_two_processes(left_out_of_sharding)
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in range(2))
    assert torch.equal(first.pop("table"), second.pop("table"))
    np.testing.assert_equal(first, second)
    assert (first["seen"], first["moved"], first["moved_unseen"]) == (8, 8, 0)


def test_rows_seen_in_any_process_are_those_that_one_process_would_see(in_two_processes, tmp_path):
    in_two_processes(a_monitor_in_every_process)
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in range(2))
    np.testing.assert_equal(first, second)
    model = make_model()
    (_, alone) = train_watched(model, monitor_of(model, all_ranks=True), slice(None))
    counts = {name: alone[name] for name in ("seen", "moved", "moved_unseen")}
    assert counts == {"seen": STEPS + 3, "moved": STEPS + 3, "moved_unseen": 0}
    assert counts == {name: first[-1][name] for name in counts}


def test_a_monitor_in_one_process_says_that_it_counts_its_own_rows(in_two_processes):
    in_two_processes(a_monitor_that_counts_its_own)


def test_what_would_drift_apart_is_refused(in_two_processes):
    in_two_processes(everything_refused)


def test_replicas_of_a_trainer_are_equal(in_two_processes, tmp_path):
    pytest.importorskip("transformers", reason="extra transformers is not installed")
    pytest.importorskip("accelerate", reason="extra transformers is not installed")
    in_two_processes(with_a_trainer)
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["0.weight"], make_model()[0].weight)
