"""Write a file whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from driftkit.errors import OptionError


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside `path`, renamed to it if the block ends well.

    The temporary file keeps the ending of `path`, since many writers go by it. When the block
    raises, the temporary file is removed and whatever was at `path` is still there.

    Parameters
    ----------
    path : path-like
        Where the file is to stand.

    Raises
    ------
    OptionError
        If the folder does not exist or `path` is a folder.

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
    if not target.parent.is_dir():
        raise OptionError(f"cannot write {target}: the folder {target.parent} does not exist.")
    partial = target.with_name(f".{target.stem}.{os.getpid()}.partial{target.suffix}")
    try:
        yield partial
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
