"""The benchmarks known by name."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from driftkit.datasets.bats import read_bats
from driftkit.datasets.benchmarks import Benchmark
from driftkit.datasets.catalog import CATALOG
from driftkit.datasets.choice import holds_choices, read_choices
from driftkit.datasets.dataset import Dataset
from driftkit.datasets.parse import parse
from driftkit.errors import BenchmarkError, UnknownNameError

REGISTRY: dict[str, Dataset] = {dataset.name: dataset for dataset in CATALOG}
"""Name to benchmark."""

DEFAULT = ("ws353", "simlex999", "google")
"""The benchmarks scored when none are named: all come with gensim, so no download is needed."""


def look_up(name: str) -> Dataset:
    """Return what is known of a benchmark, without reading it.

    Raises
    ------
    UnknownNameError
        If no benchmark has that name.

    Examples
    --------
    >>> look_up("men").n_items
    3000
    """
    if name not in REGISTRY:
        raise UnknownNameError(
            "benchmark", name, REGISTRY, "The path of a file works too; none is there."
        )
    return REGISTRY[name]


def get(name: str | PathLike[str] | Benchmark) -> Benchmark:
    """Return a benchmark by name or by file.

    Parameters
    ----------
    name : str, path or Benchmark
        A name in `REGISTRY`, or the path of a file, or of a folder in the layout of BATS; a
        benchmark is given back as it is. A named
        benchmark that is not on this machine is downloaded, unless ``DRIFTKIT_OFFLINE`` is set.

    Returns
    -------
    SimilarityBenchmark, AnalogyBenchmark, CategorizationBenchmark or OutlierBenchmark

    Raises
    ------
    UnknownNameError
        If it is neither a known name nor a file.
    BenchmarkError
        If the file cannot be fetched or parsed.

    Examples
    --------
    >>> benchmark = get("ws353")
    >>> len(benchmark), benchmark.pairs[1], float(benchmark.gold[1])
    (353, ('tiger', 'cat'), 7.35)
    """
    if isinstance(name, Benchmark):
        return name
    if str(name) not in REGISTRY and Path(name).exists():
        path = Path(name)
        if path.is_dir():
            return read_bats(path, path.name)
        return read_choices(path) if holds_choices(path) else parse(path)
    return look_up(str(name)).read()


def get_all(
    names: Sequence[str | PathLike[str] | Benchmark] | str | None = None,
) -> tuple[Benchmark, ...]:
    """Return several benchmarks, `DEFAULT` when None is given.

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
