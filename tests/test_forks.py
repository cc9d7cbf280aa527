import os
import subprocess
import sys

import pytest
import torch

from driftkit.forks import one_thread_in_a_child

SCRIPT = """
import os, signal, sys
import numpy as np, torch
import driftkit as dk
torch.set_num_threads(2)
rng = np.random.default_rng(0)
before = rng.normal(size=(3000, 40)).astype(np.float32)
before[1::7] = before[0]  # more equal rows than a short list holds
after = before.copy()
after[:200] += 0.1
words = [f"w{i}" for i in range(3000)]
pair = dk.align(dk.Embeddings(words, before), dk.Embeddings(words, after))
big = torch.randn(500, 500)
big @ big  # the parent's threads are there

def asked():
    table = dk.neighbor_shifts(pair, k=10).to_frame()
    return table.to_csv() + repr(dk.audit(pair, k=10).to_dict())

expected = asked()
child = os.fork()
if child == 0:
    signal.alarm(100)  # ends it though it hangs where Python has no say
    os._exit(0 if asked() == expected else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) and 1)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.parametrize("interpreted", ["0", "1"])
def test_a_forked_child_answers_as_its_parent_did(interpreted):
    switches = {**os.environ, "NUMBA_DISABLE_JIT": interpreted, "OMP_NUM_THREADS": "2"}
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT]
    assert subprocess.run(command, env=switches, timeout=300).returncode == 0


def test_a_process_of_its_own_keeps_its_threads():
    threads = torch.get_num_threads()
    one_thread_in_a_child()
    assert torch.get_num_threads() == threads
