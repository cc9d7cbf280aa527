"""What must hold before a source is read: the file is there, and memory for it is free."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

from driftkit.errors import SourceError
from driftkit.files import read_whole, strange_kind

FEWER = (
    "read fewer words (--limit N, limit=), or convert it on a larger machine to .safetensors or "
    ".npy, which are memory-mapped"
)

LARGEST_VOCABULARY = 1_000_000_000
"""Bytes, for about 100 million words."""

_WORD_COST = 10  # bytes that a word takes in memory for each byte in its file
_ZEROS = 1 << 12  # zero bytes at the start of a file that tell it from text

_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")
_STATM = Path("/proc/self/statm")


def require_file(path: Path, name: str, error: type[SourceError], accepted: str) -> None:
    """Check that a path names a file with something in it that can be opened.

    `name` is what the user typed and `accepted` what would do, both for the message.
    """
    if strange := strange_kind(path):
        raise error(name, f"{strange}.")
    try:
        if not name:
            raise error("''", f"is no path; give {accepted}.")
        if path.is_dir():
            raise error(name, f"is a folder; give {accepted}.")
        if not path.exists():
            raise error(name, _not_found(path, accepted))
        with path.open("rb") as file:
            empty = not file.read(1)
    except (OSError, ValueError) as failure:
        reason = getattr(failure, "strerror", None) or failure
        raise error(name, f"cannot be opened ({reason}); give {accepted}.") from None
    if empty:
        raise error(name, f"is empty (0 bytes); give {accepted}.")


def _not_found(path: Path, accepted: str) -> str:
    if path.is_symlink():
        return f"is a link to {str(path.readlink())!r}, which does not exist; give {accepted}."
    if not path.parent.is_dir():
        return f"no such file, and no folder {str(path.parent)!r}; give {accepted}."
    siblings = sorted(sibling.name for sibling in path.parent.iterdir())
    close = get_close_matches(path.name, siblings, n=1)
    if close:
        return f"no such file; did you mean {str(path.parent / close[0])!r}?"
    return f"no such file; give {accepted}."


def require_memory(needed: int, name: str, instead: str = FEWER) -> None:
    """Refuse what takes more bytes than are free, so that a lying header costs one sentence."""
    free = available_memory()
    if free is not None and needed > free:
        raise SourceError(
            name, f"needs {gigabytes(needed)} of memory and {gigabytes(free)} are free; {instead}."
        )


def read_words(path: Path, name: str, error: type[SourceError]) -> bytes:
    """Read a file of words whole, where there is memory for the words as Python keeps them."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        begins = file.read(_ZEROS)
    if len(begins) == _ZEROS and not begins.strip(b"\0"):
        raise error(name, "begins with zero bytes, so it holds no words; it is damaged.")
    if size <= LARGEST_VOCABULARY:
        require_memory(_WORD_COST * size, name, "give a vocabulary of the table's words alone")
    return read_whole(path, lambda why: error(name, why), LARGEST_VOCABULARY)


def is_shortage(error: BaseException) -> bool:
    """Whether an error says that memory ran out, in Python's words, the system's or torch's."""
    return isinstance(error, MemoryError) or "allocate memory" in str(error)


@contextmanager
def within_limits(name: str) -> Iterator[None]:
    """Turn what the machine or the interpreter could not bear while a source is read into words."""
    try:
        yield
    except MemoryError:
        free = available_memory()
        known = "" if free is None else f" ({gigabytes(free)})"
        raise SourceError(
            name,
            f"needs more memory than is free{known}; {FEWER}.",
        ) from None
    except RecursionError:
        raise SourceError(name, "is nested too deeply to be read; it is damaged.") from None


def gigabytes(size: int) -> str:
    """Return a size as people write it.

    Examples
    --------
    >>> gigabytes(1_500_000_000), gigabytes(12_300_000), gigabytes(800)
    ('1.5 GB', '12.3 MB', '800 bytes')
    """
    if size >= 10**9:
        return f"{size / 10**9:,.1f} GB"
    return f"{size / 10**6:,.1f} MB" if size >= 10**6 else f"{size:,} bytes"


def available_memory() -> int | None:
    """Return the bytes that machine, container and process leave; None where nobody says."""
    found = [limit for limit in (_machine(), _container(), _process()) if limit is not None]
    return min(found, default=None)


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
    """What a cgroup (version 2) has left; page cache that it could drop counts as free."""
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


def _process() -> int | None:
    """What ``ulimit -v`` and ``-d`` leave this process of addresses, and of memory to write to."""
    try:
        import resource

        pages = list(map(int, _STATM.read_text("ascii").split()))
        limits = ((resource.RLIMIT_AS, pages[0]), (resource.RLIMIT_DATA, pages[5]))
        left = [
            max(limit - used * resource.getpagesize(), 0)
            for limit, used in ((resource.getrlimit(which)[0], used) for which, used in limits)
            if limit != resource.RLIM_INFINITY
        ]
        return min(left, default=None)
    except (ImportError, OSError, ValueError):
        return None
