"""The neighbors of one word before and after, with a line for each that was kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from driftkit.charts.theme import COLORS, altair_module, finished, inline, sentence
from driftkit.escaping import printable
from driftkit.names import told_apart

if TYPE_CHECKING:
    from driftkit.charts.theme import Chart

LABEL = 30  # columns of a neighbor
TITLE = 60  # columns of the word
STEP = 24  # pixels of a rank

Neighbor = Mapping[str, Any]


def neighbors(
    word: str, before: Sequence[Neighbor], after: Sequence[Neighbor], reason: str | None = None
) -> Chart:
    """Return both lists of neighbors, nearest on top, those that were kept joined by lines.

    Parameters
    ----------
    word : str
    before, after : sequence of mapping
        Neighbors with their ``word`` and ``cosine``, nearest first, as `driftkit.neighbors.Shift`
        lists them.
    reason : str, optional
        Why the lists could not be compared.

    Returns
    -------
    altair chart
    """
    alt = altair_module()
    name = told_apart([word], TITLE)[word]
    title = f"The neighbors of “{name}”"
    if not before and not after:
        return sentence(title, f"{reason or 'There is none on either side'}.".capitalize())
    names = told_apart((each["word"] for side in (before, after) for each in side), LABEL)
    here = {each["word"] for each in before}
    there = {each["word"]: at for at, each in enumerate(after, 1)}
    records = [
        {
            "side": side,
            "rank": rank,
            "word": printable(each["word"]),
            "said": f"{sign} {names[each['word']]}",
            "cosine": round(float(each["cosine"]), 4),
            "is": kind,
        }
        for side, listed, others, kind_alone in (
            ("before", before, there, "lost"),
            ("after", after, here, "gained"),
        )
        for rank, each in enumerate(listed, 1)
        for kind in ["kept" if each["word"] in others else kind_alone]
        for sign in [{"kept": "=", "lost": "−", "gained": "+"}[kind]]
    ]
    lines = [
        {"before": rank, "after": there[each["word"]]}
        for rank, each in enumerate(before, 1)
        if each["word"] in there
    ]
    deep = max(len(before), len(after))
    width, height = 150, STEP * deep
    ends = {"domain": [0.5, deep + 0.5], "reverse": True, "nice": False, "zero": False}
    ranked = {"title": "rank", "scale": alt.Scale(**ends), "axis": None}
    color = alt.Color(
        "is:N",
        title=None,
        scale=alt.Scale(
            domain=["lost", "kept", "gained"],
            range=[COLORS["lost"], COLORS["unmoved"], COLORS["gained"]],
        ),
        legend=None,
    )
    tips = [alt.Tooltip("word:N", title="neighbor"), "side:N", "rank:Q", "cosine:Q", "is:N"]
    base = alt.Chart(inline(records))
    at = {"before": 0, "after": width}
    layers = [
        alt.Chart(inline(lines))
        .mark_rule(strokeWidth=1.5, color=COLORS["unmoved"])
        .encode(x=alt.value(0), x2=alt.value(width), y=alt.Y("before:Q", **ranked), y2="after:Q")
    ]
    for side, align, dx in (("before", "right", -9), ("after", "left", 9)):
        one = base.transform_filter(f"datum.side == '{side}'").encode(
            x=alt.value(at[side]), y=alt.Y("rank:Q", **ranked), tooltip=tips
        )
        heading = alt.Chart(inline([{"said": side}])).mark_text(
            align=align, dx=dx, fontSize=12, fontWeight=600
        )
        layers += [
            one.mark_point(filled=True, size=50, opacity=1).encode(color=color),
            one.mark_text(align=align, dx=dx).encode(text="said:N"),
            heading.encode(x=alt.value(at[side]), y=alt.value(-10), text="said:N"),
        ]
    lost = sum(each["word"] not in there for each in before)
    told = f"kept {len(lines)}, lost {lost}, gained {len(after) - len(lines)}"
    chart = alt.layer(*layers).properties(width=width, height=height)
    listed = ", ".join(str(record["said"]) for record in records)
    return finished(chart, title, f"{told}; nearest on top", f"{title}: {told}. {listed}.")
