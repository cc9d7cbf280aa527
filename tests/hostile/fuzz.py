"""``python fuzz.py FORMAT [-max_total_time=SECONDS]``: atheris against one parser.

Any bytes must give a table or a `DriftkitError`; whatever else escapes is a bug, and atheris keeps
the bytes that caused it. Needs the extra ``fuzz``; ``make fuzz`` runs every format.
"""

import struct
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["driftkit"]):
    from driftkit import load
    from driftkit.errors import DriftkitError
    from driftkit.loaders import (  # noqa: F401 - instrumented here, used through load
        columnar,
        fasttext_file,
        irregular,
        numpy_file,
        opening,
        projector,
        safetensors_file,
        text,
        tokenizer,
        vocabulary,
        word2vec_binary,
    )

HEADS = {
    "text": b"",
    "word2vec": b"3 2\n",
    "npy": b"\x93NUMPY\x01\x00",
    "npz": b"PK\x03\x04",
    "safetensors": struct.pack("<Q", 60) + b'{"',
    "fasttext": b"\xba\x16\x4f\x2f" + struct.pack("<i", 12),
    "projector": b"1.5\t2.5\n",
    "vocabulary": b"",
}


def main() -> None:
    """Fuzz one parser."""
    name = sys.argv[1]
    place = Path(tempfile.mkdtemp())
    path = place / "fuzzed"
    import numpy as np

    np.save(place / "matrix.npy", np.ones((3, 2), np.float32))

    def one(data: bytes) -> None:
        path.write_bytes(HEADS[name] + data)
        try:
            if name == "vocabulary":
                load(place / "matrix.npy", vocab=path)
            else:
                load(path, vocab=["a", "b", "c"])
        except DriftkitError:
            pass

    atheris.Setup([sys.argv[0], *sys.argv[2:]], one)
    atheris.Fuzz()


main()
