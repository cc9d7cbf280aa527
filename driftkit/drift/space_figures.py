"""What whole-space measures give: figures by measure, group of rows and table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from driftkit.drift.summary import GROUPS, none_if_nan
from driftkit.errors import UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

CKA = "cka"


@dataclass(frozen=True, slots=True)
class SpaceFigure:
    """One whole-space measure over one group of rows.

    Parameters
    ----------
    measure : str
        Name of the measure.
    group : str
        The rows measured: ``all``, ``moved``, ``unmoved``, or a band of ranks such as
        ``rank 1-1000``.
    of : {"pair", "original", "tuned"}
        Whether the figure compares the tables or describes one of them.
    n : int
        Rows that entered.
    value : float
        NaN when it could not be measured.
    reason : str or None
        Why it could not be measured.
    """

    measure: str
    group: str
    of: str
    n: int
    value: float
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class SpaceDrift:
    """Whole-space measures over all, the moved and the unmoved rows.

    Made by `space_drift`.

    Parameters
    ----------
    figures : tuple of SpaceFigure
        Measure by measure, group by group.
    """

    figures: tuple[SpaceFigure, ...]

    def __iter__(self) -> Iterator[SpaceFigure]:
        return iter(self.figures)

    def figure(self, measure: str, group: str = "all", of: str = "pair") -> SpaceFigure:
        """Return one figure, such as ``("cka", "moved")`` or ``("mean_cosine", "all", "tuned")``.

        Raises
        ------
        UnknownNameError
            If there is none under that name.
        """
        known = {(each.measure, each.group, each.of): each for each in self.figures}
        if (measure, group, of) not in known:
            raise UnknownNameError(
                "figure", ", ".join((measure, group, of)), [", ".join(key) for key in known]
            )
        return known[measure, group, of]

    def to_frame(self) -> pd.DataFrame:
        """Return a pandas frame with one row a figure: measure, group, of, n, value, reason."""
        import pandas as pd

        return pd.DataFrame([asdict(each) for each in self.figures])

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, numbers and strings, ready for JSON; None for what is NaN."""
        return {
            "figures": [
                {name: none_if_nan(value) for name, value in asdict(each).items()}
                for each in self.figures
            ]
        }

    def _table(self) -> pd.DataFrame:
        frame = self.to_frame()
        frame["measure"] = [
            each.measure if each.of == "pair" else f"{each.measure}, {each.of}"
            for each in self.figures
        ]
        wide = frame.pivot(index="measure", columns="group", values="value")
        return wide.reindex(index=frame["measure"].unique(), columns=self.groups).round(4)

    @property
    def groups(self) -> list[str]:
        """The groups of rows measured: all, moved, unmoved, then the bands of ranks."""
        return list(dict.fromkeys(each.group for each in self.figures))

    def _title(self) -> str:
        rows = ", ".join(f"{self.figure(CKA, group).n:,} {group}" for group in GROUPS)
        return f"Drift of the space, rows: {rows}"

    def _reasons(self) -> list[str]:
        unmeasured = (each for each in self.figures if each.reason)
        return list(dict.fromkeys(f"{each.group}: {each.reason}" for each in unmeasured))

    def __repr__(self) -> str:
        table = self._table().rename_axis(index=None, columns=None).to_string()
        return "\n".join([self._title(), table, *self._reasons()])

    def _repr_html_(self) -> str:
        table = self._table().rename_axis(index=None, columns=None).to_html(border=0)
        reasons = "".join(f"<p>{escape(reason)}</p>" for reason in self._reasons())
        return f"<p>{escape(self._title())}</p>{table}{reasons}"
