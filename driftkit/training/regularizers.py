"""Penalties that pull weights back to where they started; add them to the loss.

Over the rows of a batch alone, a penalty of an embedding costs little and keeps gradients sparse.
Rows that are never in a batch are at their start already, so nothing has to pull them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import EllipsisType
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from driftkit.errors import OptionError
from driftkit.neighbors.search.exact import nearest
from driftkit.progress import Progress
from driftkit.training.anchors import (
    Doubt,
    Original,
    check_layer,
    distinct,
    fit,
    follow,
    not_negative,
    start_of,
    starts_of,
    tied_to,
    wide,
)
from driftkit.training.ranks import refuse_sharded

Example = TypeVar("Example")

_LISTS = ("place", "neighbors", "cosines")


class _PullToStart:
    """Half of the strength times the squared distance of parameters from their start.

    With `weights`, only of the parameters these name, each number times its weight.
    """

    def __init__(
        self,
        module: nn.Module,
        strength: float,
        original: Original | None,
        weights: Mapping[str, Tensor] | None = None,
    ) -> None:
        check_layer(module)
        self.module, self.strength = module, strength
        parameters = dict(module.named_parameters())
        if weights is not None:
            parameters = {name: parameters[name] for name in weights}
        self.start, self._doubt = starts_of(parameters, original), Doubt(module, original)
        self._weights = None if weights is None else dict(weights)
        self._is_told = False

    def __call__(self, rows: Tensor | None = None) -> Tensor:
        """Return the penalty, a scalar; of these rows of an embedding alone, if given.

        In half precision it is computed, and returned, in float32.
        """
        self._doubt.speak(type(self).__name__)
        parameters = self._follow()
        if rows is None:
            parts = [self._distance(name, parameters[name]) for name in self.start]
            penalty = self.strength / 2 * torch.stack(parts).sum()
            if penalty.requires_grad:
                penalty.register_hook(self._warn_of_dense)
            return penalty
        if not isinstance(self.module, nn.Embedding):
            raise OptionError(
                f"rows were given and the module is a {type(self.module).__name__}; only the "
                "penalty of an nn.Embedding can be taken over rows."
            )
        if "weight" not in self.start:
            raise OptionError(
                f"this penalty pulls {', '.join(self.start)}, from which the table's weight is "
                "computed, so it cannot be taken over rows; call it without."
            )
        rows = distinct(rows, self.module.weight)
        return self.strength / 2 * self._distance("weight", self.module(rows), rows)

    def state_dict(self) -> dict[str, dict[str, Tensor]]:
        """Return the start, and the weights if any, by name of parameter."""
        return {
            part: {name: value.clone() for name, value in values.items()}
            for part, values in self._kept.items()
        }

    def load_state_dict(self, state: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Pull to the start of a saved penalty, wherever the module is by now.

        Raises
        ------
        OptionError
            If it pulled other parameters, or another kind of penalty saved it.
        """
        theirs, mine = (
            {part: set(values) for part, values in kept.items()} for kept in (state, self._kept)
        )
        if theirs != mine:
            raise OptionError(
                "the saved state is of another penalty; make this one of the same kind, module and "
                f"Fisher information as the saved one. This one pulls {', '.join(self.start)}."
            )
        self._doubt.settle()
        parameters = self._follow()
        self.start = starts_of({name: parameters[name] for name in self.start}, state["start"])
        if self._weights is not None:
            self._weights = {
                name: fit(value, parameters[name], f"the weight of {name}").clone()
                for name, value in state["weights"].items()
            }

    @property
    def _kept(self) -> dict[str, dict[str, Tensor]]:
        kept = {"start": self.start}
        return kept if self._weights is None else kept | {"weights": self._weights}

    def _follow(self) -> dict[str, nn.Parameter]:
        """Bring what is kept to where the parameters are, and return these."""
        parameters = dict(self.module.named_parameters())
        if gone := [name for name in self.start if name not in parameters]:
            raise OptionError(
                f"the module no longer has {', '.join(gone)}: it was wrapped or changed since the "
                "penalty was made. Make the penalty after that, with original= as it was before."
            )
        for name in self.start:
            self.start[name] = follow(self.start[name], parameters[name])
            if self._weights is not None:
                self._weights[name] = self._weights[name].to(parameters[name].device)
        return parameters

    def _warn_of_dense(self, _: Tensor) -> None:
        sparse = (each for each in self.module.modules() if getattr(each, "sparse", False))
        if not self._is_told and any(each.weight.requires_grad for each in sparse):
            self._is_told = True
            warnings.warn(
                "this penalty over the whole of a table with sparse=True makes its gradient dense, "
                "which SparseAdam does not take; make a penalty of the table alone, and give it "
                "the rows of the batch.",
                stacklevel=2,
            )

    def _distance(self, name: str, now: Tensor, rows: Tensor | EllipsisType = ...) -> Tensor:
        squares = (wide(now) - wide(self.start[name][rows])).square()
        return (squares if self._weights is None else self._weights[name][rows] * squares).sum()


class L2SP(_PullToStart):
    """L2-SP: ``alpha / 2`` times the squared distance from the start.

    Parameters
    ----------
    module : torch.nn.Module
        Its parameters as they are now are the start.
    alpha : float
        Strength, 0 or more.
    original : Tensor or mapping of str to Tensor, optional
        The start, where the parameters are tuned already: the original table, or the
        ``state_dict()`` of the original model.

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

    def __init__(
        self, module: nn.Module, alpha: float, *, original: Original | None = None
    ) -> None:
        super().__init__(module, not_negative("alpha", alpha), original)


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
    original : Tensor or mapping of str to Tensor, optional
        The start, where the parameters are tuned already, as for `L2SP`.

    References
    ----------
    Kirkpatrick et al. 2017, "Overcoming catastrophic forgetting in neural networks".
    """

    def __init__(
        self,
        module: nn.Module,
        fisher: Mapping[str, Tensor],
        strength: float,
        *,
        proxy: str,
        original: Original | None = None,
    ) -> None:
        check_layer(module)
        parameters = dict(module.named_parameters())
        if strange := [name for name in fisher if name not in parameters]:
            every = dict(module.named_parameters(remove_duplicate=False))
            tied = [tied_to(module, every[name])[0] for name in strange if name in every]
            hint = f" Tied weights go by their first name: {', '.join(tied)}." if tied else ""
            raise OptionError(
                f"the Fisher information names {', '.join(strange)}, which this module lacks; it "
                f"has {', '.join(parameters)}.{hint}"
            )
        if not fisher:
            raise OptionError(
                "the Fisher information names no parameter; take it with fisher_diagonal."
            )
        self.proxy = proxy
        weights = {
            name: fit(value, parameters[name], f"fisher[{name!r}]")
            for name, value in fisher.items()
        }
        super().__init__(module, not_negative("strength", strength), original, weights)


def fisher_diagonal(
    module: nn.Module,
    loss: Callable[[Example], Tensor],
    examples: Iterable[Example],
    progress: Progress | None = None,
) -> dict[str, Tensor]:
    """Return the diagonal of the empirical Fisher information: the mean of squared gradients.

    Each example takes a backward pass of its own; the square of a batch's mean gradient would be
    something else, and near zero at an optimum.

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

    Returns
    -------
    dict of str to Tensor
        A tensor for each name of a parameter, of the parameter's shape.

    Raises
    ------
    OptionError
        If no example is given, or every parameter is frozen.

    References
    ----------
    Kirkpatrick et al. 2017; on the empirical Fisher, Kunstner, Balles & Hennig 2019.
    """
    check_layer(module)
    trained = {name: value for name, value in module.named_parameters() if value.requires_grad}
    if not trained:
        raise OptionError(
            "every parameter is frozen, so there is no gradient to square; take the Fisher "
            "information before freezing, or after requires_grad_(True)."
        )
    sums = {name: torch.zeros_like(value) for name, value in trained.items()}
    total = len(examples) if isinstance(examples, Sequence) else 0
    n = 0
    for n, example in enumerate(examples, 1):
        with torch.enable_grad():
            value = loss(example)
        gradients = torch.autograd.grad(value, list(trained.values()), allow_unused=True)
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
    original : Tensor, shape (n, d), optional
        The original table, where the embedding is tuned already.

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
        original: Tensor | None = None,
    ) -> None:
        check_layer(embedding, of_rows=True)
        if k < 1 or (candidates is not None and candidates < 1):
            raise OptionError(f"k={k} and candidates={candidates} were given; both are 1 or more.")
        self.embedding, self.strength = embedding, not_negative("strength", strength)
        self._doubt, self._is_told = Doubt(embedding, original), False
        refuse_sharded(embedding.weight)
        start = start_of(embedding.weight, original).cpu().float()
        words = torch.arange(len(start), device="cpu") if rows is None else distinct(rows, start)
        found, cosine = nearest(
            start.numpy(),
            words.numpy(),
            k,
            candidates=None if candidates is None else np.arange(min(candidates, len(start))),
        )
        self.place = torch.full((len(start),), -1, device="cpu")  # row -> row of the lists
        self.place[words] = torch.arange(len(words), device="cpu")
        self.neighbors = torch.from_numpy(found.astype(np.int64))  # (m, k)
        self.cosines = torch.from_numpy(cosine)  # (m, k), float32

    def __call__(self, rows: Tensor) -> Tensor:
        """Return the penalty over rows of the table, each once.

        Rows that were not named at the start, or have no direction, count as nothing. In half
        precision it is computed, and returned, in float32.
        """
        self._doubt.speak("NeighborPreserving")
        weight = self.embedding.weight
        self._follow(weight)
        given = distinct(rows, weight)
        rows = given[(self.place[given] >= 0).nonzero()[:, 0]]
        if not self._is_told and type(given) is Tensor and len(given) > len(rows) == 0:
            self._is_told = True
            warnings.warn(
                f"none of the {len(given)} rows of this batch is one of the {len(self.cosines)} "
                "that this penalty was made for, so it is 0; rows= is all that batches hold.",
                stacklevel=2,
            )
        place = self.place[rows]
        neighbors, start = self.neighbors[place], self.cosines[place]  # (b, k)
        known = neighbors >= 0
        vectors: Tensor = self.embedding(rows)  # (b, d)
        others = weight.detach()[neighbors.clamp(min=0)]  # (b, k, d)
        now = nn.functional.cosine_similarity(wide(vectors)[:, None], wide(others), dim=2)
        squares = torch.where(known, now - start, 0).square()
        return self.strength * squares.sum() / known.sum().clamp(min=1)

    def state_dict(self) -> dict[str, Tensor]:
        """Return the words, their original neighbors and the cosines to these."""
        return {name: getattr(self, name).clone() for name in _LISTS}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Keep to the neighbors of a saved penalty, wherever the embedding is by now.

        Raises
        ------
        OptionError
            If it was made for a table with another number of rows.
        """
        if state.keys() != set(_LISTS):
            raise OptionError(
                f"the saved state is of another penalty; it needs {', '.join(_LISTS)}."
            )
        follow(state["place"], self.embedding.weight)
        self._doubt.settle()
        for name in _LISTS:
            setattr(self, name, state[name].clone())

    def _follow(self, weight: Tensor) -> None:
        self.place = follow(self.place, weight)
        self.neighbors = self.neighbors.to(weight.device)
        self.cosines = self.cosines.to(weight.device)
