"""The kernels that a cell is computed with.

torch picks the fastest kernel that the processor has, and kernels sum in different orders. oneDNN,
which computes the CNN and the BiLSTM, has one for each instruction set, so these cells end
elsewhere on another processor; the MLP does not use it. Pinned kernels are the plain ones that
every x86-64 processor has: there a cell ends with the same bits on any of them.
"""

from __future__ import annotations

import os

import torch

PINNED = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"}
"""Environment variables that torch and MKL read once, before their first computation."""


def pin():
    """Compute with pinned kernels and one thread, in this process and those it starts."""
    os.environ.update(PINNED)
    torch.backends.mkldnn.enabled = False
    torch.set_num_threads(1)


def choose(*, native):
    """Compute with one thread, and with pinned kernels unless the processor's own are asked for."""
    if native:
        torch.set_num_threads(1)
    else:
        pin()


def name():
    """Return "pinned" if this process computes with pinned kernels, and "native" otherwise."""
    chosen = os.environ.get("MKL_CBWR") == PINNED["MKL_CBWR"] and not torch.backends.mkldnn.enabled
    return "pinned" if chosen and torch.backends.cpu.get_cpu_capability() == "DEFAULT" else "native"
