"""How long work is told of: a callable, and parts of a whole."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], object]
"""Called with (done, total)."""

_GRAIN = 1000


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
