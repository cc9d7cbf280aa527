"""What a tensor is for, told by its name alone: the table of words, a part of it, or another's."""

from __future__ import annotations

import re

# Names that models give to the layer that turns a word into its vector.
_STRONG = re.compile(
    r"(word_embeddings?|embed_tokens|token_embeddings?|tok_embeddings|wte|word_emb|embed_in|shared)$"
)
_WEAK = re.compile(r"(emb|embed|embeddings?|embedding_layer|vectors)$")
_ELSEWHERE = re.compile(r"position|wpe|token_type|segment|lm_head|output|head")

# The same at the end of the name: tables that may well have a row for each word.
_OTHER_TABLE = re.compile(
    r"(^|[._])(lm_head|embed_out|output_layer|output_projection|output|decoder|head|proj_out|wpe"
    r"|(position|token_type|segment)_(emb|embed|embeddings?))$"
)

_WEIGHT = re.compile(
    r"\.(weight\._data|weight_packed|weight|qweight|W_q"
    r"|_packed_params\._packed_weight)$"
)
PACKED = re.compile(r"(^|\.)(qweight|weight_packed|W_q)$")

# What stands beside a table and only makes sense with it: scales, maps of packed numbers, adapters.
_ACCESSORY = re.compile(
    r"(^|[._])((weight_)?(scales?|scale_inv|zero_points?|zeros|qzeros)|SCB|g_idx|bias|biases"
    r"|(nested_)?(absmax|quant_map)|quant_state(\..+)?|prompt_embeddings"
    r"|(lora_(embedding_)?[AB]|lora_magnitude_vector|trainable_tokens_(delta|original))"
    r"(\.[^.]+)?(\.weight)?|(base_layer|original_module)\.weight)$"
)
_OPTIMIZER = re.compile(r"(^|[._])optim|exp_avg|momentum_buffer|square_avg")


def is_accessory(key: str) -> bool:
    """Whether a name is that of a part of a table, or of an optimizer's state.

    Examples
    --------
    >>> is_accessory("emb.weight_scale"), is_accessory("emb.lora_A"), is_accessory("emb.weight")
    (True, True, False)
    """
    return bool(_ACCESSORY.search(key) or _OPTIMIZER.search(key))


def input_strength(key: str) -> int:
    """Return how surely a name means the input embedding: 0 for not at all, up to 3.

    Examples
    --------
    >>> [input_strength(key) for key in ("model.embed_tokens.weight", "emb", "lm_head.weight")]
    [3, 1, 0]
    >>> input_strength("model.decoder.embed_tokens.weight")  # an encoder's would be meant first
    2
    """
    module = _WEIGHT.sub("", key)
    if _ELSEWHERE.search(module):
        return 0
    if _STRONG.search(module):
        return 2 if "decoder" in module else 3
    return 1 if _WEAK.search(module) and "decoder" not in module else 0


def is_other_table(key: str) -> bool:
    """Whether a name is that of a table of a model that is not its input embedding.

    Examples
    --------
    >>> is_other_table("lm_head.weight"), is_other_table("decoder.emb.weight")
    (True, False)
    """
    return bool(_OTHER_TABLE.search(_WEIGHT.sub("", key)))
