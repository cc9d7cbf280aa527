"""Write a file or a folder whole or not at all.

A file is written under a hidden name of its own beside its place, brought to the disk, and
renamed. Its writer holds a lock on it while it lives, so that the next run can tell what a dead one
left. A link is followed; a device, a pipe or an open file such as ``/dev/stdout`` is written to.
"""

from __future__ import annotations

import errno
import os
import platform
import re
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from driftkit.errors import OutputError

if sys.platform == "win32":
    fcntl = None
else:
    import fcntl

HOST = re.sub(r"[^A-Za-z0-9]+", "", platform.node())[:16] or "host"
DAY = 86_400
"""Seconds after which what another machine left counts as left, if its lock is free."""

LONGEST_STEM, LONGEST_SUFFIX = 60, 16
"""Bytes of a name that its temporary names repeat, so that these fit where the name itself does."""

_NEXT = {
    errno.ENOSPC: "Free some space, or write elsewhere.",
    errno.EDQUOT: "Free some space, or write elsewhere.",
    errno.EFBIG: "Raise the limit on the size of files (ulimit -f), or write elsewhere.",
    errno.EROFS: "Name a folder that can be written to.",
    errno.EACCES: "Name a place that can be written to.",
    errno.EPERM: "Name a place that can be written to.",
    errno.ENAMETOOLONG: "Give it a shorter name.",
}
_OPEN_FILE = re.compile(
    r"/dev/(?:(?P<std>stdout|stderr)|fd/(?P<dev>\d+))|/proc/self/fd/(?P<proc>\d+)"
)


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`, renamed to it if the block ends well.

    The temporary file keeps the ending of `path`, since many writers go by it. When the block
    raises, it is removed and whatever was at `path` is still there.

    Raises
    ------
    OutputError
        If `path` is a folder or in none, or the system refuses: no space, no permission, ...

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "words.txt"
    >>> with replacing(target) as partial:
    ...     _ = partial.write_text("good bad")
    >>> target.read_text()
    'good bad'
    """
    target = place(path)
    suffix = Path(path).suffix
    if target is None:
        with writing(path), TemporaryDirectory(prefix="driftkit-") as folder:
            partial = Path(folder) / f"output{suffix}"
            yield partial
            with partial.open("rb") as source, _stream(path) as stream:
                shutil.copyfileobj(source, stream)
        return
    suffix = suffix if len(os.fsencode(suffix)) <= LONGEST_SUFFIX else ""
    with writing(path):
        _remove_dead(target, suffix)
        partial, descriptor = _create(target, suffix)
        try:
            yield partial
            _sync(partial)
            _keep_owner_and_mode(target, partial)
            if fcntl is None:  # Windows renames no file that is open
                os.close(descriptor)
            partial.replace(target)
            _sync(target.parent)
        finally:
            partial.unlink(missing_ok=True)
            if fcntl is not None:
                os.close(descriptor)


@contextmanager
def new_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary folder, renamed to `path`, where nothing is, if the block ends well.

    What an earlier process of this machine left is removed, so hold the lock of `path`.
    """
    target = place(path, is_folder=True)
    if target is None:
        raise OutputError(path, "it is not a folder; name a new one.")
    partial = beside(target, f".{HOST}.partial")
    with writing(path):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        try:
            yield partial
            partial.rename(target)
            _sync(target.parent)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def locked(path: str | os.PathLike[str], *, wait: bool = False) -> Iterator[None]:
    """Hold the lock of `path` while the block runs; an OutputError names the run that holds it.

    With `wait` the end of that run is waited for, which is for locks held but a moment. The lock is
    that of the operating system on a hidden file beside, so a process that dies leaves it free.
    Where there are no locks, this does nothing.
    """
    target = place(path, is_folder=True)
    if target is None or fcntl is None:
        yield
        return
    lock = beside(target, ".lock")
    with writing(path):
        descriptor = _take(lock, path, wait=wait)
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)  # while it is held, so that nobody else's is removed
            os.close(descriptor)


@contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn what the system says against writing into an OutputError that names `path`."""
    folder = Path(os.path.realpath(path)).parent
    try:
        yield
    except OutputError as error:  # of a hidden file of ours, which would say nothing to people
        if error.path != os.fspath(path) and Path(error.path).parent != Path(path).parent:
            raise OutputError(path, error.why) from None
        raise
    except OSError as error:
        met = Path(os.path.realpath(os.path.dirname(str(error.filename))))  # noqa: PTH120
        stranger = error.filename is not None and folder not in (met, *met.parents)
        if error.errno is None or isinstance(error, ConnectionError) or stranger:
            raise
        after = _NEXT.get(error.errno, "")
        why = f"{os.strerror(error.errno)}; nothing there was changed. {after}".rstrip()
        raise OutputError(path, why) from None


def place(path: str | os.PathLike[str], *, is_folder: bool = False) -> Path | None:
    """Return where to write, links followed; None for what is written to and never replaced.

    An OutputError says why nothing can be written there: it is told before long work, too.
    """
    given = Path(path)
    if not os.fspath(path):
        raise OutputError(repr(path), "the name is empty; name a file.")
    if "\0" in str(given):
        raise OutputError(repr(str(given)), "no name holds a NUL; name another file.")
    with writing(path):
        if not is_folder and given.is_dir():
            raise OutputError(path, "it is a folder; name a file.")
        if _open_file(path) is not None:
            return None
        try:
            target = Path(os.path.realpath(path))
            found: os.stat_result | None = target.stat()
        except FileNotFoundError:
            found = None
        if found is not None and not stat.S_ISREG(found.st_mode) and not target.is_dir():
            return None
        folder = target.parent if given.is_symlink() else given.parent
        if not folder.is_dir():
            raise OutputError(path, f"the folder {folder} does not exist.")
        for kept in (folder, target):
            if kept.exists() and not os.access(kept, os.W_OK):
                what = "it" if kept == target else f"the folder {kept}"
                raise OutputError(
                    path, f"{what} is read-only; name a place that can be written to."
                )
    return target


def beside(target: Path, ending: str, name: str | None = None) -> Path:
    """Return the hidden name of a file that belongs to `target`; a long name is cut and marked.

    Examples
    --------
    >>> beside(Path("runs/shifts.jsonl"), ".lock").name
    '.shifts.jsonl.lock'
    """
    name = target.name if name is None else name
    raw = os.fsencode(name)
    if len(raw) > LONGEST_STEM:
        name = raw[: LONGEST_STEM - 16].decode(errors="ignore") + sha256(raw).hexdigest()[:16]
    return target.with_name(f".{name}{ending}")


def _create(target: Path, suffix: str) -> tuple[Path, int]:
    """Make an empty file beside `target`, under a name of this host, process and moment."""
    while True:
        mark = f".{HOST}-{os.getpid()}-{secrets.token_hex(4)}.partial{suffix}"
        partial = beside(target, mark, target.stem)
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        if _lock(descriptor) is not False and partial.exists():
            return partial, descriptor
        os.close(descriptor)  # another run took it for a dead one's before it was locked


def _remove_dead(target: Path, suffix: str) -> None:
    """Remove the temporary files for `target` whose writers are gone."""
    start = beside(target, ".", target.stem).name
    mark = re.compile(rf"{re.escape(start)}(\w+)-\d+-[0-9a-f]{{8}}\.partial{re.escape(suffix)}")
    for entry in os.scandir(target.parent):
        if entry.name.startswith(start) and (match := mark.fullmatch(entry.name)):
            with suppress(OSError):
                _remove_if_dead(Path(entry.path), match[1])


def _remove_if_dead(partial: Path, host: str) -> None:
    """Remove a temporary file if nobody holds its lock.

    A shared folder may keep locks to each machine, so another's file must also be a day old; so
    must any file where locks are unknown.
    """
    is_old = time.time() - partial.stat().st_mtime > DAY
    if not is_old and (host != HOST or fcntl is None):
        return
    with partial.open("r+b") as file:
        is_free = _lock(file.fileno())
        if is_free or (is_free is None and is_old):
            partial.unlink()


def _lock(descriptor: int, *, wait: bool = False) -> bool | None:
    """Lock an open file: True, or False if another holds it, or None where there are no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _take(lock: Path, path: str | os.PathLike[str], *, wait: bool) -> int:
    """Open and lock the file `lock`, and write into it who holds it."""
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        if _lock(descriptor, wait=wait) is False:
            holder = os.read(descriptor, 100).decode("ascii", "replace") or "just begun"
            os.close(descriptor)
            raise OutputError(
                path, f"another run ({holder}) is writing it; wait for its end or name another."
            )
        if lock.exists() and os.path.samestat(os.fstat(descriptor), lock.stat()):
            with suppress(OSError):  # a full disk
                os.truncate(descriptor, 0)
                os.write(descriptor, f"pid {os.getpid()} on {HOST}".encode())
            return descriptor
        os.close(descriptor)  # its holder ended and removed it meanwhile


def _sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk; some systems know no folders."""
    is_folder = path.is_dir()
    try:
        descriptor = os.open(path, os.O_RDONLY if is_folder else os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if not is_folder and error.errno != errno.EINVAL:
            raise


def _keep_owner_and_mode(target: Path, partial: Path) -> None:
    """Give a new file what the one it replaces had."""
    if not target.exists():
        return
    before, now = target.stat(), partial.stat()
    if sys.platform != "win32" and (before.st_uid, before.st_gid) != (now.st_uid, now.st_gid):
        with suppress(OSError):
            os.chown(partial, before.st_uid, before.st_gid)
    with suppress(OSError):  # a share that keeps no modes
        partial.chmod(stat.S_IMODE(before.st_mode))


def _open_file(path: str | os.PathLike[str]) -> int | None:
    """Return the descriptor that ``/dev/stdout``, ``/dev/fd/3`` or a link to one stands for."""
    name = os.path.abspath(path)  # noqa: PTH100 - resolve() would follow past it
    for _ in range(40):
        if match := _OPEN_FILE.fullmatch(name):
            number = match["dev"] or match["proc"]
            return int(number) if number else {"stdout": 1, "stderr": 2}[match["std"]]
        if not os.path.islink(name):  # noqa: PTH114
            return None
        name = os.path.join(os.path.dirname(name), os.readlink(name))  # noqa: PTH115, PTH118, PTH120
    raise OSError(errno.ELOOP, "")


@contextmanager
def _stream(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open what is written to as it stands; an open file goes on where it is."""
    descriptor = _open_file(path)
    if descriptor is None:
        with Path(path).open("wb") as stream:
            yield stream
        return
    sys.stdout.flush()
    sys.stderr.flush()
    with os.fdopen(os.dup(descriptor), "wb") as stream:
        yield stream
