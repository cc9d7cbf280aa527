"""A benchmark known by name: what it is, where its file comes from and where it lies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from driftkit.datasets import cache
from driftkit.datasets.benchmarks import Benchmark
from driftkit.datasets.parse import parse
from driftkit.errors import MissingExtraError

Task = Literal["similarity", "analogy", "categorization", "outliers"]


@dataclass(frozen=True, slots=True)
class Packaged:
    """A file that an installed package carries.

    Parameters
    ----------
    package, file : str
        The package, and the file inside it.
    """

    package: str
    file: str


@dataclass(frozen=True, slots=True)
class Pinned:
    """A file of a public repository at one commit.

    Parameters
    ----------
    repository, commit, folder, file : str
        ``owner/name``, 40 hexadecimal digits, the folder in it and the file in that.
    sha256 : str
        Of the file's bytes.

    Examples
    --------
    >>> Pinned("mfaruqui/eval-word-vectors", "94b3dd9", "data/word-sim", "EN-MC-30.txt", "33ee").url
    'https://raw.githubusercontent.com/mfaruqui/eval-word-vectors/94b3dd9/data/word-sim/EN-MC-30.txt'
    """

    repository: str
    commit: str
    folder: str
    file: str
    sha256: str

    @property
    def url(self) -> str:
        """Where the bytes are."""
        return "/".join((cache.HOST, self.repository, self.commit, self.folder, self.file))


@dataclass(frozen=True, slots=True)
class Dataset:
    """A benchmark known by name.

    Parameters
    ----------
    name : str
        What users type.
    task : {"similarity", "analogy", "categorization", "outliers"}
        What its items ask.
    language : str
        ISO 639-1 code.
    n_items : int
        Number of items the file gives, repeats included.
    licence : str
        As stated by its authors, or ``"not stated"``.
    citation : str
        The paper to cite: authors, year, title.
    origin : Packaged or Pinned
        Where the file comes from.
    """

    name: str
    task: Task
    language: str
    n_items: int
    licence: str
    citation: str
    origin: Packaged | Pinned

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
    def path(self) -> Path:
        """Where the file lies on this machine, or is to lie once it is fetched."""
        if isinstance(self.origin, Pinned):
            return cache.folder() / self.task / self.origin.file
        # gensim.test.utils.datapath gives the same path but imports all of gensim first.
        spec = find_spec(self.origin.package)
        if spec is None or spec.origin is None:
            raise MissingExtraError(f"benchmark {self.name}", self.origin.package, "all")
        return Path(spec.origin).parent / self.origin.file

    @property
    def is_here(self) -> bool:
        """Whether a file lies at `path`; its bytes are checked when it is read."""
        return self.path.is_file()

    def fetch(self) -> Path:
        """Return the path of the file, downloaded if it is absent, its bytes checked.

        Raises
        ------
        BenchmarkError
            If it is absent and cannot be downloaded, or its bytes are wrong.
        MissingExtraError
            If the package that carries it is not installed.
        """
        if isinstance(self.origin, Packaged):
            return self.path
        return cache.fetch(self.name, self.path, self.origin.url, self.origin.sha256)

    def to_dict(self) -> dict[str, Any]:
        """Return its entry in the JSON document ``driftkit.datasets/1``."""
        pinned = self.origin if isinstance(self.origin, Pinned) else None
        return {
            "name": self.name,
            "task": self.task,
            "language": self.language,
            "n_items": self.n_items,
            "licence": self.licence,
            "citation": self.citation,
            "package": None if isinstance(self.origin, Pinned) else self.origin.package,
            "url": pinned and pinned.url,
            "sha256": pinned and pinned.sha256,
            "path": str(self.path),
            "is_here": self.is_here,
        }

    def read(self) -> Benchmark:
        """Parse the file, fetched first; raises what `fetch` and `parse` raise."""
        return parse(self.fetch(), self.name)
