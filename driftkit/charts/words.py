"""The words that changed most: what each kept, how far it turned, and whom it lost and gained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftkit.arguments import whole
from driftkit.charts.theme import (
    COLORS,
    altair_module,
    finished,
    heading,
    inline,
    kept_title,
    own_row,
    scale,
    sentence,
    shapes,
)
from driftkit.escaping import printable
from driftkit.findings import Findings
from driftkit.names import told_apart

if TYPE_CHECKING:
    from driftkit.charts.theme import Chart

LABEL = 28  # columns of a word beside the axis
NAMED = 3  # neighbors named beside a word; the tooltip names all
NAME = 14  # columns of a neighbor
STEP = 22  # pixels of a row


def words(findings: Findings, n: int = 20, *, moved: bool | None = None) -> Chart:
    """Return the n words that kept the fewest neighbors, a row each.

    Parameters
    ----------
    findings : Findings
    n : int
    moved : bool, optional
        Only words whose own row moved, or only those that did not; both unless given.

    Returns
    -------
    altair chart
    """
    whole(1, n=n)
    noun, k = findings.noun, findings.shifts.k
    groups = [True, False] if moved is None else [moved]
    found = [(shift, group) for group in groups for shift in findings.most_shifted(n, moved=group)]
    place = findings.pair.index
    found.sort(key=lambda each: (each[0].overlap, place[each[0].word]))
    of = {None: "", True: "moved ", False: "unmoved "}[moved]
    title = f"The {len(found[:n])} most changed {of}{noun}s"
    if not found:
        return sentence(
            f"The most changed {of}{noun}s", f"None of the {of}{noun}s lost a neighbor."
        )
    alt = altair_module()
    labels = told_apart((shift.word for shift, _ in found[:n]), LABEL, findings.texts)
    turned = "self_cosine" not in findings.words.reasons
    records = []
    for shift, group in found[:n]:
        row = place[shift.word]
        record = {
            "word": labels[shift.word],
            "whole": printable(f"{shift.word} {findings.texts.get(shift.word, '')}".strip()),
            "overlap": round(shift.overlap, 4),
            "is": "moved" if group else "unmoved",
            findings.place: int(findings.pair.original_rows[row]) + 1,
            "lost": _listed(shift.lost, len(shift.lost), 30),
            "gained": _listed(shift.gained, len(shift.gained), 30),
            "fewer": _listed(shift.lost, NAMED, NAME),
            "more": _listed(shift.gained, NAMED, NAME),
        }
        if turned:
            own = float(findings.words.self_cosine[row])
            record["self_cosine"] = None if own != own else round(own, 4)
        records.append(record)
    height = alt.Step(STEP)
    tips = ["whole:N", f"{findings.place}:Q", "is:N", "overlap:Q"]
    tips += [*(["self_cosine:Q"] if turned else []), "lost:N", "gained:N"]
    tooltip = [
        alt.Tooltip(tip, title=noun) if tip == "whole:N" else alt.Tooltip(tip) for tip in tips
    ]
    named = alt.Y(
        "word:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False, labelPadding=10)
    )
    bare = alt.Y("word:N", sort=None, axis=None)
    color = alt.Color(
        "is:N",
        scale=scale("moved", "unmoved"),
        legend=alt.Legend(title=own_row(noun)) if moved is None else None,
    )

    def panel(field: str, title: str, low: int, y: object, width: int) -> object:
        x = alt.X(f"{field}:Q", title=title, scale=alt.Scale(domain=[low, 1]))
        base = alt.Chart().encode(y=y, tooltip=tooltip)
        line = base.mark_rule(strokeWidth=2, opacity=0.5).encode(x=x, x2=alt.datum(0), color=color)
        dot = base.mark_point(size=80, filled=True, opacity=1).encode(
            x=x,
            color=color,
            shape=alt.Shape("is:N", scale=shapes("moved", "unmoved"), legend=None),
        )
        return alt.layer(line, dot).properties(width=width, height=height)

    panels = [panel("overlap", kept_title(f"overlap@{k}"), 0, named, 170)]
    if turned:
        panels.append(panel("self_cosine", kept_title("self_cosine"), -1, bare, 170))
    for field, side, sign in (("fewer", "lost", "−"), ("more", "gained", "+")):
        base = alt.Chart().encode(y=bare, tooltip=tooltip)
        mark = {"align": "left", "color": COLORS[side], "fontSize": 14, "fontWeight": 700}
        signs = base.mark_text(**mark, text=sign).encode(x=alt.value(0))
        names = base.mark_text(align="left", limit=220).encode(x=alt.value(14), text=f"{field}:N")
        signs = signs.transform_filter(f"datum.{field} != ''")
        panels.append(
            alt.layer(signs, names).properties(width=230, height=height, title=heading(side))
        )
    chart = alt.hconcat(*panels, data=inline(records), spacing=16)
    worst, own = found[0][0], found[0][1]
    said = (
        f"{title}, by the share of their {k} nearest neighbors that they kept. First: "
        f"{printable(worst.word)}, {'moved' if own else 'unmoved'}, kept "
        f"{len(worst.kept)} of {len(worst.before)}."
    )
    looked = f"Neighbors among {findings.shifts.among}; 1 is unchanged, 0 kept none."
    return finished(chart, title, looked, said)


def _listed(names: tuple[str, ...], n: int, width: int) -> str:
    shown = ", ".join(told_apart(names[:n], width).values())
    return f"{shown}, ..." if len(names) > n else shown
