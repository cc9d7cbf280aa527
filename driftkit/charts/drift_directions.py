"""The directions of the drift: how much of all movement each holds, and the words at its ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftkit.arguments import whole
from driftkit.charts.theme import COLORS, altair_module, finished, heading, inline, sentence
from driftkit.errors import AlignmentError
from driftkit.explain.directions import drift_directions
from driftkit.findings import Findings
from driftkit.names import told_apart

if TYPE_CHECKING:
    from driftkit.charts.theme import Chart

NAMED = 4  # words at each end
NAME = 16  # columns of each
STEP = 30  # pixels of a direction


def directions(findings: Findings, n: int = 5) -> Chart:
    """Return the first n directions in which words moved, with the words at their two ends.

    Parameters
    ----------
    findings : Findings
    n : int

    Returns
    -------
    altair chart

    Raises
    ------
    AlignmentError
        If the tables differ in width.
    """
    whole(1, n=n)
    alt, pair, title = altair_module(), findings.pair, "The directions of the drift"
    if pair.mismatch:
        raise AlignmentError(f"the directions of the drift are not measured: {pair.mismatch}.")
    found = drift_directions(pair, n, named=NAMED)
    if not found:
        return sentence(title, f"No {findings.noun} moved, so there is no direction.")
    every = {word for each in found for word in (*each.toward, *each.away)}
    names = told_apart(sorted(every), NAME, findings.texts)
    records = [
        {
            "direction": at + 1,
            "share": round(each.share, 6),
            "said": f"{each.share:.0%}",
            "one": ", ".join(names[word] for word in each.away),
            "other": ", ".join(names[word] for word in each.toward),
        }
        for at, each in enumerate(found)
    ]
    y = alt.Y("direction:O", axis=None)
    tips = [alt.Tooltip("share:Q", format=".1%"), "one:N", "other:N"]
    base = alt.Chart().encode(y=y, tooltip=tips)
    height = alt.Step(STEP)
    share = alt.X(
        "share:Q",
        title="share of all movement",
        axis=alt.Axis(format="%", values=[0, 0.5, 1]),
        scale=alt.Scale(domain=[0, 1]),
    )
    bars = alt.layer(
        base.mark_bar(color=COLORS["moved"], height={"band": 0.6}).encode(x=share),
        base.mark_text(align="left", dx=5, fontWeight=600).encode(x=share, text="said:N"),
    ).properties(width=220, height=height)

    def end(field: str, said: str, align: str) -> object:
        at = alt.value(230 if align == "right" else 0)
        text = base.mark_text(align=align, limit=230).encode(x=at, text=f"{field}:N")
        side = "end" if align == "right" else "start"
        return text.properties(width=230, height=height, title=heading(said, anchor=side))

    panels = (end("one", "one end", "right"), bars, end("other", "the other end", "left"))
    chart = alt.hconcat(*panels, data=inline(records), spacing=12)
    first = records[0]
    told = f"{first['said']} of all movement is one direction: {first['one']} to {first['other']}"
    note = f"Lines in which {findings.noun}s moved, named by those of the original at their ends."
    return finished(chart, title, note, f"{title}. {told}.")
