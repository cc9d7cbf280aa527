"""Penalties that pull weights back to where they started; add them to the loss.

Over the rows of a batch alone, a penalty of an embedding costs little and keeps gradients sparse.
Rows that are never in a batch are at their start already, so nothing has to pull them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import EllipsisType
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from driftkit.errors import OptionError
from driftkit.neighbors.search.exact import nearest
from driftkit.progress import Progress

Example = TypeVar("Example")


class _PullToStart:
    """Half of the strength times the squared distance of parameters from their start.

    With `weights`, only of the parameters these name, each number times its weight.
    """

    def __init__(
        self, module: nn.Module, strength: float, weights: Mapping[str, Tensor] | None = None
    ) -> None:
        self.module, self.strength, self._weights = module, strength, weights
        parameters = dict(module.named_parameters())
        names = parameters if weights is None else weights
        self.start = {name: parameters[name].detach().clone() for name in names}

    def __call__(self, rows: Tensor | None = None) -> Tensor:
        """Return the penalty, a scalar; of these rows (int64) of an embedding alone, if given."""
        if rows is None:
            parameters = dict(self.module.named_parameters())
            parts = [self._distance(name, parameters[name]) for name in self.start]
            return self.strength / 2 * torch.stack(parts).sum()
        if not isinstance(self.module, nn.Embedding):
            raise OptionError(
                f"rows were given and the module is a {type(self.module).__name__}; only the "
                "penalty of an nn.Embedding can be taken over rows."
            )
        rows = rows.unique()
        return self.strength / 2 * self._distance("weight", self.module(rows), rows)

    def _distance(self, name: str, now: Tensor, rows: Tensor | EllipsisType = ...) -> Tensor:
        squares = (now - self.start[name][rows]).square()
        return (squares if self._weights is None else self._weights[name][rows] * squares).sum()


class L2SP(_PullToStart):
    """L2-SP: ``alpha / 2`` times the squared distance from the start.

    Parameters
    ----------
    module : torch.nn.Module
        Its parameters as they are now are the start.
    alpha : float
        Strength, 0 or more.

    References
    ----------
    Li, Grandvalet & Davoine 2018, "Explicit Inductive Bias for Transfer Learning with
    Convolutional Networks".

    Examples
    --------
    >>> table = nn.Embedding(3, 2)
    >>> penalty = L2SP(table, alpha=0.5)
    >>> with torch.no_grad():
    ...     _ = table.weight[1].add_(2.0)
    >>> round(penalty().item(), 4), penalty(torch.tensor([0, 2])).item()
    (2.0, 0.0)
    """

    def __init__(self, module: nn.Module, alpha: float) -> None:
        super().__init__(module, _strength("alpha", alpha))


class EWC(_PullToStart):
    """Elastic weight consolidation: ``strength / 2 * sum F (w - start)^2``.

    Parameters
    ----------
    module : torch.nn.Module
        Its parameters as they are now are the start.
    fisher : mapping of str to Tensor
        Diagonal of the Fisher information by name of parameter, from `fisher_diagonal`.
        Parameters it does not name are free.
    strength : float
        The paper's lambda, 0 or more.
    proxy : str
        The task the Fisher information was taken from, for the record. The corpus that vectors
        were trained on is seldom at hand, and what another task calls important is only a stand-in.

    References
    ----------
    Kirkpatrick et al. 2017, "Overcoming catastrophic forgetting in neural networks".
    """

    def __init__(
        self, module: nn.Module, fisher: Mapping[str, Tensor], strength: float, *, proxy: str
    ) -> None:
        parameters = dict(module.named_parameters())
        if strange := [name for name in fisher if name not in parameters]:
            raise OptionError(
                f"the Fisher information names {', '.join(strange)}, which this module lacks; it "
                f"has {', '.join(parameters)}."
            )
        self.proxy = proxy
        super().__init__(module, _strength("strength", strength), dict(fisher))


def fisher_diagonal(
    module: nn.Module,
    loss: Callable[[Example], Tensor],
    examples: Iterable[Example],
    progress: Progress | None = None,
) -> dict[str, Tensor]:
    """Return the diagonal of the empirical Fisher information: the mean of squared gradients.

    It holds a tensor for each name of a parameter, of the parameter's shape. Each example takes a
    backward pass of its own; the square of a batch's mean gradient would be something else, and
    near zero at an optimum.

    Parameters
    ----------
    module : torch.nn.Module
        Frozen parameters are left out. Tables with sparse gradients cost only their rows.
    loss : callable
        Returns the negative log-likelihood of one example, a scalar.
    examples : iterable
        Of the proxy task; best a sample of some hundreds to thousands.
    progress : callable, optional
        Called with (done, total), if `examples` has a length.

    Raises
    ------
    OptionError
        If no example is given.

    References
    ----------
    Kirkpatrick et al. 2017; on the empirical Fisher, Kunstner, Balles & Hennig 2019.
    """
    trained = {name: value for name, value in module.named_parameters() if value.requires_grad}
    sums = {name: torch.zeros_like(value) for name, value in trained.items()}
    total = len(examples) if isinstance(examples, Sequence) else 0
    n = 0
    for n, example in enumerate(examples, 1):
        gradients = torch.autograd.grad(loss(example), list(trained.values()), allow_unused=True)
        for gradient, summed in zip(gradients, sums.values(), strict=True):
            if gradient is not None and gradient.is_sparse:
                gradient = gradient.coalesce()
                summed.index_add_(0, gradient.indices()[0], gradient.values().square())
            elif gradient is not None:
                summed += gradient.square()
        if progress is not None and total:
            progress(n, total)
    if n == 0:
        raise OptionError("no example was given; the Fisher information is a mean over examples.")
    return {name: summed / n for name, summed in sums.items()}


class NeighborPreserving:
    """Keep the cosines of words to the neighbors they started with.

    ``strength`` times the mean of ``(cosine now - cosine at the start)^2``, over the words of a
    batch and their k nearest original neighbors. The neighbor's side gets no gradient, so that the
    penalty moves only words of the batch. It is driftkit's own; `benchmarks/forgetting` compares it
    with the others.

    Parameters
    ----------
    embedding : torch.nn.Embedding
        Its rows as they are now are the original.
    strength : float
        0 or more.
    k : int
        Neighbors of a word, 1 or more.
    rows : LongTensor, optional
        Words that batches will hold, such as the rows of the training set; all unless given.
    candidates : int, optional
        How many rows, from the first, may be neighbors; all unless given.

    Raises
    ------
    OptionError
        If a number is out of range.
    """

    def __init__(
        self,
        embedding: nn.Embedding,
        strength: float,
        *,
        k: int = 10,
        rows: Tensor | None = None,
        candidates: int | None = None,
    ) -> None:
        if k < 1 or (candidates is not None and candidates < 1):
            raise OptionError(f"k={k} and candidates={candidates} were given; both are 1 or more.")
        self.embedding, self.strength = embedding, _strength("strength", strength)
        weight = embedding.weight.detach()
        words = torch.arange(len(weight)) if rows is None else rows.unique().cpu()
        found, cosine = nearest(
            weight.cpu().float().numpy(),
            words.numpy(),
            k,
            candidates=None if candidates is None else np.arange(min(candidates, len(weight))),
        )
        self.place = torch.full((len(weight),), -1, device=weight.device)  # row -> row of the lists
        self.place[words] = torch.arange(len(words), device=weight.device)
        self.neighbors = torch.from_numpy(found.astype(np.int64)).to(weight.device)  # (m, k)
        self.cosines = torch.from_numpy(cosine).to(weight)  # (m, k)

    def __call__(self, rows: Tensor) -> Tensor:
        """Return the penalty over rows of the table, each once.

        Rows that were not named at the start, or have no direction, count as nothing.
        """
        rows = rows.unique()
        place = self.place[rows]
        rows, place = rows[place >= 0], place[place >= 0]
        neighbors, start = self.neighbors[place], self.cosines[place]  # (b, k)
        known = neighbors >= 0
        if not known.any():
            return self.embedding.weight.new_zeros(())
        vectors: Tensor = self.embedding(rows)  # (b, d)
        others = self.embedding.weight.detach()[neighbors.clamp(min=0)]  # (b, k, d)
        now = nn.functional.cosine_similarity(vectors[:, None], others, dim=2)
        return self.strength * (now - start)[known].square().mean()


def _strength(name: str, value: float) -> float:
    if value < 0:
        raise OptionError(f"{name}={value} was given; a penalty's strength is 0 or more.")
    return value
