"""What ``audit.plot`` offers: a chart for each question that people ask of an audit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftkit.charts.benchmarks import benchmarks
from driftkit.charts.distributions import distributions
from driftkit.charts.drift_directions import directions
from driftkit.charts.map import POINTS, map_
from driftkit.charts.ranks import drift_by_rank
from driftkit.charts.trajectory import trajectory
from driftkit.charts.words import words
from driftkit.drift.projection import Method
from driftkit.findings import Findings
from driftkit.report.frames import part_frame

if TYPE_CHECKING:
    from driftkit.charts.theme import Chart


@dataclass(frozen=True, slots=True)
class Plots:
    """Charts of one audit, reached as ``audit.plot``; they need the extra ``report``.

    Each is an altair chart: a notebook shows it, and ``chart.save("words.svg")`` (or ``.png``,
    ``.json``, ``.html``) writes it.
    """

    _findings: Findings

    def words(self, n: int = 20, *, moved: bool | None = None) -> Chart:
        """Draw the n words that kept the fewest neighbors, with those they lost and gained."""
        return words(self._findings, n, moved=moved)

    def benchmarks(self) -> Chart:
        """Draw each benchmark before and after, its change with the interval, and whose it is."""
        parts = (part_frame(self._findings, part) for part in ("benchmarks", "split"))
        return benchmarks(*parts)

    def map(self, n: int = 15, *, points: int = POINTS, method: Method = "pca") -> Chart:
        """Draw both tables in one plane, with arrows for the n words that turned most."""
        return map_(self._findings, n, points=points, method=method)

    def drift_by_rank(self) -> Chart:
        """Draw mean overlap and self-cosine against the rank of words."""
        return drift_by_rank(self._findings)

    def distributions(self) -> Chart:
        """Draw how overlap and self-cosine are spread over moved and unmoved words."""
        return distributions(self._findings)

    def directions(self, n: int = 5) -> Chart:
        """Draw the first n directions of the drift, with the words at their ends."""
        return directions(self._findings, n)

    def trajectory(self) -> Chart:
        """Say that a trajectory needs several checkpoints: `driftkit.compare_audits` has it."""
        return trajectory([self._findings])


@dataclass(frozen=True, slots=True)
class TrajectoryPlots:
    """Charts of several audits against one original."""

    _audits: Sequence[Findings]

    def trajectory(self) -> Chart:
        """Draw what each checkpoint kept, and how benchmarks changed, in the order given."""
        return trajectory(self._audits)
