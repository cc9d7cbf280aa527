"""Several audits of one original side by side: a row a checkpoint, in the order given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
from rich.console import RenderableType
from rich.text import Text

from driftkit.display import number, section, signed, table

if TYPE_CHECKING:
    from driftkit.audits import Audit


def checkpoint_frame(audits: Sequence[Audit]) -> pd.DataFrame:
    """Return the main figures of each audit, and how far each lies from the one before.

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
    """The same as a table to print: a column a checkpoint, so that a line is a trajectory."""
    frame = checkpoint_frame(audits).set_index("checkpoint")
    changes = {change.name for audit in audits for change in audit.scores}
    made = table("")
    for name in frame.index:
        made.add_column(str(name), justify="right", overflow="fold")
    for name in frame:
        made.add_row(str(name), *(_cell(value, name in changes) for value in frame[name].tolist()))
    note = Text("Benchmarks are changes against the original.", "dim")
    return section("Checkpoints side by side", made, note)


def _cell(value: object, is_change: bool) -> str:
    if isinstance(value, float):
        return signed(value) if is_change else number(value, 3)
    return f"{value:,}" if isinstance(value, int) else str(value)
