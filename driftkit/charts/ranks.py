"""Drift against frequency: how much moved and unmoved words kept, by their rank."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from driftkit.arrays import Mask, Values
from driftkit.charts.theme import (
    COLORS,
    altair_module,
    finished,
    inline,
    kept_title,
    own_row,
    scale,
    shapes,
)
from driftkit.findings import Findings
from driftkit.neighbors.overlap import chance_overlap

if TYPE_CHECKING:
    from driftkit.charts.theme import Chart

PER_DECADE = 4  # bins of ranks up to ten times the first
FEWEST = 5  # words, below which a bin is no mean
CHANCE, RANDOM = "two random lists", "moved at random"


def drift_by_rank(findings: Findings) -> Chart:
    """Return mean overlap and mean self-cosine of moved and of unmoved words, by their rank.

    Ranks are taken together in bins, each about 1.8 times as far as the one before; a bin of fewer
    than five words of a group is left out. The bands hold nine of ten words.

    Parameters
    ----------
    findings : Findings

    Returns
    -------
    altair chart
    """
    alt = altair_module()
    noun, place = findings.noun, findings.place
    measures = [str(findings.shifts.measures[0])]
    if "self_cosine" not in findings.words.reasons:
        measures.append("self_cosine")
    rank = (findings.pair.original_rows + 1).astype(np.float64)
    ends = _ends(int(rank.max()))
    x = alt.X(
        "rank:Q",
        scale=alt.Scale(type="log", domain=[1, int(ends[-1])]),
        title=f"{place} in the original table" + (", frequent first" if place == "rank" else ""),
        axis=alt.Axis(format="~s", grid=False, values=[10**at for at in range(10)]),
    )
    groups = scale("moved", "unmoved")
    panels = []
    for name in measures:
        records = [
            {"is": group, **bin_}
            for group, mask in (("moved", findings.pair.moved), ("unmoved", ~findings.pair.moved))
            for bin_ in _bins(findings.values[name], rank, mask, ends)
        ]
        base = alt.Chart(inline(records)).encode(
            x=x,
            color=alt.Color(
                "is:N",
                scale=groups,
                title=own_row(noun),
                legend=alt.Legend(symbolOpacity=1),
            ),
            tooltip=[
                "is:N",
                alt.Tooltip("first:Q", title=f"first {place}"),
                alt.Tooltip("last:Q", title=f"last {place}"),
                alt.Tooltip("words:Q", title=f"{noun}s"),
                *(f"{field}:Q" for field in ("mean", "p05", "p95")),
            ],
        )
        dots = alt.Shape(
            "is:N",
            title=own_row(noun),
            scale=shapes("moved", "unmoved"),
        )
        layers = [
            base.mark_area(opacity=0.13, line=False).encode(y="p05:Q", y2="p95:Q"),
            base.mark_line(strokeWidth=2).encode(y="mean:Q"),
            base.mark_point(filled=True, size=55, opacity=1).encode(
                y=alt.Y("mean:Q", title=kept_title(name).split(": ")), shape=dots
            ),
        ]
        layers.append(_references(alt, findings, name, rank, ends, x))
        panels.append(alt.layer(*layers).properties(width=560, height=190))
    chart = alt.vconcat(*panels, spacing=14)
    title = f"Drift against {'frequency' if place == 'rank' else 'place in the table'}"
    told = [
        f"{row.measure} of {row.group} {noun}s is {row.mean:.2f} on average"
        for row in findings.summaries()
        if row.measure in measures and row.group != "all" and row.n
    ]
    note = f"Points: means of {noun}s of nearby {place}s; bands: nine of ten of them."
    return finished(chart, title, note, f"{title}. {'; '.join(told)}.")


def _references(alt: Any, findings: Findings, name: str, rank: Values, ends: Values, x: Any) -> Any:
    """Return the lines to read the means against: chance, and random moves of the same size."""
    records: list[dict[str, Any]] = []
    if name != "self_cosine":
        chance = round(chance_overlap(findings.shifts.k, len(findings.shifts.candidates)), 6)
        records += [{"line": CHANCE, "rank": int(at), "mean": chance} for at in (1, ends[-1])]
    if findings.null is not None:
        bins = _bins(findings.null.values[name], rank, findings.pair.moved, ends)
        records += [{"line": RANDOM, **bin_} for bin_ in bins]
    kinds = [kind for kind in (CHANCE, RANDOM) if findings.null is not None or kind == CHANCE]
    dashes = alt.Scale(domain=kinds, range=[[6, 4], [2, 3]][: len(kinds)])
    line = alt.Chart(inline(records)).mark_line(strokeWidth=1.8, color=COLORS["chance"])
    return line.encode(
        x=x,
        y="mean:Q",
        strokeDash=alt.StrokeDash("line:N", scale=dashes, title="to compare with"),
        tooltip=["line:N", "mean:Q"],
    )


def _ends(last: int) -> Values:
    """Return the first rank of each bin, and the one after the last rank."""
    steps = np.floor(10 ** np.arange(0, np.log10(last + 1) + 1, 1 / PER_DECADE))
    starts = np.unique(steps[steps <= last])
    return np.append(starts, last + 1)


def _bins(values: Values, rank: Values, group: Mask, ends: Values) -> Iterator[dict[str, Any]]:
    known = group & ~np.isnan(values)
    which = np.digitize(rank, ends) - 1
    for at in np.unique(which[known]).tolist():
        inside = known & (which == at)
        if inside.sum() < FEWEST:
            continue
        some = values[inside]
        p05, p95 = np.quantile(some, [0.05, 0.95]).tolist()
        first, last = int(ends[at]), int(ends[at + 1]) - 1
        numbers = {"mean": float(some.mean()), "p05": p05, "p95": p95}
        yield {
            "rank": round(float(np.sqrt(first * last)), 1),
            "first": first,
            "last": last,
            "words": int(inside.sum()),
            **{key: round(value, 6) for key, value in numbers.items()},
        }
