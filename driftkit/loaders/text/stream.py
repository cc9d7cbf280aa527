"""Bytes of a file as they are, or decompressed while they are read; nothing is ever unpacked."""

from __future__ import annotations

import gzip
import lzma
import zlib
from bz2 import BZ2Decompressor
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from lzma import LZMADecompressor
from typing import IO, Protocol
from zipfile import BadZipFile, ZipFile, ZipInfo

from driftkit.errors import UnknownNameError
from driftkit.loaders.preconditions import gigabytes
from driftkit.loaders.quote import quote_some
from driftkit.loaders.request import Request

RATIO = 100  # a file that unpacks to more than this many times its size is a bomb; vectors reach 4
FREE_BYTES = 1 << 24  # unpacked bytes that are never questioned
PACKED_BYTES = 1 << 16  # read at once from a file of several streams

UNREAD = {
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
    b"\x1f\x9d": "compress",
    b"LZIP\x01": "lzip",
    b"]\0\0": "lzma",
}
"""Ways to pack that are named and not read."""

MAGIC = {b"\x1f\x8b": "gz", b"\xfd7zXZ\x00": "xz", b"BZh": "bz2", b"PK\x03\x04": "zip"}
MAGIC[b"PK\x05\x06"] = "zip"  # one without a file

_DAMAGE = (EOFError, OSError, zlib.error, lzma.LZMAError, BadZipFile, NotImplementedError)


def compression(head: bytes) -> str | None:
    r"""Tell how a file that starts with `head` is compressed; None if it is not.

    Examples
    --------
    >>> compression(b"PK\x03\x04..."), compression(b"the 0.1 0.2")
    ('zip', None)
    """
    return next((kind for magic, kind in MAGIC.items() if head.startswith(magic)), None)


def packed_as(head: bytes) -> str | None:
    r"""Name the way in which a file that starts so is packed, whether it is read or not.

    Examples
    --------
    >>> packed_as(b"\x28\xb5\x2f\xfd..."), packed_as(b"\x1f\x8b..."), packed_as(b"the 0.1 0.2")
    ('zstd', 'gz', None)
    """
    named = (name for magic, name in UNREAD.items() if head.startswith(magic))
    return compression(head) or next(named, None) or ("tar" if is_tar(head) else None)


def is_tar(head: bytes) -> bool:
    """Whether a file that starts so is a .tar archive."""
    return head[257:262] == b"ustar"


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Streams:
    """The streams of an .xz or .bz2 file, one after another, with nothing else between them.

    The readers of the standard library take whatever is wrong behind the first stream for its end.
    """

    def __init__(self, raw: IO[bytes], kind: str) -> None:
        self._raw = raw
        self._new: Callable[[], LZMADecompressor | BZ2Decompressor] = (
            partial(LZMADecompressor, lzma.FORMAT_XZ) if kind == "xz" else BZ2Decompressor
        )
        self._padded = kind == "xz"  # four NUL bytes, or eight, ..., may follow a stream
        self._stream = self._new()
        self._packed = b""  # bytes that no stream has taken yet

    def read(self, size: int, /) -> bytes:
        while True:
            if self._stream.eof and not self._begin_next():
                return b""
            if self._stream.needs_input and not self._packed:
                self._packed = self._raw.read(PACKED_BYTES)
                if not self._packed:
                    raise EOFError("it ends before its end was marked")
            part = self._stream.decompress(self._packed, size)
            self._packed = self._stream.unused_data
            if part:
                return part

    def _begin_next(self) -> bool:
        """Pass over padding to the next stream; False at the end of the file."""
        padding = 0
        while True:
            if not self._packed:
                self._packed = self._raw.read(PACKED_BYTES)
            rest = self._packed.lstrip(b"\0") if self._padded else self._packed
            padding += len(self._packed) - len(rest)
            at_end = not self._packed
            self._packed = rest
            if rest or at_end:
                break
        if padding % 4:
            raise OSError(f"{padding:,} bytes of padding, not a multiple of four")
        if not at_end:
            self._stream = self._new()
        return not at_end


class Stream:
    """Bytes read from front to back, with the position in the file on disk beside them.

    `size` bytes of the file `raw` are used, by way of the decompressor `unpacked` if there is one.
    """

    def __init__(
        self, request: Request, raw: IO[bytes], size: int,
        unpacked: _Readable | None = None, kind: str | None = None,
    ) -> None:  # fmt: skip
        self.request, self.size, self.kind = request, size, kind
        self._raw, self._unpacked = raw, unpacked or raw
        self._start = raw.tell()
        self._given = 0
        self._back = b""

    @property
    def done(self) -> int:
        """Bytes of the file on disk read so far."""
        return min(max(self._raw.tell() - self._start, 0), self.size)

    def read(self, size: int) -> bytes:
        """Read `size` bytes, or what is left if that is less."""
        if self.kind is None:
            return self._raw.read(size)
        parts = [self._back] if self._back else []
        missing = size - len(self._back)
        self._back = b""
        while missing > 0 and (part := self._unpack(min(missing, 1 << 24))):
            parts.append(part)
            missing -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def read_lines(self, size: int, longest: int) -> bytes:
        """Read about `size` bytes, to the end of a line (unless longer than `longest`) or file."""
        if self.kind is None:
            start = self._raw.tell()
            self._raw.seek(start + size)
            self._raw.readline(longest)  # past the end of the file this reads nothing
            end = self._raw.tell()
            self._raw.seek(start)
            return self._raw.read(end - start)
        block = self.read(size)
        if block and not block.endswith(b"\n"):
            rest = []
            while (part := self.read(1 << 16)) and longest > 0:
                cut = part.find(b"\n") + 1
                rest.append(part[:cut] if cut else part)
                if cut:
                    self.push_back(part[cut:])
                    break
                longest -= len(part)
            block = b"".join([block, *rest])
        return block

    def _unpack(self, size: int) -> bytes:
        try:
            part = self._unpacked.read(size)
        except _DAMAGE as error:
            raise self.request.damaged(f".{self.kind} file", error, "copy or download") from None
        self._given += len(part)
        if self._given > max(RATIO * self.size, FREE_BYTES):
            raise self.request.error(
                f"unpacks to more than {RATIO} times its {gigabytes(self.size)}, which no table of "
                "vectors does; if it is one after all, unpack it and give the file."
            )
        return part

    def push_back(self, data: bytes) -> None:
        """Put the last bytes read back, to be read again."""
        if self.kind is None:
            self._raw.seek(-len(data), 1)
        else:
            self._back = data + self._back


@contextmanager
def open_stream(request: Request) -> Iterator[Stream]:
    """Open a file, decompressing it where it is compressed."""
    with ExitStack() as stack:
        raw = stack.enter_context(request.path.open("rb"))
        kind = compression(raw.read(8))
        raw.seek(0)
        size = request.path.stat().st_size
        if kind is None:
            yield Stream(request, raw, size)
        elif kind == "zip":
            try:
                archive = stack.enter_context(ZipFile(raw))
                member = _member(request, archive)
                unpacked = stack.enter_context(archive.open(member))
            except RuntimeError:  # zipfile's word for a member that wants a password
                raise request.error("is encrypted; unpack it and give the file inside.") from None
            except (BadZipFile, OSError, NotImplementedError, ValueError, EOFError) as error:
                raise request.damaged(".zip file", error, "copy or download") from None
            raw.seek(0)
            yield Stream(request, raw, max(member.compress_size, 1), unpacked, kind)
        else:
            whole: _Readable = gzip.GzipFile(fileobj=raw) if kind == "gz" else _Streams(raw, kind)
            yield Stream(request, raw, size, whole, kind)


def _member(request: Request, archive: ZipFile) -> ZipInfo:
    files = [info for info in archive.infolist() if info.filename and not info.is_dir()]
    names = [info.filename for info in files if not info.filename.startswith("__MACOSX/")]
    if request.key is not None and request.key not in names:
        raise UnknownNameError(f"file in {request.path}", request.key, names)
    if not names:
        raise request.error("is an archive without any file in it.")
    if request.key is None and len(names) > 1:
        shown = quote_some(names, 10)
        raise request.error(
            f"is an archive of {len(names):,} files ({shown}); name the table in it as "
            f"{request.name}::NAME."
        )
    return next(info for info in files if info.filename == (request.key or names[0]))
