"""``python fuzz.py FORMAT [-max_total_time=SECONDS]``: atheris against one parser.

Any bytes must give a table or a `DriftkitError`; whatever else escapes is a bug, and atheris keeps
the bytes that caused it. Needs the extra ``fuzz``; ``make fuzz`` runs every format.
"""

import struct
import sys
import tempfile
from pathlib import Path

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


def main(name: str, arguments: list[str]) -> None:
    """Fuzz one parser."""
    import atheris

    with atheris.instrument_imports(include=["driftkit"]):
        from driftkit.errors import DriftkitError
        from driftkit.loaders import load
    import numpy as np

    place = Path(tempfile.mkdtemp())
    path = place / "fuzzed"
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

    atheris.Setup([sys.argv[0], *arguments], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
