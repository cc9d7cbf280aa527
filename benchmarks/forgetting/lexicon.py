"""Supervised fine-tuning with a lexicon, after Yang & Mao 2015 (arXiv 1505.07931).

The loss is the task's plus ``alpha / 2 (|w - w0|^2 + mean_j |w - w_j|^2)`` over words of the batch
that the lexicon relates to others, and L2-SP for the rest: it is the objective of retrofitting
(Faruqui et al. 2015) in the training loop. The lexicon is VADER's: a word is related to its five
nearest words of the same polarity. That is about sentiment, so on TREC little should be expected.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from driftkit.neighbors.search.exact import nearest

RELATED = 5


def relations(embedding):
    """For each row of the table its related rows (n, 5), -1 where there is none."""
    folder = Path(find_spec("vaderSentiment").submodule_search_locations[0])
    text = (folder / "vader_lexicon.txt").read_text(encoding="utf-8")
    polarity = np.zeros(len(embedding.words))
    for line in text.splitlines():
        word, valence = line.split("\t")[:2]
        if word in embedding.index and word not in embedding.missing:
            polarity[embedding.index[word]] = np.sign(float(valence))
    matrix = embedding.weight.detach().numpy()
    related = np.full((len(matrix), RELATED), -1)
    for sign in (-1, 1):
        rows = np.flatnonzero(polarity == sign)
        if len(rows):
            related[rows] = nearest(matrix, rows, RELATED, candidates=rows)[0]
    return torch.from_numpy(related)


class LexiconPenalty:
    def __init__(self, embedding, alpha):
        self.embedding, self.alpha = embedding, alpha
        self.related = relations(embedding)
        self.start = embedding.weight.detach().clone()

    def __call__(self, rows):
        rows = rows.unique()
        vectors = self.embedding(rows)
        stay = (vectors - self.start[rows]).square().sum()
        related = self.related[rows]  # (b, 5)
        known = related[:, 0] >= 0
        others = self.embedding.weight.detach()[related[known].clamp(min=0)]  # (c, 5, d)
        weight = (related[known] >= 0).float() / (related[known] >= 0).sum(1, keepdim=True)
        attract = ((vectors[known][:, None] - others).square().sum(2) * weight).sum()
        return self.alpha / 2 * (stay + attract)
