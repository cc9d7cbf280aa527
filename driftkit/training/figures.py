"""What a monitor measures, as plain functions of a table's weight now and at the start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from driftkit.errors import OptionError, UnknownNameError
from driftkit.measures.registry import parse_measure
from driftkit.neighbors.overlap import overlap
from driftkit.neighbors.search.exact import nearest
from driftkit.training.followed import Followed

Figures = dict[str, float]

COUNTS = ("seen", "moved", "moved_unseen")
PERCENTILES = (5, 50, 95)

STEP = 1024
"""Rows compared at a time: few enough for their doubles to stay in the processor's cache."""

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
        """Return the nearest candidates of each probe, (p, k)."""
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
        moved, cosines = moved_rows(weight, self.original, looked_up if only_seen else None)
        counts = (len(looked_up), len(moved), int((~seen[moved]).sum()))
        figures = {**self.unchanged(), **dict(zip(COUNTS, counts, strict=True))}
        if len(moved) == 0:
            return figures
        if cosines.isinf().any():
            return {name: figures[name] if name in COUNTS else np.nan for name in figures}
        scores = {test.name: test.value(weight) for test in self.tests}
        return figures | _directions(cosines) | self._neighbors(weight, moved) | scores

    def _neighbors(self, weight: Tensor, moved: Tensor) -> Figures:
        kept = self.probes.overlaps(weight)
        has_moved = torch.zeros(len(weight), dtype=torch.bool, device=weight.device)
        has_moved[moved] = True
        own = has_moved[self.probes.rows].cpu().numpy()
        return {
            self._overlap: _mean(kept),
            f"{self._overlap}[moved]": _mean(kept[own]),
            f"{self._overlap}[unmoved]": _mean(kept[~own]),
        }


def moved_rows(
    weight: Tensor, original: Tensor, rows: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Rows that differ in any number, and how far they turned.

    Parameters
    ----------
    weight, original : Tensor, shape (n, d)
    rows : LongTensor, optional
        Look at these rows only, where no other can have moved.

    Returns
    -------
    moved : Tensor of int64, shape (m,)
        In the order of `rows`, else ascending.
    self_cosines : Tensor of float64, shape (m,)
        Cosine of each now and at the start; NaN where one of them is zero, and minus infinity
        where the row holds NaN or infinity.
    """
    total = len(weight) if rows is None else len(rows)
    found: list[Tensor] = []
    cosines: list[Tensor] = []
    for start in range(0, total, STEP):
        some = slice(start, start + STEP) if rows is None else rows[start : start + STEP]
        now, then = weight[some], original[some]  # (b, d)
        differs = torch.nonzero((now != then).any(dim=1)).squeeze(1)
        found.append(differs + start if rows is None else rows[start + differs])
        cosines.append(_self_cosines(now[differs].double(), then[differs].double()))
    if not found:
        return torch.empty(0, dtype=torch.int64), torch.empty(0, dtype=torch.float64)
    return torch.cat(found), torch.cat(cosines)


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


def _directions(cosines: Tensor) -> Figures:
    known = cosines[~cosines.isnan()].cpu().numpy()
    values = np.percentile(known, PERCENTILES) if len(known) else (1.0,) * len(PERCENTILES)
    return {f"self_cosine_p{p:02}": float(v) for p, v in zip(PERCENTILES, values, strict=True)}


def _self_cosines(now: Tensor, then: Tensor) -> Tensor:
    square = torch.linalg.vecdot(now, now)
    cosine: Tensor = (
        torch.linalg.vecdot(now, then) / (square * torch.linalg.vecdot(then, then)).sqrt()
    )
    return cosine.clamp(-1, 1).masked_fill_(~square.isfinite(), -torch.inf)
