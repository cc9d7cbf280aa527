"""A table of word vectors: words, and one float32 row for each."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from mmap import mmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from driftkit.arguments import shown
from driftkit.arrays import Matrix, Rows, Values, as_array, row_blocks, row_norms
from driftkit.display import OneLine, counted
from driftkit.errors import OptionError, SourceError, UnknownNameError, VocabularyError
from driftkit.escaping import printable
from driftkit.provenance import Problem, Source
from driftkit.store import write

if TYPE_CHECKING:
    import torch
    from gensim.models import KeyedVectors


class Embeddings(OneLine):
    """Words and their vectors, checked once when made and read-only afterwards.

    Parameters
    ----------
    words : sequence of str, or of int
        One word for each row; of items that are no words, their names or ids. Whole numbers, also
        an integer array of shape (n,), are kept as their decimal digits: ``17`` is ``"17"``. When a
        word comes twice the first row wins; the others are left out and listed in `problems`.
    matrix : array_like, torch.Tensor or torch.nn.Embedding, shape (n, d)
        The vectors. A C-ordered float32 array, memory-mapped or not, is used as it is; anything
        else is converted or copied.
    source : Source, optional
        Where the table came from.
    problems : iterable of Problem, optional
        What the loader had to skip or repair.

    Raises
    ------
    VocabularyError
        If there are more or fewer words than rows, or one is neither a string nor a whole number,
        or some are strings and some numbers.
    SourceError
        If the table is empty, not two-dimensional, not numeric, or holds NaN or infinity.

    Examples
    --------
    >>> e = Embeddings(["king", "queen"], [[1.0, 0.0], [0.8, 0.6]])
    >>> len(e), e.dimensions, "king" in e
    (2, 2, True)
    >>> e["queen"].tolist() == [np.float32(0.8), np.float32(0.6)]
    True
    >>> Embeddings(np.array([17, 18]), np.eye(2)).words
    ('17', '18')
    """

    def __init__(
        self,
        words: Sequence[str] | Sequence[int] | npt.NDArray[Any],
        matrix: npt.ArrayLike | torch.nn.Module | torch.Tensor | None = None,
        *,
        source: Source | None = None,
        problems: Iterable[Problem] = (),
    ) -> None:
        if matrix is None or not isinstance(words, Iterable):
            call = "words, matrix"
            if isinstance(words, Mapping):
                call = "list(vectors), list(vectors.values())"
            raise OptionError(
                "dk.Embeddings takes words and a matrix with a row for each of them; call "
                f"dk.Embeddings({call}), or dk.load(path) for a file."
            )
        self.source = source if source is not None else Source()
        self.problems: tuple[Problem, ...] = tuple(problems)
        self.matrix: Matrix = _as_matrix(matrix, self.source)
        self.words: Sequence[str] = _as_names(words, self.source)
        if len(self.words) != len(self.matrix):
            raise VocabularyError(
                self.source.name,
                f"{len(self.words):,} words were given for {len(self.matrix):,} rows; each row "
                "needs one word. Rows past the vocabulary are usually padding: cut the matrix, or "
                "give the vocabulary the model was trained with.",
            )
        if len(self.words) == 0:
            raise SourceError(self.source.name, "holds no word vector at all.")
        self._stamp = _stamp_of(_file_of(self.matrix, self.source))
        self._norms = row_norms(self.matrix)  # which tells what is not finite in the same pass
        _require_finite(self._norms, self.words, self.source)
        self._spell_out_surrogates()
        self._keep_first_of_each()
        self.matrix.flags.writeable = False

    def _spell_out_surrogates(self) -> None:
        """Write half of a surrogate pair as its escape: no file can hold it in UTF-8."""
        try:
            "".join(self.words).encode()
        except UnicodeEncodeError:
            told = [word.encode(errors="backslashreplace").decode() for word in self.words]
            pairs = enumerate(zip(told, self.words, strict=True))
            self.problems += tuple(
                Problem("invalid UTF-8", row, f"kept as {new!r}")
                for row, (new, word) in pairs
                if new != word
            )
            self.words = tuple(told)

    def _keep_first_of_each(self) -> None:
        if len(set(self.words)) == len(self.words):
            return
        index = dict(zip(reversed(self.words), range(len(self.words) - 1, -1, -1), strict=True))
        first = np.fromiter(
            (index[word] == row for row, word in enumerate(self.words)), bool, len(self.words)
        )
        self.problems += tuple(
            Problem("duplicate", row, f"{self.words[row]!r} again; its first row is used")
            for row in np.flatnonzero(~first).tolist()
        )
        self.words = tuple(word for word, kept in zip(self.words, first, strict=True) if kept)
        self.matrix, self._norms = self.matrix[first], self._norms[first]

    @property
    def dimensions(self) -> int:
        """Numbers in a vector, d."""
        return int(self.matrix.shape[1])

    @cached_property
    def index(self) -> dict[str, int]:
        """Map from word to row, made when first asked for; treat it as read-only."""
        return dict(zip(self.words, range(len(self.words)), strict=True))

    @property
    def norms(self) -> Values:
        """Euclidean norm of each row, shape (n,), summed in float64."""
        return self._norms

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the words, each ended by a line feed, then the float32 rows, little endian.

        The same table has the same digest whatever file format it was read from.
        """
        return self._digest()

    def is_as_read(self) -> bool:
        """Whether the rows are still those that were read, told by looking at all of them.

        Those of a memory-mapped file change with it, when it is written to in place. The file's own
        time tells, even where it was put back since, and lengths do; so does the digest, if it was
        asked for before. A file that another took the place of is still the one that was read.
        """
        if _was_written_to(self._stamp, _stamp_of(_file_of(self.matrix, self.source))):
            return False
        norms = row_norms(self.matrix)
        if not np.allclose(norms, self._norms, rtol=1e-9, atol=0):
            return False
        return "sha256" not in vars(self) or self._digest() == self.sha256

    def require_as_read(self) -> None:
        """Refuse a table that was written to since it was read, if it is memory-mapped.

        Raises
        ------
        SourceError
            If `is_as_read` says so.
        """
        if _is_mapped(self.matrix, self.source) and not self.is_as_read():
            raise SourceError(
                self.source.name,
                "was changed while it was read, so there is no result; let nobody write to it, "
                "and run the same again.",
            )

    def _digest(self) -> str:
        digest = hashlib.sha256()
        for some in row_blocks(len(self)):
            words = (f"{word}\n" for word in self.words[some])
            digest.update("".join(words).encode("utf-8", "surrogatepass"))
        for some in row_blocks(*self.matrix.shape):
            digest.update(np.ascontiguousarray(self.matrix[some], "<f4").data)
        return digest.hexdigest()

    def rows(self, words: Iterable[str]) -> Rows:
        """Return the row of each word, shape (m,).

        Raises
        ------
        UnknownNameError
            If a word is not in the table; the nearest one is suggested.
        """
        try:
            return np.fromiter((self.index[word] for word in words), np.int64)
        except KeyError as error:
            word = str(error.args[0])
            raise UnknownNameError(
                "word", word, self.words, f"It is not among the {counted(len(self), 'word')}."
            ) from None

    def __contains__(self, word: object) -> bool:
        return word in self.index

    def __getitem__(self, word: str) -> Matrix:
        if not isinstance(word, str):
            name = isinstance(word, int) and f"; names are strings, so ask for table['{word}']"
            several = "; for several, table.rows(words)"
            raise OptionError(f"table[{word!r}] was asked for{name or several}.")
        return np.asarray(self.matrix[self.rows([word])[0]])

    def __len__(self) -> int:
        return len(self.words)

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __repr__(self) -> str:
        return (
            f"<Embeddings {printable(self.source.name)}: {counted(len(self), 'word')} x "
            f"{self.dimensions}, {self.source.format}>"
        )

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the table as a driftkit folder, which `driftkit.load` opens memory-mapped.

        The folder is written whole, then renamed. It also keeps where the table came from, how
        finely its numbers were rounded, and its problems.

        Parameters
        ----------
        folder : path
            An older driftkit folder there is replaced.

        Raises
        ------
        OptionError
            If something else stands there.

        Examples
        --------
        >>> import tempfile, pathlib, driftkit
        >>> place = pathlib.Path(tempfile.mkdtemp()) / "tiny"
        >>> Embeddings(["good", "bad"], [[1.0, 0.5], [-1.0, 0.5]]).save(place)
        >>> driftkit.load(place)["bad"].tolist()
        [-1.0, 0.5]
        """
        write(self.words, self.matrix, self.source, self.problems, folder)

    @classmethod
    def from_gensim(cls, vectors: KeyedVectors) -> Embeddings:
        """Return the table of a gensim ``KeyedVectors``, without copying its vectors."""
        if not hasattr(vectors, "index_to_key"):
            given = f"and a {type(vectors).__name__} was given; call dk.Embeddings(words, matrix)"
            raise OptionError(f"dk.Embeddings.from_gensim takes gensim's KeyedVectors, {given}.")
        return cls(
            vectors.index_to_key, vectors.vectors, source=Source("KeyedVectors", format="gensim")
        )

    def to_gensim(self) -> KeyedVectors:
        """Return a gensim ``KeyedVectors`` with the same words and a copy of the vectors."""
        from gensim.models import KeyedVectors

        vectors = KeyedVectors(vector_size=self.dimensions, count=0, dtype=np.float32)
        vectors.add_vectors(list(self.words), np.array(self.matrix))
        return vectors


def _as_names(words: Iterable[Any], source: Source) -> tuple[str, ...]:
    """Return names as strings: those of whole numbers are their decimal digits."""
    names = tuple(words.tolist() if isinstance(words, np.ndarray) else words)
    is_text, is_whole = (all(map(each, set(map(type, names)))) for each in (_is_text, _is_whole))
    if is_text:
        return names
    if is_whole:
        return tuple(str(int(name)) for name in names)
    strange = [name for name in names if not (_is_text(type(name)) or _is_whole(type(name)))]
    held = f"hold {shown(strange[0])}" if strange else "are strings and numbers"
    why = f"the words {held}; give strings, or whole numbers, which are kept as their digits."
    raise VocabularyError(source.name, why)


def _is_text(kind: type) -> bool:
    return issubclass(kind, str)


def _is_whole(kind: type) -> bool:
    return issubclass(kind, int | np.integer) and not issubclass(kind, bool)


def _as_matrix(matrix: Any, source: Source) -> Matrix:
    array: npt.NDArray[Any] = np.asanyarray(as_array(matrix))
    if array.ndim != 2 or array.shape[1] == 0:
        raise SourceError(
            source.name,
            f"has shape {array.shape}; a table of word vectors has two dimensions, "
            "(words, numbers in a vector).",
        )
    if array.dtype.kind not in "fiu":
        raise SourceError(source.name, f"holds {array.dtype}, not numbers.")
    try:
        with np.errstate(over="raise"):
            return np.ascontiguousarray(array, np.float32).view()
    except FloatingPointError:
        why = "holds numbers past 3.4e38, too large for float32; scale the table down."
        raise SourceError(source.name, why) from None


def _is_mapped(matrix: Any, source: Source) -> bool:
    """Whether an array is, or shows a part of, a memory-mapped file, as tensors of one may."""
    is_known = isinstance(_base_of(matrix), np.memmap | mmap)
    return is_known or _file_of(matrix, source) is not None


def _base_of(matrix: Any) -> Any:
    """Return what holds the numbers of an array: a mapped file, a tensor, or an array itself."""
    while isinstance(matrix, np.ndarray) and not isinstance(matrix, np.memmap):
        if matrix.base is None:
            break
        matrix = matrix.base
    return matrix


def _file_of(matrix: Any, source: Source) -> Path | None:
    """Return the file that an array is mapped from; None if there is none, or it is not known."""
    base = _base_of(matrix)
    if isinstance(base, np.memmap):
        return None if base.filename is None else Path(base.filename)
    return source.path if type(base).__module__ == "torch" else None


def _stamp_of(path: Path | None) -> tuple[int, ...] | None:
    """Return which file there is at a path, and when it was last written to."""
    try:
        found = None if path is None else path.stat()
    except OSError:
        return None
    return found and (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def _was_written_to(then: tuple[int, ...] | None, now: tuple[int, ...] | None) -> bool:
    return then is not None and now is not None and then[:2] == now[:2] and then != now


def _require_finite(norms: Values, words: Sequence[str], source: Source) -> None:
    """Refuse rows whose norm is not finite; that of finite float32 numbers always is in float64."""
    bad = np.flatnonzero(~np.isfinite(norms)).tolist()
    if bad:
        named = ", ".join(repr(words[row]) for row in bad[:5]) + (", ..." if len(bad) > 5 else "")
        raise SourceError(
            source.name,
            f"{len(bad):,} of {len(norms):,} rows hold NaN or infinity ({named}); vectors must be "
            "finite. Training that diverged, or an overflow in fp16, leaves such rows.",
        )
