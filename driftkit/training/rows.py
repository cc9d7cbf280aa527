"""Limits on single rows of a table: which may move, and how far."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from driftkit.errors import OptionError


def mask_rows(embedding: nn.Embedding, trainable: Tensor) -> RemovableHandle:
    """Let only some rows learn: the gradients of all others are zero, or absent if sparse.

    A row whose gradient is always zero has no momentum either, so nothing but weight decay moves
    it. Call ``remove()`` of the handle that is returned to let every row learn again.

    Parameters
    ----------
    embedding : torch.nn.Embedding
        Its weight must require a gradient.
    trainable : BoolTensor, shape (n,)
        Rows that may learn.

    Raises
    ------
    OptionError
        If the mask does not fit the table, or the table is frozen.

    Examples
    --------
    >>> table = nn.Embedding(3, 2)
    >>> handle = mask_rows(table, torch.tensor([True, False, True]))
    >>> table(torch.tensor([0, 1])).sum().backward()
    >>> table.weight.grad.tolist()
    [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]
    """
    weight = embedding.weight
    if trainable.dtype != torch.bool or trainable.shape != weight.shape[:1]:
        raise OptionError(
            f"the mask has shape {tuple(trainable.shape)} and type {trainable.dtype}; one bool for "
            f"each of the {len(weight):,} rows is needed."
        )
    if not weight.requires_grad:
        raise OptionError(
            "the table is frozen, so there is no gradient to mask; unfreeze it first."
        )
    trainable = trainable.to(weight.device)

    def mask(gradient: Tensor) -> Tensor:
        if not gradient.is_sparse:
            return gradient * trainable[:, None]
        gradient = gradient.coalesce()
        kept = trainable[gradient.indices()[0]]
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

    handle: RemovableHandle = weight.register_hook(mask)
    return handle


def mask_rare_rows(embedding: nn.Embedding, counts: Tensor, at_least: int) -> RemovableHandle:
    """Let only the rows of an `embedding` learn whose words the training set holds often enough.

    `counts`, a LongTensor (n,), tells how often each row's word occurs, and `at_least`, 1 or more,
    from which number on a row may learn; below 1 it is an `OptionError`. Else as `mask_rows`.
    """
    if at_least < 1:
        raise OptionError(f"at_least={at_least} was given; it must be 1 or more.")
    return mask_rows(embedding, counts >= at_least)


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

    Raises
    ------
    OptionError
        If the radius is negative.

    Examples
    --------
    >>> table = nn.Embedding(2, 2)
    >>> ball = Ball(table, radius=1.0)
    >>> with torch.no_grad():
    ...     _ = table.weight[0].add_(torch.tensor([3.0, 4.0]))
    >>> ball.project(), round((table.weight - ball.center).norm().item(), 5)
    (1, 1.0)
    """

    def __init__(self, embedding: nn.Embedding, radius: float, *, relative: bool = False) -> None:
        if radius < 0:
            raise OptionError(f"radius={radius} was given; it is 0 or more.")
        self.embedding = embedding
        self.center = embedding.weight.detach().clone()
        norms = self.center.norm(dim=1) if relative else torch.ones_like(self.center[:, 0])
        self.radius = radius * norms  # (n,)

    @torch.no_grad()
    def project(self, rows: Tensor | None = None) -> int:
        """Put rows that left their ball back on its surface, and return how many left.

        Call it after the optimizer's step. Only `rows`, a LongTensor such as that of the batch, are
        looked at; all unless given.
        """
        weight = self.embedding.weight
        rows = torch.arange(len(weight), device=weight.device) if rows is None else rows.unique()
        moved = weight[rows] - self.center[rows]  # (b, d)
        distance, radius = moved.norm(dim=1), self.radius[rows]
        outside = distance > radius
        rows, share = rows[outside], (radius / distance)[outside, None]
        weight[rows] = self.center[rows] + moved[outside] * share
        return len(rows)
