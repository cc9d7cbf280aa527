"""Two real processes that train one model together, joined by gloo."""

import socket

import torch
from torch import distributed, multiprocessing


def run(work, *arguments):
    """Call ``work(rank, *arguments)`` in each of two processes; it is a function of a module."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    multiprocessing.spawn(_as_one, (port, work, *arguments), nprocs=2)


def _as_one(rank, port, work, *arguments):
    torch.set_num_threads(1)
    address = f"tcp://127.0.0.1:{port}"
    distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=2)
    try:
        work(rank, *arguments)
    finally:
        distributed.destroy_process_group()
