"""What an encoder is: texts go in, a float32 row for each comes out; and the table of its rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from driftkit.arguments import strings, whole
from driftkit.arrays import Matrix, as_array, type_name
from driftkit.embeddings import Embeddings
from driftkit.encoders import cache
from driftkit.encoders.fingerprint import fingerprint
from driftkit.errors import OptionError, SourceError
from driftkit.plugins import guarded
from driftkit.progress import Progress, as_progress
from driftkit.provenance import Problem, Rounding, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a model is used; which of them a kind of model takes, its class says.

    Parameters
    ----------
    pooling : {"mean", "cls", "last"}, optional
        How the vectors of tokens become one.
    prompt : str, optional
        What stands before every text, such as ``"query: "``.
    batch_size : int
        Texts that go through the model at once.
    device : str
        Where torch computes; ``"auto"`` is the GPU where there is one.
    max_length : int, optional
        Tokens of a text that are read; by default as many as the model says.
    dimensions : int, optional
        How many of the first numbers of a vector are kept (Matryoshka); all by default.
    cache : bool
        Whether rows are kept on disk, and taken from there.
    """

    pooling: str | None = None
    prompt: str | None = None
    batch_size: int = 64
    device: str = "auto"
    max_length: int | None = None
    dimensions: int | None = None
    cache: bool = True

    def __post_init__(self) -> None:
        whole(1, batch_size=self.batch_size)
        for name in ("max_length", "dimensions"):
            if (number := getattr(self, name)) is not None:
                whole(1, **{name: number})
        for name in ("prompt", "device"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                raise OptionError(f"{name}={value!r} was given; give a string.")

    @property
    def described(self) -> str:
        """The options that change what comes out, in words; empty where none was given."""
        said = [f"{self.pooling} pooling"] if self.pooling else []
        said += [f"prompt {self.prompt!r}"] if self.prompt is not None else []
        said += [f"at most {self.max_length:,} tokens"] if self.max_length else []
        said += [f"first {self.dimensions:,} dimensions"] if self.dimensions else []
        return ", ".join(said)


class Encoder(ABC):
    """A model that makes a vector of a text; one subclass for each kind of model.

    Parameters
    ----------
    name : str
        What messages and results call it.
    options : Options
    folder : Path, optional
        Where the model lies; None for one in memory, which may change from one call to the next.
    """

    kind: str
    """What people call such a model."""

    def __init__(self, name: str, options: Options, folder: Path | None = None) -> None:
        self.name, self.options, self.folder = name, options, folder

    @cached_property
    def fingerprint(self) -> str | None:
        """SHA-256 of all that decides what comes out: the model's files and the options.

        None for a function or a model in memory, whose content is not known to stay as it is.
        """
        if self.folder is None:
            return None
        return fingerprint(self.folder, (self.kind, self.options.described))

    @cached_property
    def dimensions(self) -> int:
        """Numbers in a vector, d; found by encoding a word."""
        return int(self.encode(["word"]).shape[1])

    def encode(self, texts: Sequence[str], *, progress: Progress | bool | None = None) -> Matrix:
        """Return one row for each text.

        Every distinct text is encoded once, the longest first. Rows are taken from the cache if
        the same model has encoded the same texts before.

        Parameters
        ----------
        texts : sequence of str
            The n texts.
        progress : callable or True, optional
            Called with (texts done, texts in all); True draws a bar.

        Returns
        -------
        ndarray of float32, shape (n, d)

        Raises
        ------
        OptionError
            If there is no text, or one is not a string.
        SourceError
            If the model cannot be opened, or gives no finite row for each text.
        MissingExtraError
            If the library that runs it is not installed.
        """
        return self._encode(texts, progress)[0]

    def table(
        self,
        texts: Sequence[str],
        ids: Sequence[str] | None = None,
        *,
        problems: Iterable[Problem] = (),
        progress: Progress | bool | None = None,
    ) -> EncodedItems:
        """Return the rows of the texts as a table, under their ids or, without these, the texts.

        Raises
        ------
        OptionError, SourceError, MissingExtraError
            As `encode`.
        VocabularyError
            If there are more or fewer ids than texts.
        """
        matrix, dtype = self._encode(texts, progress)
        source = Source(
            self.name,
            self.folder,
            "encoder",
            dtype,
            self.options.described or None,
            Rounding.of_computation(dtype),
            self.fingerprint,
        )
        words = texts if ids is None else ids
        return EncodedItems(
            words, matrix, encoder=self, texts=texts, source=source, problems=problems
        )

    def _encode(self, texts: Sequence[str], progress: Progress | bool | None) -> tuple[Matrix, str]:
        """Return the rows (n, d), and the type of the numbers that they were computed in."""
        asked = strings("texts", texts, "texts")
        if not asked:
            raise OptionError("no text was given to encode; give a list of one or more.")
        distinct = sorted(set(asked))
        key = None
        if self.options.cache and self.fingerprint is not None:
            key = cache.key_of(self.fingerprint, distinct)
        found = cache.read(key) if key is not None else None
        if found is None:
            found = self._compute(distinct, as_progress(progress, f"encoding by {self.name}"))
            if key is not None:
                cache.write(key, *found)
        rows, dtype = found
        place = {text: row for row, text in enumerate(distinct)}
        return rows[[place[text] for text in asked]], dtype

    def _compute(self, distinct: list[str], progress: Progress | None) -> tuple[Matrix, str]:
        order = sorted(range(len(distinct)), key=lambda row: -len(distinct[row]))
        rows: Matrix | None = None
        dtype = ""
        for start in range(0, len(order), self.options.batch_size):
            some = order[start : start + self.options.batch_size]
            made, dtype = self._checked([distinct[row] for row in some])
            if rows is None:
                rows = np.empty((len(order), made.shape[1]), np.float32)
            if made.shape[1] != rows.shape[1]:
                raise SourceError(
                    self.name,
                    f"gave {made.shape[1]} numbers for one text and {rows.shape[1]} for another; "
                    "an encoder gives the same for each.",
                )
            rows[some] = made
            if progress is not None:
                progress(start + len(some), len(order))
        assert rows is not None
        return rows, dtype

    def _checked(self, texts: list[str]) -> tuple[np.ndarray, str]:
        """Return what the model gives for some texts (b, d), and its type, or say what is wrong."""
        hint = "" if self.options.batch_size == 1 else "; if memory ran out, take a smaller batch"
        with guarded(lambda why: SourceError(self.name, f"could not encode ({why}){hint}.")):
            given = self._batch(texts)
            dtype = self._dtype(given)
            made = np.asarray(as_array(given))
        if made.ndim != 2 or len(made) != len(texts) or made.shape[1] == 0:
            raise SourceError(
                self.name,
                f"gave shape {made.shape} for {len(texts):,} texts; an encoder gives a row for "
                f"each, ({len(texts)}, numbers in a vector).",
            )
        if made.dtype.kind not in "fiu":
            raise SourceError(self.name, f"gave {made.dtype}, not numbers.")
        if (kept := self.options.dimensions) is not None:
            if kept > made.shape[1]:
                raise OptionError(
                    f"the first {kept:,} dimensions were asked for, and {self.name} gives "
                    f"{made.shape[1]:,}; ask for as many or fewer."
                )
            made = made[:, :kept]
        finite = np.isfinite(made).all(axis=1)
        if not finite.all():
            text = texts[int(finite.argmin())]
            raise SourceError(self.name, f"gave NaN or infinity for {text!r}.")
        return made, dtype

    def _dtype(self, given: Any) -> str:
        """Return the type of the numbers that a batch was computed in: that of its rows."""
        if hasattr(given, "detach"):
            return str(given.dtype).removeprefix("torch.")
        return type_name(np.asarray(given).dtype)

    @abstractmethod
    def _batch(self, texts: list[str]) -> Any:
        """Return the rows of some texts, an array or a tensor (b, d)."""

    def __repr__(self) -> str:
        said = self.options.described
        return f"<Encoder {self.name}: {self.kind}{said and ', '}{said}>"


class EncodedItems(Embeddings):
    """A table of an encoder's outputs, which knows the encoder that made it.

    Benchmarks are asked of the encoder itself, about their own words and sentences.

    Parameters
    ----------
    words, matrix, **more
        As of `Embeddings`.
    encoder : Encoder
    texts : sequence of str
        What was encoded for each word; kept as the mapping `texts`, from word to text.
    """

    def __init__(
        self,
        words: Sequence[str],
        matrix: Matrix,
        *,
        encoder: Encoder,
        texts: Sequence[str],
        **more: Any,
    ) -> None:
        super().__init__(words, matrix, **more)
        self.encoder = encoder
        told = [word.encode(errors="backslashreplace").decode() for word in words]
        first = dict(zip(reversed(told), reversed(texts), strict=True))
        self.texts: Mapping[str, str] = {word: first[word] for word in self.words}


def encoder_of(table: object) -> Encoder | None:
    """Return the encoder that made a `table`, or that it is itself; None for any other table."""
    if isinstance(table, Encoder):
        return table
    return table.encoder if isinstance(table, EncodedItems) else None
