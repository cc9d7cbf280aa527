"""Tiny models whose adapters the real peft makes, saves and merges."""

from copy import deepcopy

import torch

WORDS = [f"w{row}" for row in range(24)]


def tiny_model(*, tied=False, rows=24):
    """Return a Llama of two thousand weights, from its configuration alone."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=rows,
            hidden_size=8,
            intermediate_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            tie_word_embeddings=tied,
            attn_implementation="eager",
        )
    )


def shaken(model):
    """Give every trainable weight other numbers, as training would."""
    torch.manual_seed(1)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.requires_grad or "lora" in name or "trainable" in name:
                weight.add_(torch.randn(weight.shape).to(weight.dtype), alpha=0.02)
    return model


def merged_table(model):
    """Return the input embedding after peft's own merge; None for adapters it does not merge."""
    if not hasattr(model.base_model, "merge_and_unload"):
        return None
    whole = deepcopy(model).merge_and_unload()
    table = whole.emb if hasattr(whole, "emb") else whole.get_input_embeddings()
    return table.weight.detach().float().numpy()


def write_words(folder, words):
    folder.mkdir(exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(words))
