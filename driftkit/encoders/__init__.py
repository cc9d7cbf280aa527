"""Models that make vectors of texts: sentence-transformers, transformers, model2vec, functions."""

from driftkit.encoders.encode import encode
from driftkit.encoders.encoder import EncodedItems, Encoder, encoder_of
from driftkit.encoders.items import TextItems, as_items, read_items
from driftkit.encoders.open import is_model, open_encoder

__all__ = [
    "EncodedItems",
    "Encoder",
    "TextItems",
    "as_items",
    "encode",
    "encoder_of",
    "is_model",
    "open_encoder",
    "read_items",
]
