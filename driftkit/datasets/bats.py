"""The Bigger Analogy Test Set, from its folder (BATS 3.0; Gladkova, Drozd & Matsuoka 2016)."""

from __future__ import annotations

from pathlib import Path

from driftkit.datasets.benchmarks import AnalogyBenchmark
from driftkit.datasets.text_file import text_lines
from driftkit.errors import BenchmarkError

ACCEPTED = (
    "BATS is a folder of folders of .txt files whose lines are word, tab, answer/answer/...; "
    "each file is a relation."
)


def read_bats(folder: str | Path, name: str = "bats") -> AnalogyBenchmark:
    """Read a folder in the layout of BATS.

    Within a file every ordered pair of different lines makes a question: the word of the first
    line is to its first answer as the word of the second is to any of its answers.

    Parameters
    ----------
    folder : str or pathlib.Path
        The folder that holds ``1_Inflectional_morphology`` and its siblings; or one of those, or
        any folder of such files.
    name : str
        Name of the benchmark.

    Returns
    -------
    AnalogyBenchmark
        Sections are the files, groups the folders they lie in.

    Raises
    ------
    BenchmarkError
        If there is no such file, or a line does not fit; the message gives its number.
    """
    folder = Path(folder)
    files = sorted(path for path in folder.rglob("*.txt") if path.is_file())
    if not files:
        raise BenchmarkError(f"{folder} holds no .txt file. {ACCEPTED}")
    quadruples: list[tuple[str, str, str, str]] = []
    categories: list[str] = []
    alternatives: list[tuple[str, ...]] = []
    groups: dict[str, list[str]] = {}
    for path in files:
        pairs = _pairs(path)
        groups.setdefault(path.parent.name, []).append(path.stem)
        for i, (a, (b, *_)) in enumerate(pairs):
            for j, (c, (d, *more)) in enumerate(pairs):
                if i != j:
                    quadruples.append((a, b, c, d))
                    categories.append(path.stem)
                    alternatives.append(tuple(more))
    several = {group: tuple(stems) for group, stems in groups.items()} if len(groups) > 1 else {}
    return AnalogyBenchmark(
        name, tuple(quadruples), tuple(categories), tuple(alternatives), several
    )


def _pairs(path: Path) -> list[tuple[str, list[str]]]:
    pairs = []
    for number, line in text_lines(path, ACCEPTED):
        word, *rest = line.split(None, 1)
        answers = [part.strip() for part in rest[0].split("/") if part.strip()] if rest else []
        if not answers:
            raise BenchmarkError(f"{path}, line {number}: {line!r} has no answer. {ACCEPTED}")
        pairs.append((word, answers))
    if len(pairs) < 2:
        raise BenchmarkError(f"{path} has one line, and an analogy takes two. {ACCEPTED}")
    return pairs
