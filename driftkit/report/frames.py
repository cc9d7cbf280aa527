"""Parts of an audit as tidy pandas frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from driftkit.errors import UnknownNameError
from driftkit.findings import Findings

Part = Literal["findings", "words", "benchmarks", "split", "space", "summary"]


@dataclass(frozen=True, slots=True)
class _Frame:
    make: Callable[[Findings], pd.DataFrame]
    keys: tuple[str, ...] = ()
    """Columns that tell rows apart."""
    value: str = ""
    """The column whose null stands beside."""


def _words(findings: Findings) -> pd.DataFrame:
    pair = findings.pair
    columns = {"word": pair.words, "rank": pair.original_rows + 1, "moved": pair.moved}
    columns["changed"] = pair.changed
    return pd.DataFrame(columns | dict(findings.values))


FRAMES: Mapping[str, _Frame] = {
    "findings": _Frame(
        lambda found: pd.DataFrame([finding.to_dict() for finding in found.findings])
    ),
    "words": _Frame(_words),
    "benchmarks": _Frame(lambda found: found.scores.to_frame(), ("name", "measure"), "tuned"),
    "split": _Frame(
        lambda found: found.scores.split_frame(), ("name", "measure", "moved"), "tuned"
    ),
    "space": _Frame(lambda found: found.space.to_frame(), ("measure", "group", "of"), "value"),
    "summary": _Frame(
        lambda found: pd.DataFrame([row.to_dict() for row in found.summaries(bands=True)]),
        ("measure", "group"),
        "mean",
    ),
}


def part_frame(findings: Findings, part: str) -> pd.DataFrame:
    """Return one part of the findings, with what random moves gave beside it if that is known."""
    if part not in FRAMES:
        raise UnknownNameError("part of an audit", part, FRAMES)
    frame, null = FRAMES[part], findings.null
    if part in ("benchmarks", "split") and not findings.scores:
        return pd.DataFrame(columns=[*frame.keys, "original", "tuned", "delta"])
    made = frame.make(findings)
    if null is None or part == "findings":
        return made
    if part == "words":
        return made.assign(**{f"{name} null": values for name, values in null.values.items()})
    beside = frame.make(null)[[*frame.keys, frame.value]].rename(columns={frame.value: "null"})
    return made.merge(beside, "left", list(frame.keys))
