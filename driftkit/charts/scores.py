"""Scores of one table, or of several side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from driftkit.charts.theme import altair_module, finished, inline, sentence
from driftkit.names import told_apart

if TYPE_CHECKING:
    import pandas as pd

    from driftkit.charts.theme import Chart

LABEL = 36  # columns of a benchmark or a table
TITLE = "Scores of benchmarks"


def scores(frame: pd.DataFrame) -> Chart:
    """Return the score of each benchmark, a color and a shape for each table.

    Parameters
    ----------
    frame : pandas.DataFrame
        As `driftkit.Scores.to_frame` gives it. Whole benchmarks are drawn, not their categories.

    Returns
    -------
    altair chart
    """
    alt = altair_module()
    whole = frame[frame.category.isna()]
    known = whole[np.isfinite(whole.value)]
    if not len(known):
        return sentence(TITLE, "No benchmark could be measured.")
    named = [
        f"{name} ({measure})" for name, measure in zip(known.benchmark, known.measure, strict=True)
    ]
    labels, tables = told_apart(named, LABEL), told_apart(known.source, LABEL)
    records = [
        {
            "benchmark": labels[name],
            "table": tables[row.source],
            "score": round(float(row.value), 6),
            "said": f"{row.value:.3f}",
            "used": int(row.n_used),
            "of": int(row.n_total),
            "oov": int(row.oov),
        }
        for name, row in zip(named, known.itertuples(), strict=True)
    ]
    order, sources = list(labels.values()), list(tables.values())
    several = len(sources) > 1
    height = len(order) * max(30, 20 * len(sources) + 8)
    base = alt.Chart(inline(records)).encode(
        y=alt.Y(
            "benchmark:N",
            sort=order,
            title=None,
            axis=alt.Axis(ticks=False, domain=False, labelPadding=10),
        ),
        tooltip=[
            "table:N",
            "benchmark:N",
            "score:Q",
            alt.Tooltip("used:Q", title="items answered"),
            alt.Tooltip("of:Q", title="of items"),
            alt.Tooltip("oov:Q", title="words not found"),
        ],
    )
    if several:
        base = base.encode(yOffset=alt.YOffset("table:N", sort=sources))
    look = {"title": None, "scale": alt.Scale(domain=sources)}
    look["legend"] = alt.Legend(columns=1) if several else None
    color = alt.Color("table:N", **look)
    ends = min(0.0, known.value.min()), max(0.0, known.value.max())
    room = 0.12 * (ends[1] - ends[0])  # for the numbers
    x = alt.X("score:Q", title="score", scale=alt.Scale(domain=[ends[0], ends[1] + room]))
    zero = alt.Chart().mark_rule(strokeDash=[3, 3]).encode(x=alt.datum(0))
    chart = alt.layer(
        zero,
        base.mark_rule(strokeWidth=2.5, opacity=0.6).encode(x=x, x2=alt.datum(0), color=color),
        base.mark_point(filled=True, size=80, opacity=1).encode(
            x=x, color=color, shape=alt.Shape("table:N", **look)
        ),
        base.mark_text(align="left", dx=9).encode(x=x, text="said:N"),
    ).properties(width=420, height=height)
    told = "; ".join(
        f"{record['benchmark']}"
        + (f", {record['table']}" if several else "")
        + f": {record['said']}, {record['used']:,} of {record['of']:,} items answered"
        for record in records
    )
    left = len(whole) - len(known)
    notes = [] if several else sources
    if left:
        notes.append(f"{left} could not be measured and {'is' if left == 1 else 'are'} left out.")
    return finished(chart, TITLE, notes, f"{TITLE}: {told}.")
