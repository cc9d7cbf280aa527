"""The items that broke: pairs that left their place, analogies no longer answered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.text import Text

from driftkit.display import section

if TYPE_CHECKING:
    from driftkit.evaluators import ScoreChange

NAMED = 5
"""Items named of each benchmark."""


def broken_view(changes: Iterable[ScoreChange]) -> RenderableType | None:
    """Name the items that suffered most of every benchmark that fell; None if none did.

    Parameters
    ----------
    changes : iterable of ScoreChange
    """
    lines: list[RenderableType] = []
    for change in changes:
        found = change.items.broken(change.n_used) if change.delta < 0 else []
        if not found:
            continue
        lines.append(Text(f"{change.name}: {len(found):,} of {change.n_used:,} items fell"))
        lines += [Text(f"  {describe(item)}", "dim") for item in found[:NAMED]]
    return section("What broke", *lines) if lines else None


def describe(item: dict[str, Any]) -> str:
    """Put one broken item into words.

    Parameters
    ----------
    item : dict
        As `broken` of the items gives it.

    Examples
    --------
    >>> describe({"words": ["man", "king", "woman", "queen"], "original": "queen",
    ...           "tuned": "throne", "category": None, "moved": 2})
    'man : king = woman : queen, now throne (2 words moved)'
    >>> describe({"words": ["tea", "cup"], "gold_rank": 3.0, "original_rank": 5.0,
    ...           "tuned_rank": 80.0, "moved": 1})
    'tea / cup: people rank it 3, before 5, now 80 (1 word moved)'
    """
    words = item["words"]
    moved = f"({item['moved']} word{'s' if item['moved'] != 1 else ''} moved)"
    if "gold_rank" in item:
        ranks = (item["gold_rank"], item["original_rank"], item["tuned_rank"])
        people, before, now = (f"{rank:,.0f}" for rank in ranks)
        return f"{' / '.join(words)}: people rank it {people}, before {before}, now {now} {moved}"
    if len(words) == 4:
        a, b, c, d = words
        return f"{a} : {b} = {c} : {d}, now {item['tuned']} {moved}"
    return f"{' / '.join(words)}: before {item['original']}, now {item['tuned']} {moved}"
