"""The page of a history: what does not hold, a control chart for each rule, and the runs."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from typing import Any

from driftkit.atomic import replacing
from driftkit.charts.history import control_chart, state_of, subtitle
from driftkit.display import compact
from driftkit.report.page.render import rendered, require_libraries

SAID = {"fail": "failed", "warn": "warned", "pass": "passed", None: "not decided"}
_WORST_FIRST = ("failed", "warned", "not decided", "passed")


def write_history(
    path: str | os.PathLike[str], document: Mapping[str, Any], explained: str
) -> None:
    """Write the document ``driftkit.history/1`` as one HTML file, whole or not at all.

    `explained` says what the runs are in order of. A library that is not installed is a
    MissingExtraError, a place that cannot be written to an OutputError.
    """
    page = history_page(document, explained)
    with replacing(path) as partial:
        partial.write_text(page, encoding="utf-8", newline="\n")


def history_page(document: Mapping[str, Any], explained: str) -> str:
    """Return the page that `write_history` writes."""
    require_libraries()
    runs, trajectories = document["runs"], document["trajectories"]
    checks = [_check(document, at) for at in range(len(trajectories))]
    checks.sort(
        key=lambda each: (_WORST_FIRST.index(each["state"]), not each["why"], not each["is_open"])
    )
    return rendered(
        "history",
        original=document["original"],
        headline=document["headline"],
        newest=SAID[runs[-1]["state"]],
        notes=document["notes"],
        checks=checks,
        legend=subtitle(),
        runs=list(reversed([*_runs(document)])),
        explained=explained,
    )


def _runs(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for at, run in enumerate(document["runs"]):
        outside = dict.fromkeys(
            each["subject"] for each in document["trajectories"] if each["points"][at]["stands_out"]
        )
        yield {
            **run,
            "said": SAID[run["state"]],
            "accepted": "yes" if run["is_accepted"] else "no",
            "outside": ", ".join(outside),
        }


def _check(document: Mapping[str, Any], at: int) -> dict[str, Any]:
    from driftkit.report.page.figures import drawn

    runs, each = document["runs"], document["trajectories"][at]
    newest, following = each["points"][-1], each["next"]
    why = [
        text
        for holds, text in (
            (each["is_near"], "near the bound"),
            (each["is_creeping"], "creeping"),
            (newest["stands_out"], "stands out"),
        )
        if holds
    ]
    state, known = state_of(each), following["low"] is not None
    spread = following["high"] - following["low"] if known else math.nan

    def written(value: float | str | None) -> str:
        if value is None:
            return "-"
        return value if isinstance(value, str) else compact(value, spread)

    def band(of: Mapping[str, Any]) -> str:
        return "" if of["low"] is None else f"{written(of['low'])} to {written(of['high'])}"

    rows = [
        {
            "run": run["label"],
            "value": written(point["value"]),
            "band": band(point["band"]),
            "bound": written(point["bound"]),
            "state": state_of({"points": [point]}),
            "reason": _reason(point, is_newest=point is newest),
        }
        for run, point in zip(runs, each["points"], strict=True)
    ]
    return {
        "id": f"check-{at + 1}",
        "subject": each["subject"],
        "limit": each["limit"],
        "newest": written(newest["value"]),
        "band": band(newest["band"]),
        "bound": written(newest["bound"]),
        "next": band(following),
        "state": state,
        "since": "" if state == "passed" else runs[each["since"]]["label"],
        "why": ", ".join(why),
        "is_open": state != "passed" or bool(why),
        "drawn": drawn(control_chart(runs, each)),
        "rows": rows[::-1],
    }


def _reason(point: Mapping[str, Any], *, is_newest: bool) -> str | None:
    """Return why there is no value or no decision; of older runs, not why one was open."""
    is_open = point["outcome"] == "inconclusive" and not is_newest
    return None if is_open else point["reason"]
