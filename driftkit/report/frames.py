"""Parts of an audit as tidy pandas frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from driftkit.findings import Audit


def words_frame(audit: Audit) -> pd.DataFrame:
    """Return a row for each shared word, with every per-word measure."""
    pair = audit.pair
    columns = {"word": pair.words, "rank": pair.original_rows + 1, "moved": pair.moved}
    null = {} if audit.null is None else audit.null.figures
    return pd.DataFrame(
        {
            **columns,
            **audit.figures,
            **{f"{name} null": values for name, values in null.items()},
        }
    )


def summary_frame(audit: Audit) -> pd.DataFrame:
    """Return a row for each per-word measure and group, bands of ranks too."""
    frame = pd.DataFrame([row.to_dict() for row in audit.summaries(bands=True)])
    if audit.null is not None:
        null = pd.DataFrame([row.to_dict() for row in audit.null.summaries(bands=True)])
        frame = _beside(frame, null, ["measure", "group"], "mean")
    return frame


def space_frame(audit: Audit) -> pd.DataFrame:
    """Return a row for each measure of the space, group and table."""
    frame = audit.space.to_frame()
    if audit.null is not None:
        frame = _beside(frame, audit.null.space.to_frame(), ["measure", "group", "of"], "value")
    return frame


def benchmarks_frame(audit: Audit) -> pd.DataFrame:
    """Return a row for each benchmark."""
    frame = audit.scores.to_frame()
    if audit.null is not None:
        frame["null"] = [change.tuned for change in audit.null.scores]
    return frame


def split_frame(audit: Audit) -> pd.DataFrame:
    """Return a row for each benchmark and each number of moved words in an item."""
    frame = audit.scores.split_frame()
    if audit.null is not None:
        frame["null"] = audit.null.scores.split_frame()["tuned"]
    return frame


def _beside(frame: pd.DataFrame, null: pd.DataFrame, keys: list[str], figure: str) -> pd.DataFrame:
    return frame.merge(null[[*keys, figure]].rename(columns={figure: "null"}), "left", keys)


FRAMES: Mapping[str, Callable[[Audit], pd.DataFrame]] = {
    "words": words_frame,
    "benchmarks": benchmarks_frame,
    "split": split_frame,
    "space": space_frame,
    "summary": summary_frame,
}
