"""The benchmarks known by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from typing import Literal

from driftkit.datasets.benchmark import AnalogyBenchmark, Benchmark, SimilarityBenchmark
from driftkit.datasets.parse import parse
from driftkit.errors import BenchmarkError, MissingExtraError, UnknownNameError


@dataclass(frozen=True, slots=True)
class Dataset:
    """A benchmark known by name: what it is and where it comes from.

    Parameters
    ----------
    name : str
        What users type.
    task : {"similarity", "analogy"}
        What its items ask.
    language : str
        ISO 639-1 code.
    n_items : int
        Number of items as published, repeats included.
    licence : str
        As stated by its authors, or ``"not stated"``.
    citation : str
        The paper to cite.
    package, file : str
        The installed package that carries the file, and the file inside that package.
    """

    name: str
    task: Literal["similarity", "analogy"]
    language: str
    n_items: int
    licence: str
    citation: str
    package: str
    file: str

    @property
    def path(self) -> Path:
        """The file on this machine."""
        # gensim.test.utils.datapath gives the same path but imports all of gensim first.
        spec = find_spec(self.package)
        if spec is None or spec.origin is None:
            raise MissingExtraError(f"benchmark {self.name}", self.package, "all")
        return Path(spec.origin).parent / self.file

    def read(self) -> Benchmark:
        """Parse the file."""
        return parse(self.path, self.name)


REGISTRY: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            "ws353", "similarity", "en", 353, "not stated",
            "Finkelstein et al. 2002, Placing search in context: the concept revisited",
            "gensim", "test/test_data/wordsim353.tsv",
        ),
        Dataset(
            "simlex999", "similarity", "en", 999, "not stated",
            "Hill, Reichart & Korhonen 2015, SimLex-999: evaluating semantic models with "
            "(genuine) similarity estimation",
            "gensim", "test/test_data/simlex999.txt",
        ),
        Dataset(
            "google", "analogy", "en", 19544, "Apache-2.0 (as part of word2vec)",
            "Mikolov, Chen, Corrado & Dean 2013, Efficient estimation of word representations "
            "in vector space",
            "gensim", "test/test_data/questions-words.txt",
        ),
    )
}  # fmt: skip

DEFAULT = ("ws353", "simlex999", "google")
"""The benchmarks scored when none are named: all come with gensim, so no download is needed."""


def get(name: str | PathLike[str] | Benchmark) -> Benchmark:
    """Give a benchmark by name or by file.

    Parameters
    ----------
    name : str, path or Benchmark
        A name in `REGISTRY`, or the path of a file; a benchmark is given back as it is.

    Returns
    -------
    SimilarityBenchmark or AnalogyBenchmark

    Raises
    ------
    UnknownNameError
        If it is neither a known name nor a file.
    BenchmarkError
        If the file cannot be parsed.

    Examples
    --------
    >>> benchmark = get("ws353")
    >>> len(benchmark), benchmark.pairs[1], float(benchmark.gold[1])
    (353, ('tiger', 'cat'), 7.35)
    """
    if isinstance(name, SimilarityBenchmark | AnalogyBenchmark):
        return name
    if str(name) in REGISTRY:
        return REGISTRY[str(name)].read()
    if not Path(name).exists():
        raise UnknownNameError(
            "benchmark", str(name), REGISTRY, "The path of a file works too; none is there."
        )
    return parse(Path(name))


def get_all(
    names: Sequence[str | PathLike[str] | Benchmark] | str | None = None,
) -> tuple[Benchmark, ...]:
    """Give several benchmarks, `DEFAULT` when None is given.

    Raises
    ------
    BenchmarkError
        If two of them have the same name, or the list is empty.
    """
    asked = DEFAULT if names is None else [names] if isinstance(names, str) else names
    benchmarks = tuple(get(name) for name in asked)
    if not benchmarks:
        raise BenchmarkError(f"no benchmark was named; known: {', '.join(REGISTRY)}, or a file.")
    seen: set[str] = set()
    for benchmark in benchmarks:
        if benchmark.name in seen:
            raise BenchmarkError(
                f"two benchmarks are called {benchmark.name!r}; results are told apart by name, "
                "so rename one of the files or name it once."
            )
        seen.add(benchmark.name)
    return benchmarks
