"""Who is told how far long work has come: a callable, a bar, or nobody."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from math import ceil
from shutil import get_terminal_size
from time import monotonic
from typing import TypeVar

from driftkit.cell import Cell, writes_to_cell
from driftkit.errors import OptionError
from driftkit.escaping import printable

WAIT = 2.0
"""Seconds that work must have taken before its remaining time is told."""

BYTES_A_SECOND = 10**8
"""What reading costs; how fast it is here is measured."""

ENOUGH = 0.1
"""Share of a stage that must be done before the rest of it is taken to go as fast."""

Progress = Callable[[int, int], object]  # called with (done, total)
StageProgress = Callable[[str, int, int], object]  # with (stage, done, total), for several stages

READING = "reading"
"""The kind of stages whose pace tells nothing of the pace of others."""

_F = TypeVar("_F", bound=Callable[..., object])
_GRAIN = 1000
_BAR, _TITLE = 20, 30  # characters of a whole bar, and of a title
_CLEAR = "\r\x1b[K"


def as_progress(progress: Progress | bool | None, label: str = "") -> Progress | None:
    """Return what to call with (done, total); True means a bar after `label`.

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
    """Return what to call with (stage, done, total); as `as_progress`, with one bar over all."""
    return Whole() if progress is True else _as_callable(progress, "(stage, done, total)")


def _as_callable(progress: _F | bool | None, arguments: str) -> _F | None:
    if progress is None or progress is False:
        return None
    if isinstance(progress, bool) or not callable(progress):
        raise OptionError(
            f"progress={progress!r}: give True for a bar, or a callable that takes {arguments}."
        )
    return progress


class Line:
    """One line of standard error, or under a notebook's cell, drawn again when it says more.

    A line that `stays` ends at 100 %; another is for a terminal, and `clear` takes it away.
    """

    def __init__(self, *, stays: bool = True) -> None:
        self._stays = stays
        self._drawn, self._ended = "", True
        self._cell = Cell() if writes_to_cell(sys.stderr) else None

    def draw(self, title: str, percent: int | None, left: float | None = None) -> None:
        """Show how far something has come, as a bar where that is known, and the seconds left."""
        line = _title(title)
        if percent is not None:
            filled = _BAR * percent // 100
            line += f" {'█' * filled}{'░' * (_BAR - filled)} {percent:3d} %{_time_left(left)}"
        line = line.strip()
        if line == self._drawn:
            return
        if self._stays:
            gap = 0 if self._ended else len(self._drawn) - len(line)  # what was longer is covered
            self._ended = percent == 100
            self._write(f"\r{line}{' ' * gap}" + "\n" * self._ended)
        else:
            self._write(f"{_CLEAR}{line[: get_terminal_size().columns - 1]}")
        self._drawn = line

    def clear(self) -> None:
        """Take the line away."""
        self._write(_CLEAR)
        self._drawn = ""

    def end(self) -> None:
        """End a line that stays and did not reach 100 %."""
        if self._stays and not self._ended:
            self._write("\n")
            self._ended = True

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


class Bar:
    """How far one stage has come, on a line; the next stage begins anew.

    The time left is told once a stage has taken long enough to tell.
    """

    def __init__(self, line: Line | None = None) -> None:
        self.line = Line() if line is None else line
        self._stage, self._since = "", 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show how far a stage has come."""
        now = monotonic()
        if stage != self._stage:
            self.line.end()
            self._stage, self._since = stage, now
        share = _share(done, total)
        spent = now - self._since
        left = spent * (1 - share) / share if spent >= WAIT and 0 < share < 1 else None
        self.line.draw(stage, int(100 * share), left)

    def clear(self) -> None:
        """Take the line away."""
        self.line.clear()
        self._stage = ""


class Whole:
    """How far all stages of the work on one table after another have come, on one line.

    A stage counts by what it is expected to cost (`expect`). How long a unit of cost takes here is
    measured on what is done, for each kind of stage by itself: the kind is the first word of its
    name. Before anything ahead can be told from what was measured, only the stage is named.

    Parameters
    ----------
    line : Line, optional
    tables : int
        How many tables there are; their number is named if there are several.
    """

    def __init__(self, line: Line | None = None, *, tables: int = 1) -> None:
        self.line = Line() if line is None else line
        self._tables, self._table = tables, 1
        self._ahead: list[tuple[int, str, float]] = []  # table, stage, cost
        self._is_known = False
        self._rates: dict[str, float] = {}  # seconds a unit of cost took, by kind
        self._stage, self._cost, self._since, self._start = "", 0.0, 0.0, monotonic()
        self._percent = 0

    def expect(self, stages: Mapping[str, float], later: Mapping[str, float] | None = None) -> None:
        """Say what the stages of this table cost, and what those of a later one like it would."""
        others = range(self._table + 1, self._tables + 1)
        kept = [each for each in self._ahead if each[0] != self._table and each[1] not in stages]
        self._ahead = [(self._table, name, cost) for name, cost in stages.items()]
        for table in others:
            self._ahead += [each for each in kept if each[0] == table]
            self._ahead += [(table, name, cost) for name, cost in (later or stages).items()]
        self._is_known = True

    def will_read(self, table: int, source: str, size: int) -> None:
        """Say that a source of so many bytes will be read for a table."""
        self._ahead.append((table, f"{READING} {source}", size / BYTES_A_SECOND))

    def begin(self, table: int) -> None:
        """Go on with the table of this number, from 1."""
        self._finish()
        self._table = table

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show how far everything has come."""
        if stage != self._stage:
            self._finish()
            self._stage, self._since, self._cost = stage, monotonic(), 0.0
            place = next((at for at, each in enumerate(self._ahead) if each[1] == stage), None)
            if place is not None:
                self._cost = self._ahead[place][2]
                del self._ahead[: place + 1]  # what was passed over is not to be done
        share = _share(done, total)
        title = f"table {self._table} of {self._tables}: {stage}" if self._tables > 1 else stage
        if not self._is_known:
            self.line.draw(f"{title} {int(100 * share)} %", None)
            return
        now = monotonic()
        spent, left = now - self._start, self._left(share, now - self._since)
        guess = left if left is not None else self._costs(share)
        if spent + guess > 0:
            percent = 100 if not guess else min(99, int(100 * spent / (spent + guess)))
            self._percent = max(percent, self._percent)
        told = left if spent >= WAIT and left else None
        self.line.draw(title, self._percent, told)

    def clear(self) -> None:
        """Take the line away."""
        self.line.clear()

    def _finish(self) -> None:
        """Measure the stage that ends."""
        if self._cost > 0:
            self._rates[_kind(self._stage)] = (monotonic() - self._since) / self._cost
        self._stage, self._cost = "", 0.0

    def _costs(self, share: float) -> float:
        return self._cost * (1 - share) + sum(cost for *_, cost in self._ahead)

    def _left(self, share: float, spent: float) -> float | None:
        """Return the seconds left; None where nothing like what is ahead was measured yet."""
        rates = dict(self._rates)
        if self._cost > 0 and share >= ENOUGH:
            rates[_kind(self._stage)] = spent / share / self._cost
        computed = [rate for kind, rate in rates.items() if kind != READING]
        ahead = [(_kind(stage), cost) for _, stage, cost in self._ahead]
        ahead.append((_kind(self._stage), self._cost * (1 - share)))
        total = 0.0
        for kind, cost in ahead:
            if not cost:
                continue
            alike = [] if kind == READING else computed
            rate = rates.get(kind, sum(alike) / len(alike) if alike else None)
            if rate is None:
                return None
            total += rate * cost
        return total


def _kind(stage: str) -> str:
    return stage.partition(" ")[0]


def _share(done: int, total: int) -> float:
    return min(done, total) / total if total > 0 else 1.0


def _title(stage: str) -> str:
    """Name a stage in few enough characters that the line is not wrapped."""
    shown = printable(stage)
    return shown if len(shown) <= _TITLE else f"{shown[: _TITLE - 13]}...{shown[-10:]}"


def _time_left(seconds: float | None) -> str:
    """Write a time no more exactly than it can be known."""
    if seconds is None:
        return ""
    if seconds < 55:
        return f", about {max(5, 5 * ceil(seconds / 5))} s left"
    minutes = round(seconds / 60)
    return f", about {minutes} min left" if minutes < 60 else f", about {minutes / 60:.1f} h left"


def part(
    progress: Progress | None, index: int, count: int, sizes: Sequence[int] | None = None
) -> Progress | None:
    """Return the callable for step `index` of `count` steps, equal ones or of these sizes.

    Examples
    --------
    >>> calls = []
    >>> report = part(lambda done, total: calls.append((done, total)), 1, 2)
    >>> report(1, 4)
    >>> part(lambda done, total: calls.append((done, total)), 1, 2, [1, 3])(1, 2)
    >>> calls
    [(1250, 2000), (1250, 2000)]
    """
    if progress is None:
        return None
    whole = progress
    steps = [1] * count if sizes is None else sizes
    before, own, every = sum(steps[:index]), steps[index], sum(steps)
    grains = count * _GRAIN

    def report(done: int, total: int) -> None:
        share = max(total, 1)
        whole(grains * (before * share + own * done) // (every * share), grains)

    return report
