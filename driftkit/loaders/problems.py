"""What a loader had to skip or repair, listed without ever filling memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from driftkit.provenance import Problem

LISTED = 1000  # of one kind; further problems are only counted


class Problems:
    """Problems in the order they were met, at most `LISTED` of a kind.

    Examples
    --------
    >>> problems = Problems()
    >>> problems.add("blank line", 7, "skipped")
    >>> problems.all()
    (Problem(kind='blank line', where=7, detail='skipped'),)
    """

    def __init__(self, made_elsewhere: Iterable[Problem] = ()) -> None:
        self._listed: list[Problem] = []
        self._counts: Counter[str] = Counter()
        for problem in made_elsewhere:
            self.add(problem.kind, problem.where, problem.detail)

    def add(self, kind: str, where: int | None, detail: str) -> None:
        """Note a problem."""
        self._counts[kind] += 1
        if self._counts[kind] <= LISTED:
            self._listed.append(Problem(kind, where, detail))

    def add_many(
        self, kind: str, places: Sequence[int] | npt.NDArray[np.int64], detail: str
    ) -> None:
        """Note the same problem at several places."""
        for where in places[:LISTED]:
            self.add(kind, int(where), detail)
        self._counts[kind] += max(len(places) - LISTED, 0)

    def all(self) -> tuple[Problem, ...]:
        """Return those listed, and for each kind that had more, how many more."""
        more = (
            Problem(kind, None, f"{count - LISTED:,} more like these")
            for kind, count in self._counts.items()
            if count > LISTED
        )
        return (*self._listed, *more)
