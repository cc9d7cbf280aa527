"""The three classification tasks, as rows of a vocabulary."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
FILES = {
    "mr": ("rt-polarity.all",),
    "sst2": ("stsa.binary.train", "stsa.binary.dev", "stsa.binary.test"),
    "trec": ("TREC.train.all", "", "TREC.test.all"),
}
ENCODING = {"mr": "latin-1", "trec": "latin-1"}
HELD_OUT = 0.1
LONGEST = 60  # tokens of a sentence that are read


@dataclass(frozen=True)
class Part:
    sentences: list[list[str]]
    labels: np.ndarray

    def __len__(self):
        return len(self.labels)

    def take(self, rows):
        return Part([self.sentences[row] for row in rows], self.labels[rows])


@dataclass(frozen=True)
class Task:
    name: str
    train: Part
    dev: Part
    test: Part
    classes: int

    @property
    def counts(self):
        """Occurrences of each word in the training sentences."""
        return Counter(token for sentence in self.train.sentences for token in sentence)

    @property
    def vocabulary(self):
        """Words of all parts, so that words only tested keep their vectors; the frequent first."""
        everything = Counter(self.counts)
        for part in (self.dev, self.test):
            everything.update(token for sentence in part.sentences for token in sentence)
        return sorted(everything, key=lambda word: (-everything[word], word))


def data_folder():
    return Path(os.environ.get("DRIFTKIT_SHARED_DATA", ROOT.parent / "shared" / "data")) / "text"


def read_task(name, fraction, seed, folder=None):
    """A task with a fraction of its training sentences.

    Dev and test never depend on the seed. MR has no split of its own: a tenth each, drawn once.
    """
    folder = data_folder() if folder is None else folder
    parts = [
        _read(folder / file, ENCODING.get(name, "utf-8")) if file else None for file in FILES[name]
    ]
    train, dev, test = (*parts, None, None)[:3]
    order = np.random.default_rng(0).permutation(len(train))
    held = round(HELD_OUT * len(train))
    if test is None:
        test, order = train.take(order[:held]), order[held:]
    if dev is None:
        dev, order = train.take(order[:held]), order[held:]
    if fraction < 1:
        rng = np.random.default_rng([seed, 1])
        order = rng.permutation(order)[: max(2, round(fraction * len(order)))]
    chosen = train.take(np.sort(order))
    return Task(name, chosen, dev, test, int(train.labels.max()) + 1)


def _read(path, encoding):
    if not path.is_file():
        raise SystemExit(
            f"{path.name} is not in {path.parent}; point DRIFTKIT_SHARED_DATA at the folder that "
            "holds text/ (its SOURCES.tsv says where each file comes from)."
        )
    labels, sentences = [], []
    # Not splitlines: a latin-1 sentence may hold \x85, which that takes for the end of a line.
    for line in path.read_text(encoding=encoding).rstrip("\n").split("\n"):
        label, *tokens = line.lower().split()
        labels.append(int(label))
        sentences.append(tokens[:LONGEST])
    return Part(sentences, np.array(labels))
