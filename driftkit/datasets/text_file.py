"""The lines of a small text file, or one sentence about why there are none."""

from __future__ import annotations

from pathlib import Path

from driftkit.errors import BenchmarkError


def text_lines(path: Path, accepted: str) -> list[tuple[int, str]]:
    """Return the lines that are neither blank nor comments, with their numbers.

    Parameters
    ----------
    path : pathlib.Path
        A UTF-8 text file.
    accepted : str
        What such a file holds, for the error.

    Raises
    ------
    BenchmarkError
        If the file is missing or not UTF-8 text, or no line is left.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BenchmarkError(
            f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8. {accepted}"
        ) from None
    except OSError as error:
        raise BenchmarkError(f"{path} cannot be read: {error.strerror}. {accepted}") from None
    numbered = ((number, line.strip()) for number, line in enumerate(text.split("\n"), 1))
    lines = [(number, line) for number, line in numbered if line and not line.startswith("#")]
    if not lines:
        raise BenchmarkError(f"{path} holds no item. {accepted}")
    return lines
