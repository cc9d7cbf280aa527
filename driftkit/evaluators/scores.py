"""The figures of benchmarks: one score, and many of them as one result."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType

from driftkit.display import Displayed, number, reasons, table

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "driftkit.scores/1"


@dataclass(frozen=True, slots=True)
class Score:
    """One figure of one benchmark.

    Parameters
    ----------
    source : str
        Name of the table scored.
    benchmark : str
        Name in the registry, or the file's name without its ending.
    measure : str
        Such as ``"spearman"`` or ``"3cosadd@1"``.
    value : float
        NaN if it could not be measured; `reason` says why.
    n_total, n_used : int
        Items asked and items answered.
    n_correct : int or None
        Items answered rightly, where an item is right or wrong.
    oov : tuple of str
        Distinct words of the benchmark that the table lacks; items with one are left out.
    zero : tuple of str
        Distinct words whose row is zero; items with one are left out.
    category : str or None
        A section of the benchmark or a group of sections; None for the whole.
    reason : str or None
        Why `value` is NaN.
    """

    source: str
    benchmark: str
    measure: str
    value: float
    n_total: int
    n_used: int
    n_correct: int | None = None
    oov: tuple[str, ...] = field(default=(), repr=False)
    zero: tuple[str, ...] = field(default=(), repr=False)
    category: str | None = None
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the entry of ``results`` in the JSON document; NaN becomes None."""
        return {
            "source": self.source,
            "benchmark": self.benchmark,
            "measure": self.measure,
            "category": self.category,
            "value": None if math.isnan(self.value) else self.value,
            "n_total": self.n_total,
            "n_used": self.n_used,
            "n_correct": self.n_correct,
            "oov": list(self.oov),
            "zero": list(self.zero),
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True, repr=False)
class Scores(Displayed):
    """Scores of one table or several, one entry per source, benchmark, measure and category.

    Parameters
    ----------
    results : tuple of Score
    """

    results: tuple[Score, ...]

    def __iter__(self) -> Iterator[Score]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    def __add__(self, other: Scores) -> Scores:
        return Scores(self.results + other.results)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document ``driftkit.scores/1``."""
        return {"schema": SCHEMA, "results": [score.to_dict() for score in self.results]}

    def to_frame(self) -> pd.DataFrame:
        """Return a tidy frame, one row per score; `oov` and `zero` are numbers of words here."""
        import pandas as pd

        frame = pd.DataFrame(
            [
                score.to_dict() | {"oov": len(score.oov), "zero": len(score.zero)}
                for score in self.results
            ]
        )
        return frame.astype({"value": "float64", "n_correct": "Int64"})

    def __rich__(self) -> RenderableType:
        several = len({score.source for score in self.results}) > 1
        made = table()
        for name in [*(["source"] if several else []), "benchmark", "measure"]:
            made.add_column(name, overflow="fold")
        for name in ("score", "used", "of", "OOV words"):
            made.add_column(name, justify="right")
        for score in self.results:
            made.add_row(
                *([score.source] if several else []),
                score.benchmark if score.category is None else f"  {score.category}",
                score.measure,
                number(score.value, 4),
                f"{score.n_used:,}",
                f"{score.n_total:,}",
                f"{len(score.oov):,}",
            )
        whole = {score.benchmark for score in self.results if score.reason and not score.category}
        return Group(
            made,
            *reasons(
                (
                    f"{score.benchmark}, {score.category}" if score.category else score.benchmark,
                    score.reason,
                )
                for score in self.results
                if not score.category or score.benchmark not in whole
            ),
        )
