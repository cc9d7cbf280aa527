"""Benchmarks: those known by name, items that broke, and what random moves bring."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Group, RenderableType

from driftkit.datasets import Dataset
from driftkit.datasets.source import folder
from driftkit.display import Text, counted, section, signed, table
from driftkit.evaluators import ScoreChange
from driftkit.findings import Findings

NAMED = 5  # broken items named of each benchmark


def broken_view(changes: Iterable[ScoreChange]) -> RenderableType | None:
    """Name the items that suffered most in each benchmark that was lost; None if none was."""
    lines: list[RenderableType] = []
    for change in changes:
        found = change.items.broken(change.n_used) if change.status == "lost" else []
        if not found:
            continue
        of = counted(change.n_used, "item")
        lines.append(Text(f"{change.name}: {len(found):,} of {of} fell"))
        lines += [Text(f"  {describe(item)}", "dim") for item in found[:NAMED]]
    return section("What broke", *lines) if lines else None


def describe(item: dict[str, Any]) -> str:
    """Put one broken item, as `broken` of the items returns it, into words.

    Examples
    --------
    >>> describe({"words": ["man", "king", "woman", "queen"], "original": "queen",
    ...           "tuned": "throne", "category": None, "moved": 2})
    'man : king = woman : queen, now throne (2 words moved)'
    >>> describe({"words": ["tea", "cup"], "gold_rank": 3.0, "original_rank": 5.0,
    ...           "tuned_rank": 80.0, "moved": 1})
    'tea / cup: ranked 3 by people, 5 before, 80 now (1 word moved)'
    """
    asked = "".join(asked_words(item["words"]))
    return f"{asked}{',' if _is_analogy(item) else ':'} {outcome(item)}"


def asked_words(words: Sequence[str]) -> list[str]:
    """Return the words of an item with the signs between them: every other entry is a word."""
    signs = (" : ", " = ", " : ") if len(words) == 4 else (" / ",) * (len(words) - 1)
    return [part for pair in zip(words, (*signs, ""), strict=True) for part in pair][:-1]


def outcome(item: dict[str, Any]) -> str:
    """Say what became of an item: its ranks, or its answers, and how many of its words moved."""
    moved = f"({counted(item['moved'], 'word')} moved)"
    if "gold_rank" in item:
        ranks = (item["gold_rank"], item["original_rank"], item["tuned_rank"])
        people, before, now = (f"{rank:,.0f}" for rank in ranks)
        return f"ranked {people} by people, {before} before, {now} now {moved}"
    if _is_analogy(item):
        return f"now {item['tuned']} {moved}"
    return f"{item['original']} before, {item['tuned']} now {moved}"


def _is_analogy(item: dict[str, Any]) -> bool:
    return "gold_rank" not in item and len(item["words"]) == 4


def null_view(findings: Findings, null: Findings) -> RenderableType:
    """Changes of the benchmarks beside those that random moves bring."""
    made = table("benchmark", "measure", right=("change", "null"))
    for change, random in zip(findings.scores, null.scores, strict=True):
        by_chance = Text(signed(random.delta), "dim")
        made.add_row(change.name, change.measure, signed(change.delta), by_chance)
    return section("What random moves of the same size would have done", made)


def datasets_document(datasets: Sequence[Dataset]) -> dict[str, Any]:
    """Return the JSON document ``driftkit.datasets/1``."""
    return {
        "schema": "driftkit.datasets/1",
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
