"""Who is told how far long work has come: a callable, a bar on standard error, or nobody."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

from driftkit.errors import OptionError

Progress = Callable[[int, int], object]  # called with (done, total)
StageProgress = Callable[[str, int, int], object]  # with (stage, done, total), for several stages

_F = TypeVar("_F", bound=Callable[..., object])
_GRAIN = 1000
_WIDTH = 30  # characters of a whole bar


def as_progress(progress: Progress | bool | None, label: str = "") -> Progress | None:
    """Return what to call with (done, total); True means a bar on standard error after `label`.

    Examples
    --------
    >>> as_progress(None) is None, as_progress(print) is print
    (True, True)
    """
    if progress is True:
        bar = _Bar()
        return lambda done, total: bar(label, done, total)
    return _as_callable(progress, "(done, total)")


def as_stage_progress(progress: StageProgress | bool | None) -> StageProgress | None:
    """Return what to call with (stage, done, total); as `as_progress`, with a bar per stage."""
    return _Bar() if progress is True else _as_callable(progress, "(stage, done, total)")


def _as_callable(progress: _F | bool | None, arguments: str) -> _F | None:
    if progress is None or progress is False:
        return None
    if isinstance(progress, bool) or not callable(progress):
        raise OptionError(
            f"progress={progress!r}: give True for a bar on standard error, or a callable that "
            f"takes {arguments}."
        )
    return progress


class _Bar:
    """One line of standard error, redrawn when the percentage changes, ended at 100 %."""

    def __init__(self) -> None:
        self._stage, self._percent = "", -1

    def __call__(self, stage: str, done: int, total: int) -> None:
        percent = 100 * min(done, total) // total if total > 0 else 100
        if (stage, percent) == (self._stage, self._percent):
            return
        unfinished = stage != self._stage and 0 <= self._percent < 100
        filled = _WIDTH * percent // 100
        line = f"{stage} {'█' * filled}{'░' * (_WIDTH - filled)} {percent:3d} %".lstrip()
        start, end = "\n" if unfinished else "", "\n" if percent == 100 else ""
        try:
            sys.stderr.write(f"{start}\r{line}{end}")
        except UnicodeEncodeError:  # a terminal without block characters
            plain = line.replace("█", "#").replace("░", ".")
            sys.stderr.write(f"{start}\r{plain}{end}")
        sys.stderr.flush()
        self._stage, self._percent = stage, percent


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
