"""The benchmarks known by name: those of ``catalog.toml``, and those that others register."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from typing import Any

from driftkit.datasets import source
from driftkit.datasets.benchmarks import Benchmark, name_of
from driftkit.datasets.layouts import read_word_set
from driftkit.datasets.parse import read_benchmark
from driftkit.datasets.source import Packaged, Pinned, PinnedFolder
from driftkit.errors import BenchmarkError, MissingExtraError, OptionError, UnknownNameError
from driftkit.plugins import guarded, load_plugins

NOT_STATED = "not stated"

DEFAULT = ("ws353", "simlex999", "google")
"""The benchmarks scored when none are named: all come with gensim, so no download is needed."""

DEFAULT_OF_ENCODERS = ("ws353", "simlex999", "sick")
"""The same for encoders, which can be asked about sentences; sick has to be downloaded."""

Load = Callable[[], Any]
"""Returns a benchmark, or an evaluator of one."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A benchmark known by name: what it is, where its file comes from and where it lies.

    Parameters
    ----------
    name : str
        What users type.
    task : str
        What its items ask: similarity, analogy, categorization, outliers, bias, or another word.
    language : str
        ISO 639-1 code; empty if it is not known.
    n_items : int or None
        Number of items the file gives, repeats included; None if it is not known.
    license : str
        As stated by its authors, or ``"not stated"``.
    citation : str
        The paper to cite: authors, year, title.
    origin : Packaged, Pinned, PinnedFolder, path or callable
        Where the file comes from; or what returns the benchmark, or an evaluator of it.
    """

    name: str
    task: str
    language: str
    n_items: int | None
    license: str
    citation: str
    origin: Packaged | Pinned | PinnedFolder | Path | Load

    @property
    def authors(self) -> str:
        """Authors and year as cited in running text.

        Examples
        --------
        >>> origin = Packaged("gensim", "test/test_data/simlex999.txt")
        >>> cited = "Hill, Reichart & Korhonen 2015, SimLex-999"
        >>> Dataset("simlex999", "similarity", "en", 999, "not stated", cited, origin).authors
        'Hill et al. 2015'
        """
        names, year = self.citation.split(" & ")[0], re.search(r"\b\d{4}\b", self.citation)
        if year is None:
            return self.citation
        everyone = self.citation[: year.start()].strip()
        several = ", " in everyone
        return f"{names.split(', ')[0] + ' et al.' if several else everyone} {year[0]}"

    @property
    def has_file(self) -> bool:
        """Whether it is read from a file, and not made by a function."""
        return not callable(self.origin)

    @property
    def path(self) -> Path:
        """Where the file lies on this machine, or is to lie once it is fetched.

        Downloads lie in a folder of their task, or in ``languages`` unless they are English.

        Raises
        ------
        BenchmarkError
            If a function makes the benchmark.
        MissingExtraError
            If the package that carries the file is not installed.
        """
        if isinstance(self.origin, Path):
            return self.origin
        if isinstance(self.origin, Pinned | PinnedFolder):
            group = source.folder() / (self.task if self.language == "en" else "languages")
            if isinstance(self.origin, PinnedFolder):
                return group / self.name
            return group / (self.origin.kept_as or self.origin.file)
        if not isinstance(self.origin, Packaged):
            raise BenchmarkError(f"benchmark {self.name!r} has no file: a function makes it.")
        # gensim.test.utils.datapath gives the same path but imports all of gensim first.
        spec = find_spec(self.origin.package)
        if spec is None or spec.origin is None:
            raise MissingExtraError(f"benchmark {self.name}", self.origin.package, "all")
        return Path(spec.origin).parent / self.origin.file

    @property
    def is_here(self) -> bool:
        """Whether something lies at `path`; its bytes are checked when it is read."""
        if isinstance(self.origin, PinnedFolder):
            return all((self.path / file).is_file() for file in self.origin.files)
        return not self.has_file or self.path.exists()

    def fetch(self) -> Path:
        """Return the path of the file or folder, downloaded if absent, the bytes checked.

        Raises
        ------
        BenchmarkError
            If there is none, it cannot be downloaded, or its bytes are wrong.
        MissingExtraError
            If the package that carries it is not installed.
        """
        if isinstance(self.origin, Pinned):
            return source.fetch(self.name, self.path, self.origin.url, self.origin.sha256)
        if isinstance(self.origin, PinnedFolder):
            for each in self.origin:
                source.fetch(self.name, self.path / each.file, each.url, each.sha256)
        return self.path

    def to_dict(self) -> dict[str, Any]:
        """Return its entry in the JSON document ``driftkit.datasets/1``."""
        pinned = self.origin if isinstance(self.origin, Pinned) else None
        several = self.origin if isinstance(self.origin, PinnedFolder) else None
        where = pinned or several
        said = ("name", "task", "language", "n_items", "citation")
        return {name: getattr(self, name) for name in said} | {
            "licence": self.license,
            "package": self.origin.package if isinstance(self.origin, Packaged) else None,
            "url": where and where.url,
            "sha256": pinned and pinned.sha256,
            "files": several and dict(several.files),
            "path": str(self.path) if self.has_file else None,
            "is_here": self.is_here,
        }

    def read(self) -> Any:
        """Return the benchmark from its file, fetched first; or what the function returns.

        Raises
        ------
        BenchmarkError, MissingExtraError
            What `fetch` raises; or if the file cannot be parsed, or the benchmark has another name.
        """
        found: Any
        if callable(self.origin):
            made_by = f"the function registered as benchmark {self.name!r}"
            with guarded(lambda why: BenchmarkError(f"{made_by} failed ({why}).")):
                found = self.origin()
                if not hasattr(getattr(found, "benchmark", found), "name"):
                    raise TypeError(f"{type(found).__name__} is no benchmark, nor evaluator of one")
        elif self.task == "bias":
            found = read_word_set(self.fetch(), self.name)
        elif isinstance(self.origin, Packaged):
            found = _of_package(self.fetch(), self.name)
        else:
            found = read_benchmark(self.fetch(), self.name)
        if name_of(found) != self.name:
            raise BenchmarkError(
                f"the benchmark registered as {self.name!r} calls itself {name_of(found)!r}; rules "
                "and results go by the name, so give both the same."
            )
        return found


@lru_cache(maxsize=8)
def _of_package(path: Path, name: str) -> Any:
    """Read a file that an installed package carries, once: every audit asks for three of them.

    What is given to everyone must not be written to.
    """
    found = read_benchmark(path, name)
    if (gold := getattr(found, "gold", None)) is not None:
        gold.setflags(write=False)
    return found


def _built_in() -> dict[str, Dataset]:
    text = files("driftkit.datasets").joinpath("catalog.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)
    found = {}
    for name, row in rows["benchmarks"].items():
        origin: Packaged | Pinned | PinnedFolder
        if "package" in row:
            origin = Packaged(*row["package"])
        elif "files" in row:
            origin = PinnedFolder(**rows["folders"][row["from"]], files=row["files"])
        else:
            file = {key: row[key] for key in ("file", "sha256", "kept_as") if key in row}
            origin = Pinned(**rows["folders"][row["from"]], **file)
        said = {"license": NOT_STATED, "language": "en"} | row
        about = {key: said[key] for key in ("task", "language", "n_items", "license", "citation")}
        found[name] = Dataset(name, **about, origin=origin)
    return found


REGISTRY = _built_in()
"""Benchmarks by name: those of driftkit, then those that were registered."""

_OWN = frozenset(REGISTRY)


def register_benchmark(
    name: str,
    load: Load | str | PathLike[str],
    *,
    task: str = "other",
    language: str = "",
    n_items: int | None = None,
    license: str = NOT_STATED,  # noqa: A002
    citation: str = "",
) -> None:
    """Give a benchmark a name, so that functions, the command line and rules know it by that.

    Parameters
    ----------
    name : str
        What users type, in rules too: ``spearman[NAME] >= -0.02``.
    load : callable or path
        A file, or a folder of BATS, whose kind is told from its content; a plugin gives
        ``Path(__file__).parent / "mine.csv"``. Or a function without arguments that returns a
        benchmark (one of `driftkit.datasets`, or of a type that
        `driftkit.evaluators.register_evaluator` knows), or an evaluator of one; it is called when
        the benchmark is first asked for, and what it returns has the same name.
    task : str
        The heading it stands under in ``driftkit datasets list``.
    language, n_items, license, citation
        What that list and its JSON say about it; all may be left out. `citation` begins with
        authors and year, or says in a few words what the benchmark is.

    Raises
    ------
    OptionError
        If another benchmark has that name, or `load` is neither a function nor a path where
        something is.
    """
    if not isinstance(name, str) or not name or re.search(r"[\[\]\s]", name):
        raise OptionError(
            f"a benchmark cannot be called {name!r}: rules write names in brackets, so a name has "
            "no spaces and no brackets."
        )
    if not callable(load) and not isinstance(load, str | PathLike):
        raise OptionError(
            f"benchmark {name!r} came with {type(load).__name__}; give the path of a file, or a "
            "function that returns the benchmark."
        )
    origin = load if callable(load) else Path(load).absolute()
    dataset = Dataset(name, task, language, n_items, license, citation, origin)
    if name in _OWN or REGISTRY.get(name, dataset) != dataset:
        raise OptionError(
            f"a benchmark called {name!r} is registered already; choose another name."
        )
    if not dataset.is_here:
        raise OptionError(
            f"benchmark {name!r}: there is no {origin}; give the path of a file, such as "
            'Path(__file__).parent / "mine.csv" in a plugin.'
        )
    REGISTRY[name] = dataset


def look_up(name: str) -> Dataset:
    """Return what is known of the benchmark called `name`, without reading it.

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
        load_plugins()  # one of them may register it
    if name not in REGISTRY:
        raise UnknownNameError(
            "benchmark", name, REGISTRY, "The path of a file works too; none is there."
        )
    return REGISTRY[name]


def get(name: str | PathLike[str] | Benchmark) -> Any:
    """Return a benchmark by name or by file.

    Parameters
    ----------
    name : str, path or Benchmark
        A name in `REGISTRY`, or the path of a file, or of a folder in the layout of BATS; a
        benchmark is returned as it is. A named benchmark that is not on this machine is
        downloaded, unless ``DRIFTKIT_OFFLINE`` is set.

    Returns
    -------
    SimilarityBenchmark, AnalogyBenchmark, CategorizationBenchmark, OutlierBenchmark, \
ChoiceBenchmark or WordSets
        Or what a registered name stands for, an evaluator for one.

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
    if not isinstance(name, str | PathLike):
        return name
    if str(name) not in ("", *REGISTRY) and Path(name).exists():
        return read_benchmark(name)
    return look_up(str(name)).read()


def get_all(
    names: Sequence[str | PathLike[str] | Benchmark] | str | None = None,
) -> tuple[Any, ...]:
    """Return the benchmarks of these `names`, `DEFAULT` when there are none.

    Raises
    ------
    BenchmarkError
        If two of them have the same name, or the list is empty.
    """
    asked = DEFAULT if names is None else [names] if isinstance(names, str) else names
    benchmarks = tuple(get(name) for name in asked)
    if not benchmarks:
        raise BenchmarkError(f"no benchmark was named; known: {', '.join(REGISTRY)}, or a file.")
    named = list(map(name_of, benchmarks))
    for name in named:
        if named.count(name) > 1:
            raise BenchmarkError(
                f"two benchmarks are called {name!r}; results are told apart by name, "
                "so rename one of the files or name it once."
            )
    return benchmarks
