"""What a benchmark asks, with its human answers; nothing about any table of vectors.

The name of each is the one it is registered under, or the file's name without its ending.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from driftkit.arguments import shown
from driftkit.errors import BenchmarkError


@dataclass(frozen=True, slots=True, eq=False)
class _Checked:
    """A benchmark, or a part of one, that is checked when made; what it holds becomes tuples."""

    name: str

    def __len__(self) -> int:
        """Return the number of items, which the field after the name holds."""
        return len(getattr(self, fields(self)[1].name))

    def _error(self, wrong: str) -> BenchmarkError:
        return BenchmarkError(f"benchmark {shown(self.name)}: {wrong}.")

    def _tuple(self, name: str, given: Any, kind: type, due: int | None = None) -> tuple[Any, ...]:
        if isinstance(given, str) or not isinstance(given, Iterable):
            raise self._error(f"{name}={shown(given)} was given; give a list or a tuple")
        items = tuple(given)
        if not isinstance(self.name, str) or not all(isinstance(item, kind) for item in items):
            wrong = f"{name} holds {shown(items)}; name and {name} must be {kind.__name__}"
            raise self._error(wrong)
        if due is not None and len(items) != due:
            raise self._error(f"{name} holds {shown(items)}, and {due} words are due there")
        return items

    def _take(self, *names: str, kind: type = str, due: int | None = None) -> None:
        """Make tuples of fields that hold words, or another kind."""
        for name in names:
            object.__setattr__(self, name, self._tuple(name, getattr(self, name), kind, due))

    def _take_items(self, name: str, due: int | None = None) -> None:
        """Make a tuple of items, which are tuples of words, of a field."""
        items = self._tuple(name, getattr(self, name), Iterable)
        items = tuple(self._tuple(name, each, str, due) for each in items)
        object.__setattr__(self, name, items)

    def _one_each(self, items: str, *names: str) -> None:
        needed = len(getattr(self, items))
        for name in names:
            if (given := len(getattr(self, name))) != needed:
                raise self._error(f"{name} holds {given} for {needed} {items}; give one for each")


@dataclass(frozen=True, slots=True, eq=False)
class SimilarityBenchmark(_Checked):
    """Pairs of words, or of sentences, and how similar people found them.

    Parameters
    ----------
    name : str
    pairs : tuple of (str, str)
        The m pairs as written, repeats included.
    gold : ndarray of float64, shape (m,)
        Human scores on the benchmark's own scale.
    """

    pairs: tuple[tuple[str, str], ...] = field(repr=False)
    gold: npt.NDArray[np.float64] = field(repr=False)

    def __post_init__(self) -> None:
        try:
            gold = np.asarray(self.gold)
        except ValueError:  # rows of unequal length
            gold = np.empty(0, object)
        if gold.ndim != 1 or gold.dtype.kind not in "biuf":
            raise self._error(f"gold={shown(self.gold)} was given; give one number for each pair")
        object.__setattr__(self, "gold", gold.astype(np.float64, copy=False))
        self._take_items("pairs", 2)
        self._one_each("pairs", "gold")
        for pair, rating in zip(self.pairs, self.gold.tolist(), strict=True):
            if not math.isfinite(rating):
                raise self._error(f"the rating of {pair} is {rating}; leave out unrated pairs")

    @property
    def is_of_sentences(self) -> bool:
        """Whether most texts have three words or more, as sentences have and words of tables not.

        Examples
        --------
        >>> pair = ("green tea is hot", "tea is a drink")
        >>> SimilarityBenchmark("toy", (pair,), np.ones(1)).is_of_sentences
        True
        """
        texts = [text for pair in self.pairs for text in pair]
        return 2 * sum(len(text.split()) > 2 for text in texts) > len(texts)


@dataclass(frozen=True, slots=True, eq=False)
class AnalogyBenchmark(_Checked):
    """Questions a : b = c : ?, each with its answer d.

    Parameters
    ----------
    name : str
    quadruples : tuple of (str, str, str, str)
        The m questions (a, b, c, d) as written, repeats included.
    categories : tuple of str
        The section of each question; the empty string where the file has no sections.
    alternatives : tuple of tuple of str
        Answers accepted besides d, for each question; empty where every question has only d.
    groupings : mapping of str to tuple of str
        Names of groups of sections, where the source has them.
    """

    quadruples: tuple[tuple[str, str, str, str], ...] = field(repr=False)
    categories: tuple[str, ...] = field(repr=False)
    alternatives: tuple[tuple[str, ...], ...] = field(repr=False, default=())
    groupings: Mapping[str, tuple[str, ...]] = field(repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._take("categories")
        self._take_items("quadruples", 4)
        self._take_items("alternatives")
        self._one_each("quadruples", "categories", *(["alternatives"] if self.alternatives else []))

    @property
    def accepted(self) -> tuple[tuple[str, ...], ...]:
        """Every accepted answer of each question, d first."""
        answers = self.alternatives or ((),) * len(self.quadruples)
        return tuple((q[3], *more) for q, more in zip(self.quadruples, answers, strict=True))

    @property
    def sections(self) -> tuple[str, ...]:
        """The sections in the order of the file; empty where it has none."""
        return tuple(dict.fromkeys(category for category in self.categories if category))

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Sections under ``"semantic"`` and ``"syntactic"``; empty unless the file has both kinds.

        word2vec's convention: the names of syntactic sections start with ``gram``. Where the
        benchmark was made with `groupings`, these are given.
        """
        if self.groupings:
            return dict(self.groupings)
        syntactic = tuple(name for name in self.sections if name.startswith("gram"))
        semantic = tuple(name for name in self.sections if name not in syntactic)
        return {"semantic": semantic, "syntactic": syntactic} if semantic and syntactic else {}


@dataclass(frozen=True, slots=True, eq=False)
class CategorizationBenchmark(_Checked):
    """Words and the category people put each of them in.

    Parameters
    ----------
    name : str
    words : tuple of str
        The m words as written; a word that people put in two categories stands there twice.
    labels : tuple of str
        The category of each word.
    """

    words: tuple[str, ...] = field(repr=False)
    labels: tuple[str, ...] = field(repr=False)

    def __post_init__(self) -> None:
        self._take("words", "labels")
        self._one_each("words", "labels")

    @property
    def categories(self) -> tuple[str, ...]:
        """The distinct categories in the order of the file."""
        return tuple(dict.fromkeys(self.labels))


@dataclass(frozen=True, slots=True)
class OutlierGroup(_Checked):
    """Words that belong together, and words that do not belong with them.

    Parameters
    ----------
    name : str
        What the words have in common.
    words : tuple of str
        The words of the group, two or more.
    outliers : tuple of str
        Words to be told from the group, one at a time.
    """

    words: tuple[str, ...] = field(repr=False)
    outliers: tuple[str, ...] = field(repr=False)

    def __post_init__(self) -> None:
        self._take("words", "outliers")
        if len(self.words) < 2:
            raise self._error(f"{len(self.words)} word was given; a group needs two or more")


@dataclass(frozen=True, slots=True, eq=False)
class OutlierBenchmark(_Checked):
    """Groups of words, each with outliers; an item is one outlier among its group.

    Parameters
    ----------
    name : str
    groups : tuple of OutlierGroup
        The groups in the order of the file.
    """

    groups: tuple[OutlierGroup, ...] = field(repr=False)

    def __post_init__(self) -> None:
        self._take("groups", kind=OutlierGroup)

    def __len__(self) -> int:
        return sum(len(group.outliers) for group in self.groups)


@dataclass(frozen=True, slots=True, eq=False)
class ChoiceBenchmark(_Checked):
    """Questions which of several words means the same as a given one.

    Parameters
    ----------
    name : str
    stems : tuple of str
        The m words asked about.
    options : tuple of tuple of str
        The words to choose from, two or more for each question.
    right : tuple of int
        Place of the right one among the options, from 0.
    """

    stems: tuple[str, ...] = field(repr=False)
    options: tuple[tuple[str, ...], ...] = field(repr=False)
    right: tuple[int, ...] = field(repr=False)

    def __post_init__(self) -> None:
        self._take("stems")
        self._take_items("options")
        self._take("right", kind=int)
        self._one_each("stems", "options", "right")
        for right, words in zip(self.right, self.options, strict=True):
            if right not in range(len(words)):
                raise self._error(
                    f"right holds {right!r}; it is the place, from 0, in {shown(words)}"
                )


@dataclass(frozen=True, slots=True)
class WordSets(_Checked):
    """Two sets of target words and two of attribute words, for an association test of bias.

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

    labels: tuple[str, str, str, str]
    x: tuple[str, ...] = field(repr=False)
    y: tuple[str, ...] = field(repr=False)
    a: tuple[str, ...] = field(repr=False)
    b: tuple[str, ...] = field(repr=False)

    def __post_init__(self) -> None:
        self._take("labels", due=4)
        self._take(*"xyab")

    def __len__(self) -> int:
        return len(self.x) + len(self.y)


@runtime_checkable
class Benchmark(Protocol):
    """Any kind of benchmark: what is asked of a table, under a name."""

    @property
    def name(self) -> str:
        """What results call it."""


def name_of(benchmark: Any) -> str:
    """Return the name of a `benchmark`, or of the one that an evaluator scores."""
    name: str = getattr(benchmark, "benchmark", benchmark).name
    return name
