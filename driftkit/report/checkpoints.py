"""Several audits of one original side by side: a row a checkpoint, in the order given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
from rich.console import RenderableType

from driftkit.report.tables import number, section, signed, table

if TYPE_CHECKING:
    from driftkit.auditing import Audit


def checkpoint_frame(audits: Sequence[Audit]) -> pd.DataFrame:
    """Give the main figures of each audit, and how far each lies from the one before.

    Columns: ``checkpoint``, ``verdict``, ``moved``, ``displaced``, the mean overlap of neighbors
    over all, moved and unmoved words, ``cka`` of the moved rows, and the change of each benchmark.
    Where audits are steps of one run, read down a column: that is its trajectory.
    """
    return pd.DataFrame([_row(audit) for audit in audits])


def _row(audit: Audit) -> dict[str, object]:
    overlap = {
        row.group: row.mean for row in audit.shifts.summary() if row.measure[:7] == "overlap"
    }
    name = str(audit.shifts.measures[0])
    return {
        "checkpoint": audit.pair.tuned.source.name,
        "verdict": audit.verdict,
        "moved": int(audit.pair.moved.sum()),
        "displaced": int(audit.displaced.sum()),
        **{f"{name}, {group}": mean for group, mean in overlap.items()},
        "cka, moved": audit.space.figure("cka", "moved").value,
        **{change.name: change.delta for change in audit.scores},
    }


def checkpoint_view(audits: Sequence[Audit]) -> RenderableType:
    """The same as a table to print."""
    frame = checkpoint_frame(audits)
    counts, changes = ("moved", "displaced"), {c.name for audit in audits for c in audit.scores}
    made = table("checkpoint", "verdict", right=[*frame.columns[2:]])
    for row in frame.to_dict("records"):
        cells = [
            f"{value:,}"
            if name in counts
            else signed(value)
            if name in changes
            else number(value, 3)
            for name, value in list(row.items())[2:]
        ]
        made.add_row(row["checkpoint"], row["verdict"], *cells)
    return section("Checkpoints side by side", made)
