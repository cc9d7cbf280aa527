"""Audits of several checkpoints against one original, side by side in the order given."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table

from driftkit.display import Text, number, section, signed, table
from driftkit.escaping import printable
from driftkit.findings import Findings
from driftkit.report.terminal import STATUS_STYLE, VERDICT_STYLE

CHANGES = "The rows of benchmarks show their change from the original."


def comparison_view(audits: Sequence[Findings]) -> RenderableType:
    """What each audit advises, its answers to the six questions, and then its values."""
    heads = [
        line
        for findings in audits
        for line in (
            Text(findings.pair.tuned.source.name, "bold"),
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
    return pd.DataFrame([_row(findings) for findings in audits])


def _row(findings: Findings) -> dict[str, object]:
    overlap = str(findings.shifts.measures[0])
    return {
        "checkpoint": findings.pair.tuned.source.name,
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
    _, rows = checkpoint_cells(audits)
    made = _table("", audits)
    for row in rows:
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


def checkpoint_cells(audits: Sequence[Findings]) -> tuple[list[str], list[list[str]]]:
    """Return the names of the checkpoints, and a row for each value: what it is, and its cells."""
    rows = [_row(findings) for findings in audits]
    frame = pd.DataFrame(rows, dtype=object).set_index("checkpoint")
    changes = {change.label for findings in audits for change in findings.scores}
    return list(map(str, frame.index)), [
        [str(name), *(_cell(value, name in changes) for value in frame[name].tolist())]
        for name in frame
    ]


def _table(first: str, audits: Sequence[Findings]) -> Table:
    made = table(first)
    for findings in audits:
        name = printable(findings.pair.tuned.source.name)
        made.add_column(name, justify="right", overflow="fold")
    return made


def _cell(value: object, is_change: bool) -> str:
    if isinstance(value, float):
        return signed(value) if is_change else number(value, 3)
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else str(value)
