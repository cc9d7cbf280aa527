"""Broken and malicious files of every format, each made by a few lines; run as a program, it opens
each with `driftkit.load` and writes what came of it.

``python corpus.py FOLDER`` prints one JSON object: for each case the sentence or the table, and
whether code in the file was run.
"""

from __future__ import annotations

import base64
import bz2
import faulthandler
import gzip
import io
import json
import lzma
import os
import pickle
import socket
import struct
import sys
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROWS = b"good 1.5 -0.25\nbad -1.0 0.5\n"
MANY = b"".join(b"w%d %d.5 1.25\n" % (i, i) for i in range(40))

Case = tuple[str, Callable[[Path], Any], dict[str, Any]]
CASES: dict[str, Case] = {}


def case(name: str, file: str, build: Any, **settings: Any) -> None:
    """Register one: what `build` gives is written to `file`; a function writes itself."""
    assert name not in CASES, name
    CASES[name] = (
        file,
        build if callable(build) else lambda path: path.write_bytes(build),
        settings,
    )


class Payload:
    """Unpickling this makes a file named ``ran`` beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return exec, (f"import pathlib; pathlib.Path({str(self.folder / 'ran')!r}).touch()",)


def text_cases() -> None:
    def add(name: str, content: bytes, **settings: Any) -> None:
        case(f"text: {name}", "t.txt", content, **settings)

    add("nothing", b"")
    add("one newline", b"\n")
    add("blank lines only", b"\n" * 1000)
    add("a million blank lines", ROWS + b"\n" * 1_000_000 + b"odd 1 2\n")
    add("no numbers", b"one\ntwo\nthree\n")
    add("a web page", b"<!DOCTYPE html>\n<html><body>404 not found</body></html>\n")
    add(
        "a pointer of git-lfs",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 7\n",
    )
    add("a short line", ROWS + b"odd 1\n")
    add("a word alone", ROWS + b"odd\n")
    add("a long line", ROWS + b"odd 1.5 2.5 3.5\n")
    add("two tables in one", MANY + b"odd 1.5 2.5 3.5\n")
    add("a letter in a number", MANY + b"odd 1 x2\n")
    add("a hexadecimal number", MANY + b"odd 1 0x2\n")
    add("a number with an underscore", MANY + b"odd 1_0 2\n")
    add("a decimal comma", MANY + b"odd 1,5 2,5\n")
    add("two spaces", MANY + b"odd  2\n")
    add("a tab", MANY + b"odd\t1 2\n")
    add("a NUL in a number", MANY + b"odd 1 2\0\n")
    add("a NUL in a word", MANY + b"o\0dd 1 2\n")
    add("NUL bytes only", bytes(4096))
    add("nan", MANY + b"odd nan 2\n")
    add("infinity", MANY + b"odd inf 2\n")
    add("a number too large for float32", MANY + b"odd 1e39 2\n")
    add("a number too large for float64", MANY + b"odd 1e999 2\n")
    add("a number too small", MANY + b"odd 1e-999 2\n")
    add("six bad rows", MANY + b"".join(b"o%d nan 2\n" % i for i in range(6)))
    add("a broken first line", b"good x1 -0.25\n" + MANY)
    add("a first line without numbers", b"good\n" + MANY)
    add("a broken first line with other bytes", b"caf\xe9 x1 -0.25\n" + MANY)
    add("a header that promises more, cut", b"50 2\n" + MANY[:-1])
    add("a header that promises more", b"50 2\n" + MANY)
    add("a header that promises less", b"5 2\n" + MANY)
    add("a header of another length", b"40 300\n" + MANY)
    add("a header that promises terabytes", b"999999999999 300\n" + MANY)
    add("a header alone", b"400000 300\n")
    add("a header of 400 digits", b"9" * 400 + b" 2\n" + MANY)
    add("a header with a broken first row", b"40 2\ncaf\xe9 x1 2\n" + MANY)
    add("another header in the middle", MANY + b"40 2\n" + MANY)
    add("duplicates", MANY + b"w3 0 0\n\nw4 0 0\n")
    add("only duplicates", b"a 1 2\n" * 1000)
    add("invalid UTF-8", MANY + b"caf\xe9 1 2\ncaf\xe8 1 2\n")
    add("surrogates", MANY + b"\xed\xa0\x80 1 2\n")
    add("overlong UTF-8", MANY + b"\xc0\xaf 1 2\n")
    add("empty words", MANY + b" 1 2\n 3 4\n")
    add("a byte order mark", b"\xef\xbb\xbf" + MANY)
    add("UTF-16", "good 0.1 0.2\n".encode("utf-16") * 50)
    add("UTF-32", "good 0.1 0.2\n".encode("utf-32") * 50)
    add("carriage returns", MANY.replace(b"\n", b"\r\n"))
    add("carriage returns alone", MANY.replace(b"\n", b"\r"))
    add("no final newline", MANY[:-1])
    add("cut inside a number", MANY[:-3])
    add("cut inside a row", MANY[: MANY.rfind(b" ")])
    add("words with spaces", MANY + b". . . 1 2\nat name@domain.com 1 2\n")
    add("a word of digits and spaces", MANY + b"1 2 3 4\n")
    add("a word of 10 MB", b"x" * 10_000_000 + b" 1 2\n" + MANY)
    add("a word of 10 MB in the middle", MANY + b"x" * 10_000_000 + b" 1 2\n")
    add("a number of 10 MB", MANY + b"odd 1." + b"1" * 10_000_000 + b" 2\n")
    add("rubbish of 10 MB where a number is due", MANY + b"odd " + b"y" * 10_000_000 + b" 2\n")
    add("a line of 50 MB", b"x" * 50_000_000)
    add("a line of 50 MB in the middle", MANY + b"x" * 50_000_000)
    add("spaces of 10 MB", MANY + b" " * 10_000_000)
    add("a million numbers in one line", b"odd" + b" 1" * 1_000_000 + b"\n" + MANY)
    add("quotes", MANY + b'"odd 1 2\n"" 1 2\n')
    add("quotes around every word", b'"good" 0.5 1.5\n"new york" 0.25 2.5\n')
    add("quotes inside quotes", b'"good" 0.5 1.5\n"a\\"b" 0.25 2.5\n')
    add("a comment", b"# trained 2020\n" + MANY.replace(b" 1.25", b" 1.25 2.5"))
    add("a conflict of git", b"<<<<<<< HEAD\n" + MANY + b"=======\n" + MANY + b">>>>>>> main\n")
    add("decimal commas under a header", b"2 2\ngood 1,5 2,5\nbad 1,5 2,5\n")
    add("commas", b"good,1.5,2.5\nbad,1.5,2.5\n")
    add("JSON", b'{"good": [1.5, 2.5]}\n')
    add("a form feed and a vertical tab", MANY + b"a\x0cb 1 2\nc\x0bd 1 2\n")
    add("escapes of a terminal", MANY + b"\x1b[31mred 1 x\x1b[0m\n")
    add("a limit of one row before the damage", ROWS + b"broken\n", limit=1)
    add("none of the words asked for", MANY, words=["zoo"])


def compressed_cases() -> None:
    def zipped(files: dict[str, bytes]) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        return out.getvalue()

    # Members one after another are one file to each of these formats, and cheap to make.
    def repeated(pack: Callable[[bytes], bytes], first: bytes, piece: bytes, times: int) -> bytes:
        return pack(first) + pack(piece) * times

    bomb = b"a 0 0\n" * 180_000  # 1 MB
    for kind, pack in (("gz", gzip.compress), ("xz", lzma.compress), ("bz2", bz2.compress)):
        packed = pack(MANY * 50)
        case(f"{kind}: cut", f"t.{kind}", packed[: len(packed) // 2])
        case(f"{kind}: the magic alone", f"t.{kind}", packed[:6])
        flipped = bytearray(packed)
        flipped[len(packed) // 2 : len(packed) // 2 + 8] = b"\xff" * 8
        case(f"{kind}: flipped bytes", f"t.{kind}", bytes(flipped))
        case(f"{kind}: a web page inside", f"t.{kind}", pack(b"<html></html>\n"))
        case(f"{kind}: nothing inside", f"t.{kind}", pack(b""))
        case(f"{kind}: compressed twice", f"t.{kind}", pack(packed))
        case(f"{kind}: nan inside", f"t.{kind}", pack(MANY + b"odd nan 2\n"))
        case(
            f"{kind}: NUL bytes without end", f"t.{kind}", repeated(pack, b"", bytes(1 << 20), 150)
        )
    gz = gzip.compress
    case("gz: a bomb of rows", "t.gz", repeated(gz, ROWS, bomb, 150))
    case("gz: a bomb of blank lines", "t.gz", repeated(gz, ROWS, b"\n" * (1 << 20), 150))
    case("gz: a bomb in one line", "t.gz", repeated(gz, ROWS, b"x" * (1 << 20), 150))
    vectors = b"a \0\0\0\x01\0\0\0\0" * 100_000
    case("gz: a bomb of word2vec", "t.gz", repeated(gz, b"99999999 2\n", vectors, 150))
    case("zip: a bomb", "t.zip", lambda path: path.write_bytes(zipped({"t.txt": bomb * 80})))
    case("zip: no file", "t.zip", zipped({}))
    case("zip: several files", "t.zip", zipped({"a.txt": ROWS, "b.txt": ROWS}))
    case("zip: no such file", "t.zip", zipped({"a.txt": ROWS, "b.txt": ROWS}), key="c.txt")
    case("zip: a path that leads outside", "t.zip", zipped({"../../escaped.txt": ROWS}))
    case("zip: an absolute path", "t.zip", zipped({"/escaped.txt": ROWS}))
    case("zip: cut", "t.zip", zipped({"a.txt": MANY})[:-30])
    case("zip: the magic alone", "t.zip", b"PK\x03\x04")
    bad = bytearray(zipped({"a.txt": MANY}))
    bad[60:90] = bytes(30)
    case("zip: flipped bytes", "t.zip", bytes(bad))
    locked = bytearray(zipped({"a.txt": MANY}))
    locked[6] |= 1
    locked[locked.find(b"PK\x01\x02") + 8] |= 1
    case("zip: a password", "t.zip", bytes(locked))
    case("zip: a zip inside", "t.zip", zipped({"a.zip": zipped({"b.txt": ROWS})}))


def vocabulary_cases() -> None:
    """Vocabularies beside a table of forty rows."""
    words = [f"{a}{b}" for a in ("ba", "ko", "mi", "tu") for b in ("re", "la", "so", "fi", "nu", "pe", "gi", "do", "ha", "ve")]  # fmt: skip
    rows = np.ones((40, 2), np.float32)
    keras = json.dumps({word: row for row, word in enumerate(words, 1)})

    def lines(form: str) -> bytes:
        return "".join(form.format(word, row, 900 - row) + "\n" for row, word in enumerate(words)).encode()  # fmt: skip

    records = [{"id": row, "word": word} for row, word in enumerate(words)]
    for name, (file, content) in {
        "a list of YAML": ("v.txt", lines("- {0}")),
        "a map of YAML": ("v.txt", lines("{1}: {0}")),
        "JSON of records": ("v.json", json.dumps(records).encode()),
        "JSON of whole numbers": ("v.json", json.dumps([*range(1970, 2010)]).encode()),
        "Latin-1": ("v.txt", lines("{0}").replace(b"a", b"\xe9")),
        "counts": ("v.txt", lines("{0} {2}")),
        "index first": ("v.tsv", lines("{1}\t{0}")),
        "CSV with a header": ("v.csv", b"id,word\n" + lines("{1},{0}")),
        "counts in some order": ("v.txt", b"\n".join(reversed(lines("{0} {2}").splitlines()))),
        "names that end in a number": ("v.txt", b"".join(b"iphone %d\n" % i for i in range(40))),
        "a few lines without a count": ("v.txt", lines("{0} {2}").replace(b"bala 899", b"bala")),
        "two columns of numbers": ("v.tsv", b"".join(b"19%02d\t9%d\n" % (i, i) for i in range(40))),
        "numbers for words": ("v.txt", b"".join(b"%d\n" % i for i in range(40))),
        "merges": ("v.bpe", b"#version: 0.2\nt h\nth e\n"),
        "itos": ("v.json", json.dumps({"itos": words}).encode()),
        "itos and another stoi": ("v.json", json.dumps({"itos": words, "stoi": {"a": 0}}).encode()),
        "rows from 1": ("v.json", keras.encode()),
        "Keras's to_json": ("v.json", json.dumps({"config": {"word_index": keras}}).encode()),
        "a word twice": ("v.json", b'{"a": 0, "a": 1}'),
        "rows of 6,000 digits": ("v.json", b'{"a": ' + b"9" * 6000 + b"}"),
        "words with properties": ("v.json", b'{"a": {"index": 0, "text": "' + b"x" * 9999 + b'"}}'),
        "lone surrogates": ("v.json", json.dumps([*words[:39], "\ud800"]).encode()),
        "nested deep": ("v.json", b'{"vocab":' * 10_000 + b"0" + b"}" * 10_000),
        "JSON lines": ("v.jsonl", b'{"word": "a"}\n{"word": "b"}\n'),
        "YAML": ("v.yml", lines("{0}: {1}")),
        "YAML that makes objects": ("v.yml", b"!!python/object/apply:os.mkdir [ran]\n"),
        "YAML of many aliases": ("v.yml", b"a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"),
        "YAML nested deep": ("v.yml", b"[" * 2_000),
        "tiktoken": ("v.tiktoken", b"".join(base64.b64encode(w.encode()[:1] + b"%d" % i if i else b"!") + b" %d\n" % i for i, w in enumerate(words))),
        "tiktoken with a broken line": ("v.tiktoken", b"IQ== 0\n?? 1\n"),
        "tiktoken with a row past every table": ("v.tiktoken", b"IQ== 0\nIg== 99999999999999\n"),
        "compressed": ("v.txt.gz", gzip.compress(lines("{0}"))),
        "UTF-16": ("v.txt", "\n".join(words).encode("utf-16")),
        "carriage returns alone": ("v.txt", lines("{0}").replace(b"\n", b"\r")),
        "NUL bytes": ("v.txt", bytes(1000)),
        "a line of 10 MB": ("v.txt", b"x" * 10_000_000 + b"\n" + lines("{0}")),
        "digits of 10 MB": ("v.txt", b"1" * 10_000_000 + b"\n" + b"1" * 10_000_000),
    }.items():  # fmt: skip

        def build(path: Path, file: str = file, content: bytes = content) -> None:
            np.save(path, rows)
            path.with_name(file).write_bytes(content)

        case(f"vocabulary: {name}", "t.npy", build, vocab=_beside(file))

    def arrays(array: Any) -> Callable[[Path], None]:
        def build(path: Path) -> None:
            np.save(path, rows)
            np.save(path.with_name("v.npy"), array)

        return build

    for name, array in {
        "an array of strings": np.array(words),
        "an array of objects": np.array(words, dtype=object),
        "an array of numbers": np.arange(40),
        "an array of numbers that are no characters": np.full(40, 0x7FFFFFFF, "<u4").view("<U1"),
    }.items():
        case(f"vocabulary: {name}", "t.npy", arrays(array), vocab=_beside("v.npy"))
    case("vocabulary: of words given, one no text", "t.npy", arrays(rows), vocab=["a", 10**5000])
    case("vocabulary: lone surrogates given", "t.npy", arrays(rows), vocab=[*words[:39], "\ud800"])
    case("vocabulary: for text with words", "t.txt", ROWS, vocab=words)


def _beside(file: str) -> Callable[[Path], Path]:
    """A setting: the file of that name beside the table."""
    return lambda path: path.with_name(file)


def numbers_cases() -> None:
    """Text of numbers alone, and tables of which words and numbers are hard to tell apart."""
    words = {"vocab": [f"w{i}" for i in range(30)]}
    rows = b"".join(b"%d.5 -%d.25 1.125\n" % (i, i) for i in range(30))
    whole = b"".join(b"%d %d %d\n" % (i, 2 * i, 3 * i) for i in range(30))
    years = b"".join(b"%d %d.25 %d.5\n" % (1970 + i, i, i) for i in range(30))
    tags = b"".join(b"doc %d %d.25 1.5\n" % (i, i) for i in range(30))
    counts = b"".join(b"w%d %d %d.25 1.5\n" % (i, 900 - i, i) for i in range(30))
    for name, content, settings in (
        ("without words", rows, {}),
        ("with words", rows, words),
        ("with too few words", rows, {"vocab": ["a"]}),
        ("a header for three", b"30 3\n" + rows, words),
        ("a header for a word and two", b"30 2\n" + rows, {}),
        ("a header for three and no words", b"30 3\n" + rows, {}),
        ("a comment of np.savetxt", b"# 30 3\n# made by hand\n" + rows, words),
        ("whole numbers", whole, words),
        ("years", years, {}),
        ("years and words", years, words),
        ("two whole numbers before the first fraction", whole.replace(b"\n", b".5\n"), {}),
        ("words that end in a number", tags, {}),
        ("words that end in a number, under a header", b"30 2\n" + tags, {}),
        ("counts after the words", counts, {}),
        ("counts after the words, under a header", b"30 2\n" + counts, {}),
        (
            "versions after the words, under a header",
            b"30 2\n" + tags.replace(b"doc ", b"doc 1."),
            {},
        ),
        ("indented and aligned", rows.replace(b" ", b"    ").replace(b"\n", b"\n   "), words),
        ("one number more", rows[:-1] + b" 7\n", words),
        ("one number less", rows[: rows.rfind(b" ")] + b"\n", words),
        ("a word far behind", rows * 2000 + b"word 1 2 3\n", words),
        ("not a number", rows + b"nan 1 2\n", {"vocab": [*words["vocab"], "z"]}),
        ("a tab after each word", b"good\t1.5 2\nbad\t1 2\n", {}),
        ("a tab after some words", MANY + b"odd\t1.5 2 3\n", {}),
        ("two spaces after each word", b"good  1.5  2\nbad  1  2\n", {}),
        ("decimal commas", b"good 1,5 2,5\nbad 1,5 2,5\n", {}),
        ("a name of a tensor", MANY, {"key": "emb"}),
    ):
        case(f"numbers: {name}", "t.txt", content, **settings)
    for kind, pack in (("gz", gzip.compress), ("xz", lzma.compress), ("bz2", bz2.compress)):
        first, second = pack(MANY), pack(b"last 1.5 2\n")
        for name, data in (
            ("two streams", first + second),
            ("two streams and padding", first + bytes(4) + second),
            ("the second cut", first + second[:-4]),
            ("the second broken", first + second[:2] + b"\xff\xff" + second[4:]),
            ("rubbish behind", first + b"rubbish"),
        ):
            case(f"{kind}: {name}", f"t.{kind}", data)
    for kind, head in (
        ("zst", b"\x28\xb5\x2f\xfd"),
        ("7z", b"7z\xbc\xaf\x27\x1c"),
        ("tar", bytes(257) + b"ustar"),
    ):
        case(f"{kind}: not read", f"t.{kind}", head + bytes(300))


def binary_cases() -> None:
    def word2vec(words: list[bytes], d: int = 2, n: int | None = None) -> bytes:
        rows = np.arange(1, len(words) * d + 1, dtype="<f4").reshape(-1, d) / 7
        body = b"".join(w + b" " + r.tobytes() + b"\n" for w, r in zip(words, rows, strict=True))
        return b"%d %d\n" % (len(words) if n is None else n, d) + body

    words = [b"good", b"bad", b"odd"]
    whole = word2vec(words)
    case("word2vec: cut in a vector", "t.bin", whole[:-6])
    case("word2vec: cut in a word", "t.bin", word2vec([b"good", b"x" * 40])[:30])
    case("word2vec: header alone", "t.bin", b"3 2\n\0")
    case("word2vec: promises more", "t.bin", word2vec(words, n=9))
    case("word2vec: promises terabytes", "t.bin", word2vec(words, n=999_999_999_999))
    wide = b"".join(b"w%d %s\n" % (i, np.arange(3 * i, 3 * i + 3).tobytes()) for i in range(5))
    case("word2vec: whole numbers of 64 bits", "t.bin", b"5 3\n" + wide)
    wide = b"".join(b"w%d %s\n" % (i, (np.arange(3) / 7 + i).tobytes()) for i in range(5))
    case("word2vec: float64", "t.bin", b"5 3\n" + wide)
    case("word2vec: promises less", "t.bin", word2vec(words, n=2))
    case("word2vec: no rows", "t.bin", b"0 2\n" + whole[4:])
    case("word2vec: no dimensions", "t.bin", b"3 0\n" + whole[4:])
    case("word2vec: more dimensions", "t.bin", b"3 200\n" + whole[4:])
    case("word2vec: invalid UTF-8", "t.bin", word2vec([b"caf\xe9", b"caf\xe8"]))
    case("word2vec: duplicates", "t.bin", word2vec([b"a", b"b", b"a"]))
    case("word2vec: an empty word", "t.bin", word2vec([b"", b"b"]))
    case("word2vec: a word without end", "t.bin", b"3 2\n" + b"\x01x" * 5_000_000)
    nan = bytearray(whole)
    nan[9:13] = struct.pack("<f", float("nan"))
    case("word2vec: nan", "t.bin", bytes(nan))
    case("fasttext: the magic alone", "t.bin", b"\xba\x16\x4f\x2f")
    head = struct.pack("<2i12id", 793712314, 12, 5, 5, 5, 5, 5, 1, 1, 1, 100, 3, 6, 100, 1e-4)
    sizes = struct.pack("<3i2q", 3, 3, 0, 9, -1)
    case("fasttext: no dictionary", "t.bin", head + sizes + bytes(10))
    case("fasttext: a word without end", "t.bin", head + sizes + b"x" * 9000)
    case("fasttext: no matrix", "t.bin", head + sizes + (b"word\0" + bytes(9)) * 3 + bytes(9000))
    many = struct.pack("<3i2q", 2**31 - 1, 2**31 - 1, 0, 9, -1)
    case("fasttext: promises terabytes", "t.bin", head + many + bytes(9000))
    old = struct.pack("<2i12id", 793712314, 99, 5, 5, 5, 5, 5, 1, 1, 1, 100, 3, 6, 100, 1e-4)
    case("fasttext: an unknown version", "t.bin", old + sizes + bytes(9000))
    case("random bytes", "t.dat", bytes(np.random.default_rng(0).integers(0, 256, 5000, np.uint8)))
    case("a picture", "t.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9)
    case("a PDF", "t.pdf", b"%PDF-1.7\n" + bytes(range(256)) * 9)


def tensor_cases() -> None:
    words = {"vocab": list("abc")}

    def npy(array: Any, **settings: Any) -> bytes:
        out = io.BytesIO()
        np.save(out, array, **settings)
        return out.getvalue()

    table = np.ones((3, 2), np.float32)
    case("npy: cut", "t.npy", npy(table)[:-5], **words)
    case("npy: the magic alone", "t.npy", b"\x93NUMPY", **words)
    case(
        "npy: objects",
        "t.npy",
        lambda p: p.write_bytes(npy(np.array([Payload(p.parent)]), allow_pickle=True)),
        **words,
    )
    case("npy: code in its header", "t.npy", _npy_header("__import__('os').getcwd()"), **words)
    case(
        "npy: a header that promises terabytes",
        "t.npy",
        _npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999, 300)}"),
        **words,
    )
    case(
        "npy: a header that is no Python",
        "t.npy",
        b"\x93NUMPY\x01\x00\x0a\x00[" + bytes(10) + b"\r\x00",
        **words,
    )
    case(
        "npy: negative lengths",
        "t.npy",
        _npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (-3, 2)}"),
        **words,
    )
    case("npy: one dimension", "t.npy", npy(np.ones(6, np.float32)), **words)
    case("npy: strings", "t.npy", npy(np.array([["a", "b"]] * 3)), **words)
    case("npy: complex numbers", "t.npy", npy(table * 1j), **words)
    case("npy: no rows", "t.npy", npy(table[:0]), **words)
    case("npy: nan", "t.npy", npy(table * np.nan), **words)
    case("npy: no words", "t.npy", npy(table))
    case("npy: too few words", "t.npy", npy(table), vocab=["a", "b"])
    case("npy: too many words", "t.npy", npy(table), vocab=list("abcd"))
    case("npy: words that are none", "t.npy", npy(table), vocab=[1, 2, 3])
    case("npy: a tensor's name", "t.npy", npy(table), key="emb", **words)

    def npz(compressed: bool = False, **arrays: Any) -> bytes:
        out = io.BytesIO()
        (np.savez_compressed if compressed else np.savez)(out, **arrays)
        return out.getvalue()

    case("npz: cut", "t.npz", npz(a=table)[:-30], **words)
    case(
        "npz: objects",
        "t.npz",
        lambda p: p.write_bytes(npz(a=np.array([Payload(p.parent)]))),
        **words,
    )
    case("npz: two tables", "t.npz", npz(a=table, b=table + 1), **words)
    case(
        "npz: a bomb",
        "t.npz",
        lambda p: p.write_bytes(npz(True, a=np.zeros((3, 10_000_000), np.float32))),
        **words,
    )

    def tensors(header: Any, body: bytes = b"", length: int | None = None) -> bytes:
        encoded = header if isinstance(header, bytes) else json.dumps(header).encode()
        return struct.pack("<Q", len(encoded) if length is None else length) + encoded + body

    def entry(shape: list[int], start: int, end: int, dtype: str = "F32") -> dict[str, Any]:
        return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}

    good = {"emb": entry([3, 2], 0, 24)}
    for name, data in {
        "cut": tensors(good, bytes(20)),
        "header cut": tensors(good, bytes(24))[:30],
        "a header that claims gigabytes": tensors(good, bytes(24), 2**31),
        "a header that claims exabytes": tensors(good, bytes(24), 2**47 + 1),
        "a tensor that claims terabytes": tensors({"emb": entry([10**6, 10**6], 0, 4 * 10**12)}),
        "offsets past the end": tensors({"emb": entry([3, 2], 100, 124)}, bytes(24)),
        "offsets that overlap": tensors(
            {"a": entry([3, 2], 0, 24), "b": entry([3, 2], 8, 32)}, bytes(32)
        ),
        "offsets backwards": tensors({"emb": entry([3, 2], 24, 0)}, bytes(24)),
        "a shape that does not fit": tensors({"emb": entry([9, 9], 0, 24)}, bytes(24)),
        "a shape that overflows": tensors({"emb": entry([2**62, 8], 0, 24)}, bytes(24)),
        "negative lengths": tensors({"emb": entry([-3, 2], 0, 24)}, bytes(24)),
        "a type nobody knows": tensors({"emb": entry([3, 2], 0, 24, "F99")}, bytes(24)),
        "no JSON": tensors(b"{not json at all}", bytes(24)),
        "a list": tensors(b'{"a": [1, 2]}', bytes(24)),
        "JSON nested deep": tensors(b'{"a":' * 10_000 + b"1" + b"}" * 10_000),
        "bytes after the end": tensors(good, bytes(30)),
        "no tensor": tensors({}),
        "only one dimension": tensors({"emb": entry([6], 0, 24)}, bytes(24)),
        "only whole numbers": tensors({"emb": entry([3, 2], 0, 24, "I32")}, bytes(24)),
        "two that fit": tensors({"a": entry([3, 2], 0, 24), "b": entry([3, 2], 24, 48)}, bytes(48)),
    }.items():
        case(f"safetensors: {name}", "t.safetensors", data, **words)
    case(
        "safetensors: no such tensor",
        "t.safetensors",
        tensors(good, bytes(24)),
        key="embb",
        **words,
    )
    case("pickle", "t.pkl", lambda p: p.write_bytes(pickle.dumps(Payload(p.parent))))
    case(
        "pickle: named as gensim's",
        "t.kv",
        lambda p: p.write_bytes(pickle.dumps(Payload(p.parent))),
    )
    case(
        "pickle: as a vocabulary",
        "t.npy",
        lambda p: (
            p.write_bytes(npy(table)),
            p.with_name("vocab.txt").write_bytes(pickle.dumps(Payload(p.parent))),
        ),
    )
    case("pickle: rubbish with the flag", "t.kv", b"\x80\x04rubbish", unsafe_pickle=True)
    case("pickle: something else with the flag", "t.kv", pickle.dumps({"a": 1}), unsafe_pickle=True)
    for name, change in {
        "a payload": lambda torch, path: torch.save(Payload(path.parent), path),
        "a payload beside tensors": lambda torch, path: torch.save({"emb": torch.ones(3, 2), "x": Payload(path.parent)}, path),
        "a payload in the old format": lambda torch, path: torch.save(Payload(path.parent), path, _use_new_zipfile_serialization=False),
        "a module": lambda torch, path: torch.save(torch.nn.Embedding(3, 2), path),
        "a number": lambda torch, path: torch.save(7, path),
        "no tensor": lambda torch, path: torch.save({"a": 1}, path),
        "nan": lambda torch, path: torch.save({"emb": torch.full((3, 2), float("nan"))}, path),
        "a sparse tensor": lambda torch, path: torch.save({"emb": torch.eye(3).to_sparse()}, path),
        "two that fit": lambda torch, path: torch.save({"a": torch.ones(3, 2), "b": torch.zeros(3, 2)}, path),
    }.items():  # fmt: skip
        case(f"torch: {name}", "t.pt", lambda path, f=change: f(_torch(), path), **words)

    def cut(path: Path) -> None:
        _torch().save({"emb": _torch().ones(3, 2)}, path)
        path.write_bytes(path.read_bytes()[:-200])

    case("torch: cut", "t.pt", cut, **words)
    parametrized_cases()


def parametrized_cases() -> None:
    """Weights saved as parts, a program with weights inside, and what model2vec saves beside."""
    words = {"vocab": list("abc")}
    for name, parts in {
        "spectral_norm": {"emb.weight_orig": (3, 2), "emb.weight_u": (3,), "emb.weight_v": (2,)},
        "weight_norm": {"emb.weight_g": (3, 1), "emb.weight_v": (3, 2)},
        "a parametrization": {"emb.parametrizations.weight.original": (3, 2), "head.weight": (3, 2)},
        "a parametrization of no name": {"parametrizations.weight.original0": (3, 2), "parametrizations.weight.original1": (2, 2)},
        "a mask of another shape": {"emb.weight_orig": (3, 2), "emb.weight_mask": (2, 2)},
        "weights of other tokens": {"embeddings": (3, 2), "weights": (2,)},
        "a mapping of ones": {"embeddings": (3, 2), "mapping": (3,)},
    }.items():  # fmt: skip

        def build(path: Path, parts: dict[str, tuple[int, ...]] = parts) -> None:
            from safetensors.torch import save_file

            save_file({key: _torch().ones(shape) for key, shape in parts.items()}, path)

        case(f"parts: {name}", "t.safetensors", build, **words)

    def program(path: Path) -> None:
        torch = _torch()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.jit.trace(torch.nn.Embedding(3, 2), torch.tensor([1])).save(str(path))

    case("torch: a program", "t.pt", program, **words)


def _torch() -> Any:
    import torch

    return torch


def _npy_header(header: str) -> bytes:
    padded = header.encode() + b" " * 20 + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded + bytes(24)


def folder_cases() -> None:
    def folder(files: dict[str, bytes | Any]) -> Callable[[Path], None]:
        def build(path: Path) -> None:
            path.mkdir()
            for name, data in files.items():
                (path / name).write_bytes(
                    data if isinstance(data, bytes) else json.dumps(data).encode()
                )

        return build

    weights = (
        struct.pack("<Q", 56)
        + b'{"a":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}}'
        + bytes(4)
    )
    vocab = {"vocab.txt": b"a\n"}
    index = "model.safetensors.index.json"
    case("folder: empty", "m", folder({}))
    case("folder: other things", "m", folder({"notes.txt": b"x"}))
    case("folder: no words", "m", folder({"model.safetensors": weights}))
    case("folder: broken weights", "m", folder({"model.safetensors": weights[:20], **vocab}))
    for name, where in {
        "a path that leads outside": "../other.safetensors", "an absolute path": "/etc/passwd",
        "a path with backslashes": "..\\x", "a path with a NUL": "a\0b", "a missing shard": "gone.safetensors",
    }.items():  # fmt: skip
        case(f"folder: {name}", "m", folder({index: {"weight_map": {"a": where}}, **vocab}))
    case("folder: an index that is no JSON", "m", folder({index: b"{", **vocab}))
    case("folder: an index without a map", "m", folder({index: [], **vocab}))
    case("folder: modules that lead outside", "m", folder({"modules.json": [{"path": "../x"}]}))
    base = {"model.safetensors": weights}
    for name, value in {
        "no JSON": b"{", "JSON nested deep": b"[" * 100_000, "numbers past every row": {"model": {"vocab": {"a": 10**15}}},
        "two tokens with one number": {"model": {"vocab": {"a": 0, "b": 0}}}, "negative numbers": {"model": {"vocab": {"a": -1}}},
        "numbers that are words": {"model": {"vocab": {"a": "b"}}}, "no vocabulary": {"model": {}},
    }.items():  # fmt: skip
        case(f"folder: a tokenizer with {name}", "m", folder({**base, "tokenizer.json": value}))
    manifest = {"schema": "driftkit.embeddings/1", "source": {"rounding": {}}, "problems": []}
    case("driftkit: no manifest inside", "m", folder({"driftkit.json": b"{}"}))
    case("driftkit: no JSON", "m", folder({"driftkit.json": b"\xff"}))
    case("driftkit: no matrix", "m", folder({"driftkit.json": manifest, "words.json": ["a"]}))
    case(
        "driftkit: another tensor",
        "m",
        folder({"driftkit.json": manifest, "words.json": ["a"], "vectors.safetensors": weights}),
    )
    for name, value in {
        "JSON from 1": b'{"a": 1, "b": 2, "c": 3}', "JSON with a hole": b'{"a": 0, "b": 1, "c": 7}', "JSON of lists": b'[["a"], ["b"]]',
        "JSON cut": b'["a", "b"', "nothing": b"",
    }.items():  # fmt: skip

        def build(path: Path, value: bytes = value) -> None:
            np.save(path, np.ones((3, 2), np.float32))
            path.with_name("t.vocab.json").write_bytes(value)

        case(f"vocabulary: {name}", "t.npy", build)
    tsv = b"1.5\t2.5\n" * 30
    case("projector: no words", "t.tsv", tsv)
    case("projector: a short row", "t.tsv", tsv + b"1.5\n", vocab=["a"] * 31)
    case("projector: a broken row", "t.tsv", tsv + b"x\t1\n", vocab=["a"] * 31)
    case("projector: too few words", "t.tsv", tsv, vocab=["a"])


def library_cases() -> None:
    """Files of other libraries: NumPy archives, pickles, HDF5, Keras, spaCy, and what is not read."""
    import msgpack

    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    words = np.array(list("abc"))

    def npz(**arrays: Any) -> bytes:
        out = io.BytesIO()
        np.savez(out, **arrays)
        return out.getvalue()

    flipped = bytearray(npz(vectors=rows, words=words))
    flipped[flipped.find(rows.tobytes()) + 2] ^= 4
    case("npz: a wrong checksum", "t.npz", bytes(flipped))
    case("npz: two arrays of words", "t.npz", npz(v=rows, words=words, names=np.array(list("xyz"))))
    case("npz: classes that are no words", "t.npz", npz(v=rows, labels=np.array(["x", "y", "x"])))
    case("npz: words and too many rows", "t.npz", npz(v=rows, words=words[:2]))
    objects = words.astype(object)
    no_characters = np.array([1 << 24, 97, 98], "<u4").view("<U1")
    case("npz: words that are no characters", "t.npz", npz(v=rows, words=no_characters))
    case("npz: words that are objects", "t.npz", npz(idx_to_vec=rows, idx_to_token=objects))
    case("npz: objects beside a table", "t.npz", npz(v=rows, o=objects), key="v", vocab=list("abc"))
    case(
        "npz: objects as the table",
        "t.npz",
        lambda p: p.write_bytes(npz(v=rows, o=np.array([[Payload(p.parent)]]))),
        key="o",
        vocab=["a"],
    )
    case("npz: records", "t.npz", npz(v=np.zeros(3, "f4,f4")), vocab=list("abc"))
    case("npz: a member cut short", "t.npz", _zip_of("v.npy", _npy_header(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999, 300)}")), vocab=["a"])  # fmt: skip
    case("npy: records", "t.npy", _bytes_of(np.save, np.zeros(3, "f4,f4")), vocab=list("abc"))
    case("npy: words", "t.npy", _bytes_of(np.save, words))

    def pickled(name: str, value: Any, file: str = "t.pkl", flag: bool = True) -> None:
        data = value if isinstance(value, bytes) else pickle.dumps(value)
        case(f"pickle: {name}", file, data, unsafe_pickle=flag)

    pickled("a map", dict(zip("abc", rows, strict=True)))
    pickled("a map without the flag", {"a": [1.0]}, flag=False)
    pickled("protocol 0 without the flag", pickle.dumps({"a": [1.0]}, 0), flag=False)
    pickled("compressed without the flag", gzip.compress(pickle.dumps({"a": [1.0]})), flag=False)
    pickled("vectors of several lengths", {"a": [1.0], "b": [1.0, 2.0]})
    pickled("two lists of words", (list("abc"), list("xyz"), rows))
    pickled("a package that is missing", b"\x80\x04\x8c\x05nopkg\x8c\x03Foo\x93)R.")
    pickled("a class that is missing", b"\x80\x04\x8c\x04json\x8c\x03Foo\x93)R.")
    pickled("an exit", b"\x80\x04\x8c\x03sys\x8c\x04exit\x93)R.")
    pickled("a dump of joblib", b"\x80\x04\x8c\x13joblib.numpy_pickle\x94.", flag=False)
    for protocol in (0, 1):
        case(
            f"pickle: a payload of protocol {protocol}",
            "t.dat",
            lambda p, protocol=protocol: p.write_bytes(pickle.dumps([Payload(p.parent)], protocol)),
        )

    def hdf5(name: str, fill: Callable[[Any], Any], **settings: Any) -> None:
        def build(path: Path) -> None:
            import h5py

            with h5py.File(path, "w") as file:
                fill(file)

        case(f"hdf5: {name}", "t.h5", build, **{"vocab": list("abc")} | settings)

    def external(file: Any) -> None:
        import h5py

        file["v"] = h5py.ExternalLink("/etc/passwd", "/v")

    def virtual(file: Any) -> None:
        import h5py

        layout = h5py.VirtualLayout((3, 2), "f4")
        layout[:] = h5py.VirtualSource("/etc/passwd", "v", (3, 2))
        file.create_virtual_dataset("v", layout)

    def bomb(file: Any) -> None:
        wide = file.create_dataset("v", (3, 10**8), "f4", chunks=(1, 10**6), compression="gzip")
        wide[0, 0] = 1

    def frames(file: Any) -> None:
        for name in ("one", "two"):
            file.update({f"{name}/axis0": [0, 1], f"{name}/axis1": words.astype("S")})
            file[f"{name}/block0_values"] = rows

    hdf5("a link to another file", external)
    hdf5("a view of another file", virtual)
    hdf5(
        "numbers in another file",
        lambda f: f.create_dataset("v", (3, 2), "f4", external=[("/etc/passwd", 0, 24)]),
    )
    hdf5("numbers never written", lambda f: f.create_dataset("v", (3, 2), "f4"))
    hdf5(
        "promises terabytes", lambda f: f.create_dataset("v", (3, 10**12), "f4", chunks=(1, 10**6))
    )
    hdf5("a bomb", bomb)
    hdf5("empty", lambda f: None)
    hdf5("two frames", frames, vocab=None)
    hdf5(
        "two datasets of words",
        lambda f: f.update({"v": rows, "w": list("abc"), "x": list("xyz")}),
        vocab=None,
    )
    hdf5(
        "a quantized layer of Keras",
        lambda f: f.update({"layers/embedding/vars/0": rows.astype("i1")}),
    )
    hdf5(
        "an unmerged adapter of Keras",
        lambda f: f.update(
            {"model_weights/e/e/embeddings": rows, "model_weights/e/e/lora_embeddings_a": rows}
        ),
    )
    case("hdf5: the magic alone", "t.h5", b"\x89HDF\r\n\x1a\n")
    case("keras: no weights", "t.keras", _zip_of("metadata.json", b'{"keras_version": "3"}'))

    def spacy(name: str, keys: Any, settings: Any = None, strings: bytes = b'["a"]') -> None:
        def build(path: Path) -> None:
            path.mkdir()
            (path / "vectors").write_bytes(_bytes_of(np.save, rows))
            (path / "key2row").write_bytes(msgpack.packb(keys))
            (path / "strings.json").write_bytes(strings)
            (path / "vectors.cfg").write_text(json.dumps(settings))

        case(f"spacy: {name}", "m", build)

    spacy("floret", {}, {"mode": "floret"})
    spacy("rows past the end", {1: 3})
    spacy("keys of no word", {7: 0})
    spacy("no map", [1, 2])
    spacy("no words", {7: 0}, strings=b"[")

    for name, (file, data) in {
        "GGUF": ("t.gguf", b"GGUF" + struct.pack("<I", 3)), "ONNX": ("t.onnx", b"\x08\x08\x12\x07pytorch"),
        "TFLite": ("t.tflite", b"\x1c\0\0\0TFL3"), "a TensorFlow checkpoint": ("t.data-00000-of-00001", bytes(99)),
        "a TensorFlow graph": ("t.pb", bytes(99)), "Flax": ("t.msgpack", b"\x81"), "faiss": ("t.x", b"IxPq" + struct.pack("<i3q", 8, 9, 1 << 20, 1 << 20)),
        "Annoy": ("t.ann", bytes(99)), "SQLite": ("t.magnitude", b"SQLite format 3\0"), "Excel": ("t.xlsx", _zip_of("[Content_Types].xml", b"x")),
        "7z": ("t.7z", b"7z\xbc\xaf\x27\x1c"), "zstd": ("t.zst", b"\x28\xb5\x2f\xfd"), "tar": ("t.tar", b"a".ljust(257, b"\0") + b"ustar"),
        "raw numbers": ("t.dat", b"\xff" * 99), "Python": ("t.py", b"import os\n"), "a server's error": ("t.bin", b'{"error": "not found"}'),
        "an embeddings service": ("t.json", b'{"object": "list", "data": [{"embedding": [1]}]}'),
    }.items():  # fmt: skip
        case(f"unread: {name}", file, data)

    promise = struct.pack("<i3q?iQ", 2, 2**40, 1 << 20, 1 << 20, True, 1, 2**41)
    for name, data in {
        "zeros": b"IxFI" + bytes(60), "a header alone": b"IxF2" + promise[:33], "terabytes": b"IxF2" + promise,
        "ids within ids": (b"IxMp" + promise[:33]) * 9_000, "a graph of terabytes": b"IHNf" + promise,
    }.items():  # fmt: skip
        case(f"faiss: {name}", "t.index", data)
    case("raw: rows that do not fit", "t.f32", b"\xff" * 99, key="float32x5")


def _zip_of(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, data)
    return out.getvalue()


def _bytes_of(save: Callable[..., Any], value: Any) -> bytes:
    out = io.BytesIO()
    save(out, value)
    return out.getvalue()


def column_cases() -> None:
    """Tables kept as columns: delimited, JSON and Parquet."""
    commas = MANY.replace(b" ", b",")
    named = b"word,V1,V2\n" + commas
    lines = b"".join(b'{"word": "w%d", "vector": [%d, 0.5]}\n' % (i, i) for i in range(40))

    def delimited(name: str, content: bytes, **settings: Any) -> None:
        case(f"delimited: {name}", "t.csv", content, **settings)

    delimited("a short row", named + b"odd,1\n")
    delimited("a long row", named + b"odd,1,2,3\n")
    delimited("a letter in a number", named + b"odd,1,x2\n")
    delimited("an empty number", named + b"odd,1,\n")
    delimited("NA in a number", named + b"odd,NA,2\n")
    delimited("infinity", named + b"odd,inf,2\n")
    delimited("a quote never closed", named + b'"odd,1,2\n')
    delimited("a quote never closed after quoted words", b'"a",1.5,2.5\n' * 9 + b'"b,1.5,2.5\n')
    delimited("a backslash before a quote", b'"a",1.5,2.5\n' * 9 + b'"b\\"c",1.5,2.5\n')
    delimited("single quotes", b"'a',1.5,2.5\n'b',1.5,2.5\n")
    delimited("a header alone", b"word,V1,V2\n")
    delimited("a header twice", named + named)
    delimited("a header that may be a row", b"word,0,1\n" + b"good,3,4\n")
    delimited("a header of years", b"word,1990,1991\ngood,0.5,1.5\n")
    delimited("a header of years above whole numbers", b"word,1990,1991\ngood,5,7\nbad,1,9\n")
    delimited("a row that counts", b"good,1,2,3\nbad,0.5,1.5,2.5\n")
    delimited("an id before a row that counts", b"0,good,1,2\n1,bad,0.5,1.5\n")
    delimited("ids and lists", b'1,good,"[0.5,1.25]"\n2,bad,"[1.5,2.25]"\n')
    delimited("a list left out in the first row", b'1,good,\\N\n2,bad,"[1.5,2.25]"\n')
    delimited("ids apart from the vector", b"2,good,0.5,1.25\n3,bad,1.5,2.25\n")
    delimited("ids among numbers", b"5.0,0.5,1.25\n9.0,1.5,2.25\n", vocab=["a", "b"])
    delimited("lists that commas cut", b"good [0.1, 0.2, 0.3]\nbad [0.4, 0.5, 0.6]\n")
    delimited("a name twice", b"word,x,x\n" + commas)
    delimited("a number missing in the names", b"word,d0,d2\n" + commas)
    delimited("a count", b"good,9,1.5,2.5\nbad,8,0.5,2.5\n")
    delimited("words and counts", b"good,900\nbad,80\n")
    delimited("numbers only", MANY.replace(b"w", b"0.").replace(b" ", b","))
    delimited("ids that may be numbers", b"1995,1.5,2.5\n1997,0.5,2.5\n")
    delimited("two columns of names", b"id,title,V1\n1,a,0.5\n2,b,0.5\n")
    delimited("two vectors", b"word,a0,a1,b0,b1\nx,1,2,3,4\n")
    delimited("no such column", named, key="V3")
    delimited("decimal commas between commas", b"good,0,05,-0,5\nbad,1,25,0,75\n")
    delimited("thousands or decimals", b"good;1,234\nbad;2,345\n")
    delimited("a vocabulary beside words", named, vocab=["a"] * 40)
    delimited("70,001 columns", b"word" + b",1.5" * 70_001 + b"\n")
    delimited("a cell of 1 MB", named + b"x" * 1_000_000 + b",1,2\n")
    delimited("a line of 40 MB", named + b"x" * 40_000_000)
    delimited("a quote before 40 MB", named + b'"' + (b"x" * 1_000_000 + b",1,2\n") * 40)
    delimited("NUL bytes in a row", named + b"\0\0,1,2\n")
    delimited("invalid UTF-8", named + b"caf\xe9,1,2\n")
    delimited("a vector that NumPy cut", b'word,vector\na,"[0.5 1.5 ... 2.5]"\n')
    delimited("vectors of two lengths", b'word,vector\na,"[0.5, 1]"\nb,"[0.5]"\n')
    delimited("a matrix in a cell", b'word,vector\na,"[[0.5, 1], [2, 3]]"\n')

    def json_file(name: str, content: bytes, **settings: Any) -> None:
        case(f"json: {name}", "t.jsonl", content, **settings)

    json_file("cut", lines[:-9])
    json_file("a list on each line", b'[1, "good", [0.5]]\n[2, "bad", [1.5]]\n')
    json_file("a record without a vector", lines + b'{"word": "x"}\n')
    json_file("an empty record", lines + b"{}\n")
    json_file("a list among records", lines + b"[1, 2]\n")
    json_file("null in a vector", lines + b'{"word": "x", "vector": [1, null]}\n')
    json_file("text in a vector", lines + b'{"word": "x", "vector": [1, "2"]}\n')
    json_file("NaN", lines + b'{"word": "x", "vector": [1, NaN]}\n')
    json_file("a number of 10,000 digits", b'{"x": [' + b"9" * 10_000 + b"]}")
    json_file("nested 100,000 deep", b'{"good": [1, 2], "x": ' + b"[" * 100_000)
    json_file("a list nested 100,000 deep", b'[["x", ' + b"[" * 100_000)
    json_file("a name twice in a record", lines + b'{"word": "x", "word": "y", "vector": [1]}\n')
    json_file("a word twice in a map", b'{"x": [1, 2], "x": [3, 4]}')
    json_file("half a surrogate pair", b'{"x\\ud800": [1, 2]}')
    json_file("two documents", b'[["x", [1, 2]]]\n[["y", [1, 2]]]')
    json_file("not UTF-8", b'{"caf\xe9": [1, 2]}')
    json_file("a tokenizer", b'{"version": "1.0", "model": {"vocab": {"a": 0}}}')
    json_file("columns of pandas", b'{"0": {"good": 0.5}, "1": {"good": 1.5}}')
    json_file("numbers only", b"[[0.5, 1], [1, 2]]")
    json_file("an empty list in records", b'{"word": "x", "vector": []}\n')

    def frame(name: str, columns: dict[str, Any], **settings: Any) -> None:
        def build(path: Path) -> None:
            import polars as pl

            pl.DataFrame(columns, strict=False).write_parquet(path)

        case(f"parquet: {name}", "t.parquet", build, **settings)

    words = {"word": ["a", "b"]}
    frame("null in a vector", words | {"vector": [[0.5], [None]]})
    frame("a null vector", words | {"vector": [[0.5], None]})
    frame("a null word", {"word": ["a", None], "vector": [[0.5], [1.5]]})
    frame("vectors of two lengths", words | {"vector": [[0.5], [1.5, 2.5]]})
    frame("an empty vector", words | {"vector": [[], [1.5]]})
    frame("NaN", words | {"vector": [[0.5], [float("nan")]]})
    frame("words as bytes", {"word": [b"a", b"\xe9"], "vector": [[0.5], [1.5]]})
    frame("structs", words | {"vector": [{"x": 0.5}, {"x": 1.5}]})
    frame("matrices", words | {"vector": [[[0.5]], [[1.5]]]})
    frame("two vectors", words | {"a": [[0.5], [1.5]], "b": [[0.5], [1.5]]})
    frame("pieces", words | {"input_ids": [[1], [2]]})
    frame("two columns of names", words | {"token": ["x", "y"], "vector": [[0.5], [1.5]]})
    frame("a category", {"kind": ["x", "x"], "vector": [[0.5], [1.5]]})
    frame("no row", {"word": [], "vector": []})
    frame("numbers only", {"V1": [0.5, 1.5], "V2": [0.5, 1.5]})
    case("parquet: the mark alone", "t.parquet", b"PAR1")
    case("parquet: no footer", "t.parquet", b"PAR1" + bytes(1000))
    case("parquet: a footer of 4 GB", "t.parquet", b"PAR1" + b"\xff" * 4 + b"PAR1")
    case("arrow: the mark alone", "t.arrow", b"ARROW1\0\0")
    case("arrow: a stream cut", "t.arrow", b"\xff\xff\xff\xff\x10\0\0\0" + bytes(8))


def adapter_cases() -> None:
    """Adapters, quantized tables and shards: what must never be read as another table."""
    words = {"vocab": list("abc")}
    layer = "base_model.model.model.embed_tokens."
    config: dict[str, Any] = {"peft_type": "LORA", "r": 1, "lora_alpha": 2}

    def tensors(**shapes: tuple[str, list[int]]) -> bytes:
        """Return a safetensors file of ones and of these types and shapes."""
        sizes = {"F32": 4, "I8": 1, "U8": 1, "I32": 4, "F8_E8M0": 1, "F4": 0.5}
        header, body = {}, b""
        for name, (kind, shape) in shapes.items():
            count = int(np.prod(shape) * sizes[kind])
            start = len(body)
            ones = np.ones(count // 4, "<f4").tobytes() if kind == "F32" else b"\x01" * count
            body += ones
            offsets = [start, start + count]
            header[name.replace("/", ".")] = {
                "dtype": kind,
                "shape": shape,
                "data_offsets": offsets,
            }
        encoded = json.dumps(header).encode()
        return struct.pack("<Q", len(encoded)) + encoded + body

    def adapter(settings: Any = None, **shapes: tuple[str, list[int]]) -> Callable[[Path], None]:
        def build(path: Path) -> None:
            path.mkdir()
            parts = {f"{layer}{name}": held for name, held in shapes.items()}
            (path / "adapter_model.safetensors").write_bytes(tensors(**parts))
            if settings is not None:
                data = settings if isinstance(settings, bytes) else json.dumps(settings).encode()
                (path / "adapter_config.json").write_bytes(data)

        return build

    table: tuple[str, list[int]] = ("F32", [3, 2])
    a: tuple[str, list[int]] = ("F32", [1, 3])
    b: tuple[str, list[int]] = ("F32", [2, 1])
    lora = {"lora_embedding_A": a, "lora_embedding_B": b}
    whole = {"base_layer.weight": table, **lora}
    tokens = {"base_layer.weight": table, "trainable_tokens_delta": ("F32", [1, 2])}
    for name, build in {
        "whole": adapter(config, **whole),
        "no settings": adapter(None, **whole),
        "no settings and no base": adapter(None, **lora),
        "settings that are no JSON": adapter(b"{", **whole),
        "settings nested deep": adapter(b"[" * 100_000, **whole),
        "settings that are a list": adapter([1], **whole),
        "settings of no kind": adapter({"r": 1}, **whole),
        "another kind": adapter({**config, "peft_type": "VERA"}, **whole),
        "no alpha": adapter({"peft_type": "LORA", "r": 1}, **whole),
        "an infinite alpha": adapter(
            b'{"peft_type": "LORA", "r": 1, "lora_alpha": 1e999}', **whole
        ),
        "another rank": adapter({**config, "r": 64}, **whole),
        "a pattern that is no pattern": adapter({**config, "rank_pattern": {"(": 3}}, **whole),
        "no base": adapter(config, **lora),
        "a base that is nowhere": adapter({**config, "base_model_name_or_path": "gone"}, **lora),
        "a base that is itself": adapter({**config, "base_model_name_or_path": "."}, **lora),
        "a base with a NUL": adapter({**config, "base_model_name_or_path": "a\0b"}, **lora),
        "a base of a command": adapter(
            {**config, "base_model_name_or_path": "::error::x\n"}, **lora
        ),
        "a base layer of other rows": adapter(
            config, **{**whole, "base_layer.weight": ("F32", [9, 2])}
        ),
        "a shard of the LoRA": adapter(config, **{**whole, "lora_embedding_A": ("F32", [0])}),
        "half of a LoRA": adapter(config, **{"base_layer.weight": table, "lora_embedding_A": a}),
        "DoRA without lengths": adapter({**config, "use_dora": True}, **whole),
        "tokens without rows": adapter({"peft_type": "TRAINABLE_TOKENS"}, **tokens),
        "tokens of a row twice": adapter(
            {"peft_type": "TRAINABLE_TOKENS", "token_indices": [1, 1]}, **tokens
        ),
        "tokens past every row": adapter(
            {"peft_type": "TRAINABLE_TOKENS", "token_indices": [10**15]}, **tokens
        ),
        "tokens before the first row": adapter(
            {"peft_type": "TRAINABLE_TOKENS", "token_indices": [-1]}, **tokens
        ),
        "the base layer alone": adapter(config, **{"base_layer.weight": table}),
    }.items():
        case(f"adapter: {name}", "m", build, **words)

    key, head = "model/embed_tokens/weight", {"lm_head/weight": table}
    for name, held in {
        "whole numbers without a scale": {key: ("I8", [3, 2]), **head},
        "scales in groups": {key: ("I8", [3, 2]), f"{key}_scale": ("F32", [1, 3]), **head},
        "scales of another scheme": {
            key: ("I8", [3, 2]),
            f"{key}_scale_inv": ("F32", [3, 1]),
            **head,
        },
        "packed": {"model/embed_tokens/qweight": ("I32", [3, 1]), **head},
        "an empty shard": {key: ("F32", [0]), **head},
        "a flat shard": {key: ("F32", [6]), **head},
        "a type of scales": {key: ("F8_E8M0", [3, 2]), **head},
        "a type of half a byte": {key: ("F4", [3, 2]), **head},
        "scales alone": {f"{key}_scale": ("F32", [3, 1])},
        "an output layer alone": head,
    }.items():
        case(f"quantized: {name}", "t.safetensors", tensors(**held), **words)

    def short(path: Path) -> None:
        _torch().save({"emb": _torch().ones(3, 2), "more": _torch().ones(900)}, path)
        with zipfile.ZipFile(path) as archive:
            records = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in records.items():
                archive.writestr(name, data[:-4] if name.endswith("data/0") else data)

    case("torch: a record shorter than its tensor", "t.pt", short, **words)

    def ring(path: Path) -> None:
        held: dict[str, Any] = {"emb": _torch().ones(3, 2)}
        held["itself"] = held
        _torch().save(held, path)

    case("torch: a dict inside itself", "t.pt", ring, **words)


def limit_cases() -> None:
    """Sizes, numbers, pipes and devices, for everything that a path can be given for."""

    def holes(size: int, begins: bytes = b"") -> Callable[[Path], None]:
        def build(path: Path) -> None:
            with path.open("wb") as file:
                file.write(begins)
                file.truncate(size)

        return build

    def add(
        kind: str, name: str, file: str, build: Any, begins: Any = b"", **settings: Any
    ) -> None:
        """A case of a kind; of a vocabulary, beside the table that it is for."""
        if kind == "vocabulary":

            def both(path: Path) -> None:
                np.save(path, np.ones((3, 2), np.float32))
                words = path.parent / file
                build(words) if callable(build) else words.write_bytes(build)

            case(f"limits: vocabulary: {name}", "t.npy", both, vocab_file=file, **settings)
        else:
            opened = {} if kind == "table" else {"opened_by": kind}
            case(f"limits: {kind}: {name}", file, build, **opened, **settings)

    def nothing(_: Path) -> None:
        """For what is there already."""

    def pipe(path: Path) -> None:
        os.mkfifo(path)

    def listening(path: Path) -> None:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(os.path.relpath(path))

    large = 40 * 10**9
    for kind, file in (
        ("table", "t.txt"), ("vocabulary", "v.txt"), ("benchmark", "b.txt"), ("baseline", "b.json"),
        ("words", "w.txt"),
    ):  # fmt: skip
        add(kind, "a pipe that nobody writes to", file, pipe)
        add(kind, "a device without end", "/dev/zero", nothing)
        add(kind, "a socket", file, listening)
        add(kind, "40 GB of zero bytes", file, holes(large))
    add("vocabulary", "40 GB after two words", "v.txt", holes(large, b"good\nbad\n"))
    add("vocabulary", "40 GB of JSON", "v.json", holes(large, b'["good", "bad"'))
    add("benchmark", "40 GB after one pair", "b.txt", holes(large, b"good bad 1\n"))
    add(
        "settings", "40 GB of settings", "s", lambda path: _settings(path, holes(large, b"k = 1\n"))
    )
    add("settings", "a pipe of settings is none", "s", lambda path: _settings(path, pipe))
    header = b"%d 2\n" % 10**9
    add("table", "40 GB of word2vec", "t.bin", holes(large, header + b"good " + b"\1" * 8))
    add("table", "a safetensors header of gigabytes", "t.safetensors",
        holes(5 * 10**9, struct.pack("<Q", 2 * 10**9) + b'{"'), vocab=["a"])  # fmt: skip
    add("table", "40 GB of TSV", "t.tsv", holes(large, b"1\t2\n" * 20_000), vocab=["a"])
    add("table", "an array of terabytes in 100 bytes", "t.npz", _claiming, vocab=["a"])
    add("table", "a tensor of terabytes in 4 bytes", "t.pt",
        lambda path: _torch().save({"emb": _torch().ones(1).expand(1000, 10**10)}, path),
        vocab=[f"w{row}" for row in range(1000)])  # fmt: skip

    for name, rated in {
        "infinity": b"inf", "a number past float64": b"1e400", "an underscore": b"1_0",
        "digits of another script": "\u0663".encode(), "a hexadecimal number": b"0x10",
        "no number": b"nan", "6,000 digits": b"9" * 6000, "a decimal comma": b"1,5",
    }.items():  # fmt: skip
        add(
            "benchmark", f"{name} as a rating", "b.txt", b"good\tbad\t1\nbad\todd\t" + rated + b"\n"
        )
    schema = b'{"schema": "driftkit.baseline/1", "figures": '
    for name, text in {
        "NaN": schema + b'{"moved": NaN}}', "Infinity": schema + b'{"moved": Infinity}}',
        "a number past float64": schema + b'{"moved": 1e400}}', "a key twice": schema + b"{}, \"figures\": {}}",
        "a number of 6,000 digits": schema + b"9" * 6000 + b"}", "deep nesting": b"[" * 50_000,
    }.items():  # fmt: skip
        add("baseline", name, "b.json", text)
    for name, text in {
        "deep nesting": b"[" * 50_000, "a word twice": b'{"a": 0, "a": 1, "b": 2}',
        "true as a row": b'{"a": true, "b": 0, "c": 2}', "NaN as a row": b'{"a": NaN}',
        "a row of 6,000 digits": b'{"a": ' + b"9" * 6000 + b"}",
    }.items():  # fmt: skip
        add("vocabulary", name, "v.json", text)
    for name, text in {
        "a key of 50,000 parts": b"a." * 50_000 + b"a = 1\n", "deep nesting": b"k = " + b"[" * 50_000,
        "a number of 6,000 digits": b"k = " + b"9" * 6000, "infinity": b"k = inf\n",
        "a fraction": b"k = 1.5\n", "true": b"k = true\n", "a date": b"profile = 2020-01-01\n",
        "an underscore in text": b'k = "1_0"\n', "a table where one value is due": b"[check.profile]\na = 1\n",
        "numbers where rules are due": b"rules = [1, 2]\n",
    }.items():  # fmt: skip
        add("settings", name, "s", lambda path, text=text: _settings(path, text))
    add("settings", "tool = 5", "s",
        lambda path: _settings(path, b"tool = 5 # driftkit\n", "pyproject.toml"))  # fmt: skip
    add("settings", "driftkit = 5", "s",
        lambda path: _settings(path, b"[tool]\ndriftkit = 5\n", "pyproject.toml"))  # fmt: skip
    add("rule", "10,000 parentheses", "r", b"moved <= " + b"(" * 10_000)
    add("rule", "infinity", "r", b"moved <= Infinity")
    add("rule", "an underscore", "r", b"moved <= 1_0")
    add("rule", "digits of another script", "r", "moved <= \u0663".encode())
    add("rule", "a hexadecimal number", "r", b"moved <= 0x10")
    add("rule", "6,000 digits", "r", b"moved <= " + b"9" * 6000)
    add("rule", "a depth of 6,000 digits", "r", b"overlap@" + b"9" * 6000 + b" mean >= 0.5")
    add("rule", "a parameter that is no number", "r", b"rbo(p=nan) mean >= 0.5")


def _claiming(path: Path) -> None:
    header = io.BytesIO()
    shape = {"descr": "<f4", "fortran_order": False, "shape": (10**12, 300)}
    np.lib.format.write_array_header_1_0(header, shape)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", header.getvalue() + bytes(100))


def _settings(path: Path, content: Any, name: str = "driftkit.toml") -> None:
    path.mkdir()
    content(path / name) if callable(content) else (path / name).write_bytes(content)


for _add in (
    text_cases, vocabulary_cases, numbers_cases, compressed_cases, binary_cases, tensor_cases, folder_cases, library_cases,
    column_cases, adapter_cases, limit_cases,
):  # fmt: skip
    _add()


def _result(path: Path, settings: dict[str, Any]) -> str:
    import click

    from driftkit import load
    from driftkit.errors import DriftkitError

    settings = {name: value(path) if callable(value) else value for name, value in settings.items()}
    opened_by = settings.pop("opened_by", None)
    if vocab := settings.pop("vocab_file", None):
        settings["vocab"] = path.parent / vocab
    try:
        if opened_by is not None:
            return f"read: {OPENERS[opened_by](path)}"
        table = load(path, **settings)
    except click.ClickException as error:
        return error.format_message()
    except DriftkitError as error:
        return str(error).replace(str(path), "FILE").replace(str(path.parent), "FOLDER")
    kinds = dict.fromkeys(problem.kind for problem in table.problems)
    return f"{len(table):,} words x {table.dimensions}" + "".join(f"; {kind}" for kind in kinds)


def _open_settings(path: Path) -> Any:
    from driftkit.cli import COMMANDS, main
    from driftkit.cli.settings import default_map, find_settings

    found = find_settings(path)
    if found is None or found[0].parent != path:
        return "no settings"
    check = main.get_command(None, "check")  # type: ignore[arg-type]
    assert check is not None
    commands = {name: main.get_command(None, name) for name in COMMANDS}  # type: ignore[arg-type]
    defaults = default_map(found[1], found[0], {name: c for name, c in commands.items() if c})
    return check.make_context("check", [], default_map=defaults["check"]).params["k"]


def _open_benchmark(path: Path) -> Any:
    from driftkit.datasets.parse import read_benchmark

    return read_benchmark(path)


def _open_baseline(path: Path) -> Any:
    from driftkit.gate import read_baseline

    return read_baseline(path)


def _open_words(path: Path) -> Any:
    from driftkit.cli.tables import gather_words

    return gather_words((), str(path))


def _open_rule(path: Path) -> Any:
    from driftkit.gate.rules import parse_rule

    return parse_rule(path.read_text("utf-8"))


OPENERS: dict[str, Callable[[Path], Any]] = {
    "baseline": _open_baseline,
    "benchmark": _open_benchmark,
    "rule": _open_rule,
    "settings": _open_settings,
    "words": _open_words,
}
"""What opens files that are no tables."""


def _peak() -> int:
    """Return the most memory this process has had, in MB; 0 where the system does not tell."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) >> 10 for line in lines if line.startswith("VmHWM")), 0)


def main(folder: Path) -> None:
    """Build each case, open it, and print what came of it."""
    results: dict[str, Any] = {}
    for number, (name, (file, build, settings)) in enumerate(CASES.items()):
        place = folder / f"{number}"
        place.mkdir()
        build(place / file)
        faulthandler.dump_traceback_later(60, exit=True)  # a hang ends with the line it is in
        print(name, file=sys.stderr, flush=True)
        before = _peak()
        results[name] = {"outcome": _result(place / file, settings)}
        results[name]["grew"] = _peak() - before
        results[name]["ran"] = (place / "ran").exists()
        for left in sorted(place.rglob("*"), reverse=True):
            left.rmdir() if left.is_dir() else left.unlink()
        place.rmdir()
    print(json.dumps(results))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
