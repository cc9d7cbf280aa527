"""How much drift is allowed while a model trains, and what happens beyond it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from driftkit.errors import OptionError, UnknownNameError


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit on how far one value of a monitor may fall.

    Parameters
    ----------
    measure : str
        Name of the value, such as ``"overlap@10"`` or ``"spearman[ws353]"``; the name of a
        benchmark alone means its first measure.
    fall : float
        How far below its start it may fall.
    action : {"stop", "cut"}
        Stop training, or multiply the table's learning rate by `factor`.
    factor : float
        At a cut, at least 0 and below 1. Each further fall by `fall` cuts again.

    Raises
    ------
    OptionError
        If a number is out of range.

    Examples
    --------
    >>> budget = Budget("ws353", fall=0.02)
    >>> budget.times_broken({"spearman[ws353]": 0.50}, {"spearman[ws353]": 0.47})
    1
    """

    measure: str
    fall: float
    action: Literal["stop", "cut"] = "stop"
    factor: float = 0.1

    def __post_init__(self) -> None:
        if self.fall < 0 or not 0 <= self.factor < 1 or self.action not in ("stop", "cut"):
            raise OptionError(
                f"{self} was given; fall is 0 or more, factor at least 0 and below 1, action stop "
                "or cut."
            )

    def find(self, values: Mapping[str, float]) -> str:
        """Return the full name of the value it watches; raise if none has it, or it cannot fall."""
        if self.measure in ("seen", "moved", "moved_unseen"):
            raise OptionError(
                f"a budget cannot watch {self.measure!r} for a fall; it rises as words move. Watch "
                "overlap, a self-cosine or a benchmark."
            )
        for name in values:
            if self.measure == name or name.endswith(f"[{self.measure}]"):
                return name
        raise UnknownNameError("value of the monitor", self.measure, values)

    def times_broken(self, start: Mapping[str, float], now: Mapping[str, float]) -> int:
        """Return how many whole budgets the value has fallen by; 0 within the first.

        A value that could not be measured breaks nothing.
        """
        name = self.find(start)
        fallen = start[name] - now[name]
        if not fallen > self.fall:
            return 0
        return 1 if self.fall == 0 else int(fallen / self.fall)
