"""Cut-offs on the cosine, before and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from driftkit.charts.theme import COLORS, altair_module, finished, heading, inline

if TYPE_CHECKING:
    from driftkit.charts.theme import Chart

STEP = 44


def thresholds(found: Iterable[Mapping[str, Any]]) -> Chart:
    """Return what each threshold has become, and how many of the pairs it passed still pass.

    Parameters
    ----------
    found : iterable of mapping
        Thresholds as `driftkit.TranslatedThreshold.to_dict` gives them.

    Returns
    -------
    altair chart
    """
    alt = altair_module()
    found = sorted(found, key=lambda each: (each["original"], each["pairs"]))
    records = [
        {
            "threshold": f"{each['original']:g}"
            + ("" if each["pairs"] == "all" else " (nearest pairs)"),
            **{key: round(each[key], 6) for key in ("original", "tuned", "low", "high")},
            "said": f"{each['tuned']:.3f}",
            "kept": round(each["kept"] / each["passed"], 6),
            "share": f"{each['kept'] / each['passed']:.0%}",
            "passed": each["passed"],
            "pairs": each["n_pairs"],
        }
        for each in found
    ]
    height = alt.Step(STEP)
    axis = alt.Axis(ticks=False, domain=False, labelPadding=8)
    y = alt.Y("threshold:N", sort=None, title="threshold in the original", axis=axis)
    tips = [f"{key}:Q" for key in ("original", "tuned", "low", "high", "passed", "pairs")]
    tips.append(alt.Tooltip("kept:Q", format=".1%", title="still pass"))
    base = alt.Chart().encode(y=y, tooltip=tips)
    x = {"title": "cosine", "scale": alt.Scale(zero=False, padding=20)}
    cut = alt.layer(
        base.mark_rule(color=COLORS["unmoved"], strokeWidth=1.5).encode(
            x="original:Q", x2="tuned:Q"
        ),
        base.mark_point(filled=True, size=90, opacity=1, color=COLORS["original"]).encode(
            x=alt.X("original:Q", **x)
        ),
        base.mark_rule(color=COLORS["tuned"], strokeWidth=3).encode(x="low:Q", x2="high:Q"),
        base.mark_point(
            filled=True, size=90, opacity=1, shape="diamond", color=COLORS["tuned"]
        ).encode(x="tuned:Q"),
        base.mark_text(dy=-13, fontWeight=600).encode(x="tuned:Q", text="said:N"),
    ).properties(
        width=320,
        height=height,
        title=heading("from original (circle) to tuned (diamond)"),
    )
    bare = alt.Y("threshold:N", sort=None, axis=None)
    still = alt.X(
        "kept:Q",
        title="share of the pairs that passed",
        axis=alt.Axis(format="%", values=[0, 0.5, 1]),
        scale=alt.Scale(domain=[0, 1]),
    )
    base = alt.Chart().encode(y=bare, tooltip=tips)
    kept = alt.layer(
        base.mark_bar(color=COLORS["moved"], height={"band": 0.5}).encode(x=still),
        base.mark_text(align="left", dx=5, fontWeight=600).encode(x=still, text="share:N"),
    ).properties(width=200, height=height, title=heading("still pass"))
    chart = alt.hconcat(cut, kept, data=inline(records), spacing=24)
    title = "What thresholds on the cosine have become"
    told = "; ".join(
        f"{each['threshold']} becomes {each['said']}, {each['share']} still pass"
        for each in records
    )
    note = "The tuned threshold passes as many pairs as the original did, with its 95 % interval."
    return finished(chart, title, note, f"{title}: {told}.")
