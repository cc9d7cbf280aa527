import os
import pickle
import subprocess
import sys

import pytest
import torch

from driftkit.forks import one_thread_in_a_child

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")

ASKED = """
import os, signal, sys
import numpy as np, torch
import driftkit as dk
torch.set_num_threads(2)
big = torch.randn(500, 500)
{before}
big @ big  # the parent's threads are there
child = os.fork()
if child == 0:
    signal.alarm(100)  # ends it though it hangs where Python has no say
    try:
        os._exit(0 if ({asked}) == expected else 1)
    except BaseException as error:
        print(repr(error))
        os._exit(1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) and 1)
"""

WHOLE = """
rng = np.random.default_rng(0)
before = rng.normal(size=(3000, 40)).astype(np.float32)
before[1::7] = before[0]  # more equal rows than a short list holds
after = before.copy()
after[:200] += 0.1
words = [f"w{i}" for i in range(3000)]
pair = dk.align(dk.Embeddings(words, before), dk.Embeddings(words, after))

def asked():
    table = dk.neighbor_shifts(pair, k=10).to_frame()
    return table.to_csv() + repr(dk.audit(pair, k=10).to_dict() | {"time": ""})

expected = asked()
"""

MADE = """
words = [f"w{i}" for i in range(60_000)]
half = torch.ones(60_000, 12, dtype=torch.bfloat16)
layer = torch.nn.Embedding.from_pretrained(half)
"""

LINKED = """
import warnings
from driftkit.maps.asking import Asked
from driftkit.maps import Map
from driftkit.maps.affine import Affine
warnings.simplefilter("ignore")
back = Map("original", Affine("scale", 1, np.eye(12) * 2, np.zeros(12)), None,
           {"original": "", "tuned": ""})
rows = np.ones((60_000, 12), np.float32)
modules = torch.nn.Linear(12, 300), torch.nn.ReLU(), torch.nn.Linear(300, 2)
halves = half[:, :2] * torch.tensor([0.5, 0.25]).bfloat16()
asks = Asked(torch.nn.Sequential(*modules))
"""

# Each alone, as the first thing the child does: after a search, torch works in one thread anyway.
ALONE = {
    "load a checkpoint": ("", "len(dk.load('half.pt', vocab=words))"),
    "load half of it": ("", "2 * len(dk.load('half.pt', vocab=words, words=words[::2]))"),
    "a table of a tensor": ("", "len(dk.Embeddings(words, half))"),
    "a table of a layer": ("", "len(dk.Embeddings(words, layer))"),
    "a pickle of tensors": ("", "len(dk.load('half.pkl', unsafe_pickle=True))"),
    "ask a module": (LINKED, "len(asks(rows))"),
    "ask what returns tensors": (LINKED, "len(Asked(lambda rows: halves)(rows))"),
    "map a tensor": (LINKED, "len(back(half))"),
    "map a layer": (LINKED, "back.apply(layer, words).num_embeddings"),
}  # fmt: skip


def _run(before, asked, tmp_path, **switches):
    code = ASKED.format(before=before, asked=asked)
    command = [sys.executable, "-W", "ignore", "-c", code]
    switches = {**os.environ, "OMP_NUM_THREADS": "2", **switches}
    done = subprocess.run(
        command, env=switches, timeout=300, cwd=tmp_path, check=False, capture_output=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("interpreted", ["0", "1"])
def test_a_forked_child_answers_as_its_parent_did(interpreted, tmp_path):
    _run(WHOLE, "asked()", tmp_path, NUMBA_DISABLE_JIT=interpreted)


@pytest.mark.slow
@pytest.mark.parametrize("what", ALONE)
def test_a_forked_child_works_alone_wherever_torch_computes(what, tmp_path):
    half = torch.ones(60_000, 12, dtype=torch.bfloat16)
    torch.save(half, tmp_path / "half.pt")
    if "pickle" in what:
        held = {"words": [f"w{i}" for i in range(60_000)], "vectors": half}
        (tmp_path / "half.pkl").write_bytes(pickle.dumps(held))
    before, asked = ALONE[what]
    _run(f"expected = 60_000{MADE}{before}", asked, tmp_path)


def test_a_process_of_its_own_keeps_its_threads():
    threads = torch.get_num_threads()
    one_thread_in_a_child()
    assert torch.get_num_threads() == threads
