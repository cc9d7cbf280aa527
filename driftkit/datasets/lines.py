"""Lines of a benchmark file, cut into fields; nothing about what they mean."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from driftkit.errors import BenchmarkError
from driftkit.files import read_text

ACCEPTED = (
    "A similarity file has two words and a number on each line; an analogy file has four words on "
    "each line and may have ': category' lines; a categorization file has a word and its category, "
    "with a tab, comma or semicolon between them; an outlier file is a CSV with the columns "
    "category, outliers and words."
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line that is neither blank nor a comment, without the white space around it.

    `number` counts from 1. `fields` are cut at `separator`, which is None for white space.
    """

    path: Path
    number: int
    text: str
    separator: str | None
    fields: tuple[str, ...]

    @property
    def is_section(self) -> bool:
        """Whether it names a section, as ``: family`` does."""
        return self.text.startswith(":")

    def unreadable(self, why: str = "cannot be read") -> BenchmarkError:
        """Return the error that names this line."""
        shown = self.text if len(self.text) <= 60 else self.text[:57] + "..."
        return BenchmarkError(f"{self.path}, line {self.number}: {shown!r} {why}. {ACCEPTED}")


def read_lines(path: Path) -> tuple[Line, ...]:
    """Read the lines of a text file, and cut them at tabs, commas, semicolons or white space."""
    numbered = text_lines(path, ACCEPTED)
    separator = _separator([text for _, text in numbered])
    return tuple(_cut(path, number, text, separator) for number, text in numbered)


def text_lines(path: Path, accepted: str) -> list[tuple[int, str]]:
    """Return the lines that are neither blank nor comments, with their numbers.

    `accepted` says what such a file holds, for the error; raises as `read_lines`.
    """
    content = read_text(path, lambda why: BenchmarkError(f"{path} {why} {accepted}"))
    # Not str.splitlines: that would also cut at form feeds and Unicode separators inside words.
    numbered = ((number, line.strip()) for number, line in enumerate(content.split("\n"), 1))
    lines = [(number, line) for number, line in numbered if line and not line.startswith("#")]
    if not lines:
        raise BenchmarkError(f"{path} holds no benchmark item. {accepted}")
    return lines


def first_line(path: Path, but: tuple[str, ...] = ("#",)) -> str:
    """Return the first line that does not start so, or nothing if the file cannot be read."""
    try:
        content = read_text(path, BenchmarkError)
    except BenchmarkError:
        return ""
    lines = (line.strip() for line in content.split("\n"))
    return next((line for line in lines if line and not line.startswith(but)), "")


def _separator(texts: list[str]) -> str | None:
    """Tab, comma, semicolon or colon if the first two items have it, else any white space."""
    items = [text for text in texts if not text.startswith(":")][:2]
    for separator in "\t,;":
        if items and all(separator in text for text in items):
            return separator
    if items and all(text.count(":") == 4 and " " not in text for text in items):
        return ":"  # word:word:rating:part of speech:part of speech
    return None


def _cut(path: Path, number: int, text: str, separator: str | None) -> Line:
    if separator is None:
        return Line(path, number, text, None, tuple(text.split()))
    if separator == "\t":
        parts = text.split("\t")
    else:
        try:
            parts = next(csv.reader([text], delimiter=separator))
        except csv.Error:  # a field longer than any word
            raise Line(path, number, text, separator, ()).unreadable() from None
    return Line(path, number, text, separator, tuple(part.strip() for part in parts))
