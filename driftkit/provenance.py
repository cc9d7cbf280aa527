"""Where a table of vectors came from, and how finely its numbers were stored."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from driftkit.escaping import printable

_NARROW = {
    "float16": ("fp16", 11, -24),
    "bfloat16": ("bf16", 8, -133),
    "float8_e4m3fn": ("fp8 e4m3", 4, -9),
    "float8_e4m3fnuz": ("fp8 e4m3", 4, -10),
    "float8_e5m2": ("fp8 e5m2", 3, -16),
    "float8_e5m2fnuz": ("fp8 e5m2", 3, -17),
}
"""Types narrower than float32: name, bits of the significand, exponent of the smallest number."""

_COMPUTED = {"float32": (24, 256), "float16": (11, 6), "bfloat16": (8, 4), "int8": (8, 16)}
"""Types in which models compute: bits of the significand, units that two runs may differ by."""


@dataclass(frozen=True, slots=True)
class Rounding:
    """How far a stored number may lie from the one meant: ``relative * |x| + absolute`` for ``x``.

    For what a model computed, how far a row may lie from the one meant: ``of_length`` times its
    length.

    Examples
    --------
    >>> Rounding.of_dtype("float16").relative == 2 ** -11
    True
    >>> Rounding.of_decimals(5).absolute
    5e-06
    """

    relative: float = 0.0  # both are 0 where float32 holds the value exactly
    absolute: float = 0.0
    reason: str = "exact"  # one phrase for reports
    of_length: float = 0.0

    @property
    def is_exact(self) -> bool:
        """Whether every value is held exactly."""
        return self.relative == self.absolute == self.of_length == 0.0

    @classmethod
    def of_dtype(cls, dtype: str) -> Rounding:
        """Return the rounding of a floating-point type: half a unit in the last place.

        Below the smallest normal number the step is fixed, which gives the absolute part. Types
        that are not listed are exact, since driftkit compares in float32.
        """
        if dtype not in _NARROW:
            return cls()
        name, bits, smallest = _NARROW[dtype]
        reason = f"{name}: half a unit in the last of {bits} bits"
        return cls(2.0**-bits, 2.0 ** (smallest - 1), reason)

    @classmethod
    def of_decimals(cls, decimals: int) -> Rounding:
        """Return the rounding of text with this many decimals: half a unit in the last one."""
        return cls(
            2.0**-24, 0.5 * 10.0**-decimals, f"text: half a unit in decimal place {decimals}"
        )

    @classmethod
    def of_digits(cls, digits: int) -> Rounding:
        """Return the rounding of text with this many significant digits."""
        return cls(
            0.5 * 10.0 ** (1 - digits), 0.0, f"text: half a unit in significant digit {digits}"
        )

    @classmethod
    def of_computation(cls, dtype: str) -> Rounding:
        """Return how far two runs of one model that computes in a type may lie apart.

        Rounding adds up through the layers, and in another order for another size of batch,
        number of threads or processor, so it is measured and not derived. It is a share of a row's
        length, since the small numbers of a row come out as far off as the large ones. A real
        encoder of six layers came out at most 4.2 units in the last place of float16, and 3.8 of
        bfloat16, away from its float32 outputs; allowed are 6 and 4, that is 0.003 and 0.016 of
        the length. In bfloat16 `driftkit.verify` allows the same. Two runs in float32 differed by
        at most 51 units, and 256 are allowed. Other types are exact: a model whose weights
        became integers is another model.

        Parameters
        ----------
        dtype : str
            Such as ``"float16"``; ``"int8"`` stands for a table of vectors kept as such.
        """
        bits, units = _COMPUTED.get(dtype, (0, 0))
        if not units:
            return cls()
        reason = f"computed in {dtype}: {units} units in the last of {bits} bits"
        return cls(reason=reason, of_length=units * 2.0**-bits)


BY_FREQUENCY = frozenset(
    {"glove-text", "word2vec-text", "word2vec-binary", "fasttext", "gensim", "package"}
)
"""Formats whose tools write the most frequent word first. The order of a tokenizer's vocabulary, of
a checkpoint or of a table in memory means nothing that is known."""


@dataclass(frozen=True, slots=True)
class Source:
    """The origin of a table of vectors."""

    name: str = "memory"  # as the user typed it
    path: Path | None = None  # the file or folder read
    format: str = "memory"  # such as "glove-text" or "torch"
    dtype: str = "float32"  # of the numbers as stored; "text" for digits
    key: str | None = None  # name of the tensor inside the file
    rounding: Rounding = Rounding()
    fingerprint: str | None = None  # of the encoder that made the rows, if it is known

    @property
    def place(self) -> str:
        """What the position of a word is: its ``rank`` by frequency, or only its ``row``."""
        return "rank" if self.format in BY_FREQUENCY else "row"

    def sha256(self) -> str | None:
        """Return the SHA-256 of the file, or of the model that encoded, in hexadecimal.

        None for a folder of anything else, or what is in memory.
        """
        if self.fingerprint is not None:
            return self.fingerprint
        if self.path is None or not self.path.is_file():
            return None
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something a loader had to skip or repair, or what is to be known of what it read."""

    kind: str  # short and stable, such as "duplicate"
    where: int | None  # line of a text file (from 1) or row of a table (from 0); None for the whole
    detail: str  # one phrase that names the word or the value

    def __str__(self) -> str:
        at = "" if self.where is None else f" at {self.where:,}"
        return printable(f"{self.kind}{at}: {self.detail}")
