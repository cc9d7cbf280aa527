"""The lock: ids, hashed texts, vectors in float16 and settings, as one safetensors file.

safetensors, since any tool reads it, nothing in it can run, and its bytes are decided by what it
holds: no time, no compression. What is not a tensor stands as JSON in its metadata.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any, cast

import numpy as np

from driftkit.arguments import path_of, require, strings
from driftkit.arrays import Matrix, Rows
from driftkit.atomic import replacing
from driftkit.display import OneLine, counted
from driftkit.documents import parse_json
from driftkit.embeddings import Embeddings
from driftkit.encoders import encoder_of, read_items
from driftkit.errors import OptionError, SourceError
from driftkit.escaping import printable
from driftkit.files import LARGEST, Wrong, read_whole
from driftkit.provenance import Rounding, Source

SCHEMA = "driftkit.lock/2"
KEY = "vectors"

SETTINGS = ("name", "format", "key", "dtype", "fingerprint")
"""What is kept of the source of a table."""
OPTIONS = ("pooling", "prompt", "max_length")
"""What is kept besides of how an encoder was used."""

LIBRARIES = ("torch", "transformers", "sentence-transformers", "model2vec", "tokenizers")
"""Whose versions are kept with the outputs of an encoder."""

Texts = str | os.PathLike[str] | Mapping[str, str] | Sequence[str]


@dataclass(frozen=True, slots=True)
class Item:
    """One golden item; of its text only what cannot be read back is kept.

    Parameters
    ----------
    id : str
        Its name; one whose name is its text goes by the beginning of the hash.
    sha256 : str or None
        Of the text in UTF-8; None where no text was given, and then so are the others.
    characters : int or None
        Length of the text.
    cased : bool or None
        Whether lower-casing changes the text.
    """

    id: str
    sha256: str | None = None
    characters: int | None = None
    cased: bool | None = None

    @classmethod
    def of(cls, word: str, text: str | None) -> Item:
        """Return the item of a row, given its name in the table and its text, if it has one."""
        if text is None:
            return cls(word)
        digest = sha256(text.encode()).hexdigest()
        name = f"sha256:{digest[:16]}" if word == text else word
        return cls(name, digest, len(text), text != text.lower())


@dataclass(frozen=True, slots=True, repr=False)
class Lock(OneLine):
    """How a model behaved on some items. Made by `driftkit.lock`, or read by `read_lock`.

    Parameters
    ----------
    items : tuple of Item
    vectors : ndarray of float32, shape (n, d)
        Rounded to float16 when they were locked.
    settings : mapping
        The model's name, the type of its numbers, pooling and prompt, fingerprint, versions, and
        the name of the file of items.
    path : Path
        Where the lock is.
    """

    items: tuple[Item, ...]
    vectors: Matrix = field(repr=False)
    settings: Mapping[str, Any] = field(repr=False)
    path: Path

    @property
    def items_file(self) -> Path | None:
        """The list of items that was locked, where it still lies beside the lock."""
        name = self.settings.get("items")
        if not isinstance(name, str) or Path(name).name != name:
            return None
        folder = self.path.parent
        return folder / name if (folder / name.split("::")[0]).is_file() else None

    @property
    def table(self) -> Embeddings:
        """The locked vectors as a table, whose words are the ids."""
        source = Source(
            str(self.path), self.path, "lock", "float16", rounding=Rounding.of_dtype("float16")
        )
        return Embeddings([item.id for item in self.items], self.vectors, source=source)

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        of = printable(str(self.settings.get("name")))
        return f"<Lock of {of}: {counted(len(self), 'item')} x {self.vectors.shape[1]}>"


def lock(table: Embeddings, path: str | os.PathLike[str], *, texts: Texts | None = None) -> Lock:
    """Write down how a model behaves on some items, for `driftkit.verify` to compare with later.

    The file holds the vectors in float16, about 160 KB for 200 items of 384 numbers, and of each
    text only its hash, its length and whether it has capitals. It says nothing of when or where it
    was made: the same vectors and settings give the same bytes.

    Parameters
    ----------
    table : Embeddings
        A row for each item, from `driftkit.encode`, `driftkit.load` or made of arrays.
    path : path
        The file, such as ``embed.lock``; an older one is replaced.
    texts : path, mapping of str to str or sequence of str, optional
        The text of each item: a list of items as `driftkit.encode` reads it, texts by id, or in
        the order of the rows. Without texts, `verify` cannot tell an edited item from a changed
        model. Of a path, the name of the file is kept.

    Returns
    -------
    Lock
        As it was written: read back from the file.

    Raises
    ------
    OptionError
        If `table` is not a table, or the texts are not those of its items.
    OutputError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile, driftkit as dk
    >>> place = Path(tempfile.mkdtemp()) / "embed.lock"
    >>> table = dk.Embeddings(["a", "b"], [[1.0, 0.5], [0.25, 2.0]])
    >>> dk.lock(table, place, texts={"a": "green tea", "b": "Black tea"})
    <Lock of memory: 2 items x 2>
    >>> dk.verify(table, place).status
    'same'
    """
    require(table, Embeddings, "dk.lock")
    if 2 * table.matrix.size > LARGEST:
        raise OptionError(
            f"{len(table):,} items of {table.dimensions:,} numbers were given; a lock is a small "
            f"file, {LARGEST // 10**6} MB at most: some hundred items that you care for will do."
        )
    items = items_of(table, texts_of(texts))
    exponents = exponents_of(table.matrix)
    with np.errstate(over="raise"):
        rows = np.ldexp(table.matrix, -exponents[:, None]).astype("<f2")
    settings = settings_of(table)
    if isinstance(texts, str | os.PathLike):
        settings["items"] = Path(texts).name
    header = {
        "__metadata__": {
            "schema": SCHEMA,
            "exponents": _json(exponents.tolist()),
            "settings": _json(settings),
            "items": _json([asdict(item) for item in items]),
        },
        KEY: {"dtype": "F16", "shape": list(rows.shape), "data_offsets": [0, rows.nbytes]},
    }
    written = _json(header).encode()
    written += b" " * (-len(written) % 8)
    with replacing(path) as partial:
        partial.write_bytes(len(written).to_bytes(8, "little") + written + rows.tobytes())
    return Lock(items, _unpacked(rows, exponents), settings, Path(path))


def texts_of(texts: Texts | None) -> Mapping[str, str] | Sequence[str] | None:
    """Return texts, those of a file by id."""
    if not isinstance(texts, str | os.PathLike):
        return texts
    given = read_items(texts)
    return dict(zip(given.ids, given.texts, strict=True))


def items_of(
    table: Embeddings, texts: Mapping[str, str] | Sequence[str] | None
) -> tuple[Item, ...]:
    """Return the item of each row of a table."""
    if texts is None:
        return tuple(Item.of(word, None) for word in table.words)
    if isinstance(texts, Mapping):
        missing = [word for word in table.words if word not in texts]
        if missing:
            raise OptionError(
                f"texts has no text for {missing[0]!r}; give one for each of the {len(table):,} "
                "items, or none."
            )
        given = [texts[word] for word in table.words]
    else:
        given = [*strings("texts", texts, "texts")]
    if len(given) != len(table):
        raise OptionError(f"{len(given):,} texts were given for {len(table):,} items; give each.")
    strings("texts", given, "texts")
    return tuple(Item.of(word, text) for word, text in zip(table.words, given, strict=True))


def read_lock(path: str | os.PathLike[str]) -> Lock:
    """Read a file that `driftkit.lock` wrote.

    Parameters
    ----------
    path : path

    Returns
    -------
    Lock

    Raises
    ------
    SourceError
        If it cannot be read, or is not a lock.
    OptionError
        If it is no path.

    Examples
    --------
    >>> import tempfile, driftkit as dk
    >>> place = Path(tempfile.mkdtemp()) / "embed.lock"
    >>> _ = dk.lock(dk.Embeddings(["a"], [[1.0, 0.5]]), place)
    >>> read_lock(place).vectors.tolist()
    [[1.0, 0.5]]
    """
    place = path_of(path, "dk.read_lock")

    def wrong(why: str) -> SourceError:
        return SourceError(place, why)

    data = read_whole(place, wrong)
    try:
        return _parsed(data, place)
    except (ValueError, KeyError, TypeError, IndexError, OverflowError) as error:
        raise _no_lock(error, data, wrong) from None


def _no_lock(error: Exception, data: bytes, wrong: Wrong) -> Exception:
    other = b"driftkit.lock/" in data[:100_000] and SCHEMA.encode() not in data[:100_000]
    if other:
        return wrong(f"was written by another version of driftkit; this one reads {SCHEMA}.")
    why = str(error) if type(error) is ValueError else "something it should hold is missing"
    return wrong(f"is not a lock of driftkit, or is damaged ({why}); `driftkit lock` writes one.")


def _parsed(data: bytes, path: Path) -> Lock:
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 + length:
        raise ValueError("it ends early")
    header = parse_json(data[8 : 8 + length])
    about, tensor = header["__metadata__"], header[KEY]
    if about["schema"] != SCHEMA:
        raise ValueError(f"its schema is not {SCHEMA}")
    n, d = map(int, tensor["shape"])
    if tensor["dtype"] != "F16" or min(n, d) < 1 or len(data) != 8 + length + 2 * n * d:
        raise ValueError("its vectors are not those it announces")
    items = tuple(_item(each) for each in parse_json(about["items"]))
    settings = parse_json(about["settings"])
    exponents = np.array(parse_json(about["exponents"]))
    rows = np.frombuffer(data, "<f2", offset=8 + length).reshape(n, d)
    if len({item.id for item in items}) != n or len(items) != n or not isinstance(settings, dict):
        raise ValueError("its items are not those of its vectors")
    if exponents.shape != (n,) or exponents.dtype.kind != "i" or np.abs(exponents).max() > 200:
        raise ValueError("its exponents are not those of its vectors")
    vectors = _unpacked(rows, exponents)
    if not np.isfinite(vectors).all():
        raise ValueError("its vectors are not finite")
    return Lock(items, vectors, settings, path)


def _item(given: Mapping[str, Any]) -> Item:
    item = Item(**given)
    kinds = ((item.sha256, str), (item.characters, int), (item.cased, bool))
    if not isinstance(item.id, str) or any(
        value is not None and not isinstance(value, kind) for value, kind in kinds
    ):
        raise ValueError("an item is not written as one")
    return item


def exponents_of(matrix: Matrix) -> Rows:
    """Powers of two (n,) that rows are divided by, so that float16 holds each as well as it can.

    It is 0 for a row of a usual size, which then stands in the file as it is.
    """
    exponents = np.frexp(np.abs(matrix).max(axis=1))[1].astype(np.int64)  # largest < 2**exponent
    return np.where((exponents > -6) & (exponents <= 15), 0, exponents)


def _unpacked(rows: Any, exponents: Rows) -> Matrix:
    with np.errstate(over="ignore"):
        return cast(Matrix, np.ldexp(rows.astype(np.float32), exponents[:, None]))


def settings_of(table: Embeddings) -> dict[str, Any]:
    """Return what is known of the model that made a table, and the versions that matter."""
    kept: dict[str, Any] = {name: getattr(table.source, name) for name in SETTINGS}
    if encoder := encoder_of(table):
        kept |= {name: getattr(encoder.options, name) for name in OPTIONS}
    return kept | {"versions": versions(table.source)}


def versions(source: Source) -> dict[str, str]:
    """Return the versions of driftkit and, for an encoder, of the libraries that ran it."""
    names = ("driftkit", *(LIBRARIES if source.format == "encoder" else ()))
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
