"""Files that are read whole: told from pipes and devices, and measured, before they are opened."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

Wrong = Callable[[str], Exception]
"""Makes the error of a sentence about a file, which begins with its verb: ``is a folder.``"""

LARGEST = 64_000_000
"""Bytes. What people write by hand, or a program about one table, has under a tenth of this."""
_PART = 1 << 24  # bytes read at a time


def strange_kind(path: str | os.PathLike[str]) -> str | None:
    """Say what is neither a file nor a folder, and what to do; None for what is, or is not there.

    Opening a pipe waits until somebody writes, and reading a device may never end; a pipe is read
    once, and telling a format and reading it takes two looks.

    Examples
    --------
    >>> strange_kind("/dev/null"), strange_kind(".")
    ('is a device, not a file', None)
    """
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):
        return None
    if stat.S_ISFIFO(mode):
        return "is a pipe, which can be read only once; save what it gives in a file first"
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        return "is a device, not a file"
    return "is a socket, not a file" if stat.S_ISSOCK(mode) else None


def read_whole(path: Path, wrong: Wrong, largest: int = LARGEST) -> bytes:
    """Read a file of at most so many bytes; whatever stands in the way is said by `wrong`."""
    if strange := strange_kind(path):
        raise wrong(f"{strange}.")
    try:
        if path.is_dir():
            raise wrong("is a folder; one file is needed.")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            # Some files, as in /proc, tell no size; what is there then is read and counted.
            # In parts, since room is made for all that is asked for.
            parts, left = [], largest + 1 if size <= largest else 0
            while part := file.read(min(left, _PART)):
                parts.append(part)
                left -= len(part)
            data = b"".join(parts)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise wrong(f"cannot be read ({reason}).") from None
    if max(size, len(data)) > largest:
        raise wrong(f"has more than {largest / 10**6:,.0f} MB, too much for such a file.")
    return data


def read_text(path: Path, wrong: Wrong, largest: int = LARGEST) -> str:
    r"""Read a UTF-8 file as `read_whole` does, without a byte order mark; lines end in ``\n``."""
    data = read_whole(path, wrong, largest).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise wrong(f"is not UTF-8 text (byte {error.start}).") from None
