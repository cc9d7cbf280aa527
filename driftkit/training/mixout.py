"""Mixout: swap single weights for their original values at random while training."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from driftkit.errors import OptionError


def mixout(
    weight: Tensor, original: Tensor, p: float, generator: torch.Generator | None = None
) -> Tensor:
    """Return a mixture of weights and originals, of one shape, whose mean is the weights.

    ``((1 - m) original + m weight - p original) / (1 - p)`` with m, for each number on its own,
    1 with probability 1 - p and 0 otherwise. With an original of zero this is dropout.

    >>> original = torch.ones(2)
    >>> torch.equal(mixout(original, original, 0.5), original)
    True
    """
    _check(p)
    keep = torch.empty_like(weight).bernoulli_(1 - p, generator=generator)
    mixed: Tensor = (torch.lerp(original, weight, keep) - p * original) / (1 - p)
    return mixed


class MixoutEmbedding(nn.Module):
    """Look up rows through mixout while training, and plainly otherwise.

    Only the rows of a batch are mixed, each row once however often its word occurs, and gradients
    stay sparse where the table's are. The table itself stays at ``.embedding``.

    Parameters
    ----------
    embedding : torch.nn.Embedding
        Its rows as they are now are the original. They are not saved with the module: build it
        from the original table before loading a checkpoint.
    p : float
        Probability that a number is swapped for its original, at least 0 and below 1.
    seed : int
        Of the swaps.

    References
    ----------
    Lee, Cho & Kang 2020, "Mixout: Effective Regularization to Finetune Large-scale Pretrained
    Language Models".
    """

    original: Tensor

    def __init__(self, embedding: nn.Embedding, p: float, *, seed: int = 0) -> None:
        _check(p)
        super().__init__()
        self.embedding, self.p = embedding, p
        self.register_buffer("original", embedding.weight.detach().clone(), persistent=False)
        self._generator = torch.Generator(embedding.weight.device).manual_seed(seed)

    def forward(self, rows: Tensor) -> Tensor:
        """Return the vectors of rows of any shape, with a last axis d."""
        if not self.training or self.p == 0:
            vectors: Tensor = self.embedding(rows)
            return vectors
        distinct, place = rows.unique(return_inverse=True)
        mixed = mixout(self.embedding(distinct), self.original[distinct], self.p, self._generator)
        return nn.functional.embedding(place, mixed)


def _check(p: float) -> None:
    if not 0 <= p < 1:
        raise OptionError(f"p={p} was given; the probability of a swap is at least 0 and below 1.")
