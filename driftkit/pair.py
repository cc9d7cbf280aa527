"""Two tables of word vectors joined by word."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike

import numpy as np

from driftkit.arrays import Mask, Matrix, Rows, Values, changed_rows, row_blocks, row_norms
from driftkit.display import OneLine, counted
from driftkit.embeddings import Embeddings
from driftkit.errors import AlignmentError, OptionError, UnknownNameError
from driftkit.spill import joined


@dataclass(frozen=True)
class Pair(OneLine):
    """The words two tables share, row by row, and what sets the tables apart.

    Made by `align`. Shared words keep the order of the original table.

    Parameters
    ----------
    original, tuned : Embeddings
        The two tables.
    words : tuple of str
        The n shared words.
    original_rows, tuned_rows : ndarray of int64, shape (n,)
        Row of each shared word in each table.
    added, removed : tuple of str
        Words only the tuned table has, and words only the original has.
    """

    original: Embeddings
    tuned: Embeddings
    words: tuple[str, ...]
    original_rows: Rows = field(repr=False)
    tuned_rows: Rows = field(repr=False)
    added: tuple[str, ...] = field(repr=False)
    removed: tuple[str, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.words)

    def __repr__(self) -> str:
        width = self.mismatch or f"{self.original.dimensions}"
        return (
            f"<Pair of {counted(len(self), 'shared word')} x {width}: "
            f"{int(self.moved.sum()):,} moved, {len(self.added):,} added, "
            f"{len(self.removed):,} removed>"
        )

    @property
    def mismatch(self) -> str | None:
        """Why no row can be compared with its tuned one number by number; None where all can."""
        d, other = self.original.dimensions, self.tuned.dimensions
        return None if d == other else f"{d:,} against {other:,} dimensions"

    @cached_property
    def index(self) -> dict[str, int]:
        """Shared word to position among the shared words; treat it as read-only."""
        if self.words is self.original.words:
            return self.original.index
        return {word: position for position, word in enumerate(self.words)}

    def rows(self, words: Iterable[str]) -> Rows:
        """Return the position of each word among the shared words.

        Parameters
        ----------
        words : iterable of str

        Returns
        -------
        ndarray of int64, shape (m,)

        Raises
        ------
        UnknownNameError
            If a word is in neither table, or in only one of them.
        """
        try:
            return np.fromiter((self.index[word] for word in words), np.int64)
        except KeyError as error:
            word = str(error.args[0])
        for side, here, there in (
            ("original", self.original, self.tuned),
            ("tuned", self.tuned, self.original),
        ):
            if word in here:
                raise UnknownNameError(
                    "shared word",
                    word,
                    (),
                    f"it is only in the {side} table ({here.source.name}), not in "
                    f"{there.source.name}, and a comparison needs both.",
                )
        shared = counted(len(self), "word is", "words are")
        raise UnknownNameError(
            "word", word, self.words, f"It is in neither table; {shared} shared."
        )

    def require_as_read(self) -> None:
        """Refuse tables that were written to since they were read; see `Embeddings`."""
        for table in (self.original, self.tuned):
            table.require_as_read()

    @cached_property
    def before(self) -> Matrix:
        """Original vectors (n, d) of the shared words; a view wherever the order allows."""
        return _take(self.original.matrix, self.original_rows)

    @cached_property
    def after(self) -> Matrix:
        """Tuned vectors (n, d) of the shared words, of a width of their own; a view likewise."""
        return _take(self.tuned.matrix, self.tuned_rows)

    @cached_property
    def before_norms(self) -> Values:
        """Norms of `before`, (n,)."""
        return self.original.norms[self.original_rows]

    @cached_property
    def after_norms(self) -> Values:
        """Norms of `after`, (n,)."""
        return self.tuned.norms[self.tuned_rows]

    @cached_property
    def zero(self) -> Mask:
        """Shared words with a zero row on either side, (n,): they have no direction."""
        zero: Mask = (self.before_norms == 0) | (self.after_norms == 0)
        return zero

    @cached_property
    def changed(self) -> Mask:
        """Words whose row differs in any number, (n,), be it by rounding alone, or in width."""
        return changed_rows(self.before, self.after)

    @cached_property
    def moved(self) -> Mask:
        """Words whose row changed in width, or by more than `tolerance`, (n,)."""
        relative, absolute, of_length = self._rounding
        if self.mismatch or relative == absolute == of_length == 0:
            return self.changed
        moved = np.empty(len(self), bool)
        for rows in row_blocks(*self.before.shape):
            before, after = self.before[rows], self.after[rows]
            size = np.maximum(np.abs(before), np.abs(after)).astype(np.float64)
            gap = np.abs(before.astype(np.float64) - after)
            allowed = relative * size + absolute
            if of_length:
                length = np.maximum(self.before_norms[rows], self.after_norms[rows])
                moved[rows] = row_norms(gap) > of_length * length + row_norms(allowed)
            else:
                moved[rows] = (gap > allowed).any(axis=1)
        return moved

    @property
    def _rounding(self) -> tuple[float, float, float]:
        one, other = self.original.source.rounding, self.tuned.source.rounding
        of_length = math.hypot(one.of_length, other.of_length)  # by chance, over many numbers
        return one.relative + other.relative, one.absolute + other.absolute, of_length

    @property
    def tolerance(self) -> str:
        """The rule `moved` goes by, in words.

        Two roundings of one number differ by at most the sum of the two errors, so the sum is
        the bound; it is nearly that of the coarser source alone. What encoders computed is judged
        by the distance of the rows, as a share of the longer one.
        """
        if self.mismatch:
            return f"another width, {self.mismatch}"
        reasons = dict.fromkeys(
            table.source.rounding.reason
            for table in (self.original, self.tuned)
            if not table.source.rounding.is_exact
        )
        if not reasons:
            return "any difference in float32"
        relative, absolute, of_length = self._rounding
        parts = [f"{of_length:.3g} of a row's length"] if of_length else []
        if relative or absolute:
            parts.append(f"{relative:.3g} x |value| + {absolute:.3g}")
        bound = " and ".join(parts)
        return f"more than the rounding of the sources, {bound} ({'; '.join(reasons)})"


def align(original: Embeddings, tuned: Embeddings | None = None) -> Pair:
    """Join two tables by word.

    Parameters
    ----------
    original, tuned : Embeddings
        Tables whose rows may differ in number and order. Where they differ in dimension too, every
        shared row has moved, and what compares rows number by number is not measured.

    Returns
    -------
    Pair

    Raises
    ------
    OptionError
        If something else is given where a table is due; the message shows the call that works.
    AlignmentError
        If no word is shared.

    Examples
    --------
    >>> a = Embeddings(["good", "bad", "film"], np.eye(3))
    >>> b = Embeddings(["<pad>", "film", "good"], [[0, 0, 0], [0, 0, 1], [1, 1, 0]])
    >>> pair = align(a, b)
    >>> pair.words, pair.moved.tolist(), pair.added, pair.removed
    (('good', 'film'), [True, False], ('<pad>',), ('bad',))
    >>> align(a, Embeddings(["good", "bad", "film"], np.eye(3, 5))).mismatch
    '3 against 5 dimensions'
    """
    if not isinstance(original, Embeddings) or not isinstance(tuned, Embeddings):
        raise OptionError(_call_that_works(original, tuned))
    if original.words == tuned.words:
        tuned.words = original.words  # millions of equal strings need not be kept twice
        rows = np.arange(len(original))
        return Pair(original, tuned, tuple(original.words), rows, rows, (), ())
    where = tuned.index
    shared = [(row, where[word]) for row, word in enumerate(original.words) if word in where]
    if not shared:
        raise AlignmentError(
            f"{original.source.name} and {tuned.source.name} share no word "
            f"({_sample(original)} against {_sample(tuned)}). Is the vocabulary the right one?"
        )
    original_rows, tuned_rows = np.array(shared, np.int64).T
    return Pair(
        original,
        tuned,
        tuple(original.words[row] for row, _ in shared),
        original_rows,
        tuned_rows,
        tuple(word for word in tuned.words if word not in original),
        tuple(word for word in original.words if word not in tuned),
    )


def _call_that_works(original: object, tuned: object) -> str:
    """Say what `align` takes, and how to call it with what was given instead."""
    if isinstance(original, tuple | list) and tuned is None:
        kind = type(original).__name__
        return f"dk.align takes two tables, and one {kind} was given; call dk.align(*tables)."
    given, calls = zip(*map(_as_table, (original, tuned), ("original", "tuned")), strict=True)
    return (
        f"dk.align takes two tables, and {' and '.join(given)} were given; call "
        f"dk.align({', '.join(calls)})."
    )


def _as_table(given: object, name: str) -> tuple[str, str]:
    """Return what something is, and the expression that makes it a table."""
    if given is None:
        return "nothing", name
    if isinstance(given, Embeddings):
        return "a table", name
    if isinstance(given, str | PathLike):
        return "a path", f"dk.load({str(given)!r})"
    if hasattr(given, "key_to_index"):
        return "gensim vectors", f"dk.Embeddings.from_gensim({name})"
    kind = f"an object of type {type(given).__name__}"
    return kind, f"dk.Embeddings({name}_words, {name}_matrix)"


def _take(matrix: Matrix, rows: Rows) -> Matrix:
    """Rows of a matrix: a view when they are a run, put in order anew only when they are not."""
    first = int(rows[0])
    if np.array_equal(rows, np.arange(first, first + len(rows))):
        return matrix[first : first + len(rows)]
    d = matrix.shape[1]
    return joined((matrix[rows[some]] for some in row_blocks(len(rows), d)), len(rows), d)


def _sample(table: Embeddings) -> str:
    return ", ".join(repr(word) for word in table.words[:3]) + ", ..."
