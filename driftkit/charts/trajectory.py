"""Several checkpoints against one original: what each kept, in the order given."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from driftkit.charts.theme import (
    altair_module,
    finished,
    heading,
    inline,
    kept_title,
    own_row,
    scale,
    shapes,
)
from driftkit.errors import OptionError
from driftkit.findings import Findings
from driftkit.names import numbered, told_apart, without_shared_folder

if TYPE_CHECKING:
    from driftkit.charts.theme import Chart

NAME = 22  # columns of a checkpoint
EACH = 120  # pixels of one


def trajectory(audits: Sequence[Findings]) -> Chart:
    """Return what moved and unmoved words kept, and how benchmarks changed, at each checkpoint.

    Parameters
    ----------
    audits : sequence of Findings
        Of two checkpoints or more against one original, in their order.

    Returns
    -------
    altair chart

    Raises
    ------
    OptionError
        If there are fewer than two.
    """
    audits = list(audits)
    if len(audits) < 2:
        raise OptionError(
            "a trajectory needs several checkpoints, and there is one audit; call "
            "dk.compare_audits([first, second]).plot.trajectory()."
        )
    alt, noun = altair_module(), audits[0].noun
    labels = checkpoint_names(audits)
    named = list(zip(labels, audits, strict=True))
    kept = [record for label, findings in named for record in _kept(label, findings)]
    changes = [record for label, findings in named for record in _changes(label, findings)]
    steps = {"sort": labels, "title": None}
    x = alt.X("checkpoint:N", axis=alt.Axis(labelAngle=0, labelLimit=EACH - 8), **steps)
    size = {"width": max(360, EACH * len(labels)), "height": 130}
    panels = []
    for measure in dict.fromkeys(record["measure"] for record in kept):
        base = alt.Chart(inline(each for each in kept if each["measure"] == measure)).encode(
            x=x,
            y=alt.Y("mean:Q", title="mean", scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=5)),
            color=alt.Color("is:N", scale=scale("moved", "unmoved"), title=own_row(noun)),
            tooltip=["checkpoint:N", "is:N", "mean:Q", alt.Tooltip("words:Q", title=f"{noun}s")],
        )
        points = base.mark_point(filled=True, size=65, opacity=1).encode(
            shape=alt.Shape("is:N", scale=shapes("moved", "unmoved"), title=own_row(noun))
        )
        title = heading(kept_title(measure), frame="group")
        panels.append(alt.layer(base.mark_line(), points).properties(title=title, **size))
    if changes:
        benchmarks = list(dict.fromkeys(record["benchmark"] for record in changes))
        look = {
            "title": None,
            "scale": alt.Scale(domain=benchmarks),
            "legend": alt.Legend(columns=3),
        }
        base = alt.Chart(inline(changes)).encode(
            x=x,
            xOffset=alt.XOffset("benchmark:N", sort=benchmarks),
            color=alt.Color("benchmark:N", **look),
            tooltip=["checkpoint:N", "benchmark:N", "delta:Q", "low:Q", "high:Q", "status:N"],
        )
        points = base.mark_point(filled=True, size=70, opacity=1).encode(
            y=alt.Y("delta:Q", title="tuned − original"), shape=alt.Shape("benchmark:N", **look)
        )
        zero = alt.Chart().mark_rule(strokeDash=[3, 3]).encode(y=alt.datum(0))
        intervals = base.mark_rule(strokeWidth=2).encode(y="low:Q", y2="high:Q")
        title = heading("benchmarks: the change, with its 95 % interval", frame="group")
        changed = alt.layer(zero, intervals, points).properties(title=title, **size)
        # The words' groups share one legend, and benchmarks have their own.
        panels = [alt.vconcat(*panels, spacing=14), changed]
    chart = alt.vconcat(*panels, spacing=14)
    chart = chart.resolve_scale(color="independent", shape="independent") if changes else chart
    title = f"{len(audits)} checkpoints against one original"
    verdicts = [f"{label}: {each.verdict}" for label, each in named]
    return finished(chart, title, verdicts, f"{title}. {'; '.join(verdicts)}.")


def checkpoint_names(audits: Sequence[Findings]) -> list[str]:
    """Return what each checkpoint is called: its file's name.

    Where two have one, the folders in which they differ stand before it, and numbers if none does.
    """
    names = [each.pair.tuned.source.name.replace("\\", "/").rstrip("/") for each in audits]
    short = [name.rpartition("/")[2] or name for name in names]
    if len(set(short)) < len(short):
        short = without_shared_folder(names)
    return list(told_apart(numbered(short), NAME).values())


def _kept(label: str, findings: Findings) -> list[dict[str, Any]]:
    overlap = str(findings.shifts.measures[0])
    shown = [(overlap, "moved"), (overlap, "unmoved"), ("self_cosine", "moved")]
    return [
        {
            "checkpoint": label,
            "measure": row.measure,
            "is": row.group,
            "mean": round(row.mean, 6),
            "words": row.n,
        }
        for row in findings.summaries()
        if (row.measure, row.group) in shown and row.n
    ]


def _changes(label: str, findings: Findings) -> list[dict[str, Any]]:
    return [
        {
            "checkpoint": label,
            "benchmark": f"{change.name} ({change.measure})",
            **{
                key: round(value, 6) if math.isfinite(value) else None
                for key, value in (
                    ("delta", change.delta),
                    ("low", change.ci_low),
                    ("high", change.ci_high),
                )
            },
            "status": change.status,
        }
        for change in findings.scores
    ]
