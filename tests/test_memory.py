"""Tables larger than the memory there is: what a process may write to is limited by the system.

The limit is ``RLIMIT_DATA``, which counts the heap and all memory that is written to and belongs to
the process alone. ``RLIMIT_AS`` would count the mapped tables themselves, whose pages the system
may take back at any time, so under it no table larger than the limit could even be opened.
Words are kept in memory, about 100 bytes each, and twice while two tables are matched: tables are
read within twice what is given, half of what one of them holds, and audited within it.
"""

import subprocess
import sys

import numpy as np
import pytest

MEMORY = 96_000_000
ROWS, D = 375_000, 256  # 4 times that memory, in each of two tables

AUDIT = f"""
import resource, sys
from pathlib import Path
import numpy as np
import torch
import driftkit as dk

torch.set_num_threads(1)
rows = np.random.default_rng(0).normal(size=(3000, {D})).astype(np.float32)
tiny = dk.Embeddings(list(map(str, range(3000))), rows)
other = dk.Embeddings(list(map(str, range(3000))), rows * np.linspace(1, 2, 3000)[:, None])
dk.audit(dk.align(tiny, other), [], candidates=1000)  # libraries, compiled code, buffers


def give(memory):
    lines = Path("/proc/self/status").read_text().splitlines()
    held = next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmData"))
    resource.setrlimit(resource.RLIMIT_DATA, (held + memory, resource.RLIM_INFINITY))

give(2 * {MEMORY})
try:
    np.ones({MEMORY} // 2)  # twice as much
except MemoryError:
    print("limited")
pair = dk.align(*map(dk.load, sys.argv[1:]))
give({MEMORY})
found = dk.audit(pair, [], candidates=1000, memory={MEMORY} // 4)
print(len(found.words), int(found.words.moved.sum()), found.verdict)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits what is written to")
def test_tables_four_times_the_memory_given_are_audited_to_the_end(tmp_path):
    rng = np.random.default_rng(1)
    paths = [tmp_path / "a.npy", tmp_path / "b.npy"]
    a, b = (np.lib.format.open_memmap(p, "w+", np.float32, (ROWS, D)) for p in paths)
    moved = 0
    for start in range(0, ROWS, 25_000):
        block = rng.standard_normal((25_000, D), np.float32)
        a[start : start + 25_000] = block
        some = rng.random(25_000) < 0.05
        block[some] += rng.standard_normal((some.sum(), D), np.float32)
        b[start : start + 25_000] = block
        moved += int(some.sum())
    assert 4 * MEMORY == a.nbytes == b.nbytes
    (tmp_path / "vocab.txt").write_text("".join(f"w{row}\n" for row in range(ROWS)))
    a.flush()
    b.flush()
    run = subprocess.run(
        [sys.executable, "-c", AUDIT, *map(str, paths)], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == ["limited", f"{ROWS} {moved} do not ship"]
