"""One cell of the grid: train a model on a task by a recipe, then measure the table."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import nn

import driftkit as dk
from benchmarks.forgetting import kernels
from benchmarks.forgetting.lexicon import LexiconPenalty
from benchmarks.forgetting.models import MODELS
from benchmarks.forgetting.proxy import NAME, proxy_fisher
from benchmarks.forgetting.recipes import RECIPES
from benchmarks.forgetting.tasks import Task, read_task
from driftkit.provenance import Source
from driftkit.training.embedding import MixoutEmbedding, WordEmbedding, embedding_from
from driftkit.training.regularizers import EWC, L2SP, NeighborPreserving
from driftkit.training.rows import mask_rare_rows
from driftkit.training.schedules import SlantedTriangular
from driftkit.training.unfreezing import AtEpoch, Stage, Unfreezing, freeze_then_unfreeze

BATCH = 50
POOL = 20  # batches whose sentences are sorted by length together
LOOKS = 10  # times in a run that dev and test are looked at
HEAD_RATE = 1e-3


@dataclass(frozen=True)
class Cell:
    task: str
    model: str
    recipe: str
    seed: int
    fraction: float
    epochs: int
    rows: int  # the most frequent words of GloVe that the table holds, beside the task's own

    @property
    def key(self):
        return "-".join(str(value).replace(".", "_") for value in asdict(self).values())


def run(cell, glove, benchmarks, folder=None):
    """Return the record of a cell: its settings, scores and drift."""
    started = time.perf_counter()
    recipe = RECIPES[cell.recipe]
    done = trained(cell, recipe, glove, folder)
    task, looks = done.task, done.looks
    ended = time.perf_counter()
    record = {
        **asdict(cell),
        "kernels": kernels.name(),
        "first_loss": done.first_loss,
        "test": looks[-1]["test"],
        "dev": looks[-1]["dev"],
        "test_at_best_dev": max(looks, key=lambda look: look["dev"])["test"],
        "n_train": len(task.train),
        "n_test": len(task.test),
        "epochs_log": looks,
        "predicted": "".join(map(str, done.predicted)),
        "gold": "".join(map(str, task.test.labels)),
        "seconds_training": round(ended - started, 2),
    }
    if not recipe.random:
        record |= measure(cell, glove, done.table, done.start, benchmarks, folder)
    return record | {"seconds_measuring": round(time.perf_counter() - ended, 2)}


@dataclass(frozen=True)
class Trained:
    task: Task
    table: WordEmbedding
    start: torch.Tensor  # the table's rows before training
    model: nn.Module
    looks: list  # accuracy on dev and test along the way
    predicted: np.ndarray  # labels of the test sentences at the end
    first_loss: float  # of the first batch: runs that differ here do so before any step is taken


def trained(cell, recipe, glove, folder=None):
    """Train a fresh model by a recipe."""
    task = read_task(cell.task, cell.fraction, cell.seed, folder)
    torch.manual_seed(cell.seed)
    table = embedding_from(glove, task.vocabulary, seed=cell.seed)
    if recipe.random:
        scale = float(np.sqrt(np.square(glove.norms).mean() / glove.dimensions))
        with torch.no_grad():
            table.weight[1:] = scale * torch.randn_like(table.weight[1:])
    start = table.weight.detach().clone()
    model = MODELS[cell.model](glove.dimensions, task.classes)
    return Trained(task, table, start, model, *train(cell, recipe, task, table, model))


def train(cell, recipe, task, table, model):
    """Train in place; return the looks, the last predictions on test and the first loss."""
    optimizer = torch.optim.Adam(model.parameters(), HEAD_RATE)
    tuner = torch.optim.SparseAdam(table.parameters(), recipe.rate or 1.0)
    steps = cell.epochs * -(-len(task.train) // BATCH)
    stages, schedules, lookup, penalties = [], [], table, []
    if recipe.rate == 0:
        table.weight.requires_grad_(False)
    elif recipe.frozen_share:
        at = AtEpoch(round(recipe.frozen_share * cell.epochs))
        stages.append(freeze_then_unfreeze(tuner, table, at, recipe.rate))
    elif recipe.gradual:
        body, head = model.body, model.head
        last = max(cell.epochs - 1, 0)
        rates = [recipe.rate / 2.6**depth for depth in (0, 1, 2)]  # head, body, table
        stages.append(
            Unfreezing(
                optimizer,
                [Stage(head, AtEpoch(0), rates[0]), Stage(body, AtEpoch(min(1, last)), rates[1])],
            )
        )
        stages.append(freeze_then_unfreeze(tuner, table, AtEpoch(min(2, last)), rates[2]))
        schedules += [SlantedTriangular(optimizer, steps), SlantedTriangular(tuner, steps)]
    for name, value in recipe.options.items():
        if name == "l2sp":
            penalties.append(L2SP(table, value))
        elif name == "ewc":
            penalties.append(EWC(table, proxy_fisher(table, cell.seed), value, proxy=NAME))
        elif name == "neighbors":
            penalties.append(NeighborPreserving(table, value))
        elif name == "lexicon":
            penalties.append(LexiconPenalty(table, value))
        elif name == "mixout":
            lookup = MixoutEmbedding(table, value, seed=cell.seed)
        elif name == "mask":
            counts = task.counts
            mask_rare_rows(table, torch.tensor([counts[word] for word in table.words]), value)

    sentences = [table.rows(sentence) for sentence in task.train.sentences]
    labels = torch.from_numpy(task.train.labels)
    lengths = torch.tensor([len(sentence) for sentence in sentences])
    looks, predicted, first_loss = [], None, None
    for epoch in range(1, cell.epochs + 1):
        model.train()
        lookup.train()
        for batch in batches(lengths):
            rows = nn.utils.rnn.pad_sequence(
                [sentences[i] for i in batch.tolist()], batch_first=True
            )
            optimizer.zero_grad()
            tuner.zero_grad()
            loss = nn.functional.cross_entropy(model(lookup(rows), rows > 0), labels[batch])
            for penalty in penalties:
                loss = loss + penalty(rows)
            first_loss = loss.item() if first_loss is None else first_loss
            loss.backward()
            optimizer.step()
            tuner.step()
            for schedule in schedules:
                schedule.step()
        for stage in stages:
            stage.end_epoch()
        if epoch == cell.epochs or epoch % max(1, cell.epochs // LOOKS) == 0:
            dev, _ = evaluate(task.dev, table, model)
            test, predicted = evaluate(task.test, table, model)
            looks.append({"epoch": epoch, "dev": dev, "test": test})
    return looks, predicted, first_loss


def batches(lengths):
    """Rows of each batch of an epoch; sentences of a batch are of like length, to pad little."""
    pools = torch.randperm(len(lengths)).split(POOL * BATCH)
    cut = [batch for pool in pools for batch in pool[lengths[pool].argsort()].split(BATCH)]
    return [cut[place] for place in torch.randperm(len(cut)).tolist()]


@torch.no_grad()
def evaluate(part, table, model):
    """Accuracy and predictions, (n,)."""
    model.eval()
    predicted = labels(model, table, [table.rows(sentence) for sentence in part.sentences])
    return float((predicted == part.labels).mean()), predicted


@torch.no_grad()
def labels(model, vectors_of, sentences):
    """Labels (n,) of sentences, tensors of rows, whose vectors `vectors_of` gives by row."""
    found = []
    for start in range(0, len(sentences), 500):
        rows = nn.utils.rnn.pad_sequence(sentences[start : start + 500], batch_first=True)
        found.append(model(vectors_of(rows), rows > 0).argmax(1))
    return torch.cat(found).numpy()


@lru_cache(maxsize=3)
def original_of(glove, task, rows, folder):
    """The most frequent words and the task's own, and a memo of their answers to analogies."""
    everything = read_task(task, 1.0, 0, folder).vocabulary
    chosen = dict.fromkeys([*glove.words[:rows], *(word for word in everything if word in glove)])
    matrix = np.asarray(glove.matrix[glove.rows(chosen)])
    return dk.Embeddings(tuple(chosen), matrix, source=Source("original")), {}


def tuned(original, words, start, now):
    """The original table with those rows of words that moved from `start` to `now`."""
    after = original.matrix.copy()
    for row in np.flatnonzero((now != start).any(axis=1)):
        if words[row] in original:
            after[original.index[words[row]]] = now[row]
    return dk.Embeddings(original.words, after, source=Source("tuned"))


def measure(cell, glove, table, start, benchmarks, folder):
    """Audit the whole table against the original."""
    original, memo = original_of(glove, cell.task, cell.rows, folder)
    now = table.weight.detach().numpy()
    pair = dk.align(original, tuned(original, table.words, start.numpy(), now))
    audit = dk.audit(pair, benchmarks=benchmarks, candidates=5_000, resamples=200, memo=memo)
    record = {"moved": int(pair.moved.sum()), "displaced": int(audit.displaced.sum())}
    for change in audit.scores:
        record[f"original[{change.name}]"] = change.original
        record[f"tuned[{change.name}]"] = change.tuned
        record[f"delta[{change.name}]"] = change.delta
        record[f"status[{change.name}]"] = change.status
        for part in change.split:
            record[f"delta[{change.name},{part.of['moved']}]"] = part.delta
    for row in audit.summaries():
        record[f"{row.measure}[{row.group}]"] = row.mean
    for value in audit.space:
        name = value.measure if value.of == "pair" else f"{value.measure}.{value.of}"
        record[f"{name}[{value.group}]"] = value.value
    return {key: None if value != value else value for key, value in record.items()}
