"""What a monitor measures, as plain functions of a table's weight now and at the start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from driftkit.embeddings import BLOCK_ROWS
from driftkit.errors import OptionError, UnknownNameError
from driftkit.neighbors.agreement import overlap
from driftkit.neighbors.exact import nearest

Lists = npt.NDArray[np.int32]


def moved_rows(weight: Tensor, original: Tensor, rows: Tensor | None = None) -> Tensor:
    """Rows that differ in any number, ascending, shape (m,) int64.

    Parameters
    ----------
    weight, original : Tensor, shape (n, d)
    rows : LongTensor, optional
        Look at these rows only, where no other can have moved.
    """
    if rows is not None:
        return rows[_differ(weight[rows], original[rows])]
    found = [
        start + torch.nonzero(_differ(now, then)).squeeze(1)
        for start, (now, then) in zip(
            range(0, len(weight), BLOCK_ROWS),
            zip(weight.split(BLOCK_ROWS), original.split(BLOCK_ROWS), strict=True),
            strict=True,
        )
    ]
    return torch.cat(found)


def self_cosines(weight: Tensor, original: Tensor, rows: Tensor) -> Tensor:
    """Cosine of each row now and at the start, (m,) float64; NaN where one of them is zero."""
    now, then = weight[rows].double(), original[rows].double()
    dot = (now * then).sum(dim=1)
    return (dot / (now.square().sum(1) * then.square().sum(1)).sqrt()).clamp(-1, 1)


class Probes:
    """A fixed set of words whose nearest neighbors are followed.

    Parameters
    ----------
    original : Tensor, shape (n, d)
    rows : LongTensor, shape (p,)
        The probes.
    candidates : LongTensor, shape (c,)
        Rows that may be neighbors.
    k : int
        Neighbors of a probe.
    """

    def __init__(self, original: Tensor, rows: Tensor, candidates: Tensor, k: int) -> None:
        self.rows, self.k = rows, k
        pool = torch.cat([candidates, rows]).unique()
        self.pool = pool  # rows gathered at every look, ascending
        self._asked = torch.searchsorted(pool, rows).cpu().numpy()
        self._offered = torch.searchsorted(pool, candidates).cpu().numpy()
        self.before = self.neighbors(original)

    def neighbors(self, weight: Tensor) -> Lists:
        """Give the nearest candidates of each probe, (p, k)."""
        space = weight[self.pool].float().cpu().numpy()
        return nearest(space, self._asked, self.k, candidates=self._offered)[0]

    def overlaps(self, weight: Tensor) -> npt.NDArray[np.float64]:
        """Share of its neighbors that each probe has kept, (p,)."""
        return overlap(self.before, self.neighbors(weight))


def probe_rows(
    offered: Tensor, index: Mapping[str, int], probes: int | Sequence[str], seed: int
) -> Tensor:
    """Rows of the probes asked for, or drawn among the rows offered that have a direction.

    Parameters
    ----------
    offered : Tensor, shape (c, d)
        The first rows of a table.
    index : mapping of str to int
        Word to row.
    probes : int or sequence of str
        How many to draw, or which.
    seed : int
        Of the draw.

    Raises
    ------
    OptionError
        If no probe is asked for or none can be drawn.
    UnknownNameError
        If a probe is not in the table.
    """
    if isinstance(probes, int):
        directed = np.flatnonzero(offered.any(dim=1).cpu().numpy())
        if probes < 1 or not len(directed):
            raise OptionError(
                f"probes={probes} was given and {len(directed):,} candidates have a direction; "
                "at least 1 of each is needed."
            )
        rng = np.random.default_rng(seed)
        rows = np.sort(rng.choice(directed, min(probes, len(directed)), replace=False))
        return torch.from_numpy(rows).to(offered.device)
    if isinstance(probes, str) or not len(probes):
        raise OptionError(f"probes={probes!r} was given; give a number or a list of words.")
    for word in probes:
        if word not in index:
            raise UnknownNameError("probe", word, index)
    return torch.tensor([index[word] for word in dict.fromkeys(probes)], device=offered.device)


def _differ(now: Tensor, then: Tensor) -> Tensor:
    return (now != then).any(dim=1)
