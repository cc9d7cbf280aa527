"""What benchmarks say: scores before and after, the change with its interval, and whose it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from driftkit.charts.theme import COLORS, altair_module, finished, heading, inline, sentence
from driftkit.names import told_apart

if TYPE_CHECKING:
    import pandas as pd

    from driftkit.charts.theme import Chart

STEP = 54  # pixels of a benchmark
LABEL = 34  # columns of its name
TITLE = "What the benchmarks say"

_PARTS = {"none": "none moved", "some": "some moved", "all": "all moved"}
_SAID = {"lost": "− lost", "gained": "+ gained", "retained": "= retained"}
_COLOR = {"lost": COLORS["lost"], "gained": COLORS["gained"], "retained": COLORS["unmoved"]}


def benchmarks(changes: pd.DataFrame, split: pd.DataFrame) -> Chart:
    """Return each benchmark's scores, its change with the 95 % interval, and the change by part.

    Parameters
    ----------
    changes : pandas.DataFrame
        A row for each benchmark, as `driftkit.evaluators.ScoreChanges.to_frame` gives it; with a
        column ``null`` where random moves were measured too.
    split : pandas.DataFrame
        The same by the number of an item's words that moved, as of ``split_frame``.

    Returns
    -------
    altair chart
    """
    if not len(changes):
        return sentence(TITLE, "No benchmark was asked, so nothing says what was forgotten.")
    alt = altair_module()
    named = [
        f"{name} ({measure})" for name, measure in zip(changes.name, changes.measure, strict=True)
    ]
    labels = told_apart(named, LABEL)
    sides = {"original": "original", "tuned": "tuned"}
    if "null" in changes:
        sides["null"] = "moved at random"
    rows, scores, parts = [], [], []
    for name, row in zip(named, changes.to_dict("records"), strict=True):
        label, status = labels[name], row["status"]
        known = {key: _plain(row[key]) for key in ("delta", "ci_low", "ci_high", "margin")}
        rows.append(
            {
                "benchmark": label,
                **known,
                "at": known["delta"] or 0,
                "less": -float(row["margin"]),
                "status": status,
                "said": _SAID.get(status, f"? {status}"),
                "color": _COLOR.get(status, COLORS["unmoved"]),
                "items": int(row["n_used"]),
                "could_change": int(row["items_changeable"]),
            }
        )
        scores += [
            {"benchmark": label, "table": table, "score": value, "items": int(row["n_used"])}
            for side, table in sides.items()
            if (value := _plain(row[side])) is not None
        ]
    for name, measure, moved, n, delta in zip(
        split.name, split.measure, split.moved, split.n, split.delta, strict=True
    ):
        if (value := _plain(delta)) is not None:
            label = labels[f"{name} ({measure})"]
            said = f"{value:+.3f} (n {int(n):,})"
            part = {"part": _PARTS[moved], "items": int(n), "delta": value, "said": said}
            parts.append({"benchmark": label, **part})
    y = {"scale": alt.Scale(domain=[row["benchmark"] for row in rows]), "title": None}
    axis = alt.Axis(ticks=False, domain=False, labelPadding=10, grid=True)
    height = STEP * len(rows)
    below = alt.Legend(orient="bottom", columns=2)

    tables = list(sides.values())
    colors = [COLORS["original"], COLORS["tuned"], COLORS["chance"]][: len(tables)]
    shapes = ["circle", "diamond", "cross"][: len(tables)]
    of_table = alt.Scale(domain=tables, range=colors)
    base = alt.Chart(inline(scores)).encode(
        y=alt.Y("benchmark:N", axis=axis, **y),
        tooltip=["benchmark:N", "table:N", "score:Q", "items:Q"],
    )
    before_after = alt.layer(
        base.mark_line(color=COLORS["unmoved"], strokeWidth=2)
        .transform_filter("datum.table == 'original' || datum.table == 'tuned'")
        .encode(x="score:Q", detail="benchmark:N"),
        base.mark_point(filled=True, size=110, opacity=1, strokeWidth=2).encode(
            x=alt.X("score:Q", title="score", scale=alt.Scale(zero=False, nice=True, padding=12)),
            color=alt.Color("table:N", scale=of_table, title=None, legend=below),
            shape=alt.Shape(
                "table:N", scale=alt.Scale(domain=tables, range=shapes), title=None, legend=below
            ),
        ),
    ).properties(width=210, height=height, title=heading("before and after"))

    bare = alt.Y("benchmark:N", axis=alt.Axis(labels=False, ticks=False, domain=False), **y)
    tips = ["benchmark:N", "delta:Q", "ci_low:Q", "ci_high:Q", "margin:Q", "status:N", "items:Q"]
    tips += [alt.Tooltip("could_change:Q", title="items that could change")]
    base = alt.Chart(inline(rows)).encode(y=bare, tooltip=tips)
    exact = alt.Color("color:N", scale=None)
    changed = alt.layer(
        base.mark_bar(color=COLORS["unmoved"], opacity=0.18, height=STEP - 8).encode(
            x="less:Q", x2="margin:Q"
        ),
        alt.Chart().mark_rule(strokeDash=[3, 3]).encode(x=alt.datum(0)),
        base.mark_rule(strokeWidth=2.5).encode(x="ci_low:Q", x2="ci_high:Q", color=exact),
        base.mark_point(filled=True, size=90, opacity=1).encode(
            x=alt.X("delta:Q", title="tuned − original, 95 % interval"), color=exact
        ),
        base.mark_text(dy=-13, fontWeight=600).encode(x="at:Q", text="said:N"),
    ).properties(width=250, height=height, title=heading("the change"))

    order = list(_PARTS.values())
    base = alt.Chart(inline(parts)).encode(
        y=bare,
        yOffset=alt.YOffset("part:N", sort=order, scale=alt.Scale(paddingInner=0.2)),
        tooltip=["benchmark:N", alt.Tooltip("part:N", title="words"), "items:Q", "delta:Q"],
    )
    whose = alt.layer(
        base.mark_bar().encode(
            x=alt.X("delta:Q", title="tuned − original", scale=alt.Scale(padding=44)),
            color=alt.Color(
                "part:N",
                sort=order,
                title="words of an item",
                legend=below,
                scale=alt.Scale(
                    domain=order, range=[COLORS["unmoved"], "#AE8DF9", COLORS["moved"]]
                ),
            ),
        ),
        *(
            base.mark_text(align=align, dx=dx, fontSize=10)
            .transform_filter(f"datum.delta {side} 0")
            .encode(x="delta:Q", text="said:N")
            for side, align, dx in ((">=", "left", 4), ("<", "right", -4))
        ),
        alt.Chart().mark_rule(strokeDash=[3, 3]).encode(x=alt.datum(0)),
    ).properties(width=210, height=height, title=heading("whose change it is"))

    panels = [before_after, changed, *([whose] if parts else [])]
    chart = alt.hconcat(*panels, spacing=22).resolve_scale(color="independent", shape="independent")
    told = "; ".join(
        f"{row['benchmark']} {row['status']}"
        + ("" if row["delta"] is None else f", changed by {row['delta']:+.3f}")
        for row in rows
    )
    note = "The gray band is a change too small to count."
    return finished(chart, TITLE, note, f"{TITLE}: {told}.")


def _plain(value: Any) -> float | None:
    number = float(value)
    return round(number, 6) if np.isfinite(number) else None
