"""What a source holds: its possible word tables, its words, and what to run next."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from driftkit.display import Displayed, table, unwrapped

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class TableInfo:
    """One tensor that looks like a word table.

    Parameters
    ----------
    key : str or None
        Its name; None where the file holds one table.
    shape : tuple of int
        (rows, numbers in a vector).
    dtype : str
        As stored.
    fits : bool or None
        Whether the vocabulary has one word a row; None where no vocabulary was found.
    zero_share : float
        Share of all-zero rows, of those looked at: evenly spaced ones of a tensor, the first ones
        of a text or word2vec file.
    equals : str or None
        Another table of the file that holds the same numbers, and whether the two are tied
        (stored once) or equal.
    equals_original : bool or None
        Whether every row looked at is the original's; None where no original was given, or none
        of its words is here.
    """

    key: str | None
    shape: tuple[int, ...]
    dtype: str
    fits: bool | None
    zero_share: float
    equals: str | None = None
    equals_original: bool | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Inspection(Displayed):
    """What a source holds, as `inspect` found it.

    Parameters
    ----------
    source : str
        As typed.
    path : pathlib.Path, optional
        The file.
    format : str
        Such as ``"torch"``.
    tables : tuple of TableInfo
        Tensors that look like word tables, those that fit the vocabulary first.
    vocabulary : str, optional
        The vocabulary's file, or where else the words are; None where none was found.
    words : int, optional
        How many words the vocabulary has.
    problems : tuple of str
        What stands in the way, and what a loader had to skip or repair.
    original : str or None
        What the tables were compared with.
    others : int
        Further matrices, which are no word tables by name, shape or vocabulary.
    """

    source: str
    path: Path | None
    format: str
    tables: tuple[TableInfo, ...]
    vocabulary: str | None
    words: int | None
    problems: tuple[str, ...]
    original: str | None = None
    others: int = 0

    def command(self, table: TableInfo | None = None) -> str:
        """Return the command that audits a table, by default the first.

        ``ORIGINAL`` stands for the table it was tuned from, if none was given, and ``FILE`` for a
        vocabulary where none was found that fits.

        Parameters
        ----------
        table : TableInfo, optional
        """
        table = table or self.tables[0]
        target = self.source if self.path is None else str(self.path)
        if table.key is not None:
            target += f"::{table.key}"
        original = "ORIGINAL" if self.original is None else shlex.quote(self.original)
        parts = ["driftkit", "audit", original, shlex.quote(target)]
        is_file = self.path is not None and self.path.is_file()
        if not table.fits:
            parts += ["--vocab", "FILE"]
        elif is_file and self.vocabulary is not None and Path(self.vocabulary).is_file():
            parts += ["--vocab", shlex.quote(self.vocabulary)]
        return " ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            "source": self.source,
            "path": None if self.path is None else str(self.path),
            "format": self.format,
            "vocabulary": self.vocabulary,
            "words": self.words,
            "original": self.original,
            "others": self.others,
            "tables": [
                asdict(table) | {"shape": list(table.shape), "command": self.command(table)}
                for table in self.tables
            ],
            "problems": list(self.problems),
        }

    def to_frame(self) -> pd.DataFrame:
        """Return one row per table: key, rows, dimensions, dtype, fits, zero_share, equals, ..."""
        import pandas as pd

        columns = ["key", "rows", "dimensions", "dtype", "fits", "zero_share"]
        columns += ["equals", "equals_original"]
        rows = [
            (t.key, *t.shape, t.dtype, t.fits, t.zero_share, t.equals, t.equals_original)
            for t in self.tables
        ]
        return pd.DataFrame(rows, columns=columns)

    def __rich__(self) -> RenderableType:
        parts: list[RenderableType] = [Text(f"{self.source}: {self.format}", "bold")]
        if self.words is not None:
            parts.append(Text(f"vocabulary: {self.vocabulary}, {self.words:,} words"))
        if self.tables:
            made = table("tensor", "type", "vocabulary", right=("rows", "d", "zero rows"))
            fits = {True: "fits", False: "does not fit", None: "none found"}
            for info in self.tables:
                rows, d = info.shape
                cells = (info.dtype, fits[info.fits], f"{rows:,}", str(d), f"{info.zero_share:.1%}")
                made.add_row(info.key or "-", *cells)
            parts.append(made)
        for info in self.tables:
            if info.equals:
                said = f"{info.key or 'the table'} holds the same numbers as {info.equals}"
                parts.append(Text(said))
        if self.original is not None:
            found = {True: "equals", False: "differs from", None: "shares no word looked at with"}
            for info in self.tables:
                said = f"{info.key or 'the table'} {found[info.equals_original]} the original"
                parts.append(Text(said))
        if self.others:
            parts.append(Text(f"not listed: {self.others:,} matrices that are not tables", "dim"))
        parts += [Text(f"problem: {problem}", "yellow") for problem in self.problems]
        if self.tables:
            parts.append(unwrapped(f"next: {self.command()}", "bold"))
        return Group(*parts)
