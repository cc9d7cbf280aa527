"""From the archive of a cell to a row: what each consumer does, and what each measure says.

Measures are of the words of the task that GloVe has, over all of these and over the moved ones.
Those *of texts* take unlabeled sentences as well: those of dev, which no consumer is judged on.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import torch

import driftkit as dk
from benchmarks.forgetting.cell import labels, original_of, tuned
from benchmarks.forgetting.study import SEEDS
from benchmarks.forgetting.tasks import read_task
from benchmarks.predict import consumers, measures
from benchmarks.predict.tables import FROZEN, cells, path_of, reader_of
from driftkit.atomic import replacing
from driftkit.audits import candidate_words
from driftkit.drift.space import space_drift
from driftkit.drift.words import word_drift
from driftkit.neighbors.shifts import neighbor_shifts
from driftkit.training.embedding import embedding_from

CANDIDATES = 2_500  # of the words used most, and as many of the moved ones after these
DIGITS = "%.7g"


class Setting:
    """What the cells of one task, fraction and seed share: sentences, start and original table."""

    def __init__(self, glove, task, fraction, seed, folder=None):
        self.task = read_task(task, fraction, seed, folder)
        layer = embedding_from(glove, self.task.vocabulary, seed=seed)
        self.words = layer.words
        self.start = layer.weight.detach().numpy().copy()
        self.dev, self.test = (
            [layer.rows(each).numpy() for each in part.sentences]
            for part in (self.task.dev, self.task.test)
        )
        self.original, _ = original_of(glove, task, 0, folder)
        self.used = Counter(word for each in self.task.dev.sentences for word in each)
        self.counts = np.array([self.used[word] for word in self.original.words])
        self.documents = consumers.means(self.start, self.test)
        self.nearest = consumers.ten_nearest(self.documents, self.documents)
        self.texts = consumers.means(self.start, self.dev)
        self.texts_nearest = consumers.ten_nearest(self.texts, self.texts)
        self.memo = {}

    def tuned(self, table):
        """The original with the rows that training moved."""
        return tuned(self.original, self.words, self.start, table)


def measure_all(folder, glove, folder_of_texts=None):
    """Measure every cell that is trained and not yet measured; return a row for each measured."""
    setting, key = None, None
    order = sorted(cells(), key=lambda cell: (cell.seed, cell.fraction, cell.task))
    for cell in order:
        out = path_of(folder, cell).with_suffix(".json")
        if out.exists() or not path_of(folder, cell).exists():
            continue
        if key != (cell.task, cell.fraction, cell.seed):
            key = (cell.task, cell.fraction, cell.seed)
            setting = Setting(glove, *key, folder_of_texts)
        with replacing(out) as partial:
            partial.write_text(json.dumps(row_of(folder, cell, setting)), encoding="utf-8")
        print(cell.key, flush=True)
    done = [path_of(folder, cell).with_suffix(".json") for cell in cells()]
    rows = pd.DataFrame([json.loads(path.read_text()) for path in done if path.exists()])
    return rows.assign(reseeded=reseeded(folder))


def reseeded(folder):
    """For each frozen cell measured, the share of labels that the next seed's gives otherwise."""
    found = []
    for cell in cells():
        here, other = (
            path_of(folder, replace(cell, seed=seed))
            for seed in (cell.seed, (cell.seed + 1) % len(SEEDS))
        )
        if here.with_suffix(".json").exists():
            both = cell.recipe == FROZEN and other.exists()
            given = [np.load(path)["predicted"] for path in (here, other)] if both else None
            found.append(consumers.changed_labels(*given) if given else np.nan)
    return found


def row_of(folder, cell, setting):
    """Return the row of a cell: settings, accuracy, hours, consumers and measures."""
    with np.load(path_of(folder, cell)) as kept:
        table, predicted = kept["table"], kept["predicted"]
        row = {
            **{name: value for name, value in asdict(cell).items() if name != "rows"},
            "test": float(kept["test"]),
            "seconds": float(kept["seconds"]),
        }
    return row | consumed(folder, cell, setting, table, predicted) | measured(setting, table)


def consumed(folder, cell, setting, table, predicted):
    """What each consumer does differently."""
    frozen = path_of(folder, replace(cell, recipe=FROZEN))
    reader = reader_of(frozen, cell, table.shape[1], setting.task.classes)
    with np.load(frozen) as kept:
        before = kept["predicted"]
    queries = consumers.means(table, setting.test)
    read, sentences = torch.from_numpy(table).__getitem__, list(map(torch.from_numpy, setting.test))
    return {
        "classifier": consumers.changed_labels(before, predicted),
        "retrieval": consumers.changed_neighbors(
            setting.nearest, consumers.ten_nearest(queries, queries)
        ),
        "reader": consumers.changed_labels(before, labels(reader, read, sentences)),
        "mixed index": consumers.changed_neighbors(
            setting.nearest, consumers.ten_nearest(queries, setting.documents)
        ),
    }


def measured(setting, table):
    """Every measure of a tuned table; none of the consumers' sentences or labels is known."""
    pair = dk.align(setting.original, setting.tuned(table))
    moved, drift = pair.moved, word_drift(pair)
    pool = candidate_words(pair, CANDIDATES)
    shifts = neighbor_shifts(pair, pool, candidates=pool, memo=setting.memo)
    counts = setting.counts
    asked = counts[[setting.original.index[word] for word in pool]]
    row = {}
    for name in ("self_cosine", "l2", "relative_l2", "norm_ratio"):
        values = getattr(drift, name)
        row[f"{name}[all]"], row[f"{name}[moved]"] = values.mean(), _mean(values[moved])
        row[f"{name}[used]"] = measures.weighted(values, counts)
    for name, values in (("overlap@10", shifts.overlap), ("rbo@10", shifts.rbo)):
        row[f"{name}[all]"], row[f"{name}[moved]"] = values.mean(), _mean(values[shifts.moved])
        row[f"{name}[used]"] = measures.weighted(values, asked)
    for each in space_drift(pair, bands=()):
        if each.group in ("all", "moved") and each.of != "original":
            of = "" if each.of == "pair" else ".tuned"
            row[f"{each.measure}{of}[{each.group}]"] = each.value
    row["moved share"] = moved.mean()
    row["moved share[used]"] = measures.weighted(moved.astype(float), counts)
    after = consumers.means(table, setting.dev)
    row |= measures.of_texts(setting.texts, after)
    row["text overlap@10"] = 1 - consumers.changed_neighbors(
        setting.texts_nearest, consumers.ten_nearest(after, after)
    )
    if moved.any():
        x, y = pair.before[moved], pair.after[moved]
        row |= {f"{name}[moved]": value for name, value in measures.of_differences(x, y).items()}
        some = measures.sample(np.arange(len(x)))
        row["distance_correlation[moved]"] = measures.distance_correlation(x[some], y[some])
        row["rdm_drift[moved]"] = measures.rdm_drift(x[some], y[some])
    return {name: None if value != value else float(value) for name, value in row.items()}


def _mean(values):
    return float(values.mean()) if len(values) else np.nan
