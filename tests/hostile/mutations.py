"""Ways to spoil a valid file, by the bytes it has and by what they mean.

Layers open what bytes alone cannot spoil deeply: the members of an archive (a wrong byte is stopped
by its checksum), the header of ``.npy`` and safetensors (a longer one is stopped by its length).
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import re
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

LARGEST = 1 << 18  # bytes of a spoiled file: more only takes time

NUMBERS = (
    b"0", b"-0", b"1", b"-1", b"2", b"3", b"255", b"65536", b"2147483647", b"2147483648",
    b"4294967296", b"9223372036854775807", b"9223372036854775808", b"-9223372036854775809",
    b"999999999999", b"1e5", b"1e400", b"-1e400", b"1e-400", b"0.1", b".5", b"5.", b"1_0", b"0x10",
    b"nan", b"NaN", b"inf", b"-Infinity", b"Infinity", b"1,5", b"+3", b"--3", b"007", b"3.4e39",
    b"16777217", b"\xd9\xa1\xd9\xa0", b"9" * 400, b"9" * 6000, b"true", b"null", b"",
)  # fmt: skip
"""Boundary values, as people and programs write them."""

TOKENS = (
    b"\0", b"\n", b"\r", b"\r\n", b"\t", b" ", b"  ", b",", b";", b'"', b"'", b"\\", b"{", b"}", b"[",
    b"]", b"(", b")", b":", b"#", b"=", b"|", b"/", b"::", b"..", b"\xef\xbb\xbf", b"\xff", b"\xc0\xaf",
    b"\xed\xa0\x80", b"\xe2\x80\xa8", b"\xc2\x85", b"\x1b[31m", b"\xff\xfe", b"<pad>", b"\x80\x04",
    b"PK\x03\x04", b"\\ud800", b"\\u0000", b"[" * 2000, b"{\"a\":" * 2000, b"(" * 2000, b"a." * 2000,
    b"x" * 70_000, b"\n" * 1000, b"1 " * 2000,
)  # fmt: skip
"""What parsers give a meaning."""

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**30, 0.5, 1e308, "", "a", "\ud800", "\0", "x" * 5000,
    [], {}, [[]], [None], ["a", "a"], {"a": 0}, {"": {}}, [0, 1, 2], [1.5, "a", None],
)  # fmt: skip
"""What may stand in JSON where something else is due."""

_NUMBER = re.compile(rb"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")

Mutation = Callable[[Random, bytes, bytes], bytes]


def mutated(random: Random, data: bytes, other: bytes, largest: int = LARGEST) -> bytes:
    """Return `data` spoiled in one way or in a few, perhaps with parts of another file."""
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        layer = next((each for each in LAYERS if each.tells(data)), None)
        try:
            if layer is not None and random.random() < 0.7:
                parts = layer.open(data)
                name = random.choice(list(parts))
                parts[name] = mutated(random, parts[name], other, largest)
                data = layer.close(parts)
            else:
                data = random.choice(MUTATIONS)(random, data, other)
        except _UNREADABLE:  # spoiled too much to be opened again
            data = random.choice(BYTES)(random, data, other)
        data = data[:largest]
    return data


def _place(random: Random, data: bytes) -> int:
    return random.randrange(len(data) + 1)


def _span(random: Random, data: bytes) -> slice:
    start = _place(random, data)
    return slice(start, start + random.choice((1, 2, 4, 8, random.randint(1, len(data) + 1))))


def flip_bits(random: Random, data: bytes, _: bytes) -> bytes:
    changed = bytearray(data)
    for _each in range(random.choice((1, 1, 3))):
        if changed:
            changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def set_byte(random: Random, data: bytes, _: bytes) -> bytes:
    at = _place(random, data)
    return data[:at] + bytes([random.choice((0, 1, 9, 10, 32, 127, 128, 255))]) + data[at + 1 :]


def insert(random: Random, data: bytes, _: bytes) -> bytes:
    at = _place(random, data)
    return data[:at] + random.choice(TOKENS) + data[at:]


def delete(random: Random, data: bytes, _: bytes) -> bytes:
    span = _span(random, data)
    return data[: span.start] + data[span.stop :]


def repeat(random: Random, data: bytes, _: bytes) -> bytes:
    span = _span(random, data)
    return data[: span.start] + data[span] * random.choice((2, 3, 50)) + data[span.stop :]


def truncate(random: Random, data: bytes, _: bytes) -> bytes:
    return data[: _place(random, data)]


def splice(random: Random, data: bytes, other: bytes) -> bytes:
    return data[: _place(random, data)] + other[_place(random, other) :]


def replace_number(random: Random, data: bytes, _: bytes) -> bytes:
    found = list(_NUMBER.finditer(data[:10_000]))
    if not found:
        return data
    match = random.choice(found)
    return data[: match.start()] + random.choice(NUMBERS) + data[match.end() :]


def replace_integer(random: Random, data: bytes, _: bytes) -> bytes:
    form = random.choice(("<H", "<i", "<q", ">i"))
    size = struct.calcsize(form)
    bits = 8 * size - (form != "<H")
    value = random.choice((0, 1, 2, 3, 100, 2**bits - 1, 2 ** (bits - 1)))
    at = _place(random, data)
    return data[:at] + struct.pack(form, value) + data[at + size :]


def change_lines(random: Random, data: bytes, _: bytes) -> bytes:
    lines = data.split(b"\n")
    one, two = random.randrange(len(lines)), random.randrange(len(lines))
    way = random.randrange(3)
    if way == 0:
        lines[one], lines[two] = lines[two], lines[one]
    elif way == 1:
        lines.insert(one, lines[two])
    else:
        del lines[one]
    return b"\n".join(lines)


def change_json(random: Random, data: bytes, _: bytes) -> bytes:
    try:
        value = json.loads(data)
        return _write(random, _changed(random, value)).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        return replace_number(random, data, b"")


def _changed(random: Random, value: Any) -> Any:
    if isinstance(value, dict | list) and value and random.random() < 0.85:
        if isinstance(value, dict):
            key = random.choice(list(value))
            if random.random() < 0.15:
                renamed = random.choice(("", "a", "\ud800", key + "x", *value))
                return {renamed if each == key else each: item for each, item in value.items()}
            if random.random() < 0.1:
                return {each: item for each, item in value.items() if each != key}
            return {**value, key: _changed(random, value[key])}
        at = random.randrange(len(value))
        if random.random() < 0.2:
            return value[:at] + random.choice(([], [value[at]] * 2)) + value[at + 1 :]
        return [*value[:at], _changed(random, value[at]), *value[at + 1 :]]
    way = random.random()
    if way < 0.1:
        return _nested(value, random.choice((1, 5, 99, 300)), random.random() < 0.5)
    if way < 0.2 and isinstance(value, int | float) and not isinstance(value, bool):
        return random.choice((str(value), float(value), -value, value + 1, bool(value)))
    return random.choice(VALUES)


def _nested(value: Any, levels: int, as_list: bool) -> Any:
    for _ in range(levels):
        value = [value] if as_list else {"a": value}
    return value


def _write(random: Random, value: Any) -> str:
    """Write JSON, at times with a key twice or a number that only some parsers know."""
    text = json.dumps(value, ensure_ascii=random.random() < 0.5)
    way = random.random()
    if way < 0.1 and isinstance(value, dict) and value:
        key = random.choice(list(value))
        return f"{text[:-1]}, {json.dumps(key)}: {json.dumps(random.choice(VALUES))}}}"
    if way < 0.2:
        number = random.choice(NUMBERS).decode()
        return re.sub(r"-?\d[\d.]*", lambda _: number, text, count=1)
    return text


BYTES: tuple[Mutation, ...] = (flip_bits, set_byte, insert, delete, repeat, truncate, splice)
MUTATIONS: tuple[Mutation, ...] = (
    *BYTES, replace_number, replace_number, replace_integer, change_lines, change_json, change_json
)  # fmt: skip

_UNREADABLE = (
    ValueError, KeyError, IndexError, EOFError, OSError, RuntimeError, NotImplementedError,
    OverflowError, struct.error, zipfile.BadZipFile, lzma.LZMAError, zipfile.zlib.error,
)  # fmt: skip


@dataclass(frozen=True)
class Layer:
    """Bytes that hold others: how they are told, taken apart and put together again."""

    tells: Callable[[bytes], bool]
    open: Callable[[bytes], dict[str, bytes]]
    close: Callable[[dict[str, bytes]], bytes]


def _open_zip(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()[:50]}
    if not parts:
        raise ValueError("no member")
    return parts


def _close_zip(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return out.getvalue()


def _packed(
    magic: bytes, unpack: Callable[[bytes], bytes], pack: Callable[[bytes], bytes]
) -> Layer:
    return Layer(
        lambda data: data.startswith(magic),
        lambda data: {"": unpack(data)},
        lambda parts: pack(parts[""]),
    )


def _headed(magic: bytes, form: str) -> Layer:
    """A length, a header so long, and what follows; a changed header gets its right length."""
    start = len(magic) + struct.calcsize(form)

    def take_apart(data: bytes) -> dict[str, bytes]:
        (length,) = struct.unpack_from(form, data, len(magic))
        return {"header": data[start : start + length], "body": data[start + length :]}

    def put_together(parts: dict[str, bytes]) -> bytes:
        length = struct.pack(form, len(parts["header"]))
        return magic + length + parts["header"] + parts["body"]

    def tells(data: bytes) -> bool:
        return data.startswith(magic) if magic else data[6:9] == b"\0\0{"

    return Layer(tells, take_apart, put_together)


LAYERS = (
    Layer(lambda data: data.startswith(b"PK\x03\x04"), _open_zip, _close_zip),
    _packed(b"\x1f\x8b", gzip.decompress, lambda data: gzip.compress(data, 1)),
    _packed(b"BZh", bz2.decompress, lambda data: bz2.compress(data, 1)),
    _packed(b"\xfd7zXZ", lzma.decompress, lambda data: lzma.compress(data, preset=0)),
    _headed(b"\x93NUMPY\x01\x00", "<H"),
    _headed(b"", "<Q"),
)
