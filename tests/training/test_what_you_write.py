"""The lines of docs/how-to/what-you-write.md: counted, and run in the real frameworks."""

import re
import textwrap
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from markdown_blocks import blocks
from torch import nn
from torch.nn.functional import cross_entropy
from torch.optim import SGD

from driftkit import Embeddings, training

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "what-you-write.md"
TABLE = [line.split("|")[1:-1] for line in PAGE.read_text("utf-8").splitlines() if line[:2] == "| "]
WRITTEN = {
    task.strip(): [re.findall(r"`([^`]+)`", cell) for cell in cells] for task, *cells in TABLE[1:]
}
FREEZE, GRADUAL, EWC, WATCH = WRITTEN
BATCHES = torch.arange(60).reshape(10, 6)

PLAIN = """
def train():
    $before
    for epoch in range(4):
        for rows in batches:
            optimizer.zero_grad()
            loss = cross_entropy(model(rows), rows % 2)
            $loss
            loss.backward()
            optimizer.step()
            steps.append(epoch)
            $stepped
        record(model)
        $ended
    $after

train()
"""

LIGHTNING = """
class Model(LightningModule):
    def __init__(self):
        super().__init__()
        self.table, self.middle, self.head = make_layers()
        $init

    def training_step(self, rows, _):
        steps.append(self.current_epoch)
        loss = cross_entropy(self.head(self.middle(self.table(rows))), rows % 2)
        $loss
        return loss

    def configure_optimizers(self):
        $optimizer
        return optimizer

model = Model()
record(model)
$before
trainer.fit(model, batches)
"""

TRAINER = """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.middle, self.head = make_layers()

    def forward(self, rows, labels):
        if self.training:
            steps.append(0)
        loss = cross_entropy(self.head(self.middle(self.table(rows))), labels)
        $loss
        return {"loss": loss}

model = Model()
record(model)
trainer = make_trainer(model)
$before
trainer.train()
"""

WHERE = {"loss = ": "loss", ".step(": "stepped", ".end_epoch(": "ended", ".end(": "after"}


def fill(template, lines, **more):
    """Put each line where the page says it stands."""
    places = {place: [] for place in re.findall(r"\$(\w+)", template)}
    for line in lines:
        at = next((place for mark, place in WHERE.items() if mark in line), "before")
        places[at].append(line)
    for place, text in more.items():
        places[place].append(text)

    def put(match):
        return textwrap.indent("\n".join(places[match[2]] or ["pass"]), match[1])

    return re.sub(r"^( *)\$(\w+)$", put, template, flags=re.MULTILINE)


def make_layers():
    """Return a table of 60 words, a layer and a head, always the same."""
    torch.manual_seed(0)
    vectors = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    words = Embeddings([f"w{row}" for row in range(60)], vectors)
    table = training.embedding_from(words, specials=(), sparse=False)
    return table, nn.Linear(8, 8), nn.Linear(8, 2)


class Run:
    """The names that lines may use, and what is seen of the training they are put into."""

    def __init__(self):
        self.steps, self.states = [], []
        self.names = {name: getattr(training, name) for name in training.__all__}
        self.names |= {"nn": nn, "cross_entropy": cross_entropy, "SGD": SGD}
        self.names |= {"make_layers": make_layers, "batches": BATCHES}
        self.names |= {"steps": self.steps, "record": self.record}
        self.names |= {"examples": BATCHES.flatten()[:, None], "loss_of": self._loss_of}

    def _loss_of(self, rows):
        model = self.names["model"]
        return cross_entropy(model.head(model.middle(model.table(rows))), rows % 2)

    def record(self, model):
        layers = {"table": model.table, "middle": model.middle}
        self.states.append({name: each.weight.detach().clone() for name, each in layers.items()})

    def moved(self, layer):
        """Return in which epochs a layer moved."""
        pairs = zip(self.states, self.states[1:], strict=False)
        return [not torch.equal(before[layer], after[layer]) for before, after in pairs]

    @property
    def way(self):
        """How far the table is from its start."""
        return float((self.states[-1]["table"] - self.states[0]["table"]).norm())


def in_plain_torch(lines, _):
    run = Run()
    model = nn.Sequential()
    model.table, model.middle, model.head = make_layers()
    run.record(model)
    run.names |= {"model": model, "optimizer": SGD(model.parameters(), lr=1.0)}
    exec(fill(PLAIN, lines), run.names)
    return run


def in_lightning(lines, _, init="", optimizer="optimizer = SGD(self.parameters(), lr=1.0)"):
    pytest.importorskip("lightning", reason="extra lightning is not installed")
    import lightning.pytorch as pl
    from lightning.pytorch import callbacks

    from driftkit.training import lightning as ours

    run = Run()

    class Record(pl.Callback):
        def on_train_epoch_end(self, _, pl_module):
            run.record(pl_module)

    def make(callbacks=()):
        off = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
        settings = {"max_epochs": 4, "accelerator": "cpu", **dict.fromkeys(off, False)}
        return pl.Trainer(callbacks=[*callbacks, Record()], **settings)

    run.names |= {"LightningModule": pl.LightningModule, "Trainer": make}
    run.names["batches"] = torch.utils.data.DataLoader(BATCHES, batch_size=None)
    for name in ("BaseFinetuning", "BackboneFinetuning"):
        run.names[name] = getattr(callbacks, name)
    for name in ("DriftCallback", "UnfreezingCallback"):
        run.names[name] = getattr(ours, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning's advice about workers and loggers
        run.names["trainer"] = make()
        exec(fill(LIGHTNING, lines, init=init, optimizer=optimizer), run.names)
    return run


def in_the_trainer(lines, folder):
    for name in ("transformers", "accelerate"):
        pytest.importorskip(name, reason="extra transformers is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from transformers import Trainer, TrainerCallback, TrainingArguments

        from driftkit.training import transformers as ours

    run = Run()

    class Record(TrainerCallback):
        def on_epoch_end(self, *_, model, **__):
            run.record(model)

    def make(model):
        arguments = TrainingArguments(
            output_dir=str(folder),
            num_train_epochs=4,
            per_device_train_batch_size=6,
            learning_rate=1.0,
            lr_scheduler_type="constant",
            optim="sgd",
            save_strategy="no",
            report_to=[],
            use_cpu=True,
            disable_tqdm=True,
        )
        data = [{"rows": row, "labels": row % 2} for row in range(60)]
        return Trainer(model, arguments, train_dataset=data, callbacks=[Record()])

    run.names["make_trainer"] = make
    for name in ("DriftTrainerCallback", "UnfreezingTrainerCallback"):
        run.names[name] = getattr(ours, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # advice of transformers and accelerate
        exec(fill(TRAINER, lines), run.names)
    return run


FRAMEWORKS = [
    pytest.param(0, in_plain_torch, id="plain"),
    pytest.param(1, in_lightning, id="lightning", marks=pytest.mark.slow),
    pytest.param(2, in_the_trainer, id="trainer", marks=pytest.mark.slow),
]
EACH = pytest.mark.parametrize(("column", "within"), FRAMEWORKS)


@pytest.fixture(autouse=True)
def _same(monkeypatch):
    # Our folder tests/datasets is on the path and is taken for the library of that name.
    monkeypatch.setattr("transformers.trainer.is_datasets_available", lambda: False, raising=False)
    with torch.random.fork_rng():
        yield


@pytest.mark.parametrize("task", WRITTEN)
def test_no_recipe_takes_more_lines_than_three_two_and_two(task):
    plain, lightning, trainer = WRITTEN[task]
    assert 0 < len(plain) <= 3
    assert 0 < len(lightning) <= 2
    assert 0 < len(trainer) <= 2


@EACH
def test_freezing_then_unfreezing(column, within, tmp_path):
    run = within(WRITTEN[FREEZE][column], tmp_path)
    assert run.moved("table") == [False, False, True, True]
    assert run.moved("middle") == [True] * 4


@EACH
def test_unfreezing_gradually(column, within, tmp_path):
    run = within(WRITTEN[GRADUAL][column], tmp_path)
    assert run.moved("table") == [False, False, True, True]
    assert run.moved("middle") == [False, True, True, True]


@EACH
def test_keeping_by_ewc(column, within, tmp_path):
    assert within(WRITTEN[EWC][column], tmp_path).way < 0.9 * within([], tmp_path).way


@EACH
def test_watching_and_stopping_in_time(column, within, tmp_path):
    run = within(WRITTEN[WATCH][column], tmp_path)
    monitor = run.names.get("monitor")
    assert len(run.steps) < len(within([], tmp_path).steps) == 40
    if monitor is not None:  # in plain torch it is within a function
        assert monitor.should_stop
        assert monitor.steps == len(run.steps)


@pytest.mark.slow
@pytest.mark.parametrize("at", [0, 1])
def test_what_is_said_of_lightning_alone(at, tmp_path):
    code = list(blocks(PAGE, "py"))[at].code
    *code, optimizer = code.rstrip().splitlines()
    init = [line for line in code if line.startswith("self.")]
    before = "\n".join(line for line in code if line not in init)
    written = [line for line in [*code, optimizer] if line.strip() and line[0] != "#"]
    assert len(written) == (8, 3)[at]
    run = in_lightning([before], tmp_path, init="\n".join(init), optimizer=optimizer)
    assert run.moved("table") == [False, False, True, True]
