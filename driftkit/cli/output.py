"""What commands write: results to standard output, everything else to standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, TextIO

import click

from driftkit.escaping import harmless, printable, to_json
from driftkit.progress import Bar, Line, Progress, Whole

if TYPE_CHECKING:
    from rich.console import RenderableType


class Messages:
    """Lines on standard error that stay, and on a terminal one line of progress, redrawn."""

    def __init__(self) -> None:
        context = click.get_current_context(silent=True)
        asked: Mapping[str, Any] = {} if context is None else context.meta
        self.quiet = asked.get("driftkit.quiet", False)
        self.verbose = asked.get("driftkit.verbose", False)
        self.live = not self.quiet and sys.stderr.isatty()
        self.draw: Bar | Whole = Bar(Line(stays=False))

    @contextmanager
    def stage(self, name: str) -> Iterator[Progress | None]:
        """Show one stage while it lasts, and yield the callable that moves it on."""
        start = monotonic()
        try:
            yield (lambda done, total: self.draw(name, done, total)) if self.live else None
        finally:
            if self.live:
                self.draw.clear()
        if self.verbose and name:
            self.say(f"{name}: {monotonic() - start:.1f} s{_held()}")

    @contextmanager
    def over(self, original: str, tuned: Sequence[str]) -> Iterator[Whole]:
        """Show all stages of the work on several tables on one bar, while it lasts."""
        before, whole = self.draw, Whole(Line(stays=False), tables=len(tuned))
        for table, source in ((1, original), *enumerate(tuned, 1)):
            whole.will_read(table, source, _size_of(source))
        self.draw = whole
        try:
            yield whole
        finally:
            if self.live:
                self.draw.clear()
            self.draw = before

    def say(self, text: str) -> None:
        """Print a line that stays."""
        if not self.quiet:
            say(text)


def _size_of(source: str) -> int:
    """Return the bytes of a file that a source names; 0 where it names no file."""
    path = source.partition("::")[0]
    try:
        return os.path.getsize(path) if os.path.isfile(path) else 0  # noqa: PTH113, PTH202
    except (OSError, ValueError):
        return 0


def _held() -> str:
    """Tell the memory of this process from the pages of files it has mapped, where Linux does.

    The system may take back mapped pages at any time, so they need no memory to be there.
    """
    try:
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
    except OSError:
        return ""
    parts = (line.partition(":") for line in lines)
    kib = {name: int(size.split()[0]) for name, _, size in parts if name in ("RssAnon", "RssFile")}
    if len(kib) < 2:  # not every kernel tells them apart
        return ""
    own, mapped = (kib[name] << 10 for name in ("RssAnon", "RssFile"))
    return f", {own / 10**9:.2f} GB of its own memory and {mapped / 10**9:.2f} GB of mapped files"


def say(text: str, *, err: bool = True, cut: bool = True) -> None:
    """Print a line; what strangers wrote in it is shown, and nothing obeys it."""
    click.echo(harmless(printable(text, cut=cut)), err=err)


def show(
    view: Callable[[], RenderableType] | None,
    document: Mapping[str, Any] | Sequence[Any],
    json_to: str | None,
) -> None:
    """Print a result, write it as JSON, or both, as ``--json`` asks; without a view, only JSON."""
    from driftkit.display import SafeConsole

    if json_to == "-":
        click.echo(to_json(document, ascii_only=not _writes_unicode(sys.stdout), indent=2))
        return
    if json_to is not None:
        write_text(json_to, to_json(document, indent=2) + "\n")
    if view is not None:
        SafeConsole().print(view(), crop=False)  # a command to copy stays on one line


def _writes_unicode(stream: TextIO) -> bool:
    return "utf" in (stream.encoding or "").lower()


def write_text(path: str, text: str) -> None:
    """Write a file in one step, or ``-``; half of a surrogate pair becomes a question mark."""
    from driftkit.atomic import replacing

    if path == "-":
        click.echo(text, nl=False)
        return
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8", errors="replace")
