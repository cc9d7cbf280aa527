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
    alt = altair_module()
    pair, noun = findings.pair, findings.noun
    rows = _drawn(findings, points)
    arrows = _farthest(findings, rows, n)
    found = project(pair, rows, method=method, seed=findings.settings.seed)
    placed: Mask = np.asarray(np.isfinite(np.hstack([found.before, found.after])).all(axis=1))
    if not placed.any():
        return sentence("The map before and after", f"No {noun} has a direction to be drawn.")
    moved: Mask = pair.moved[rows]
    frame = _Frame(found, placed)
    still = [_dot(found, at) for at in np.flatnonzero(placed & ~moved).tolist()]
    gone = [_dot(found, at) | _end(found, at) for at in np.flatnonzero(placed & moved).tolist()]
    meaning = {
        f"unmoved {noun}": COLORS["unmoved"],
        f"moved {noun}, before": COLORS["original"],
        f"moved {noun}, after": COLORS["tuned"],
    }
    colors = alt.Scale(domain=list(meaning), range=list(meaning.values()))
    shares = [f" ({share:.0%} of the variance)" for share in found.shares] or ["", ""]
    of = {"pca": "principal axis", "umap": "UMAP axis"}[method]
    quiet = {"grid": False, "ticks": False, "labels": False, "domain": False}
    x, y = (
        alt.X(f"{field}:Q", title=title, scale=alt.Scale(domain=ends, nice=False), axis=quiet)
        if field == "x"
        else alt.Y(f"{field}:Q", title=title, scale=alt.Scale(domain=ends, nice=False), axis=quiet)
        for field, title, ends in (
            ("x", f"first {of}{shares[0]}", frame.x),
            ("y", f"second {of}{shares[1]}", frame.y),
        )
    )
    seen = min(0.5, 1_500 / len(rows) ** 0.9)  # fainter where many lie on each other
    layers = [
        alt.Chart(inline(dots))
        .mark_circle(size=size, opacity=opacity)
        .encode(
            x=x if field == "" else f"x{field}:Q",
            y=y if field == "" else f"y{field}:Q",
            color=alt.Color("is:N", title=None, scale=colors, legend=alt.Legend(symbolSize=70)),
            tooltip=[alt.Tooltip("word:N", title=noun), "is:N"],
        )
        .transform_calculate(**{"is": f"'{kind}'"})
        # What moved lies on top.
        for kind, dots, field, size, opacity in zip(
            meaning, (still, gone, gone), ("", "", "2"), (9, 16, 16), (0.4, seen, seen), strict=True
        )
    ]
    chosen = [at for at in np.searchsorted(rows, arrows).tolist() if placed[at]]
    if chosen:
        labels = told_apart((found.words[at] for at in chosen), LABEL, findings.texts)
        drawn = [
            {
                **_arrow(found, at),
                "word": labels[found.words[at]],
                "self_cosine": round(float(findings.words.self_cosine[rows[at]]), 3),
            }
            for at in chosen
        ]
        base = alt.Chart(inline(drawn)).encode(
            tooltip=[alt.Tooltip("word:N", title=noun), "self_cosine:Q"]
        )
        ends = {"x": "x2:Q", "y": "y2:Q"}
        layers += [
            base.mark_rule(strokeWidth=1.3, opacity=0.8).encode(
                x="x:Q", y="y:Q", x2="x2:Q", y2="y2:Q"
            ),
            base.mark_point(filled=True, size=45, opacity=1, color=COLORS["original"]).encode(
                x="x:Q", y="y:Q"
            ),
            base.mark_point(
                filled=True, shape="triangle", size=95, opacity=1, color=COLORS["tuned"]
            ).encode(**ends, angle=alt.Angle("angle:Q", scale=None)),
            alt.Chart(inline(frame.labels(drawn)))
            .mark_text(align="left", baseline="middle", fontWeight=600)
            .encode(x="x:Q", y="y:Q", text="word:N"),
        ]
    chart = alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)
    title = f"The map of {int(placed.sum()):,} of {len(pair):,} {noun}s, before and after"
    many = int((moved & placed).sum())
    notes = [
        f"Both tables on the axes of the original; {noun}s that point the same way lie together.",
    ]
    turned = float(findings.words.self_cosine[rows[moved & placed]].mean()) if many else 1.0
    if not chosen:
        notes.append(f"No {noun} moved.")
    else:
        notes.append(
            f"Arrows: the {len(chosen)} that turned most of {many:,} moved {noun}s drawn, whose "
            f"mean self_cosine is {turned:.2f}."
        )
    told = ", ".join(str(record["word"]) for record in drawn[:5]) if chosen else ""
    said = f"{title}. {many:,} of them moved." + (f" Turned most: {told}." if told else "")
    return finished(chart, title, notes, said)


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
