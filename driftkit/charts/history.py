"""Control charts: a value run after run, the band of the runs before it, and the bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from driftkit.charts.theme import COLORS, altair_module, finished, heading, inline

if TYPE_CHECKING:
    from driftkit.charts.theme import Chart

WIDTH, HEIGHT = 620, 190

STATES: Mapping[str, tuple[str, str, str]] = {
    "passed": ("pass", COLORS["original"], "circle"),
    "warned": ("warn", COLORS["tuned"], "triangle-up"),
    "failed": ("fail", COLORS["lost"], "cross"),
    "not decided": ("", COLORS["unmoved"], "diamond"),
}
"""What a point is called, by its action, with its color and its shape."""

ANSWERS = ("kept", "changed", "broken")
NO_VALUE = "no value"


def control_charts(
    runs: Sequence[Mapping[str, Any]], trajectories: Sequence[Mapping[str, Any]]
) -> Chart:
    """Return a control chart for each trajectory, below each other.

    Parameters
    ----------
    runs, trajectories : sequence of mapping
        Entries of the document ``driftkit.history/1``.

    Returns
    -------
    altair chart
    """
    alt = altair_module()
    panels = [
        _panel(runs, each).properties(
            title=heading(f"{each['subject']} {each['limit']}", frame="group")
        )
        for each in trajectories
    ]
    title = f"{len(runs)} runs, the oldest first"
    told = "; ".join(
        f"{each['subject']} {each['limit']}: {state_of(each)}" for each in trajectories
    )
    return finished(alt.vconcat(*panels, spacing=14), title, subtitle(), f"{title}. {told}.")


def control_chart(runs: Sequence[Mapping[str, Any]], trajectory: Mapping[str, Any]) -> Chart:
    """Return the control chart of one trajectory."""
    said = f"{trajectory['subject']} {trajectory['limit']} in {len(runs)} runs"
    said += f": {state_of(trajectory)}"
    return finished(_panel(runs, trajectory), said, [], f"{said}.")


def subtitle() -> str:
    """Say what the lines and the shapes are."""
    return (
        "Gray: where one more of the runs before it lies in 95 of 100 cases, with their mean. "
        "Dashed: the bound. On blue: what the newest run is compared with. A circle passed, a "
        "triangle warned, a cross failed, a diamond was not decided; ? has no value."
    )


def state_of(trajectory: Mapping[str, Any]) -> str:
    """Say what the newest point is called."""
    return _name(trajectory["points"][-1])


def _name(point: Mapping[str, Any]) -> str:
    if point["outcome"] in (None, "not measured"):
        return "not decided"
    return next(name for name, (action, _, _) in STATES.items() if action == point["action"])


def _panel(runs: Sequence[Mapping[str, Any]], trajectory: Mapping[str, Any]) -> Any:
    alt = altair_module()
    labels = [run["label"] for run in runs]
    records = [
        {
            "run": label,
            "table": run["name"],
            "value": point["value"],
            "state": _name(point),
            "low": point["low"],
            "high": point["high"],
            "bound": point["bound"],
            "band_low": point["band"]["low"],
            "band_mean": point["band"]["mean"],
            "band_high": point["band"]["high"],
            "reason": point["reason"] or "",
        }
        for label, run, point in zip(labels, runs, trajectory["points"], strict=True)
    ]
    x = alt.X(
        "run:N",
        sort=labels,
        title=None,
        scale=alt.Scale(domain=labels),
        axis=alt.Axis(labelAngle=0 if len(labels) <= 7 else -45, labelOverlap="greedy"),
    )
    is_status = isinstance(_first(each["value"] for each in records), str)
    if is_status:
        return _statuses(records, x).properties(width=WIDTH, height=90)
    layers = _value_layers(runs, records, x, trajectory)
    return alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)


def _first(values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _state_channels() -> dict[str, Any]:
    alt = altair_module()
    names = list(STATES)
    colors, shapes = ([STATES[name][at] for name in names] for at in (1, 2))
    return {
        "color": alt.Color("state:N", title=None, scale=alt.Scale(domain=names, range=colors)),
        "shape": alt.Shape("state:N", title=None, scale=alt.Scale(domain=names, range=shapes)),
    }


def _statuses(records: Sequence[Mapping[str, Any]], x: Any) -> Any:
    alt = altair_module()
    rows = [{**each, "value": each["value"] or NO_VALUE} for each in records]
    scale = [*ANSWERS, *([NO_VALUE] if any(each["value"] == NO_VALUE for each in rows) else [])]
    y = alt.Y("value:N", sort=scale, scale=alt.Scale(domain=scale), title=None)
    base = alt.Chart(inline(rows)).encode(x=x, y=y, tooltip=["run:N", "table:N", "value:N"])
    return base.mark_point(filled=True, size=70, opacity=1).encode(**_state_channels())


def _value_layers(
    runs: Sequence[Mapping[str, Any]],
    records: Sequence[Mapping[str, Any]],
    x: Any,
    trajectory: Mapping[str, Any],
) -> list[Any]:
    alt = altair_module()
    known = [each for each in records if each["value"] is not None]
    gaps = [each for each in records if each["value"] is None]
    banded = [each for each in records if each["band_low"] is not None]
    bounded = [each for each in records if each["bound"] is not None]
    scale = alt.Scale(zero=False, nice=True, domain=_span(records))
    axis = {"title": trajectory["subject"], "scale": scale}
    base = alt.Chart(inline(known)).encode(x=x)
    band = alt.Chart(inline(banded)).encode(x=x)
    told = ("run:N", "table:N", "state:N", "value:Q", "band_low:Q", "band_high:Q", "bound:Q")
    window = [{"run": run["label"]} for run in runs if run["is_compared"]]
    layers = [
        alt.Chart(inline(window))
        .mark_bar(color=COLORS["original"], opacity=0.09, width={"band": 1})
        .encode(x=x, y=alt.value(0), y2=alt.value(HEIGHT)),
        band.mark_bar(color=COLORS["chance"], opacity=0.22, width={"band": 1}).encode(
            y=alt.Y("band_low:Q", **axis), y2="band_high:Q"
        ),
        band.mark_tick(color=COLORS["chance"], thickness=1, width={"band": 1}).encode(
            y=alt.Y("band_mean:Q", **axis)
        ),
        alt.Chart(inline(bounded))
        .mark_line(strokeDash=[5, 4], color=COLORS["lost"], strokeWidth=1.5)
        .encode(x=x, y=alt.Y("bound:Q", **axis)),
        base.mark_rule(strokeWidth=1, opacity=0.6, clip=True).encode(
            y=alt.Y("low:Q", **axis), y2="high:Q"
        ),
        *(
            alt.Chart(inline(part))
            .mark_line(strokeWidth=1, color=COLORS["unmoved"])
            .encode(x=x, y=alt.Y("value:Q", **axis))
            for part in _unbroken(records)
        ),
        base.mark_point(filled=True, size=70, opacity=1).encode(
            y=alt.Y("value:Q", **axis), tooltip=[*told, "reason:N"], **_state_channels()
        ),
    ]
    if gaps:
        missing = alt.Chart(inline(gaps)).encode(x=x, y=alt.value(HEIGHT - 8))
        layers.append(
            missing.mark_text(text="?", fontWeight=600).encode(tooltip=["run:N", "reason:N"])
        )
    return layers


def _unbroken(records: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Return the stretches of runs that have a value: no line leads over a gap."""
    parts: list[list[Mapping[str, Any]]] = [[]]
    for each in records:
        if each["value"] is None:
            parts.append([])
        else:
            parts[-1].append(each)
    return [part for part in parts if len(part) > 1]


def _span(records: Sequence[Mapping[str, Any]]) -> list[float]:
    """Return what the axis shows: values, bands and bounds, but of intervals only what fits.

    A bound far off would press all values into one line; then it is left out, and the table beside
    the chart has it.
    """
    inner = [
        each[key]
        for each in records
        for key in ("value", "band_low", "band_high")
        if each[key] is not None
    ]
    if not inner:
        return [0.0, 1.0]
    low, high = min(inner), max(inner)
    room = (high - low) or abs(high) / 10 or 1.0
    bounds = [each["bound"] for each in records if each["bound"] is not None]
    near = [bound for bound in bounds if low - 3 * room <= bound <= high + 3 * room]
    low, high = min([low, *near]), max([high, *near])
    edge = 0.06 * ((high - low) or room)
    return [low - edge, high + edge]
