"""How overlap and self-cosine are spread over moved and unmoved words, against chance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from driftkit.arrays import Mask, Values
from driftkit.charts.theme import COLORS, altair_module, finished, heading, inline, kept_title
from driftkit.findings import Findings
from driftkit.neighbors.overlap import chance_overlap

if TYPE_CHECKING:
    from driftkit.charts.theme import Chart

BARS = 20  # of a self-cosine, from -1 to 1


def distributions(findings: Findings) -> Chart:
    """Return the spread of overlap and self-cosine over the moved, and over the unmoved, words.

    A bar is a share of the words of its group, so that a few moved ones can be compared with many
    others. Lines are chance, and random moves of the same size where they were measured.

    Parameters
    ----------
    findings : Findings

    Returns
    -------
    altair chart
    """
    alt = altair_module()
    noun, k = findings.noun, findings.shifts.k
    overlap = str(findings.shifts.measures[0])
    # The middle of a bar is a value that overlap can have: 0, 1/k, ..., 1.
    edges = {overlap: (np.arange(k + 2) - 0.5) / k}
    if "self_cosine" not in findings.words.reasons:
        edges["self_cosine"] = np.linspace(-1, 1, BARS + 1)
    groups = {"moved": findings.pair.moved, "unmoved": ~findings.pair.moved}
    chance = chance_overlap(k, len(findings.shifts.candidates))
    columns = []
    for name, bins in edges.items():
        x = alt.X("low:Q", title=kept_title(name), scale=alt.Scale(domain=[bins[0], bins[-1]]))
        share = alt.Y(
            "share:Q",
            title="share of them",
            axis=alt.Axis(format="%", tickCount=5),
            scale=alt.Scale(domain=[0, 1]),
        )
        panels = []
        for group, mask in groups.items():
            bars = list(_bars(findings.values[name], mask, bins))
            many = sum(bar["words"] for bar in bars)
            title = f"{many:,} {group} {noun}{'' if many == 1 else 's'}"
            layers = [
                alt.Chart(inline(bars))
                .mark_rect(color=COLORS[group], opacity=0.8)
                .encode(
                    x=x,
                    x2="high:Q",
                    y2=alt.datum(0),
                    y=share,
                    tooltip=[
                        alt.Tooltip("low:Q", format=".2f"),
                        alt.Tooltip("high:Q", format=".2f"),
                        alt.Tooltip("words:Q", title=f"{noun}s"),
                        alt.Tooltip("share:Q", format=".1%"),
                    ],
                )
            ]
            if name == overlap:
                layers += _line(alt, x, bins, chance, "two random lists", 4)
            if findings.null is not None:
                values = findings.null.values[name][mask]
                known = values[~np.isnan(values)]
                if len(known):
                    mean = round(float(known.mean()), 6)
                    layers += _line(alt, x, bins, mean, "mean if moved at random", 18)
            panel = alt.layer(*layers).properties(width=300, height=150, title=heading(title))
            panels.append(panel)
        columns.append(alt.vconcat(*panels, spacing=10))
    title = f"How much moved and unmoved {noun}s kept"
    told = [
        f"of {row.n:,} {row.group} {noun}s the mean {row.measure} is {row.mean:.2f}"
        for row in findings.summaries()
        if row.measure in edges and row.group != "all" and row.n
    ]
    note = "1 is unchanged. Overlap 0: no neighbor kept; self_cosine -1: turned about."
    chart = alt.hconcat(*columns, spacing=26)
    return finished(chart, title, note, f"{title}: {'; '.join(told)}.")


def _line(alt: Any, x: Any, bins: Values, value: float, said: str, down: int) -> list[Any]:
    """Return a line at a value, and its name where there is room."""
    base = alt.Chart(inline([{"low": value, "said": said}])).encode(x=x)
    right = value > (bins[0] + bins[-1]) / 2
    side = {"align": "right", "dx": -5} if right else {"align": "left", "dx": 5}
    return [
        base.mark_rule(strokeDash=[4, 3], strokeWidth=1.5).encode(tooltip=["said:N", "low:Q"]),
        base.mark_text(fontSize=10, baseline="top", **side).encode(
            y=alt.value(down), text="said:N"
        ),
    ]


def _bars(values: Values, group: Mask, edges: Values) -> Iterator[dict[str, Any]]:
    known = values[group & ~np.isnan(values)]
    counts, _ = np.histogram(known, edges)
    for low, high, count in zip(edges.tolist(), edges[1:].tolist(), counts.tolist(), strict=False):
        if count:
            share = round(count / len(known), 6)
            ends = {"low": round(low, 6), "high": round(high, 6)}
            yield {**ends, "words": count, "share": share}
