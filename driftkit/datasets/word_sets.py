"""Sets of words for association tests of bias, the ten standard ones and the user's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from driftkit.datasets.text_file import text_lines
from driftkit.errors import BenchmarkError, UnknownNameError

ACCEPTED = (
    "A test has four lines `label: word, word, ...`: targets X and Y, then attributes A and B; "
    "several tests in one file each begin with a line `: name`."
)


@dataclass(frozen=True, slots=True)
class WordSets:
    """Two sets of target words and two of attribute words.

    Parameters
    ----------
    name : str
        Such as ``"weat6"``.
    labels : tuple of four str
        What the sets are called.
    x, y : tuple of str
        Target words, such as names of men and of women.
    a, b : tuple of str
        Attribute words, such as those of career and of family.
    """

    name: str
    labels: tuple[str, str, str, str]
    x: tuple[str, ...] = field(repr=False)
    y: tuple[str, ...] = field(repr=False)
    a: tuple[str, ...] = field(repr=False)
    b: tuple[str, ...] = field(repr=False)


def read_word_sets(path: str | Path) -> dict[str, WordSets]:
    """Read the tests of a file.

    Parameters
    ----------
    path : str or pathlib.Path
        A UTF-8 text file; see `ACCEPTED`.

    Returns
    -------
    dict of str to WordSets
        By name; a file with one test and no name line is named after the file.

    Raises
    ------
    BenchmarkError
        If the file cannot be read, or a test has not four sets of two words or more.
    """
    path = Path(path)
    tests: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    name = path.stem
    for number, line in text_lines(path, ACCEPTED):
        label, colon, rest = (part.strip() for part in line.partition(":"))
        words = tuple(dict.fromkeys(word.strip() for word in rest.split(",") if word.strip()))
        if not label and colon and rest:
            name = rest
        elif not colon or len(words) < 2:
            raise BenchmarkError(f"{path}, line {number}: {line!r} cannot be read. {ACCEPTED}")
        else:
            tests.setdefault(name, []).append((label, words))
    for name, sets in tests.items():
        if len(sets) != 4:
            raise BenchmarkError(f"{path}: test {name!r} has {len(sets)} sets. {ACCEPTED}")
    return {name: _word_sets(name, sets) for name, sets in tests.items()}


def _word_sets(name: str, sets: list[tuple[str, tuple[str, ...]]]) -> WordSets:
    labels, words = zip(*sets, strict=True)
    return WordSets(name, labels, *words)


class _Standard(Mapping[str, WordSets]):
    """The ten tests of Caliskan, Bryson & Narayanan 2017, read when first asked for."""

    _tests: dict[str, WordSets]

    def _read(self) -> dict[str, WordSets]:
        if not hasattr(self, "_tests"):
            self._tests = read_word_sets(Path(__file__).with_name("weat.txt"))
        return self._tests

    def __getitem__(self, name: str) -> WordSets:
        if name not in self._read():
            raise UnknownNameError("word-set test", name, self._read())
        return self._read()[name]

    def __contains__(self, name: object) -> bool:
        return name in self._read()

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


WORD_SETS: Mapping[str, WordSets] = _Standard()
"""``weat1`` to ``weat10``, by name."""
