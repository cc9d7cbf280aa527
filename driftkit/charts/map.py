"""The map: both spaces in one plane, and arrows for what moved most."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.cells import cell_len

from driftkit.arguments import whole
from driftkit.arrays import Mask, Rows
from driftkit.charts.theme import COLORS, altair_module, finished, inline, sentence
from driftkit.drift.projection import Method, Projection, project
from driftkit.escaping import printable
from driftkit.findings import Findings
from driftkit.names import told_apart

if TYPE_CHECKING:
    from driftkit.charts.theme import Chart

WIDTH, HEIGHT = 640, 560  # pixels
DIGITS = 3  # of a coordinate, which are from -2 to 2: a pixel is 0.004
LABEL = 24  # columns of a label
CELL, LINE = 7.2, 13  # pixels of a column, and of a line

POINTS = 2_000


def map_(
    findings: Findings,
    n: int = 15,
    *,
    points: int = POINTS,
    method: Method = "pca",
) -> Chart:
    """Return where words lie before and after, with arrows and names for the n that moved most.

    Parameters
    ----------
    findings : Findings
    n : int
        Arrows. Names that would cover others are left out; the tooltip has them.
    points : int
        At most so many words are drawn, the first ones of the table and, as many of these as have
        room, moved ones.
    method : {"pca", "umap"}
        See `driftkit.drift.projection.project`.

    Returns
    -------
    altair chart

    Raises
    ------
    AlignmentError
        If the tables differ in width.
    """
    whole(1, n=n, points=points)
    pair, noun = findings.pair, findings.noun
    rows = _drawn(findings, points)
    arrows = _farthest(findings, rows, n)
    found = project(pair, rows, method=method, seed=findings.settings.seed)
    placed: Mask = np.asarray(np.isfinite(np.hstack([found.before, found.after])).all(axis=1))
    if not placed.any():
        return sentence("The map before and after", f"No {noun} has a direction to be drawn.")
    moved: Mask = placed & pair.moved[rows]
    frame = _Frame(found, placed)
    labels = told_apart((pair.words[row] for row in arrows.tolist()), LABEL, findings.texts)
    drawn = [
        {
            **_arrow(found, at),
            "word": labels[found.words[at]],
            "self_cosine": round(float(findings.words.self_cosine[rows[at]]), 3),
        }
        for at in np.searchsorted(rows, arrows).tolist()
    ]
    layers = [*_dots(found, placed, moved, noun, frame), *_arrows(drawn, noun, frame)]
    chart = altair_module().layer(*layers).properties(width=WIDTH, height=HEIGHT)
    title = f"The map of {int(placed.sum()):,} of {len(pair):,} {noun}s, before and after"
    said = f"No {noun} moved."
    if drawn:
        turned = float(findings.words.self_cosine[rows[moved]].mean())
        said = (
            f"Arrows: the {len(drawn)} that turned most of {int(moved.sum()):,} moved {noun}s "
            f"drawn, whose mean self_cosine is {turned:.2f}."
        )
    note = f"Both tables on the axes of the original; {noun}s that point the same way lie together."
    named = ", ".join(record["word"] for record in drawn[:5])
    told = f" They are {named}{', ...' if len(drawn) > 5 else ''}." if drawn else ""
    return finished(chart, title, [note, said], f"{title}. {said}{told}")


def _dots(found: Projection, placed: Mask, moved: Mask, noun: str, frame: _Frame) -> Iterator[Any]:
    """Yield a layer of points for each: what did not move, what moved before, and after."""
    alt = altair_module()
    still = [_dot(found, at) for at in np.flatnonzero(placed & ~moved).tolist()]
    gone = [_dot(found, at) | _end(found, at) for at in np.flatnonzero(moved).tolist()]
    kinds = {
        f"unmoved {noun}": ("unmoved", still, ""),
        f"moved {noun}, before": ("original", gone, ""),
        f"moved {noun}, after": ("tuned", gone, "2"),
    }
    colors = alt.Scale(domain=list(kinds), range=[COLORS[color] for color, *_ in kinds.values()])
    shares = [f" ({share:.0%} of the variance)" for share in found.shares] or ["", ""]
    of = {"pca": "principal axis", "umap": "UMAP axis"}[found.method]
    bare = alt.Axis(grid=False, ticks=False, labels=False, domain=False)
    faint = min(0.5, 1_500 / len(placed) ** 0.9)  # where many lie on each other
    for kind, (color, dots, end) in kinds.items():
        base = alt.Chart(inline(dots)).transform_calculate(**{"is": f"'{kind}'"})
        marked = (
            base.mark_circle(size=9, opacity=0.4)
            if color == "unmoved"
            else base.mark_circle(size=16, opacity=faint)
        )
        across, up = (alt.Scale(domain=ends, nice=False) for ends in (frame.x, frame.y))
        yield marked.encode(
            x=alt.X(f"x{end}:Q", title=f"first {of}{shares[0]}", scale=across, axis=bare),
            y=alt.Y(f"y{end}:Q", title=f"second {of}{shares[1]}", scale=up, axis=bare),
            color=alt.Color("is:N", title=None, scale=colors, legend=alt.Legend(symbolSize=70)),
            tooltip=[alt.Tooltip("word:N", title=noun), "is:N"],
        )


def _arrows(drawn: list[dict[str, Any]], noun: str, frame: _Frame) -> Iterator[Any]:
    """Yield the layers of arrows: lines, where they begin, where they end, and names."""
    if not drawn:
        return
    alt = altair_module()
    tips = [alt.Tooltip("word:N", title=noun), "self_cosine:Q"]
    base = alt.Chart(inline(drawn)).encode(tooltip=tips)
    start, end = {"x": "x:Q", "y": "y:Q"}, {"x": "x2:Q", "y": "y2:Q"}
    yield base.mark_rule(strokeWidth=1.3, opacity=0.8).encode(**start, x2="x2:Q", y2="y2:Q")
    yield base.mark_point(filled=True, size=45, opacity=1, color=COLORS["original"]).encode(**start)
    head = base.mark_point(filled=True, shape="triangle", size=95, opacity=1, color=COLORS["tuned"])
    yield head.encode(**end, angle=alt.Angle("angle:Q", scale=None))
    names = alt.Chart(inline(frame.labels(drawn))).mark_text(
        align="left", baseline="middle", fontWeight=600
    )
    yield names.encode(**start, text="word:N")


def _farthest(findings: Findings, rows: Rows, n: int) -> Rows:
    """Return the n of these words that turned most, of those that moved; those drawn first."""
    some = rows[(findings.pair.moved & ~findings.pair.zero)[rows]]
    return np.sort(some[np.argsort(findings.words.self_cosine[some], kind="stable")[:n]])


def _drawn(findings: Findings, points: int) -> Rows:
    """Return half moved words, half of all, from the first on, and as many of one as are left."""
    moved = np.flatnonzero(findings.pair.moved)
    some = moved[: max(points // 2, 1)]
    first = np.setdiff1d(np.arange(min(points, len(findings.pair))), some)[: points - len(some)]
    return np.sort(np.concatenate([some, first]))


def _dot(found: Projection, at: int) -> dict[str, Any]:
    x, y = found.before[at].round(DIGITS).tolist()
    return {"word": printable(found.words[at]), "x": x, "y": y}


def _end(found: Projection, at: int) -> dict[str, float]:
    x, y = found.after[at].round(DIGITS).tolist()
    return {"x2": x, "y2": y}


def _arrow(found: Projection, at: int) -> dict[str, Any]:
    x, y = (found.after[at] - found.before[at]).tolist()
    # A triangle points up, and angles go with the clock.
    angle = round(float(np.degrees(np.arctan2(x, y))), 1)
    return _dot(found, at) | _end(found, at) | {"angle": angle}


class _Frame:
    """The part of the plane that is drawn: as many pixels to a unit upward as sideways."""

    def __init__(self, found: Projection, placed: Mask) -> None:
        every = np.concatenate([found.before[placed], found.after[placed]])
        low, high = every.min(axis=0), every.max(axis=0)
        size = np.array([WIDTH, HEIGHT]) * 0.92  # names at the edge need room
        self.unit = float(max(*((high - low) / size), 1e-9))  # of a pixel
        middle, half = (low + high) / 2, np.array([WIDTH, HEIGHT]) * self.unit / 2
        self.x, self.y = (
            [float(middle[at] - half[at]), float(middle[at] + half[at])] for at in (0, 1)
        )

    def labels(self, arrows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return names beside the ends of arrows, those that cover no other."""
        taken = [self._box(arrow["x2"], arrow["y2"], 8) for arrow in arrows]
        taken += [self._box(arrow["x"], arrow["y"], 6) for arrow in arrows]
        found = []
        for arrow in arrows:
            wide = cell_len(arrow["word"]) * CELL * self.unit
            for x, y in self._beside(arrow, wide):
                box = (x, y - LINE * self.unit / 2, x + wide, y + LINE * self.unit / 2)
                inside = self.x[0] <= box[0] and box[2] <= self.x[1]
                if inside and not any(_meet(box, other) for other in taken):
                    taken.append(box)
                    place = {"x": round(x, DIGITS + 1), "y": round(y, DIGITS + 1)}
                    found.append({"word": arrow["word"], **place})
                    break
        return found

    def _beside(self, arrow: dict[str, Any], wide: float) -> Iterator[tuple[float, float]]:
        """Yield where the name may begin: right, left, above and below the end, then the start."""
        gap, up = 8 * self.unit, (LINE / 2 + 6) * self.unit
        for x, y in ((arrow["x2"], arrow["y2"]), (arrow["x"], arrow["y"])):
            yield from ((x + gap, y), (x - gap - wide, y))
            yield from ((x - wide / 2, y + up), (x - wide / 2, y - up))

    def _box(self, x: float, y: float, pixels: float) -> tuple[float, ...]:
        half = pixels * self.unit / 2
        return (x - half, y - half, x + half, y + half)


def _meet(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
