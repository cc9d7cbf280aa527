"""The demo's task: fine-tune real GloVe vectors on human ratings of words, in several ways.

The vectors are GloVe 6B 50d (Pennington, Socher & Manning 2014). The task is the valence of words
as rated by people for VADER (Hutto & Gilbert 2014): each example is one word, so training takes
seconds, and every training word is its own set of parameters.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from driftkit.arrays import Mask, Rows
from driftkit.atomic import replacing
from driftkit.embeddings import Embeddings
from driftkit.errors import MissingExtraError
from driftkit.neighbors import Shift
from driftkit.progress import Progress
from driftkit.store import write_npy

EPOCHS = 30
BATCH = 32
HIDDEN = 64
HEAD_RATE = 1e-3
HELD_OUT = 0.2


INSULTS = (
    "asshole", "bastard", "bitch", "cunt", "faggot", "fuck", "idiot", "moron", "nigger", "pussy",
    "retard", "scumbag", "shit", "slut", "stupid", "whore",
)  # fmt: skip
"""Beginnings of words that nobody should come upon unwarned; VADER rates many of them."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A way to fine-tune: the table learns at `rate` (0: never), after `frozen_epochs`."""

    name: str
    rate: float
    frozen_epochs: int
    summary: str


FROZEN = Recipe("frozen", 0.0, EPOCHS, "the table is never touched")
RECIPES = (
    Recipe("hot", 3e-1, 0, "tuned from the start at rate 0.3"),
    Recipe("direct", 1e-2, 0, "tuned from the start at rate 0.01"),
    Recipe("staged", 1e-4, 20, "frozen for 20 epochs, then tuned at rate 0.0001"),
)


@dataclass(frozen=True, slots=True)
class Task:
    """Rows of words, their ratings, and which of them are held out."""

    rows: Rows
    ratings: NDArray[np.float32]
    held_out: Mask


class ValenceModel(nn.Module):
    """A copy of an embedding table (n, d), and a two-layer head that predicts one rating."""

    def __init__(self, matrix: torch.Tensor, generator: torch.Generator) -> None:
        super().__init__()
        self.embedding = nn.Embedding.from_pretrained(matrix.clone(), freeze=False, sparse=True)
        self.hidden = nn.utils.skip_init(nn.Linear, matrix.shape[1], HIDDEN)
        self.out = nn.utils.skip_init(nn.Linear, HIDDEN, 1)
        for layer in (self.hidden, self.out):  # the defaults of nn.Linear, from our own generator
            bound = layer.in_features**-0.5
            nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
            nn.init.uniform_(layer.bias, -bound, bound, generator=generator)

    def forward(self, rows: torch.Tensor, train_table: bool) -> torch.Tensor:
        """Predict the ratings, shape (batch,), of words given by row."""
        vectors = self.embedding(rows)
        if not train_table:
            vectors = vectors.detach()
        rating: torch.Tensor = self.out(torch.relu(self.hidden(vectors))).squeeze(1)
        return rating


def read_task(original: Embeddings, seed: int) -> Task:
    """Read the rated words that have a vector, and hold out a fifth of them."""
    spec = find_spec("vaderSentiment")
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtraError("the demo's task", "vaderSentiment", "demo")
    lexicon = Path(spec.submodule_search_locations[0]) / "vader_lexicon.txt"
    ratings: dict[int, float] = {}
    for line in lexicon.read_text(encoding="utf-8").splitlines():
        word, _, rest = line.partition("\t")
        if word in original:
            # A few tokens are listed twice; keeping one keeps it out of both halves.
            ratings.setdefault(original.index[word], float(rest.split("\t")[0]))
    held_out = np.zeros(len(ratings), bool)
    shuffled = np.random.default_rng(seed).permutation(len(ratings))
    held_out[shuffled[: round(HELD_OUT * len(ratings))]] = True
    return Task(
        np.fromiter(ratings.keys(), np.int64),
        np.fromiter(ratings.values(), np.float32),
        held_out,
    )


def train(
    original: Embeddings,
    task: Task,
    recipe: Recipe,
    seed: int,
    progress: Progress | None = None,
) -> tuple[ValenceModel, float]:
    """Fine-tune a copy of the vectors by one recipe; return the model and its held-out Pearson r.

    The seed decides the first weights of the head and the order of the examples.
    """
    generator = torch.Generator().manual_seed(seed)
    model = ValenceModel(torch.from_numpy(np.array(original.matrix)), generator)
    head = torch.optim.Adam([*model.hidden.parameters(), *model.out.parameters()], HEAD_RATE)
    # Sparse Adam touches only the rows of the batch, so words never seen stay bit for bit the same.
    table = (
        torch.optim.SparseAdam(model.embedding.parameters(), recipe.rate) if recipe.rate else None
    )
    rows, ratings = torch.from_numpy(task.rows), torch.from_numpy(task.ratings)
    examples = torch.from_numpy(np.flatnonzero(~task.held_out))
    for epoch in range(EPOCHS):
        tune = table is not None and epoch >= recipe.frozen_epochs
        shuffled = examples[torch.randperm(len(examples), generator=generator, device="cpu")]
        for batch in shuffled.split(BATCH):
            head.zero_grad()
            model.embedding.zero_grad()
            predicted = model(rows[batch], train_table=tune)
            nn.functional.mse_loss(predicted, ratings[batch]).backward()
            head.step()
            if table is not None and tune:
                table.step()
        if progress is not None:
            progress(epoch + 1, EPOCHS)
    return model, _held_out_correlation(model, task)


def insults_among(shifts: Iterable[Shift]) -> bool:
    """Tell whether an insult is among some words and their neighbors."""
    names = {
        name
        for shift in shifts
        for name in (shift.word, *(word for word, _ in (*shift.before, *shift.after)))
    }
    return any(name.lower().startswith(INSULTS) for name in names)


def save(model: ValenceModel, path: Path) -> None:
    """Write the state dict of a model, in one step."""
    with replacing(path) as partial, partial.open("wb") as file:  # torch hides what a file meets
        torch.save(model.state_dict(), file)


def save_original(original: Embeddings, folder: Path) -> None:
    """Write the table that training started from as ``original.npy`` and ``vocab.txt``."""
    write_npy(original.words, original.matrix, folder / "original.npy", folder / "vocab.txt")


def _held_out_correlation(model: ValenceModel, task: Task) -> float:
    with torch.no_grad():
        predicted = model(torch.from_numpy(task.rows[task.held_out]), train_table=False)
    return float(np.corrcoef(predicted.numpy(), task.ratings[task.held_out])[0, 1])
