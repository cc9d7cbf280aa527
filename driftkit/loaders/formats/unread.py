"""Files that people have and that are not read: how each is told, and what to do instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_ZIP_NAME = 30  # where the name of a .zip archive's first file begins


@dataclass(frozen=True, slots=True)
class Unread:
    """A kind of file: what it is, what to do, and how it is told."""

    what: str
    advice: str
    tells: Callable[[bytes], bool] | None = None  # from its first bytes
    names: str = ""  # a pattern of file names, asked where no format knows the content
    inside: str = ""  # a pattern of names, of which a folder holds one
    fate: str = ", which is not read"

    @property
    def sentence(self) -> str:
        """What to tell the user."""
        return f"is {self.what}{self.fate}; {self.advice}."


def _starts(*marks: bytes, at: int = 0) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(marks, at)


def _binary(*marks: bytes) -> Callable[[bytes], bool]:
    """Told by letters that a word could begin with too, so only where zero bytes follow."""
    return lambda head: head.startswith(marks) and b"\0" in head[:64]


def _holds(pattern: bytes, *more: bytes) -> Callable[[bytes], bool]:
    begins = re.compile(pattern, re.IGNORECASE | re.DOTALL)
    return lambda head: bool(begins.match(head)) and all(part in head for part in more)


def _is_error(head: bytes) -> bool:
    """Whether a file is a short JSON object about an error, and no row of columns with a vector."""
    about = re.match(rb'\s*\{\s*"(error|errors|message|detail|status)"\s*:', head)
    return bool(about) and len(head) < 4096 and not re.search(rb"\[\s*-?\d", head)


def _is_faiss(head: bytes) -> bool:
    """Whether a file is a faiss index: behind kind, width and count stand two of its constants."""
    return head[16:32] == 2 * (1 << 20).to_bytes(8, "little") or _binary(b"IBx", b"IBw")(head)


_WEIGHTS = "save the table there as numbers, np.save(path, matrix), and give its words with --vocab"
_DOWNLOAD = "the download failed or needs a login: open its address in a browser and save the file"
_TEXT = "save its table as text: a word and its numbers on each line"
_UNPACK = "unpack it and give the file inside"

POINTER = Unread(
    "a pointer of Git LFS and not the file itself",
    "run `git lfs pull` in its repository",
    _starts(b"version https://git-lfs.github.com/spec/"),
    fate="",
)

POINTERS = "weights that are pointers of Git LFS; run `git lfs pull` in it"

# As OpenAI begins a list of answers, and as Cohere holds a list or a map of many vectors.
_MANY_VECTORS = rb'("object"\s*:\s*"list"|"embeddings"\s*:\s*[\[{]\s*[\["])'

KINDS = (
    Unread(
        "a web page and not the file itself",
        _DOWNLOAD,
        _holds(rb"\s*<(!doctype html|html[\s>])", b"</"),
        fate="",
    ),
    POINTER,
    Unread(
        "an answer of an embeddings service (JSON)",
        "write its vectors as JSON lines, {\"id\": ..., \"vector\": [...]}, or with np.savez",
        _holds(rb"\s*\{.{0,300}" + _MANY_VECTORS, b'"embedding'),
    ),
    Unread(
        "an error message of a server (JSON) and not the file itself",
        _DOWNLOAD,
        _is_error,
        fate="",
    ),
    Unread(
        "a GGUF model of llama.cpp",
        "give the model it was made from, such as a folder with .safetensors",
        _binary(b"GGUF", b"ggml", b"ggjt"),
        r".*\.(gguf|ggml)",
    ),
    Unread(
        "an ONNX model",
        "write its table out: np.save(path, onnx.numpy_helper.to_array(initializer)), and give its "
        "words with --vocab",
        _holds(rb"\x08[\x01-\x20][\x12\x1a:].{0,40}(onnx|pytorch|torch|keras|sklearn)"),
        r".*\.(onnx|ort)",
    ),
    Unread("a TensorFlow Lite model", _WEIGHTS, _starts(b"TFL3", at=4), r".*\.tflite"),
    Unread(
        "a TensorFlow checkpoint",
        "write its table out: np.save(path, tf.train.load_checkpoint(prefix).get_tensor(name)), "
        "and give its words with --vocab",
        None,
        r".*\.(index|meta|data-\d+-of-\d+)",
        r".*\.data-\d+-of-\d+",
    ),
    Unread(
        "a model saved by TensorFlow",
        "load it there and write its table out: np.save(path, layer.get_weights()[0]), and give "
        "its words with --vocab",
        None,
        r".*\.pb",
        r"saved_model\.pb(txt)?",
    ),
    Unread(
        "a Flax checkpoint",
        "write it as safetensors: safetensors.flax.save_file(params, path)",
        None,
        r".*\.msgpack",
        r"flax_model.*\.msgpack",
    ),
    Unread("a faiss index that does not keep whole vectors as they were given", "give the vectors "
           "it was built from: those that index.reconstruct_n() returns are rounded or turned, by "
           "how much nobody says", _is_faiss, r".*\.(faiss|faissindex)"),
    Unread("by its name perhaps numbers without a header", "give both as PATH::float32x384, and "
           "their words with --vocab", None, r".*\.(dat|mmap|memmap|raw|f16|f32|f64)",
           fate=", and nothing says their type and how many make a row"),
    Unread("an Annoy index", "its words and exact vectors are not in it: give the table it was "
           "built from", None, r".*\.(ann|annoy)"),
    Unread("an SQLite database, as .magnitude files are", _TEXT, _starts(b"SQLite format 3\0"),
           r".*\.(sqlite3?|db|magnitude)"),
    Unread("a finalfusion table", "convert it: finalfusion convert -f finalfusion -t word2vec",
           _binary(b"FiFu"), r".*\.fifu"),
    Unread("a MATLAB file", "save its matrix with scipy.io.loadmat and np.save, and give its words "
           "with --vocab", _starts(b"MATLAB 5.0 MAT", b"MATLAB 7.3 MAT"), r".*\.mat"),
    Unread("an R data file", "write its table with write.table(m, path, col.names=FALSE)",
           _starts(b"RDX2\n", b"RDX3\n", b"RDA2\n", b"RDA3\n"), r".*\.(rds|rdata|rda)"),
    Unread("an Arrow file", "write it as parquet: pyarrow.parquet.write_table(table, path)",
           _starts(b"ARROW1\0\0"), r".*\.(arrow|feather)"),
    Unread("an Excel, Word or PowerPoint file", "save the sheet as .csv",
           lambda head: head.startswith((b"[Content_Types].xml", b"mimetypeapplication/vnd.oasis"),
                                        _ZIP_NAME)
           or head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")),
    Unread("a PDF", "give the table it describes", _starts(b"%PDF-")),
    Unread("a picture", "give a table of vectors",
           _starts(b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")),
    Unread("a .rar archive", _UNPACK, _starts(b"Rar!\x1a\x07"), r".*\.rar"),
    Unread("a .7z archive", _UNPACK, _starts(b"7z\xbc\xaf\x27\x1c"), r".*\.7z"),
    Unread("compressed with zstd", _UNPACK, _starts(b"\x28\xb5\x2f\xfd"), r".*\.zst"),
    Unread("compressed with lz4", _UNPACK, _starts(b"\x04\x22\x4d\x18"), r".*\.lz4"),
    Unread("compressed with lzma", _UNPACK, _starts(b"]\0\0"), r".*\.lzma"),
    Unread("compressed with lzip", _UNPACK, _starts(b"LZIP\x01"), r".*\.lz"),
    Unread("packed with compress", _UNPACK, _starts(b"\x1f\x9d")),
    Unread("a .tar archive", _UNPACK, _starts(b"ustar", at=257), r".*\.tar"),
    Unread("compressed by joblib or zlib", "load it where you trust it and save the numbers: "
           "np.savez(path, words=np.array(words, str), vectors=vectors)",
           None, r".*\.(joblib|z)"),
    Unread("Python source", "run it, if you trust it, and give the table that it writes", None,
           r".*\.py"),
    Unread("a notebook", "run it, if you trust it, and give the table that it writes", None,
           r".*\.ipynb"),
    Unread("JSON", "write its table with np.savez(path, words=words, vectors=vectors), or as JSON "
           "lines of an id and a vector", None, r".*\.json"),
)  # fmt: skip
"""In the order in which they are tried."""


def by_content(head: bytes) -> Unread | None:
    """Return the kind of file that begins so; None if it is none of these."""
    return next((kind for kind in KINDS if kind.tells and kind.tells(head)), None)


def holds_pointers(path: Path) -> bool:
    """Whether the weights of a folder are pointers of Git LFS, as in a clone without them."""
    weights = [file for file in path.iterdir() if file.suffix in (".safetensors", ".bin", ".h5")]
    return bool(weights) and all(map(_is_pointer_file, weights))


def _is_pointer_file(path: Path) -> bool:
    if not path.is_file() or path.stat().st_size > 1024:
        return False
    return POINTER.tells is not None and POINTER.tells(path.read_bytes())


def by_name(path: Path) -> Unread | None:
    """Return the kind of a file or folder, by its name or by those in the folder."""
    if path.is_dir():
        names = [entry.name for entry in path.iterdir()]
        named = ((kind, kind.inside) for kind in KINDS if kind.inside)
    else:
        names = [path.name]
        named = ((kind, kind.names) for kind in KINDS if kind.names)
    return next(
        (
            kind
            for kind, pattern in named
            if any(re.fullmatch(pattern, name, re.IGNORECASE) for name in names)
        ),
        None,
    )
