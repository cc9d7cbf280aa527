"""What a graphics card does: tests marked `gpu`, the time of both spaces, and the bytes.

Everything is made from a seed, so that nothing but the repository is needed. Five minutes on a card
of 2022:

    python -m benchmarks.speed.card                 # tests, 400k x 300, 400k x 50, 3M x 300
    python -m benchmarks.speed.card --rows 400000 --no-tests

Times are whole: from two tables in the computer's memory to the lists there. Beside them are two
searches with plain torch, `mm` and `topk` in strips, from tables that are on the card already, and
G, one float32 product of all rows with all. Lists of 1,000 words are compared, byte by byte, with
those that the processor finds.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from driftkit.arrays import changed_rows, row_norms
from driftkit.evaluators.analogy.search import answer
from driftkit.neighbors.search import space
from driftkit.neighbors.search.exact import nearest
from driftkit.neighbors.search.incremental import Spaces, nearest_in_both

K = 10
PRODUCTS = 1 << 31  # in one plain product (8 GiB)
QUESTIONS, WORDS = 19_544, 905  # of Google's analogies
SAMPLE = 1_000  # words whose lists are compared
CASES = [(400_000, 300), (400_000, 50), (3_000_000, 300)]
TARGETS = {(400_000, 300): 2.0, (400_000, 50): 1.2, (3_000_000, 300): 60.0}


def vectors(n: int, d: int, device: torch.device, seed: int = 0) -> torch.Tensor:
    """Rows like word vectors: a common direction, few strong axes, families, hubs, duplicates."""
    draw = torch.Generator(device).manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, device=device, generator=draw)

    axes = torch.arange(1, d + 1, device=device) ** -0.35
    families = normal(n // 20, d)
    member = torch.randint(0, len(families), (n,), device=device, generator=draw)
    rows = (families[member] + normal(n, d)) * axes + 0.5 * axes * normal(d).sign()
    rows *= torch.exp(0.5 * normal(n, 1))
    copies = torch.randint(0, n, (2, n // 200), device=device, generator=draw)
    rows[copies[0]] = rows[copies[1]]
    return rows


def moved(before: np.ndarray, share: float, device: torch.device) -> np.ndarray:
    """A copy of a table in which a share of the rows has moved by a third of their length."""
    draw = torch.Generator(device).manual_seed(1)
    after = before.copy()
    for start in range(0, len(before), 200_000):
        some = slice(start, start + 200_000)
        part = torch.from_numpy(before[some]).to(device)
        step = torch.randn(part.shape, device=device, generator=draw)
        step *= part.norm(dim=1, keepdim=True) / 3 / part.shape[1] ** 0.5
        step *= torch.rand(len(part), 1, device=device, generator=draw) < share
        after[some] = (part + step).cpu().numpy()
    return after


def seconds(work: Callable[[], object], repeats: int = 1) -> float:
    """Least time of a few that something takes on the card."""
    times = []
    for _ in range(repeats):
        torch.cuda.synchronize()
        start = time.perf_counter()
        work()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return min(times)


def plainly(table: np.ndarray, device: torch.device, strips: int | None = None) -> float:
    """Time of plain torch for one space; of the first strips only, scaled up, if so many."""
    rows = torch.from_numpy(table).to(device)
    unit = rows / rows.norm(dim=1, keepdim=True)
    size = PRODUCTS // len(unit)
    starts = range(0, len(unit), size)[:strips]

    def search() -> None:
        for start in starts:
            product = unit[start : start + size] @ unit.T
            at = torch.arange(len(product), device=device)
            product[at, at + start] = -2
            product.topk(K, dim=1)

    return seconds(search) * len(unit) / min(len(unit), len(starts) * size)


def product(table: np.ndarray, device: torch.device, strips: int) -> float:
    """G from the first strips of one float32 product of all rows with all."""
    unit = torch.from_numpy(table).to(device)
    size = PRODUCTS // len(unit)
    out = torch.empty(size, len(unit), device=device)

    def strip() -> None:
        for start in range(0, strips * size, size):
            torch.mm(unit[start : start + size], unit.T, out=out)

    return seconds(strip, 2) * len(unit) / (strips * size)


def same_bytes(matrix: np.ndarray, norms: np.ndarray, found: tuple[np.ndarray, ...]) -> bool:
    """Whether the lists of a sample are those that the processor finds."""
    sample = np.sort(np.random.default_rng(2).choice(len(matrix), SAMPLE, replace=False))
    here = nearest(matrix, sample, K, norms=norms, device="cpu")
    return all(a[sample].tobytes() == b.tobytes() for a, b in zip(found, here, strict=True))


def case(n: int, d: int, shares: list[float], device: torch.device, repeats: int) -> None:
    before = vectors(n, d, device).cpu().numpy()
    norms = row_norms(before)
    large = n > 1_000_000
    g = product(before, device, 40 if large else 20)
    plain = 2 * plainly(before, device, 40 if large else None)
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    for share in shares:
        after = moved(before, share, device)
        changed = changed_rows(before, after)
        spaces = Spaces(before, after, norms, row_norms(after), changed)
        took, answer = np.inf, None
        for _ in range(repeats):
            start = time.perf_counter()
            answer = nearest_in_both(spaces, np.arange(n), K, device=str(device))
            took = min(took, time.perf_counter() - start)
        assert answer is not None
        most = torch.cuda.max_memory_allocated() / 2**30
        same = [
            same_bytes(*side)
            for side in (
                (before, norms, answer[0]),
                (after, spaces.after_norms, answer[1]),
            )
        ]
        words = "equal" if all(same) else "DIFFER"
        asked = f" (asked {TARGETS[n, d]:g} s)" if (n, d) in TARGETS else ""
        print(
            f"n {n:>9,}  d {d:>3}  moved {share:>4.0%}  both spaces {took:6.2f} s{asked}",
            f"{took / g:5.2f} G, G {g:.2f} s",
            f"plain mm + topk {plain:7.2f} s, {plain / took:4.1f} times",
            f"bytes of {SAMPLE:,} words {words}",
            f"{most:.0f} GiB of the card at most",
            sep="  ",
            flush=True,
        )


def analogies(n: int, d: int, device: torch.device) -> None:
    """As many questions as Google's file has, of as many words: on the card, on the processor."""
    table = vectors(n, d, device).cpu().numpy()
    norms = row_norms(table)
    draw = np.random.default_rng(3)
    questions = draw.permutation(n // 4)[:WORDS][draw.integers(0, WORDS, (QUESTIONS, 3))]
    took, found = [], []
    for least in (0.0, np.inf):  # `auto` takes the card from so many multiplications on
        space.WORTH_A_CARD = least
        start = time.perf_counter()
        found.append(answer(table, norms, questions))
        took.append(time.perf_counter() - start)
    one, other = (each.rows.tobytes() + each.scores.tobytes() for each in found)
    print(
        f"n {n:>9,}  d {d:>3}  {QUESTIONS:,} analogies by 3CosAdd {took[0]:6.2f} s",
        f"on the processor {took[1]:6.2f} s",
        f"bytes {'equal' if one == other else 'DIFFER'}",
        sep="  ",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", help="only these numbers of rows")
    parser.add_argument("--moved", type=float, nargs="+", default=[0.05, 1.0])
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tests", nargs="+", default=["tests"], help="where tests are looked for")
    parser.add_argument("--no-tests", action="store_true")
    given = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("torch finds no CUDA device here; this measures one.")
    device = torch.device(given.device)
    print(
        f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}, "
        f"Python {platform.python_version()}, {torch.get_num_threads()} threads"
    )
    if not given.no_tests:
        tests = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "-p", "no:cacheprovider"]
        subprocess.run([*tests, *given.tests], check=False)
    start = time.perf_counter()
    nearest(vectors(50_000, 50, device).cpu().numpy(), np.arange(50_000), K, device=str(device))
    print(f"first use, building the kernels: {time.perf_counter() - start:.1f} s")
    for n, d in CASES:
        if given.rows is None or n in given.rows:
            case(n, d, given.moved if n < 1_000_000 else given.moved[:1], device, given.repeats)
    for n, d in CASES[:2]:
        if given.rows is None or n in given.rows:
            analogies(n, d, device)


if __name__ == "__main__":
    main()
