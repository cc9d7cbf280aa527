"""The benchmarks known by name, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from driftkit.datasets import Dataset
from driftkit.datasets.source import folder
from driftkit.display import table

SCHEMA = "driftkit.datasets/1"


def datasets_document(datasets: Sequence[Dataset]) -> dict[str, Any]:
    """Return the JSON document ``driftkit.datasets/1``."""
    return {
        "schema": SCHEMA,
        "folder": str(folder()),
        "datasets": [dataset.to_dict() for dataset in datasets],
    }


def datasets_view(datasets: Sequence[Dataset]) -> RenderableType:
    """One row for each benchmark, grouped by task."""
    shown = table("name", "authors", "license", "here", right=("items",))
    for task in dict.fromkeys(dataset.task for dataset in datasets):
        if shown.row_count:
            shown.add_row()
        shown.add_row(Text(task, "bold"))
        for dataset in datasets:
            if dataset.task == task:
                shown.add_row(
                    dataset.name,
                    dataset.authors,
                    dataset.license.split(" (")[0],
                    "yes" if dataset.is_here else "no",
                    "" if dataset.n_items is None else f"{dataset.n_items:,}",
                )
    absent = sum(not dataset.is_here for dataset in datasets)
    closing = f" {absent} are not here yet; each is downloaded when first used." if absent else ""
    return Group(shown, Text(""), Text(f"Files are kept in {folder()}.{closing}"))
