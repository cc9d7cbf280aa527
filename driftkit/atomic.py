"""Write a file or a folder whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from driftkit.errors import OptionError


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`, renamed to it if the block ends well.

    The temporary file keeps the ending of `path`, since many writers go by it. When the block
    raises, it is removed and whatever was at `path` is still there.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "words.txt"
    >>> with replacing(target) as partial:
    ...     _ = partial.write_text("good bad")
    >>> target.read_text()
    'good bad'
    """
    target = Path(path)
    if target.is_dir():
        raise OptionError(f"cannot write {target}: it is a folder; name a file.")
    partial = _beside(target, f".{target.stem}.{os.getpid()}.partial{target.suffix}")
    try:
        yield partial
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: str | os.PathLike[str], marker: str) -> Iterator[Path]:
    """Yield a temporary folder, renamed to `path` if the block ends well.

    An older folder there is replaced only if the file `marker` shows that it is of the same kind.
    """
    target = Path(path)
    if target.exists() and not (target / marker).is_file():
        what = "a folder of other things" if target.is_dir() else "a file"
        raise OptionError(f"cannot write {target}: it is {what}; name a new folder.")
    partial = _beside(target, f".{target.name}.{os.getpid()}.partial")
    older = _beside(target, f".{target.name}.{os.getpid()}.older")
    partial.mkdir()
    try:
        yield partial
        if target.exists():
            target.rename(older)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(older, ignore_errors=True)


def _beside(target: Path, name: str) -> Path:
    if not target.parent.is_dir():
        raise OptionError(f"cannot write {target}: the folder {target.parent} does not exist.")
    return target.with_name(name)
