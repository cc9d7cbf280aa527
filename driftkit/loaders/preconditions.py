"""Memory is checked before it is taken, so that a lying header costs one sentence."""

from __future__ import annotations

import os
from pathlib import Path

from driftkit.errors import SourceError

_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


def available_memory() -> int | None:
    """Bytes that can still be taken; None where the system does not say.

    The smaller of what the machine has left and what the container, if any, allows.
    """
    found = [limit for limit in (_machine(), _container()) if limit is not None]
    return min(found, default=None)


def require_memory(needed: int, name: str) -> None:
    """Refuse a table that cannot fit.

    Parameters
    ----------
    needed : int
        Bytes about to be taken.
    name : str
        The source, for the message.

    Raises
    ------
    SourceError
        If the system says that it has less.
    """
    free = available_memory()
    if free is not None and needed > free:
        raise SourceError(
            name,
            f"needs {gigabytes(needed)} of memory and {gigabytes(free)} are free; read fewer words "
            "(--limit N, limit=), or convert it on a larger machine to .safetensors or .npy, which "
            "are memory-mapped.",
        )


def gigabytes(size: int) -> str:
    """A size for people.

    Examples
    --------
    >>> gigabytes(1_500_000_000), gigabytes(12_300_000), gigabytes(800)
    ('1.5 GB', '12.3 MB', '800 bytes')
    """
    if size >= 10**9:
        return f"{size / 10**9:,.1f} GB"
    return f"{size / 10**6:,.1f} MB" if size >= 10**6 else f"{size} bytes"


def _machine() -> int | None:
    try:
        lines = _MEMINFO.read_text("ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable")) << 10
    except (OSError, StopIteration):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return None


def _container() -> int | None:
    """What a cgroup (version 2) has left; page cache it could drop counts as free."""
    try:
        limit = (_CGROUP / "memory.max").read_text("ascii").strip()
        if limit == "max":
            return None
        used = int((_CGROUP / "memory.current").read_text("ascii"))
        stat = (_CGROUP / "memory.stat").read_text("ascii").splitlines()
        cache = sum(int(line.split()[1]) for line in stat if line.startswith("inactive_file "))
        return max(int(limit) - used + cache, 0)
    except (OSError, ValueError):
        return None
