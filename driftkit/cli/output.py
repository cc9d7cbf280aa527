"""What commands write: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import RenderableType

    from driftkit.progress import Progress

WAIT = 2.0
"""Seconds a stage must have taken before its remaining time is told."""


class Messages:
    """Lines on standard error that stay, and on a terminal one line of progress, redrawn."""

    def __init__(self) -> None:
        context = click.get_current_context(silent=True)
        asked: Mapping[str, Any] = {} if context is None else context.meta
        self.quiet = asked.get("driftkit.quiet", False)
        self.verbose = asked.get("driftkit.verbose", False)
        self.live = not self.quiet and sys.stderr.isatty()
        self._stage, self._since = "", 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[Progress | None]:
        """Show one stage while it lasts, and yield the callable that moves it on."""
        start = monotonic()
        try:
            yield (lambda done, total: self.draw(name, done, total)) if self.live else None
        finally:
            if self.live:
                click.echo("\r\x1b[K", nl=False, err=True)
        if self.verbose and name:
            self.say(f"{name}: {monotonic() - start:.1f} s")

    def draw(self, stage: str, done: int, total: int) -> None:
        """Redraw the line, with the time left once a stage has taken long enough to tell."""
        now, left = monotonic(), ""
        if stage != self._stage:
            self._stage, self._since = stage, now
        spent = now - self._since
        if spent >= WAIT and 0 < done < total:
            minutes, seconds = divmod(round(spent * (total - done) / done), 60)
            left = f", {minutes} min {seconds:02} s left"
        click.echo(f"\r\x1b[K{stage} {done / max(total, 1):4.0%}{left}", nl=False, err=True)

    def say(self, text: str) -> None:
        """Print a line that stays."""
        if not self.quiet:
            say(text)


def say(text: str, *, err: bool = True) -> None:
    """Print a line, with the control characters of words shown."""
    from driftkit.display import printable

    click.echo(printable(text), err=err)


def show(
    view: Callable[[], RenderableType] | None,
    document: Mapping[str, Any] | Sequence[Any],
    json_to: str | None,
) -> None:
    """Print a result, write it as JSON, or both, as ``--json`` asks; without a view, only JSON."""
    from driftkit.display import SafeConsole

    if json_to is not None:
        text = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
        write_text(json_to, text)
    if view is not None and json_to != "-":
        SafeConsole().print(view(), crop=False)  # a command to copy stays on one line


def write_text(path: str, text: str) -> None:
    """Write a file in one step, or ``-``; half of a surrogate pair becomes a question mark."""
    from driftkit.atomic import replacing

    if path == "-":
        click.echo(text, nl=False)
        return
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8", errors="replace")
