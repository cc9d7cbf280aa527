"""Audits of several checkpoints against one original, side by side in the order given."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table

from driftkit.display import Text, number, section, signed, table
from driftkit.escaping import printable
from driftkit.findings import Findings
from driftkit.names import numbered
from driftkit.report.terminal import STATUS_STYLE, VERDICT_STYLE

CHANGES = "The rows of benchmarks show their change from the original."


def comparison_view(audits: Sequence[Findings]) -> RenderableType:
    """What each audit advises, its answers to the six questions, and then its values."""
    heads = [
        line
        for name, findings in zip(_names(audits), audits, strict=True)
        for line in (
            Text(name, "bold"),
            Text(findings.headline, VERDICT_STYLE[findings.verdict]),
        )
    ]
    made = _table("question", audits)
    for answers in zip(*(findings.findings for findings in audits), strict=True):
        statuses = (Text(each.status, STATUS_STYLE[each.status]) for each in answers)
        made.add_row(answers[0].question, *statuses)
    return Group(*heads, Text(""), made, checkpoint_view(audits))


def checkpoint_frame(audits: Sequence[Findings]) -> pd.DataFrame:
    """Return one row for each audit: verdict, counts, mean overlap, CKA, change of each benchmark.

    Where the checkpoints are steps of one run, a column read downwards is its trajectory.
    """
    return pd.DataFrame(_rows(audits))


def _names(audits: Sequence[Findings]) -> list[str]:
    return numbered([findings.pair.tuned.source.name for findings in audits])


def _rows(audits: Sequence[Findings]) -> list[dict[str, object]]:
    return [
        {"checkpoint": name, **_values(findings)}
        for name, findings in zip(_names(audits), audits, strict=True)
    ]


def _values(findings: Findings) -> dict[str, object]:
    overlap = str(findings.shifts.measures[0])
    return {
        "verdict": findings.verdict,
        "moved": int(findings.pair.moved.sum()),
        "displaced": findings.damaged["displaced"],
        **{
            f"{overlap}, {row.group}": row.mean
            for row in findings.shifts.summary()
            if row.measure == overlap
        },
        "cka, moved": findings.space.find("cka", "moved").value,
        **{change.label: change.delta for change in findings.scores},
    }


def checkpoint_view(audits: Sequence[Findings]) -> RenderableType:
    """The same as a table to print, with one column for each checkpoint."""
    made = _table("", audits)
    for row in checkpoint_cells(audits):
        made.add_row(*row)
    return section("Checkpoints side by side", made, Text(changes_note(audits), "dim"))


def changes_note(audits: Sequence[Findings]) -> str:
    """Say what the rows of benchmarks show, and where those of one row do not compare."""
    counts: dict[str, set[int]] = {}
    for findings in audits:
        for change in findings.scores:
            counts.setdefault(change.label, set()).add(change.n_used)
    other = [name for name, used in counts.items() if len(used) > 1]
    if not other:
        return CHANGES
    those = "; ".join(other)
    return f"{CHANGES} Those of {those} are of other items in each table, and do not compare."


def checkpoint_cells(audits: Sequence[Findings]) -> list[list[str]]:
    """Return a row for each value: what it is, and a cell for each checkpoint."""
    frame = pd.DataFrame(_rows(audits), dtype=object).set_index("checkpoint")
    changes = {change.label for findings in audits for change in findings.scores}
    return [
        [str(name), *(_cell(value, name in changes) for value in frame[name].tolist())]
        for name in frame
    ]


def _table(first: str, audits: Sequence[Findings]) -> Table:
    made = table(first)
    for name in _names(audits):
        made.add_column(printable(name), justify="right", overflow="fold")
    return made


def _cell(value: object, is_change: bool) -> str:
    if isinstance(value, float):
        return signed(value) if is_change else number(value, 3)
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else str(value)
