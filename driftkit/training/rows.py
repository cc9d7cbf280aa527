"""Limits on single rows of a table: which may move, and how far."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from driftkit.errors import OptionError
from driftkit.training.anchors import (
    MAX_NORM,
    Doubt,
    distinct,
    follow,
    not_negative,
    own_weight,
    start_of,
    warn_of_ties,
    wide,
)
from driftkit.training.optimizers import habits


class RowMask:
    """What `mask_rows` put on a table; ``remove()`` lets every row learn again.

    It stays on where the table goes: to another device or type, with its weight replaced, or into
    a copy of its model.
    """

    def __init__(self, embedding: nn.Embedding, trainable: Tensor) -> None:
        self.trainable = trainable
        self._before = masks_of(embedding)
        self._put_on(embedding.weight)
        self._watch = embedding.register_forward_pre_hook(self._follow)

    def remove(self) -> None:
        """Let every row learn again, also of masks that were on the table before."""
        for mask in self._before:
            mask.remove()
        self._hook.remove()
        self._watch.remove()

    def __getstate__(self) -> dict[str, object]:
        # Copies of a weight lose its hooks, so that of a copied table is to be put on anew.
        return {**self.__dict__, "_weight": None}

    def _put_on(self, weight: Tensor) -> None:
        self._weight, self._hook = weight, weight.register_hook(self._mask)

    def _follow(self, embedding: nn.Embedding, _: object) -> None:
        self.trainable = follow(self.trainable, embedding.weight)
        if embedding.weight is not self._weight and embedding.weight.requires_grad:
            self._hook.remove()
            self._put_on(embedding.weight)

    def _mask(self, gradient: Tensor) -> Tensor:
        self.trainable = follow(self.trainable, gradient)
        if not gradient.is_sparse:
            # Unlike a product, it lets no NaN through.
            return torch.where(self.trainable[:, None], gradient, 0)
        gradient = gradient.coalesce()
        kept = self.trainable[gradient.indices()[0]]
        with warnings.catch_warnings():
            # What comes from a valid tensor needs no check; torch 2.11 and 2.12 warn even so.
            warnings.filterwarnings("ignore", message="Sparse invariant checks")
            return torch.sparse_coo_tensor(
                gradient.indices()[:, kept],
                gradient.values()[kept],
                gradient.shape,
                is_coalesced=True,
                check_invariants=False,
            )


def masks_of(embedding: nn.Embedding) -> list[RowMask]:
    """Return the masks that are on a table."""
    hooks = (getattr(hook, "__self__", None) for hook in embedding._forward_pre_hooks.values())
    return [mask for mask in hooks if isinstance(mask, RowMask)]


def mask_rows(
    embedding: nn.Embedding,
    trainable: Tensor,
    *,
    optimizer: Optimizer | None = None,
    model: nn.Module | None = None,
) -> RowMask:
    """Let only some rows learn: the gradients of all others are zero, or absent if sparse.

    A row whose gradient is always zero has no momentum either. Weight decay moves it even so, and
    so does momentum from before the mask. Over another mask a row learns only if both let it.

    Parameters
    ----------
    embedding : torch.nn.Embedding
        Its weight must require a gradient.
    trainable : BoolTensor, shape (n,)
        Rows that may learn.
    optimizer : torch.optim.Optimizer, optional
        The one that trains the table: whether it moves masked rows is looked up, and warned of.
    model : torch.nn.Module, optional
        The one that holds the table: if another part of it is tied to the table, such as its head,
        its rows are masked as well, and a warning names it.

    Returns
    -------
    RowMask
        Call its ``remove()`` to let every row learn again.

    Raises
    ------
    OptionError
        If the mask does not fit the table, the table is frozen or computed from others, or the
        optimizer or model does not hold it.

    Examples
    --------
    >>> table = nn.Embedding(3, 2)
    >>> handle = mask_rows(table, torch.tensor([True, False, True]))
    >>> table(torch.tensor([0, 1])).sum().backward()
    >>> table.weight.grad.tolist()
    [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]
    """
    weight = own_weight(embedding)
    if trainable.dtype != torch.bool or trainable.shape != weight.shape[:1]:
        raise OptionError(
            f"the mask has shape {tuple(trainable.shape)} and type {trainable.dtype}; one bool for "
            f"each of the {len(weight):,} rows is needed."
        )
    if not weight.requires_grad:
        raise OptionError(
            "the table is frozen, so there is no gradient to mask; unfreeze it first."
        )
    if optimizer is not None:
        _warn_of_motion(optimizer, weight, ~trainable.to(weight.device))
    if model is not None:
        so = "the mask holds for all; untie them if only the embedding's rows should stay."
        warn_of_ties(model, weight, so)
    if embedding.max_norm is not None:
        warnings.warn(f"the mask does not hold: {MAX_NORM}.", stacklevel=2)
    if masks_of(embedding):
        warnings.warn(
            "this table has a mask already, and a row learns only if both let it; for the new one "
            "alone call remove() on what this returns, and mask the rows again.",
            stacklevel=2,
        )
    return RowMask(embedding, trainable)


def mask_rare_rows(
    embedding: nn.Embedding,
    counts: Tensor,
    at_least: int,
    *,
    optimizer: Optimizer | None = None,
    model: nn.Module | None = None,
) -> RowMask:
    """Let only rows learn whose words the training set holds often enough.

    Parameters
    ----------
    embedding : torch.nn.Embedding
    counts : LongTensor, shape (n,)
        How often each row's word occurs in the training set.
    at_least : int
        Occurrences from which on a row may learn, 1 or more.
    optimizer, model
        As for `mask_rows`.

    Returns and raises as `mask_rows`; `OptionError` also if `at_least` is below 1.
    """
    if at_least < 1:
        raise OptionError(f"at_least={at_least} was given; it must be 1 or more.")
    return mask_rows(embedding, counts >= at_least, optimizer=optimizer, model=model)


class Ball:
    """Hold every row within a distance of where it started.

    Parameters
    ----------
    embedding : torch.nn.Embedding
        Its rows as they are now are the centers.
    radius : float
        Greatest Euclidean distance, as a share of the row's original norm if `relative`.
    relative : bool
        Whether `radius` is a share.
    original : Tensor, shape (n, d), optional
        The centers, where the embedding is tuned already.

    Raises
    ------
    OptionError
        If the radius is no number from 0, or the table's weight is computed from others.

    Examples
    --------
    >>> table = nn.Embedding(2, 2)
    >>> ball = Ball(table, radius=1.0)
    >>> with torch.no_grad():
    ...     _ = table.weight[0].add_(torch.tensor([3.0, 4.0]))
    >>> ball.project(), round((table.weight - ball.center).norm().item(), 5)
    (1, 1.0)
    """

    def __init__(
        self,
        embedding: nn.Embedding,
        radius: float,
        *,
        relative: bool = False,
        original: Tensor | None = None,
    ) -> None:
        self.embedding, self._relative = embedding, relative
        self._share = not_negative("radius", radius)
        self.center = start_of(own_weight(embedding), original)
        self._doubt = Doubt(embedding, original)

    @property
    def radius(self) -> Tensor:
        """The radius of each row's ball, (n,)."""
        return self._radius(self.center)

    @torch.no_grad()
    def project(self, rows: Tensor | None = None) -> int:
        """Put rows that left their ball back on its surface, and return how many left.

        Call it after the optimizer's step.

        Parameters
        ----------
        rows : LongTensor, optional
            Rows to look at, such as those of the batch; all unless given.
        """
        self._doubt.speak("Ball")
        weight = own_weight(self.embedding)
        self.center = follow(self.center, weight)
        if rows is None:
            rows = torch.arange(len(weight), device=weight.device)
        else:
            rows = distinct(rows, weight)
        center = self.center[rows]  # (b, d)
        moved = wide(weight[rows]) - wide(center)
        distance, radius = moved.norm(dim=1), self._radius(center)
        outside = (distance > radius).nonzero()[:, 0]
        rows, share = rows[outside], (radius / distance)[outside, None]
        weight[rows] = (wide(center[outside]) + moved[outside] * share).to(weight.dtype)
        return len(rows)

    def state_dict(self) -> dict[str, Tensor]:
        """Return the centers."""
        return {"center": self.center.clone()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Hold to the centers of a saved ball, wherever the embedding is by now.

        Raises
        ------
        OptionError
            If something else saved it, or it has another shape.
        """
        if "center" not in state:
            raise OptionError("the saved state is not of a ball; it needs center.")
        self.center = start_of(self.embedding.weight, state["center"], "center")
        self._doubt.settle()

    def _radius(self, center: Tensor) -> Tensor:
        norms = wide(center).norm(dim=1)
        return self._share * (norms if self._relative else torch.ones_like(norms))


def _warn_of_motion(optimizer: Optimizer, weight: Tensor, masked: Tensor) -> None:
    """Warn of what in an optimizer moves rows without a gradient."""
    remembers, moves_all = habits(optimizer, weight)
    if moves_all:
        warnings.warn(f"the mask does not hold: {moves_all}.", stacklevel=3)
    state = [each for each in optimizer.state.get(weight, {}).values() if isinstance(each, Tensor)]
    kept = [each.to_dense()[masked] for each in state if each.shape == weight.shape]
    if remembers and any(each.any() for each in kept):
        warnings.warn(
            f"{type(optimizer).__name__} keeps momentum of rows from before they were masked, so "
            "they go on moving; mask before training, or delete optimizer.state[embedding.weight].",
            stacklevel=3,
        )
