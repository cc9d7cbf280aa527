"""What a monitor measures, as plain functions of a table's weight now and at the start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from driftkit.embeddings import BLOCK_ROWS
from driftkit.errors import OptionError, UnknownNameError
from driftkit.measures import parse_measure
from driftkit.neighbors.agreement import overlap
from driftkit.neighbors.exact import nearest
from driftkit.training.followed import Followed

Figures = dict[str, float]

COUNTS = ("seen", "moved", "moved_unseen")
PERCENTILES = (5, 50, 95)

Lists = npt.NDArray[np.int32]


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


class TableFigures:
    """Everything a monitor measures of one table.

    Parameters
    ----------
    original : Tensor, shape (n, d)
    probes : Probes
    tests : sequence of Followed
        Benchmarks.
    """

    def __init__(self, original: Tensor, probes: Probes, tests: Sequence[Followed]) -> None:
        self.original, self.probes, self.tests = original, probes, tuple(tests)
        self._overlap = str(parse_measure("overlap").at(probes.k))

    def unchanged(self) -> Figures:
        """Figures of the table as it started."""
        kept = _mean(np.where(self.probes.before[:, 0] >= 0, 1.0, np.nan))
        return {
            **dict.fromkeys(COUNTS, 0),
            **{f"self_cosine_p{p:02}": 1.0 for p in PERCENTILES},
            self._overlap: kept,
            f"{self._overlap}[moved]": np.nan,
            f"{self._overlap}[unmoved]": kept,
            **{test.name: test.start for test in self.tests},
        }

    def measure(self, weight: Tensor, seen: Tensor, *, only_seen: bool) -> Figures:
        """Figures of the table as it is now.

        Parameters
        ----------
        weight : Tensor, shape (n, d)
        seen : BoolTensor, shape (n,)
            Rows that were looked up in training.
        only_seen : bool
            Whether no other row can have moved, so that only those need comparing.

        Returns
        -------
        dict of str to float
            All but the counts are NaN if a moved row holds NaN or infinity.
        """
        looked_up = torch.nonzero(seen).squeeze(1)
        moved = moved_rows(weight, self.original, looked_up if only_seen else None)
        counts = (len(looked_up), len(moved), int((~seen[moved]).sum()))
        figures = {**self.unchanged(), **dict(zip(COUNTS, counts, strict=True))}
        if len(moved) == 0:
            return figures
        if not weight[moved].isfinite().all():
            return {name: figures[name] if name in COUNTS else np.nan for name in figures}
        scores = {test.name: test.value(weight) for test in self.tests}
        return figures | self._directions(weight, moved) | self._neighbors(weight, moved) | scores

    def _directions(self, weight: Tensor, moved: Tensor) -> Figures:
        cosines = self_cosines(weight, self.original, moved).cpu().numpy()
        known = cosines[~np.isnan(cosines)]
        values = np.percentile(known, PERCENTILES) if len(known) else (1.0,) * len(PERCENTILES)
        return {f"self_cosine_p{p:02}": float(v) for p, v in zip(PERCENTILES, values, strict=True)}

    def _neighbors(self, weight: Tensor, moved: Tensor) -> Figures:
        kept = self.probes.overlaps(weight)
        own = torch.isin(self.probes.rows, moved).cpu().numpy()
        return {
            self._overlap: _mean(kept),
            f"{self._overlap}[moved]": _mean(kept[own]),
            f"{self._overlap}[unmoved]": _mean(kept[~own]),
        }


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


def _mean(values: npt.NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan


def _differ(now: Tensor, then: Tensor) -> Tensor:
    return (now != then).any(dim=1)
