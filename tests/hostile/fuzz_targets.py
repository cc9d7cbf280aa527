"""What is fuzzed: each parser, with valid files to begin from.

A new format of tables is one line: ``table("name", "t.ending", valid bytes)``. Seeds may stand here
before there is a reader; until then they are refused, which is an outcome like another.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import struct
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from hostile.mutations import LARGEST

import driftkit as dk

Files = dict[str, bytes]

WORDS = ["good", "bad", "odd"]
ROWS = np.array([[1.5, -0.25], [-1.0, 0.5], [0.125, 3.0]], np.float32)
TEXT = b"good 1.5 -0.25\nbad -1.0 0.5\nodd 0.125 3.0\n"


@dataclass(frozen=True)
class Target:
    """One parser: valid files for it, each a folder of files, and what opens such a folder."""

    name: str
    seeds: Callable[[], list[Files]]
    read: Callable[[Path], Any]
    largest: int = LARGEST  # bytes of a spoiled file


TARGETS: dict[str, Target] = {}


def target(
    name: str,
    read: Callable[[Path], Any],
    seeds: Callable[[], list[Files]],
    largest: int = LARGEST,
) -> None:
    """Register a parser."""
    assert name not in TARGETS, name
    TARGETS[name] = Target(name, cache(seeds), read, largest)


def table(
    name: str, file: str, *seeds: Any, vocab: Any = WORDS, largest: int = LARGEST, **settings: Any
) -> None:
    """Register a format of tables by valid files: bytes, folders as dicts, or what makes them."""

    def made() -> list[Files]:
        built = [each() if callable(each) else each for each in seeds]
        return [each if isinstance(each, dict) else {file: each} for each in built]

    target(name, lambda folder: use_table(folder / file, vocab=vocab, **settings), made, largest)


def use_table(path: Path, **settings: Any) -> None:
    """Open a table as a user would, and check what every table promises."""
    parts = path.rglob("*") if path.is_dir() else [path]
    chosen = sum(part.stat().st_size for part in parts) % 4  # the dear things not every time
    if chosen == 0:
        _inspect(path, settings)
    found = dk.load(path, **settings)
    assert len(found.words) == len(found.matrix) > 0
    assert found.matrix.dtype == np.float32
    assert np.isfinite(found.matrix).all()
    assert all(type(word) is str for word in found.words)
    assert repr(found)
    if chosen == 1 and len(found) < 100:
        with tempfile.TemporaryDirectory(dir=path.parent.parent) as place:
            found.save(Path(place) / "saved")
            again = dk.load(Path(place) / "saved")
            assert tuple(again.words) == tuple(found.words)
            assert np.array_equal(again.matrix, found.matrix)


def _inspect(path: Path, settings: dict[str, Any]) -> None:
    try:
        said = dk.inspect(path, **{k: v for k, v in settings.items() if k == "vocab"})
    except dk.errors.DriftkitError:
        return
    json.dumps(said.to_dict(), allow_nan=False)
    assert repr(said)


def _npy(array: Any, **settings: Any) -> bytes:
    out = io.BytesIO()
    np.save(out, array, **settings)
    return out.getvalue()


def _npz(compressed: bool = False, **arrays: Any) -> bytes:
    out = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(out, **arrays)
    return out.getvalue()


def _word2vec() -> bytes:
    body = b"".join(
        w.encode() + b" " + r.tobytes() + b"\n" for w, r in zip(WORDS, ROWS, strict=True)
    )
    return b"3 2\n" + body


def _fasttext() -> bytes:
    head = struct.pack("<2i12id", 793712314, 12, 2, 5, 5, 5, 5, 1, 1, 1, 4, 3, 6, 100, 1e-4)
    sizes = struct.pack("<3i2q", 3, 3, 0, 9, -1)
    entries = b"".join(word.encode() + b"\0" + struct.pack("<qb", 3, 0) for word in WORDS)
    matrix = struct.pack("<2q", 7, 2) + np.ones((7, 2), "<f4").tobytes()
    output = struct.pack("<2q", 3, 2) + np.ones((3, 2), "<f4").tobytes()
    return head + sizes + entries + b"\0" + matrix + b"\0" + output


def tensors(found: dict[str, Any]) -> bytes:
    """Return safetensors bytes of float32 arrays."""
    header, body = {}, b""
    for key, array in found.items():
        raw = np.asarray(array, "<f4").tobytes()
        entry = {"dtype": "F32", "shape": list(np.shape(array))}
        header[key] = entry | {"data_offsets": [len(body), len(body) + len(raw)]}
        body += raw
    encoded = json.dumps(header).encode()
    return struct.pack("<Q", len(encoded)) + encoded + body


def faiss_index(kind: str) -> bytes:
    """Return the bytes of a faiss index of `ROWS`, as faiss writes them."""
    head = struct.pack("<i3q?i", 2, 3, 1 << 20, 1 << 20, True, 1)
    numbers = np.asarray(ROWS, "<f4").tobytes()
    flat = b"IxF2" + head + struct.pack("<Q", 6) + numbers
    ids = struct.pack("<3q", 7, -8, 9)
    lists = b"ilar" + struct.pack("<2Q", 1, 8) + b"full" + struct.pack("<2Q", 1, 3) + numbers + ids
    return {
        "flat": flat,
        "ids": b"IxMp" + head + flat + struct.pack("<Q", 3) + ids,
        "hnsw": b"IHNf" + head + bytes(5 * 8) + struct.pack("<5i", 0, 0, 40, 16, 1) + flat,
        "ivf": b"IwFl" + head + struct.pack("<2Q", 1, 1) + flat + bytes(9) + lists,
    }[kind]


def _torch(value: Callable[[Any], Any], **settings: Any) -> Callable[[], bytes]:
    def make() -> bytes:
        import torch

        out = io.BytesIO()
        torch.save(value(torch), out, **settings)
        return out.getvalue()

    return make


def _keyed_vectors() -> bytes:
    from gensim.models import KeyedVectors

    vectors = KeyedVectors(2)
    vectors.add_vectors(WORDS, ROWS)
    return pickle.dumps(vectors)


def _saved() -> Files:
    with tempfile.TemporaryDirectory() as place:
        dk.Embeddings(WORDS, ROWS).save(Path(place) / "t")
        return {f"t/{path.name}": path.read_bytes() for path in (Path(place) / "t").iterdir()}


def _zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def _parquet() -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.table({"id": WORDS, "vector": ROWS.tolist()}), out)
    return out.getvalue()


def _h5() -> bytes:
    import h5py

    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        file.create_dataset("model_weights/embedding/embedding/embeddings:0", data=ROWS)
    return out.getvalue()


def _keras() -> bytes:
    import h5py

    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        file["layers/embedding/vars/0"] = ROWS
    return _zipped(
        **{
            "metadata.json": b'{"keras_version": "3.15.1"}',
            "config.json": b"{}",
            "model.weights.h5": weights.getvalue(),
        }
    )


def _spacy() -> Files:
    import msgpack

    from driftkit.loaders.formats.spacy_keys import keys_of

    keys = {word: key for key, word in keys_of(WORDS).items()}
    rows = {keys[word]: row for row, word in enumerate(WORDS)}
    strings = json.dumps(WORDS).encode()
    return {"t/vectors": _npy(ROWS), "t/key2row": msgpack.packb(rows), "t/strings.json": strings}


def _adapter() -> Files:
    layer = "base_model.model.emb."
    parts = {layer + "lora_embedding_A": ROWS[:, :1].T, layer + "lora_embedding_B": ROWS[:2, :1]}
    settings = {
        "peft_type": "LORA",
        "r": 1,
        "lora_alpha": 2,
        "base_model_name_or_path": "base.safetensors",
    }
    return {
        "t/adapter_model.safetensors": tensors(parts),
        "t/adapter_config.json": json.dumps(settings).encode(),
        "t/vocab.txt": "\n".join(WORDS).encode(),
        "t/base.safetensors": tensors({"emb.weight": ROWS}),
    }


def _model(**files: Any) -> Files:
    base = {"model.safetensors": tensors({"embeddings.word_embeddings.weight": ROWS})}
    return {
        f"t/{name}": data if isinstance(data, bytes) else json.dumps(data).encode()
        for name, data in {**base, **files}.items()
    }


BPE = {
    "version": "1.0",
    "added_tokens": [{"id": 2, "content": "odd", "special": True}],
    "model": {"type": "BPE", "vocab": {"good": 0, "bad": 1}, "merges": []},
}
UNIGRAM = {"added_tokens": [], "model": {"type": "Unigram", "vocab": [[w, -1.5] for w in WORDS]}}

# Tables.
table("text", "t.txt", TEXT, b"3 2\n" + TEXT, TEXT * 30, b"a b c 1 2\nNew York 3 4\n", vocab=None)
table("text of numbers", "t.txt", b"1.5 -0.25\n-1.0 0.5\n0.125 3.0\n", b"3 2\n1.5 2\n2 3.5\n4 5\n")
table("word2vec", "t.bin", _word2vec, vocab=None)
table("fasttext", "t.bin", _fasttext, vocab=None)
table("npy", "t.npy", _npy(ROWS), _npy(ROWS.astype("<f8")), _npy(np.asfortranarray(ROWS)))
table("npz", "t.npz", _npz(a=ROWS), _npz(True, a=ROWS, b=ROWS[:2]))
table("npz of words", "t.npz", _npz(vectors=ROWS, words=np.array(WORDS)), vocab=None)
table("safetensors", "t.safetensors", tensors({"emb.weight": ROWS, "head.weight": ROWS[:, :1]}))
# torch looks for words in its own messages by an expression that is quadratic in a name's length.
table("torch", "t.pt", _torch(lambda torch: {"emb.weight": torch.from_numpy(ROWS), "step": 3}),
      largest=4096)  # fmt: skip
table("faiss", "t.index", faiss_index("flat"), faiss_index("hnsw"))
table("faiss of ids", "t.index", faiss_index("ids"), faiss_index("ivf"), vocab=None)
table("torch, old", "t.pt",
      _torch(lambda torch: {"a": {"b": torch.ones(3, 2)}}, _use_new_zipfile_serialization=False),
      largest=4096)  # fmt: skip
table("torch of words", "t.pt", _torch(lambda torch: {"emb": torch.ones(3, 2), "vocab": WORDS}),
      vocab=None, largest=4096)  # fmt: skip
table("pickle", "t.kv", _keyed_vectors)
table("compressed", "t.z", gzip.compress(TEXT), bz2.compress(TEXT), lzma.compress(TEXT),
      lambda: _zipped(**{"t.txt": TEXT}), lambda: gzip.compress(_word2vec()))  # fmt: skip
table("projector", "t.tsv", b"1.5\t-0.25\n-1.0\t0.5\n0.125\t3.0\n")
table("projector of words", "t.tsv",
      {"t.tsv": b"1.5\t-0.25\n-1.0\t0.5\n", "metadata.tsv": b"word\tcount\na\t3\nb\t1\n"},
      vocab=None)  # fmt: skip
table(
    "comma",
    "t.csv",
    b"word,a,b\ngood,1.5,2\nbad,2,3\n",
    b'id,vector\ngood,"[1.5, 2]"\n',
    vocab=None,
)
table(
    "jsonl",
    "t.jsonl",
    b'{"id": "good", "vector": [1, 2]}\n{"id": "bad", "vector": [3, 4]}\n',
    vocab=None,
)
table("parquet", "t.parquet", _parquet, vocab=None)
table("keras", "t.h5", _h5)
table("keras archive", "t.keras", _keras)
table("spacy", "t", _spacy, vocab=None)
table("adapter", "t", _adapter, vocab=None)
table("driftkit folder", "t", _saved, vocab=None)
table("model folder", "t",
      lambda: _model(**{"tokenizer.json": BPE}),
      lambda: _model(**{"vocab.txt": b"good\nbad\nodd\n", "added_tokens.json": {"odd": 2}}),
      lambda: _model(**{"vocab.json": {"good": 0, "bad": 1, "odd": 2}}),
      lambda: _model(**{"vocab.txt": b"good\nbad\nodd\n", "model.safetensors.index.json":
                        {"weight_map": {"embeddings.word_embeddings.weight": "model.safetensors"}}}),
      lambda: _model(**{"modules.json": [{"path": "0_WordEmbeddings"}],
                        "whitespacetokenizer_config.json": {"vocab": WORDS}}),
      vocab=None)  # fmt: skip


# Words of a table that has none.


def vocabulary(name: str, file: str, *seeds: Any) -> None:
    """Register a form of vocabularies by valid ones: bytes, or what becomes JSON."""

    def read(folder: Path) -> None:
        use_table(folder / "t.npy", vocab=folder / file)

    files = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in seeds]
    target(name, read, lambda: [{"t.npy": _npy(ROWS), file: each} for each in files])


vocabulary(
    "vocabulary: lines",
    "v.txt",
    b"good\nbad\nodd\n",
    b"good 3\nbad 2\nodd 1\n",
    b"word\tcount\ngood\t3\nbad\t2\nodd\t1\n",
    b"[PAD]\ngood\nbad\n",
)
vocabulary(
    "vocabulary: JSON",
    "v.json",
    WORDS,
    {"good": 0, "bad": 1, "odd": 2},
    {"itos": WORDS},
    {"0": "good", "1": "bad", "2": "odd"},
)
vocabulary(
    "tokenizer.json",
    "v.json",
    BPE,
    UNIGRAM,
    {"model": {"type": "WordPiece", "vocab": {"good": 0, "bad": 1, "odd": 2}}},
)
vocabulary("vocabulary: YAML", "v.yaml", b"good: 0\nbad: 1\nodd: 2\n", b"- good\n- bad\n- odd\n")


def _sentencepiece() -> list[Files]:
    def piece(text: str, kind: int) -> bytes:
        raw = text.encode()
        body = b"\x0a" + bytes([len(raw)]) + raw + b"\x15" + struct.pack("<f", -1.5) + b"\x18"
        body += bytes([kind])
        return b"\x0a" + bytes([len(body)]) + body

    model = piece("<unk>", 2) + piece("good", 1) + piece("bad", 1)
    return [{"t.npy": _npy(ROWS), "v.model": model}]


target("sentencepiece", lambda folder: dk.load(folder / "t.npy", vocab=folder / "v.model"),
       _sentencepiece)  # fmt: skip

# Benchmarks.


def benchmark(name: str, file: str, *seeds: Any) -> None:
    """Register a layout of benchmarks by valid ones: bytes, or folders as dicts."""
    from driftkit.datasets.parse import read_benchmark

    files = [each if isinstance(each, dict) else {file: each} for each in seeds]
    target(name, lambda folder: repr(read_benchmark(folder / file)), lambda: files)


benchmark(
    "similarity",
    "b.txt",
    b"good\tbad\t1.5\nodd\tbad\t0\n",
    b"# c\ngood bad 1\nodd bad 2\n",
    b"word1,word2,similarity\ngood,bad,3\nodd,bad,1e-1\n",
)
benchmark(
    "analogies",
    "b.txt",
    b": family\nking queen man woman\nman woman king queen\n",
    b"a b c d\nb a d c\n",
)
benchmark(
    "categories",
    "b.tsv",
    b"dog\tanimal\ncat\tanimal\nred\tcolor\n",
    b"word,category\ndog,animal\ncat,animal\nred,color\n",
)
benchmark(
    "outliers", "b.csv", b"category,outliers,words\ncats,\"['car','sun']\",\"['lion','tiger']\"\n"
)
benchmark("questions", "b.txt", b"big | large | small | red\nodd | strange | even | blue\n")
benchmark(
    "TOEFL",
    "b.qst",
    {
        "b.qst": b"1. big\na. large\nb. small\n2. odd\na. even\nb. strange\n",
        "b.ans": b"1 a 1 a\n2 a 2 b\n",
    },
)
benchmark(
    "sets of words",
    "b.txt",
    b": mine\nX: a, b\nY: c, d\nA: e, f\nB: g, h\n",
    b"X: a, b\nY: c, d\nA: e, f\nB: g, h\n",
)
benchmark("BATS", "b", {"b/one/x.txt": b"king\tqueen\nman\twoman/lady\n"})

# The gate, and what is typed.


@cache
def _audit() -> dk.Audit:
    from driftkit.datasets import SimilarityBenchmark

    random = np.random.default_rng(0)
    words = [f"word{row}" for row in range(40)]
    before = random.normal(size=(40, 4)).astype(np.float32)
    after = before.copy()
    after[:9] += random.normal(size=(9, 4)).astype(np.float32)
    pairs = tuple((words[row], words[row + 1]) for row in range(30))
    mine = SimilarityBenchmark("mine", pairs, random.normal(size=30))
    pair = dk.align(dk.Embeddings(words, before), dk.Embeddings(words, after))
    return dk.audit(pair, benchmarks=[mine], k=5, resamples=100)


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")


def _rule(folder: Path) -> None:
    from driftkit.display import to_text
    from driftkit.gate.reports.terminal import verdict_view

    to_text(verdict_view([dk.check(_audit(), [_text(folder / "rule")])]))


def typed(name: str, read: Callable[[Path], Any], *seeds: str) -> None:
    """Register what is typed by valid ones."""
    target(name, lambda folder: read(folder), lambda: [{name: each.encode()} for each in seeds])


typed(
    "rule",
    _rule,
    "warn: spearman[mine] >= -0.02",
    "moved <= 10%",
    "change[*] >= -2 margin",
    "spearman[mine] = original - 0.01 +- 2 margins",
    "rbo(p=0.9)@5 mean[moved] > .6",
    'word["word3",word4] overlap@5 >= 0.5',
    "mean_cosine <= original + 5%",
    "overlap mean[rank 1-10] >= 0.1",
    "coverage[mine] >= 0.9",
    "lost == 0",
)


def _baseline(folder: Path) -> None:
    from driftkit.display import to_text
    from driftkit.gate import read_baseline
    from driftkit.gate.reports.terminal import baseline_view

    found = read_baseline(folder / "b.json")
    json.loads(found.to_json())
    to_text(baseline_view(found))
    rules = ["moved <= baseline + 20%", "change[*] >= baseline - margin", "cka >= baseline - 5%"]
    json.dumps(dk.check(_audit(), rules, baseline=found).to_dict(), allow_nan=False)


def _baseline_seeds() -> list[Files]:
    from driftkit.gate import baseline_of

    return [{"b.json": baseline_of(_audit(), ["word1"]).to_json().encode()}]


target("baseline", _baseline, _baseline_seeds)


def _measure(folder: Path) -> None:
    from driftkit.measures.registry import requested_measures

    requested_measures([_text(folder / "measure")], 5)


typed("measure", _measure, "rbo(p=0.98)@50", "displacement(center=1)", "jaccard", "cka")


@cache
def _commands() -> dict[str, Any]:
    from driftkit.cli import COMMANDS, main

    return {name: main.get_command(None, name) for name in COMMANDS}  # type: ignore[arg-type]


def _use_settings(folder: Path) -> None:
    import click

    from driftkit.cli.settings import default_map, find_settings

    found = find_settings(folder)
    if found is None:
        return
    path, settings = found
    made = default_map(settings, path, _commands())
    for name in ("check", "shifts"):
        try:
            _commands()[name].make_context(name, ["a", "b"], default_map=made.get(name, {}))
        except click.ClickException as error:
            error.format_message()


TOML = b"""k = 10
limit = 5
benchmarks = ["ws353", "mine.txt"]
[check]
rules = ["moved <= 10%"]
profile = "strict"
seed = 3
[shifts]
memory = "1GB"
[baseline]
force = true
"""
target("settings", _use_settings, lambda: [
    {"driftkit.toml": TOML},
    {"pyproject.toml": b"[tool.driftkit]\nk = 5\n[tool.driftkit.check]\ninconclusive = 'fail'\n"},
])  # fmt: skip


def _option(folder: Path) -> None:
    import click

    text = _text(folder / "option")
    for name, option in (("shifts", "-k"), ("shifts", "--memory"), ("audit", "--seed")):
        try:
            _commands()[name].make_context(name, ["a", "b", option, text])
        except click.ClickException as error:
            error.format_message()


typed("option", _option, "10", "500MB", "1.5 GB", "0")


def _gather(folder: Path) -> None:
    from driftkit.cli.tables import gather_words

    assert all(type(word) is str for word in gather_words((), str(folder / "words")))


typed("words", _gather, "good\nbad\n", "New York\r\nodd\r\n")


def _extra_state(folder: Path) -> None:
    import torch

    from driftkit.training import WordEmbedding

    state = torch.frombuffer(bytearray((folder / "state").read_bytes() or b" "), dtype=torch.uint8)
    matrix = torch.from_numpy(ROWS.copy())
    WordEmbedding(WORDS, matrix, found=[True] * 3, source="t").set_extra_state(state)


STATE = {"words": WORDS, "missing": ["odd"], "source": "t.txt"}
typed("state", _extra_state, json.dumps(STATE))
