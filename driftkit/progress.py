"""Who is told how far long work has come: a callable, a bar, or nobody."""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import monotonic
from typing import TypeVar

from driftkit.cell import Cell, writes_to_cell
from driftkit.errors import OptionError
from driftkit.escaping import printable

WAIT = 2.0
"""Seconds a stage must have taken before its remaining time is told."""

Progress = Callable[[int, int], object]  # called with (done, total)
StageProgress = Callable[[str, int, int], object]  # with (stage, done, total), for several stages

_F = TypeVar("_F", bound=Callable[..., object])
_GRAIN = 1000
_WIDTH = 30  # characters of a whole bar, and of a title
_CLEAR = "\r\x1b[K"


def as_progress(progress: Progress | bool | None, label: str = "") -> Progress | None:
    """Return what to call with (done, total); True means a bar on standard error after `label`.

    Examples
    --------
    >>> as_progress(None) is None, as_progress(print) is print
    (True, True)
    """
    if progress is True:
        bar = Bar()
        return lambda done, total: bar(label, done, total)
    return _as_callable(progress, "(done, total)")


def as_stage_progress(progress: StageProgress | bool | None) -> StageProgress | None:
    """Return what to call with (stage, done, total); as `as_progress`, with a bar per stage."""
    return Bar() if progress is True else _as_callable(progress, "(stage, done, total)")


def _as_callable(progress: _F | bool | None, arguments: str) -> _F | None:
    if progress is None or progress is False:
        return None
    if isinstance(progress, bool) or not callable(progress):
        raise OptionError(
            f"progress={progress!r}: give True for a bar on standard error, or a callable that "
            f"takes {arguments}."
        )
    return progress


class Bar:
    """One line of standard error, or under a notebook's cell, redrawn when the percentage changes.

    The time left is told once a stage has taken long enough to tell. A bar that `stays` ends its
    line at 100 %; one that does not is for a terminal, and `clear` takes it away.
    """

    def __init__(self, *, stays: bool = True) -> None:
        self._stays = stays
        self._stage, self._percent, self._since = "", -1, 0.0
        self._cell = Cell() if writes_to_cell(sys.stderr) else None

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show how far a stage has come."""
        percent = 100 * min(done, total) // total if total > 0 else 100
        if (stage, percent) == (self._stage, self._percent):
            return
        now = monotonic()
        unfinished = stage != self._stage and 0 <= self._percent < 100
        if stage != self._stage:
            self._since = now
        filled = _WIDTH * percent // 100
        left = _time_left(now - self._since, done, total)
        line = f"{_title(stage)} {'█' * filled}{'░' * (_WIDTH - filled)} {percent:3d} %{left}"
        if self._stays:
            begin, end = "\n\r" if unfinished else "\r", "\n" if percent == 100 else ""
        else:
            begin, end = _CLEAR, ""
        self._write(f"{begin}{line.lstrip()}{end}")
        self._stage, self._percent = stage, percent

    def clear(self) -> None:
        """Take the line away."""
        self._write(_CLEAR)
        self._stage, self._percent = "", -1

    def _write(self, text: str) -> None:
        if self._cell is not None:
            self._cell.write(text)
            return
        encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
        try:
            text.encode(encoding)
        except UnicodeEncodeError:  # a terminal without block characters
            text = text.replace("█", "#").replace("░", ".")
            text = text.encode(encoding, "backslashreplace").decode(encoding)
        sys.stderr.write(text)
        sys.stderr.flush()


def _title(stage: str) -> str:
    """Name a stage in few enough characters that the line is not wrapped."""
    shown = printable(stage)
    return shown if len(shown) <= _WIDTH else f"{shown[: _WIDTH // 3]}...{shown[-_WIDTH // 2 :]}"


def _time_left(spent: float, done: int, total: int) -> str:
    if spent < WAIT or not 0 < done < total:
        return ""
    minutes, seconds = divmod(round(spent * (total - done) / done), 60)
    return f", {minutes} min {seconds:02} s left"


def part(progress: Progress | None, index: int, count: int) -> Progress | None:
    """Return the callable for step `index` of `count` equal steps.

    Examples
    --------
    >>> calls = []
    >>> report = part(lambda done, total: calls.append((done, total)), 1, 2)
    >>> report(1, 4)
    >>> calls
    [(1250, 2000)]
    """
    if progress is None:
        return None
    whole = progress

    def report(done: int, total: int) -> None:
        whole(index * _GRAIN + _GRAIN * done // max(total, 1), count * _GRAIN)

    return report
