"""Tiny models whose adapters the real peft makes, saves and merges."""

import warnings
from types import SimpleNamespace

import pytest
import torch
from peft_models import WORDS, merged_table, shaken, tiny_model, write_words
from torch import nn


@pytest.fixture
def quiet(monkeypatch):
    """Neither warnings of peft and transformers, nor a network."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture
def adapted(tmp_path, quiet):
    """Save a model and an adapter of it; returned are both folders and peft's own merge."""

    def make(config, *, tied=False, dtype=torch.float32, rows=24, words=None, **saving):
        from peft import get_peft_model
        from transformers import LlamaForCausalLM

        base, folder = tmp_path / "base", tmp_path / "adapter"
        tiny_model(tied=tied).to(dtype).save_pretrained(base)
        write_words(base, WORDS)
        model = LlamaForCausalLM.from_pretrained(base, dtype=dtype)
        if rows != len(WORDS):
            model.resize_token_embeddings(rows, mean_resizing=False)
        model = shaken(get_peft_model(model, config))
        model.save_pretrained(folder, **saving)
        write_words(folder, words or [f"w{row}" for row in range(rows)])
        return SimpleNamespace(base=base, folder=folder, model=model, table=merged_table(model))

    return make


@pytest.fixture
def custom(quiet):
    """Return a module that is none of transformers', with an adapter of its table."""

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.emb = nn.Embedding(len(WORDS), 6)
            self.head = nn.Linear(6, 2)

        def forward(self, rows):
            return self.head(self.emb(rows))

    return Model
