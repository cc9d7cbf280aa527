"""Pieces all terminal views are built from: tables, sections, numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text


def table(*left: str, right: Sequence[str] = ()) -> Table:
    """Make a table of columns aligned left, then columns aligned right."""
    made = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    for name in left:
        made.add_column(name, no_wrap=True, overflow="ellipsis")
    for name in right:
        made.add_column(name, justify="right", no_wrap=True)
    return made


def section(title: str, *parts: RenderableType) -> RenderableType:
    """Put a title over some parts, after an empty line."""
    return Group(Text(""), Text(title, "bold"), *parts)


def reasons(pairs: Iterable[tuple[str, str | None]]) -> list[RenderableType]:
    """Say what could not be measured and why; nothing where all could."""
    lines = dict.fromkeys(f"{name}: {reason}" for name, reason in pairs if reason)
    return [Text(f"Not measured: {line}.", "yellow") for line in lines]


def number(value: float, digits: int = 2) -> str:
    """Write a figure, or a dash where it could not be measured.

    Examples
    --------
    >>> number(0.5033, 3), number(float("nan")), number(2943.7023, 3)
    ('0.503', '-', '2,944')
    """
    if math.isnan(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{digits}f}"


def signed(value: float) -> str:
    """Write a change with its sign; one that rounds to zero has none.

    Examples
    --------
    >>> signed(0.0581), signed(-0.0001), signed(float("nan"))
    ('+0.058', '0.000', '-')
    """
    if math.isnan(value):
        return "-"
    text = f"{value:+.3f}"
    return "0.000" if float(text) == 0 else text


def interval(low: float, high: float) -> str:
    """Write the two ends of an interval."""
    return "-" if math.isnan(low) else f"{signed(low)} to {signed(high)}"
