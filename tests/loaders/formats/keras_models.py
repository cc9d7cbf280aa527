"""Write models with Keras itself, in a process of its own, and beside them what get_weights gives.

``python keras_models.py FOLDER`` writes each model as ``NAME.keras``, ``NAME.h5`` and
``NAME.weights.h5``, and its embeddings as ``NAME.npz``, by the names under which they are read.
"""

import os
import sys
from pathlib import Path

import numpy as np


def main(folder):
    os.environ |= {"KERAS_BACKEND": "torch", "CUDA_VISIBLE_DEVICES": ""}
    import keras
    from keras.layers import LSTM, Dense, Embedding

    def tokens():
        return keras.Input((3,), dtype="int32")

    def save(name, model, tables, endings=(".keras", ".weights.h5", ".h5")):
        rows = {key: np.asarray(layer.get_weights()[0], "f4") for key, layer in tables.items()}
        np.savez(folder / f"{name}.npz", **rows)
        for ending in endings:
            write = model.save_weights if ending == ".weights.h5" else model.save
            write(folder / f"{name}{ending}")

    words = Embedding(6, 4, name="words")
    plain = keras.Sequential([tokens(), words, LSTM(6), Dense(4)], name="plain")
    plain.compile(optimizer="adam", loss="mse")
    plain.fit(np.ones((4, 3), "int32"), np.ones((4, 4)), verbose=0)
    save("plain", plain, {"words/embeddings": words})

    inner, chars = Embedding(6, 4), Embedding(7, 4, name="chars")
    first, second = tokens(), tokens()
    nested = keras.Sequential([tokens(), inner], name="inner")
    functional = keras.Model([first, second], [nested(first), chars(second)])
    save("nested", functional, {f"{inner.name}/embeddings": inner, "chars/embeddings": chars})

    class Subclass(keras.Model):
        def __init__(self):
            super().__init__()
            self.emb, self.dense = Embedding(6, 4), Dense(6)

        def call(self, x):
            return self.dense(self.emb(x))

    own = Subclass()
    own(np.ones((1, 3), "int32"))
    save("subclass", own, {f"{own.emb.name}/embeddings": own.emb}, (".keras", ".weights.h5"))

    half = Embedding(6, 4, name="half", dtype="bfloat16")
    save("half", keras.Sequential([tokens(), half]), {"half/embeddings": half}, (".keras",))

    adapted = Embedding(6, 4, name="words")
    model = keras.Sequential([tokens(), adapted])
    adapted.enable_lora(2)
    adapted.lora_embeddings_b.assign(np.ones((2, 4)))
    save("lora", model, {}, (".keras", ".h5"))
    np.savez(folder / "lora.npz", **{"words/embeddings": adapted.embeddings.detach().numpy()})

    packed = keras.Sequential([tokens(), Embedding(6, 4, name="words")])
    packed.quantize("int8")
    save("int8", packed, {}, (".keras",))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
