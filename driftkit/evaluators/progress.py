"""Progress of a step, told as part of the whole."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with (done, total)."""

_GRAIN = 1000


def part(progress: Progress | None, index: int, count: int) -> Progress | None:
    """Give the callable for step `index` of `count` equal steps.

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
