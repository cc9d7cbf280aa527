import pickle
import warnings
from collections import OrderedDict
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import numpy as np
import pytest
import torch
from torch import nn

from driftkit import align
from driftkit.errors import SourceError, UnknownNameError, UnsafePickleError, VocabularyError
from driftkit.loaders import inspect, load
from driftkit.loaders.formats.torch_checkpoint import DEEPEST

WORDS = ["good", "bad", "film"]


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(3, 4)
        self.head = nn.Linear(4, 2)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Model()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "best.pt"


@pytest.mark.parametrize("zipped", [True, False])
def test_state_dict(model, path, zipped):
    torch.save(model.state_dict(), path, _use_new_zipfile_serialization=zipped)
    table = load(path, vocab=WORDS)
    assert np.array_equal(table.matrix, model.emb.weight.detach().numpy())
    assert (table.source.format, table.source.key) == ("torch", "emb.weight")
    assert table.words == tuple(WORDS)


def test_nested_parameters_and_bare_tensors(model, path):
    torch.save({"epoch": 3, "model": {"net": model.state_dict(), "lr": 0.1}}, path)
    assert load(path, vocab=WORDS).source.key == "model.net.emb.weight"
    torch.save(OrderedDict(w=nn.Parameter(torch.ones(3, 4))), path)
    assert load(path, vocab=WORDS).matrix.sum() == 12
    torch.save(torch.arange(6.0).reshape(2, 3).T, path)  # not contiguous
    table = load(path, vocab=WORDS)
    assert (table.source.key, table.matrix.tolist()) == (None, [[0, 3], [1, 4], [2, 5]])


def test_optimizer_state_is_not_taken_for_the_table(model, path):
    optimizer = torch.optim.Adam(model.parameters())
    model.head(model.emb(torch.tensor([0, 1]))).sum().backward()
    optimizer.step()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, path)
    assert load(path, vocab=WORDS).source.key == "model.emb.weight"
    exp = load(path, key="optimizer.state.0.exp_avg", vocab=WORDS)
    assert exp.source.key == "optimizer.state.0.exp_avg"


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_types_and_their_rounding(path, dtype):
    values = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    torch.save({"emb": values.to(dtype)}, path)
    table = load(path, vocab=WORDS)
    assert np.array_equal(table.matrix, values.to(dtype).float().numpy())
    assert table.source.dtype == str(dtype).removeprefix("torch.")
    assert table.source.rounding.is_exact == (dtype == torch.float64)
    torch.save({"emb": values}, path)
    assert not align(load(path, vocab=WORDS), table).moved.any()


@pytest.mark.parametrize("words", [WORDS, {"bad": 1, "good": 0, "film": 2}])
def test_words_inside_the_file(model, path, words):
    torch.save({"state": model.state_dict(), "vocab": words}, path)
    assert load(path).words == tuple(WORDS)
    assert load(path, vocab=["x", "y", "z"]).words == ("x", "y", "z")


def test_wrong_key_gives_the_nearest(model, path):
    torch.save(model.state_dict(), path)
    with pytest.raises(UnknownNameError) as caught:
        load(f"{path}::emb.wieght", vocab=WORDS)
    assert str(caught.value) == (
        f"unknown tensor in {path} 'emb.wieght': did you mean 'emb.weight'? Known: emb.weight, "
        f"head.weight, head.bias. `driftkit inspect {path}` lists them."
    )
    with pytest.raises(SourceError, match=r"has shape \(2,\); a table of word vectors has two"):
        load(path, key="head.bias", vocab=WORDS)


@pytest.mark.parametrize(
    ("tensors", "words", "sentence"),
    [
        (
            {"a": torch.ones(5, 2)},
            WORDS,
            "tensor a has 5 rows and the vocabulary given has 3 words; the 2 extra rows are "
            "usually padding: add words such as '<pad>' and '<unk>' where the trainer put them, or "
            "cut those rows off.",
        ),
        (
            {"a": torch.ones(2, 2)},
            WORDS,
            "tensor a has 2 rows and the vocabulary given has 3 words; that "
            "vocabulary probably belongs to another table: give the one this table was trained "
            "with.",
        ),
        (
            {"a": torch.ones(2, 2), "b": torch.ones(5, 2)},
            WORDS,
            "no table has a row for each of the 3 words of the vocabulary given: a "
            "(2 x 2, float32), "
            "b (5 x 2, float32). Give the vocabulary the model was trained with.",
        ),
        (
            {"a": torch.ones(2, 2), "b": torch.ones(5, 2)},
            None,
            "no words were found for its rows; name the file that lists them (--vocab FILE, "
            "vocab=), or save it beside as best.vocab.txt. Tables it may mean: a (2 x 2, float32), "
            "b (5 x 2, float32).",
        ),
    ],
)
def test_words_that_do_not_fit(path, tensors, words, sentence):
    torch.save(tensors, path)
    with pytest.raises(VocabularyError) as caught:
        load(path, vocab=words)
    assert str(caught.value) == f"{path}: {sentence}"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            {f"t{i}": torch.ones(3, 2) for i in range(12)},
            "12 tables fit the 3 words of the vocabulary given: "
            + ", ".join(f"t{i} (3 x 2, float32)" for i in range(10))
            + " and 2 more. Name one as {path}::t0.",
        ),
        (
            {"bias": torch.ones(3), "ids": torch.ones(3, 2, dtype=torch.int64)},
            "holds no two-dimensional tensor of floating-point numbers, only bias (3, float32), "
            "ids (3 x 2, int64).",
        ),
        (
            {"step": 3, "sparse": torch.eye(3).to_sparse()},
            "holds no table that can be read: sparse (3 x 3, float32) is stored as sparse coo; "
            "save it dense, tensor.to_dense().",
        ),
        (
            [1, 2],
            "holds an object of type list, not tensors; save them with "
            "torch.save(model.state_dict(), path).",
        ),
    ],
)
def test_ambiguous_or_nothing(path, content, sentence):
    torch.save(content, path)
    with pytest.raises(SourceError) as caught:
        load(path, vocab=WORDS)
    assert str(caught.value) == f"{path}: {sentence.format(path=path)}"


@pytest.mark.parametrize("zipped", [True, False])
def test_a_payload_does_not_run(path, ran, payload, zipped):
    torch.save({"emb": payload}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(UnsafePickleError) as caught:
        load(path, vocab=WORDS)
    assert str(caught.value) == (
        f"{path}: is a pickle that would run code to load (exec), so it was not opened; a "
        "whole saved module is one too. Save the tensors alone, torch.save(model.state_dict(), "
        "path), or pass --unsafe-pickle (unsafe_pickle=True) if you trust where it comes from."
    )
    assert not ran.exists()
    with pytest.raises(SourceError):  # the payload is real: with the flag it runs
        load(path, vocab=WORDS, unsafe_pickle=True)
    assert ran.exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_whole_modules_only_with_the_flag(path, zipped):
    module = nn.Sequential(nn.Embedding(3, 4))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the old format warns that it stores source code
        torch.save(module, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(UnsafePickleError, match=r"torch\.nn\.modules\.\w+\.Sequential"):
        load(path, vocab=WORDS)
    assert load(path, vocab=WORDS, unsafe_pickle=True).source.key == "0.weight"


def test_truncated(model, path):
    torch.save(model.state_dict(), path)
    path.write_bytes(path.read_bytes()[:-700])
    with pytest.raises(SourceError, match="is a damaged or truncated torch checkpoint"):
        load(path, vocab=WORDS)


def test_a_plain_pickle_named_pt_is_refused(path, ran, payload):
    path.write_bytes(pickle.dumps(payload))
    with pytest.raises(UnsafePickleError, match="is a Python pickle"):
        load(path, vocab=WORDS)
    assert not ran.exists()


def test_what_trainers_put_into_checkpoints_is_no_obstacle(tmp_path):
    import argparse
    from pathlib import Path

    import numpy as np

    held = {
        "state_dict": {"module.emb.weight": torch.eye(2)},
        "hyper_parameters": argparse.Namespace(lr=np.float64(0.1), out=Path("runs")),
        "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(2, 2)}}}],
        "loops": {"epoch": np.int64(3)},
    }
    torch.save(held, tmp_path / "last.ckpt")
    table = load(tmp_path / "last.ckpt", vocab=["a", "b"])
    assert table.source.key == "state_dict.module.emb.weight"
    assert load(tmp_path / "last.ckpt", key="emb.weight", vocab=["a", "b"]).words == ("a", "b")


TABLE = torch.arange(12.0).reshape(3, 4)


@pytest.mark.parametrize(
    "cache",
    [
        (WORDS, {word: row for row, word in enumerate(WORDS)}, TABLE, 4),
        [WORDS, TABLE],
        (TABLE, {word: row for row, word in enumerate(WORDS)}),
    ],
    ids=["of torchtext's Vectors", "words and vectors", "vectors and rows"],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_a_cache_of_torchtext_holds_its_words(path, cache, zipped):
    torch.save(cache, path, _use_new_zipfile_serialization=zipped)
    table = load(path)
    assert (table.words, table.matrix.tolist()) == (tuple(WORDS), TABLE.tolist())
    assert load(path, vocab=["x", "y", "z"]).words == ("x", "y", "z")


def test_two_vocabularies_that_disagree(path):
    rows = {"good": 1, "bad": 0, "film": 2}
    torch.save((WORDS, rows, TABLE, 4), path)
    with pytest.raises(VocabularyError, match="itos inside the file and stoi inside the file name"):
        load(path)
    assert load(path, vocab=WORDS).words == tuple(WORDS)


def rezipped(path, change, kind=ZIP_STORED):
    """Write an archive anew with its first record changed."""
    with ZipFile(path) as archive:
        records = [(item, archive.read(item)) for item in archive.infolist()]
    with ZipFile(path, "w", kind) as archive:
        for item, data in records:
            first = item.filename.endswith("data/0")
            archive.writestr(item.filename, change(data) if first else data)


@pytest.mark.parametrize("cut", [4, 40])
def test_a_record_shorter_than_its_tensor_is_damage(path, cut):
    torch.save({"emb": TABLE, "more": torch.ones(5000)}, path)
    rezipped(path, lambda data: data[:-cut])
    with pytest.raises(SourceError, match=rf"its record best/data/0 has {48 - cut} bytes of 48"):
        load(path, vocab=WORDS)


def test_a_record_shorter_than_its_tensor_is_damage_in_the_old_format_too(path):
    torch.save({"emb": TABLE, "more": torch.ones(50)}, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(SourceError, match="is a damaged or truncated torch checkpoint"):
        load(path, vocab=WORDS)


def test_a_compressed_archive_is_unpacked_not_mapped(path):
    torch.save({"emb": TABLE, "more": torch.ones(5000)}, path)
    rezipped(path, lambda data: data, ZIP_DEFLATED)
    assert load(path, vocab=WORDS).matrix.tolist() == TABLE.tolist()


@pytest.mark.parametrize("dtype", [torch.float8_e5m2, torch.uint16, torch.complex64, torch.bool])
def test_each_kind_of_storage_is_as_long_as_it_says(path, dtype):
    torch.save({"emb": TABLE, "more": torch.ones(7).to(dtype)}, path)
    assert load(path, vocab=WORDS).matrix.tolist() == TABLE.tolist()


def test_views_that_torch_negates_when_they_are_read(path):
    torch.save({"emb": torch.complex(TABLE, TABLE).conj().imag}, path)
    assert load(path, vocab=WORDS).matrix.tolist() == (-TABLE).tolist()


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta")
@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: TABLE.to_sparse(), r"\(3 x 4, float32\) is stored as sparse coo; save it dense"),
        (lambda: TABLE.to_sparse_csr(), "is stored as sparse csr"),
        (lambda: TABLE.to("meta"), "is on the device meta, so it has no numbers"),
        (
            lambda: torch.complex(TABLE, TABLE),
            "holds complex64, no real numbers",
        ),
        (lambda: torch.nested.nested_tensor([TABLE, TABLE[:1]]), "is a nested tensor"),
        (lambda: torch.empty(0), "is empty, as a shard"),
    ],
    ids=["sparse", "compressed sparse", "meta", "complex", "nested", "empty"],
)
def test_tensors_without_plain_numbers_in_the_place_of_the_table(path, make, sentence):
    torch.save({"embed_tokens.weight": make(), "lm_head.weight": TABLE}, path)
    with pytest.raises(SourceError, match=f"its input embedding embed_tokens.weight .*{sentence}"):
        load(path, vocab=WORDS)
    assert load(path, key="lm_head.weight", vocab=WORDS).matrix.tolist() == TABLE.tolist()
    with pytest.raises(SourceError):
        load(path, key="embed_tokens.weight", vocab=WORDS)


@pytest.mark.parametrize("zipped", [True, False])
def test_dicts_inside_one_another_are_followed_only_so_far(path, zipped):
    deep = {"emb": TABLE}
    for _ in range(DEEPEST + 1):
        deep = {"a": deep}
    torch.save(deep, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(SourceError, match="nests dicts more than 100 deep"):
        load(path, vocab=WORDS)
    ring = {"emb": TABLE}
    ring["itself"] = ring
    torch.save(ring, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(SourceError, match="nests dicts more than 100 deep"):
        load(path, vocab=WORDS)
    doubled = {"emb": TABLE}
    for _ in range(30):
        doubled = {"a": doubled, "b": doubled}
    torch.save(doubled, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(SourceError, match="or holds more than 250,000 of them"):
        load(path, vocab=WORDS)


def test_a_class_that_is_not_installed_is_named(path):
    import sys
    from types import ModuleType

    module = ModuleType("vanished")
    exec("class Vectors: pass", module.__dict__)
    sys.modules["vanished"] = module
    try:
        torch.save(module.Vectors(), path)
    finally:
        del sys.modules["vanished"]
    with pytest.raises(SourceError, match=r"not installed here \(No module named 'vanished'\)"):
        load(path, unsafe_pickle=True)


@pytest.mark.parametrize("key", ["optimizer.exp_avg", "ids", "exp_avg"])
def test_what_load_finds_by_name_inspect_finds(path, key):
    held = {"optimizer": {"exp_avg": TABLE}, "ids": TABLE.long(), "emb": TABLE}
    torch.save(held, path)
    assert load(path, key=key, vocab=WORDS).matrix.tolist() == TABLE.tolist()
    (found,) = inspect(f"{path}::{key}", vocab=WORDS).tables
    assert found.key.endswith(key)
    assert found.fits


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*TorchScript:DeprecationWarning")
@pytest.mark.parametrize("unsafe", [False, True])
def test_a_program_of_torch_is_named_and_not_run(model, path, unsafe):
    torch.jit.trace(model.emb, torch.tensor([1])).save(str(path))
    for call in (load, inspect):
        with pytest.raises(SourceError, match="is a TorchScript archive.*torch.jit.load") as told:
            call(path, vocab=WORDS, unsafe_pickle=unsafe)
        assert "weights_only" not in str(told.value)
    torch.save(torch.jit.load(str(path)).state_dict(), path)  # what the sentence says
    assert load(path, vocab=WORDS).matrix.tolist() == model.emb.weight.tolist()
