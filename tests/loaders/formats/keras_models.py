"""Write models with Keras itself, in a process of its own, and beside them what get_weights gives.

``python keras_models.py FOLDER`` writes each model as ``NAME.keras``, ``NAME.h5`` and
``NAME.weights.h5``, and its embeddings as ``NAME.npz``, by the names under which they are read.
"""

import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np
from keras import layers

folder = Path(sys.argv[1])


def tokens():
    return keras.Input((3,), dtype="int32")


def save(name, model, tables, whole=True):
    rows = {key: layer.get_weights()[0] for key, layer in tables.items()}
    np.savez(folder / f"{name}.npz", **rows)
    model.save(folder / f"{name}.keras")
    model.save_weights(folder / f"{name}.weights.h5")
    if whole:
        model.save(folder / f"{name}.h5")


named = layers.Embedding(6, 4, name="words")
plain = keras.Sequential([tokens(), named, layers.LSTM(6), layers.Dense(4)], name="plain")
plain.compile(optimizer="adam", loss="mse")
plain.fit(np.ones((4, 3), "int32"), np.ones((4, 4)), verbose=0)
save("plain", plain, {"words/embeddings": named})

inner = layers.Embedding(6, 4)
chars = layers.Embedding(7, 4, name="chars")
first, second = tokens(), tokens()
nested = keras.Sequential([tokens(), inner], name="inner")
functional = keras.Model([first, second], [nested(first), chars(second)])
save("nested", functional, {f"{inner.name}/embeddings": inner, "chars/embeddings": chars})


class Subclass(keras.Model):
    def __init__(self):
        super().__init__()
        self.emb, self.dense = layers.Embedding(6, 4), layers.Dense(6)

    def call(self, x):
        return self.dense(self.emb(x))


own = Subclass()
own(np.ones((1, 3), "int32"))
save("subclass", own, {f"{own.emb.name}/embeddings": own.emb}, whole=False)

half = layers.Embedding(6, 4, name="half", dtype="bfloat16")
model = keras.Sequential([tokens(), half])
model.save(folder / "half.keras")
np.savez(folder / "half.npz", **{"half/embeddings": np.asarray(half.get_weights()[0], "float32")})

lora = layers.Embedding(6, 4, name="words")
adapted = keras.Sequential([tokens(), lora])
lora.enable_lora(2)
lora.lora_embeddings_b.assign(np.ones((2, 4)))
np.savez(folder / "lora.npz", **{"words/embeddings": np.asarray(lora.embeddings.detach())})
adapted.save(folder / "lora.keras")
adapted.save(folder / "lora.h5")

packed = keras.Sequential([tokens(), layers.Embedding(6, 4, name="words")])
packed.quantize("int8")
packed.save(folder / "int8.keras")
