"""A file that is not there, or is no file: one sentence, with the nearest name."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from driftkit.errors import SourceError


def require_file(path: Path, name: str, error: type[SourceError], accepted: str) -> None:
    """Check that a path names a file with something in it that can be opened.

    Parameters
    ----------
    path : pathlib.Path
    name : str
        What the user typed, for the message.
    error : type
        `SourceError` or a kind of it.
    accepted : str
        What would be accepted, for the message.

    Raises
    ------
    SourceError
        Of the type given.
    """
    try:
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
    if not path.parent.is_dir():
        return f"no such file, and no folder {str(path.parent)!r}; give {accepted}."
    siblings = sorted(sibling.name for sibling in path.parent.iterdir())
    close = get_close_matches(path.name, siblings, n=1)
    if close:
        return f"no such file; did you mean {str(path.parent / close[0])!r}?"
    return f"no such file; give {accepted}."
