"""Two real processes that train one model together, joined by gloo."""

import socket

import torch
from torch import distributed, multiprocessing

multiprocessing.set_forkserver_preload(["driftkit.training.monitor", "torch.distributed.fsdp"])


def run(work, *arguments):
    """Call ``work(rank, *arguments)`` in each of two processes; it is a function of a module."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = (port, work, *arguments)
    # What is imported beforehand is imported once for all tests of a worker.
    multiprocessing.start_processes(_as_one, arguments, nprocs=2, start_method="forkserver")


def _as_one(rank, port, work, *arguments):
    torch.set_num_threads(1)
    address = f"tcp://127.0.0.1:{port}"
    distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=2)
    try:
        work(rank, *arguments)
    finally:
        distributed.destroy_process_group()
