"""How far the whole space moved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from driftkit.drift.moments import Block, Moments, blocks, moments
from driftkit.drift.summary import GROUPS, group_masks, none_if_nan
from driftkit.errors import UnknownNameError
from driftkit.measures import parse_measure
from driftkit.pair import Mask, Pair

if TYPE_CHECKING:
    import pandas as pd

CKA, PROCRUSTES, MEAN_COSINE = map(str, map(parse_measure, ("cka", "procrustes", "mean_cosine")))

_CONSTANT = 1e-26
"""Share of the sum of squares below which what is left after centering is rounding.

float32 rows that differ at all leave at least 2**-48 / n of it (1e-21 for ten million rows),
float64 rounding about 1e-32.
"""


@dataclass(frozen=True, slots=True)
class SpaceFigure:
    """One whole-space measure over one group of rows.

    Parameters
    ----------
    measure : str
        Name of the measure.
    group : {"all", "moved", "unmoved"}
        The rows measured.
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
        """Give one figure, such as ``("cka", "moved")`` or ``("mean_cosine", "all", "tuned")``.

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
        """Give a pandas frame with one row a figure: measure, group, of, n, value, reason."""
        import pandas as pd

        return pd.DataFrame([asdict(each) for each in self.figures])

    def to_dict(self) -> dict[str, Any]:
        """Give plain lists, numbers and strings, ready for JSON; None for what is NaN."""
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
        return wide.reindex(index=frame["measure"].unique(), columns=list(GROUPS)).round(4)

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


def space_drift(pair: Pair) -> SpaceDrift:
    """Compare the two spaces as wholes, over all, the moved and the unmoved rows.

    Linear CKA ignores a rotation and a common scale, the Procrustes distance a rotation; both
    ignore a translation. The mean cosine describes one space, so it is given for each. Sums are
    taken in float64 in blocks of rows, and nothing is n x n.

    A group over all rows hides damage to a few, hence the three groups. What cannot be measured
    is NaN with a reason: CKA of fewer than 3 rows (any two spaces of 2 rows have CKA 1), the
    others of fewer than 2, CKA when all rows of a side are equal. The mean cosine leaves out rows
    that are zero on either side.

    Parameters
    ----------
    pair : Pair
        The two tables.

    Returns
    -------
    SpaceDrift

    References
    ----------
    Kornblith et al. 2019, "Similarity of Neural Network Representations Revisited" (CKA);
    Williams et al. 2021, "Generalized Shape Metrics on Neural Representations" (Procrustes);
    Ethayarajh 2019, "How Contextual are Contextualized Word Representations?" (mean cosine).

    Examples
    --------
    >>> from driftkit import Embeddings, align
    >>> square = np.array([[1, 0], [0, 1], [-1, 0], [0, -2]])
    >>> quarter_turn = square @ np.array([[0, 1], [-1, 0]])
    >>> words = ["north", "east", "south", "west"]
    >>> drift = space_drift(align(Embeddings(words, square), Embeddings(words, quarter_turn)))
    >>> round(drift.figure("cka").value, 6), round(drift.figure("procrustes").value, 6)
    (1.0, 0.0)
    """
    masks = group_masks(pair.moved)
    apart = {group: moments(pair, masks[group]) for group in ("moved", "unmoved")}
    whole = apart["moved"] + apart["unmoved"]
    of_group = {"all": whole, **apart}
    figures = [_cka(group, of_group[group]) for group in GROUPS]
    figures += [_procrustes(group, of_group[group], pair, masks[group]) for group in GROUPS]
    for group in GROUPS:
        figures += _mean_cosines(group, pair, masks[group])
    return SpaceDrift(tuple(figures))


def _cka(group: str, m: Moments) -> SpaceFigure:
    """``f(Xc'Yc) / (|Xc'Xc| |Yc'Yc|)``."""
    if m.n < 3:
        return SpaceFigure(CKA, group, "pair", m.n, np.nan, _too_few(m.n, 3))
    if np.trace(m.xx) <= _CONSTANT * m.raw_x or np.trace(m.yy) <= _CONSTANT * m.raw_y:
        reason = "the rows of a table are all equal, so they have no shape"
        return SpaceFigure(CKA, group, "pair", m.n, np.nan, reason)
    xx, yy, xy = (float(np.linalg.norm(each)) for each in (m.xx, m.yy, m.xy))
    return SpaceFigure(CKA, group, "pair", m.n, min(xy / xx * (xy / yy), 1.0))


def _procrustes(group: str, m: Moments, pair: Pair, chosen: Mask) -> SpaceFigure:
    """``|Xc - Yc R|`` with the best orthogonal R, summed row by row.

    ``sqrt(f(Xc) + f(Yc) - 2 |Xc'Yc|_*)`` is the same number, but as a small difference of large
    ones it cannot tell drift below 1e-8 of the space's size from none.
    """
    if m.n < 2:
        return SpaceFigure(PROCRUSTES, group, "pair", m.n, np.nan, _too_few(m.n, 2))
    u, _, vt = np.linalg.svd(m.xy.T)  # Yc'Xc = U S V'
    rotation = u @ vt  # (d, d)
    rotated = unrotated = 0.0
    for x, y in blocks(pair, chosen):
        x -= m.mean_x
        y -= m.mean_y
        rotated += _square(x - y @ rotation)
        unrotated += _square(x - y)
    # Not to rotate is a choice too; it makes the distance of equal tables exactly 0.
    return SpaceFigure(PROCRUSTES, group, "pair", m.n, float(np.sqrt(min(rotated, unrotated))))


def _mean_cosines(group: str, pair: Pair, chosen: Mask) -> Iterator[SpaceFigure]:
    """``(|sum u|^2 - n) / (n (n - 1))`` of the unit rows u, for each table."""
    directed = chosen & ~pair.zero
    n = int(directed.sum())
    if n < 2:
        for of in ("original", "tuned"):
            yield SpaceFigure(MEAN_COSINE, group, of, n, np.nan, _too_few(n, 2))
        return
    sums = {"original": np.zeros(pair.before.shape[1]), "tuned": np.zeros(pair.after.shape[1])}
    for x, y in blocks(pair, directed):
        for of, rows in (("original", x), ("tuned", y)):
            sums[of] += (rows / np.linalg.norm(rows, axis=1, keepdims=True)).sum(axis=0)
    for of, total in sums.items():
        yield SpaceFigure(MEAN_COSINE, group, of, n, float((total @ total - n) / (n * (n - 1))))


def _square(matrix: Block) -> float:
    """Squared Frobenius norm, f."""
    return float(np.square(matrix).sum())


def _too_few(n: int, least: int) -> str:
    return f"only {n:,} rows to measure, and at least {least} are needed"
