"""Search across the two spaces: do tuned rows find their own original row, and does a map help."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from driftkit.charts.theme import COLORS, altair_module, finished, inline, sentence

if TYPE_CHECKING:
    from driftkit.charts.theme import Chart

STEP = 26  # pixels of a way to search
TITLE = "Do readers of the original find the tuned rows?"
TABLES = ("original rows", "tuned rows", "tuned rows through the map")


def link(document: Mapping[str, Any]) -> Chart:
    """Return the share of rows whose nearest original row is their own, by each way of searching.

    Parameters
    ----------
    document : mapping
        As `driftkit.Link.to_dict` gives it. What the map restores is measured on rows that it was
        not fitted on.

    Returns
    -------
    altair chart
    """
    alt = altair_module()
    headline = document["headline"]
    records = [*_crossings(document), *_mapped(document)]
    if not records:
        return sentence(TITLE, headline)
    order = list(dict.fromkeys(record["asked"] for record in records))
    base = alt.Chart(inline(records)).encode(
        y=alt.Y(
            "asked:N",
            title=None,
            scale=alt.Scale(domain=order),
            axis=alt.Axis(ticks=False, domain=False, labelPadding=10, grid=True),
        ),
        x=alt.X(
            "share:Q",
            title="share whose nearest original row is their own",
            axis=alt.Axis(format="%", tickCount=5),
            scale=alt.Scale(domain=[0, 1]),
        ),
    )
    colors = [COLORS["original"], COLORS["tuned"], COLORS["tuned"]]
    shapes = ["circle", "diamond", "triangle-right"]
    tables = [table for table in TABLES if table in {record["rows"] for record in records}]
    dots = base.mark_point(filled=True, size=95, opacity=0.9).encode(
        color=alt.Color(
            "rows:N", title=None, scale=alt.Scale(domain=tables, range=colors[: len(tables)])
        ),
        shape=alt.Shape(
            "rows:N", title=None, scale=alt.Scale(domain=tables, range=shapes[: len(tables)])
        ),
        tooltip=["asked:N", "rows:N", alt.Tooltip("share:Q", format=".1%"), "n:Q"],
    )
    joined = base.mark_line(color=COLORS["unmoved"], strokeWidth=1.5).encode(detail="asked:N")
    chart = alt.layer(joined, dots).properties(width=380, height=STEP * len(order))
    told = "; ".join(f"{each['asked']}, {each['rows']}: {each['share']:.0%}" for each in records)
    found = document["map"]
    note = f"No map: {found['reason']}." if found.get("map") is None else "A map was found."
    return finished(chart, TITLE, note, f"{headline} {told}. {note}")


def _crossings(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for each in document["crossings"]:
        asked = f"{each['group']} rows, by {each['way']}"
        for rows, key in zip(TABLES, ("original_at_1", "at_1"), strict=False):
            if each[key] is not None:
                yield {"asked": asked, "rows": rows, "share": round(each[key], 6), "n": each["n"]}


def _mapped(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    evidence = document["map"].get("evidence")
    for rows, share in zip(TABLES[1:], (evidence or {}).get("found", ()), strict=False):
        if share is not None:
            asked = "rows kept for the trial, by l2"
            yield {"asked": asked, "rows": rows, "share": round(share, 6), "n": evidence["rows"]}
