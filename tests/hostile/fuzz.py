"""``python tests/hostile/fuzz.py [TARGET...]``: spoil valid files, and see what the parsers do.

A spoiled file must give what it holds or a `DriftkitError`. Anything else is a find: another
exception, a warning, more than `SECONDS` of processor time or `MEGABYTES`. Finds are written to a folder, each with
its traceback, and told from each other by where they were raised. Each parser has a sequence of its
own that depends on ``--seed`` alone, whatever else runs and however fast the machine is.

A spoiled file that leads to a sentence that was not seen before is kept, and spoiled further.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parents[1]))

from hostile.fuzz_targets import TARGETS, Files, Target
from hostile.mutations import mutated

from driftkit.errors import DriftkitError

SECONDS = 10
MEGABYTES = 300
MOST_KEPT = 300
SLICE = 50  # executions of one parser before another has its turn


class Hang(BaseException):
    """Raised by the alarm; no parser catches it."""


@dataclass
class Run:
    """A parser that is fuzzed, and what has come of it so far."""

    target: Target
    seed: int
    folder: Path
    finds: Path | None = None
    executions: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)
    found: dict[str, str] = field(default_factory=dict)  # where it was raised: the traceback

    def __post_init__(self) -> None:
        self.random = Random(f"{self.seed} {self.target.name}")
        self.kept: list[Files] = list(self.target.seeds())
        self.sentences: set[str] = set()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.place = self.folder / "t"
        for files in self.kept:  # imports what the parser needs, before memory is watched
            self._execute(files)

    def go(self, executions: int) -> None:
        """Spoil and read so many files."""
        start = perf_counter()
        for _ in range(executions):
            self.executions += 1
            files = self._spoiled()
            began = perf_counter()
            sentence = self._execute(files)
            self.slowest = max(self.slowest, perf_counter() - began)
            is_new = sentence not in self.sentences and not sentence.startswith("find")
            if is_new and len(self.kept) < MOST_KEPT:
                self.kept.append(files)
            self.sentences.add(sentence)
        self.seconds += perf_counter() - start

    def _spoiled(self) -> Files:
        files = dict(self.random.choice(self.kept))
        name = self.random.choice(list(files))
        others = self.random.choice(self.kept)
        files[name] = mutated(self.random, files[name], others.get(name, b""), self.target.largest)
        return files

    def _execute(self, files: Files) -> str:
        """Read one folder of files, and return its outcome without what differs by case."""
        shutil.rmtree(self.place, ignore_errors=True)
        for name, data in files.items():
            path = self.place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        peak = _peak()
        signal.setitimer(signal.ITIMER_PROF, SECONDS if self.executions else 0)
        try:
            self.target.read(self.place)
            outcome = "read"
        except DriftkitError as error:
            outcome = f"{type(error).__name__}: {re.sub(_VARIES, '#', str(error))[:200]}"
        except (Exception, Hang) as error:
            outcome = f"find: {type(error).__name__}"
            self._note(files, error)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        if self.executions and _peak() - peak > MEGABYTES:
            outcome = "find: memory"
            self._note(files, MemoryError(f"{_peak() - peak} MB"))
        self.kinds[outcome.partition(":")[0]] += 1
        return outcome

    def _note(self, files: Files, error: BaseException) -> None:
        shown = "".join(traceback.format_exception(error))
        frames = [
            f"{Path(frame.filename).name}:{frame.lineno}"
            for frame in traceback.extract_tb(error.__traceback__)
            if f"driftkit{os.sep}" in frame.filename or "hostile" in frame.filename
        ]
        where = f"{type(error).__name__} {frames[-1] if frames else error}"
        if where in self.found:
            return
        self.found[where] = shown
        if self.finds is not None:
            number = f"{self.target.name} {len(self.found)}".replace(" ", "-").replace(":", "")
            place = self.finds / number
            for name, data in files.items():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                (place / name).write_bytes(data)
            (place / "traceback.txt").write_text(shown, errors="backslashreplace")
            print(f"find: {self.target.name}: {where}: {str(error)[:100]!r}: {place}", flush=True)


_VARIES = re.compile(r"'[^']*'|\"[^\"]*\"|/\S+|[\d,.]+|\([^()]*\)")


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def _ring(*_: object) -> None:
    raise Hang


def fuzz(
    names: list[str], seed: int, folder: Path, finds: Path | None = None, slice_: int = SLICE
) -> Iterator[list[Run]]:
    """Fuzz parsers in turns, without end; yield after each slice.

    The next turn is that of the parser that has had the least time, so that slow ones do not hold
    the others up.
    """
    signal.signal(signal.SIGPROF, _ring)
    warnings.simplefilter("error")
    runs = [
        Run(TARGETS[name], seed, folder / str(at), finds)
        for at, name in enumerate(names or TARGETS)
    ]
    while True:
        min(runs, key=lambda run: (run.executions > 0, run.seconds)).go(slice_)
        yield runs


def report(runs: list[Run]) -> str:
    """Return a line for each parser: how often it was run, how fast, and what came of it."""
    lines = []
    for run in runs:
        rate = run.executions / max(run.seconds, 1e-9)
        refused = sum(run.kinds.values()) - run.kinds["read"] - run.kinds["find"]
        lines.append(
            f"{run.target.name:20} {run.executions:9,} executions {rate:7,.0f}/s "
            f"{run.kinds['read']:8,} read {refused:9,} refused in {len(run.sentences):4} ways "
            f"slowest {run.slowest:4.1f} s {len(run.found):3} finds"
        )
    total, found = sum(run.executions for run in runs), sum(len(run.found) for run in runs)
    seconds = sum(run.seconds for run in runs)
    lines.append(f"{'all':20} {total:9,} executions in {seconds:,.0f} s, {found} finds")
    return "\n".join(lines)


def main() -> None:
    """Fuzz from the command line, and exit with 1 if anything was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--executions", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--finds", type=Path, default=Path("fuzz-finds"))
    parser.add_argument("--replay", type=Path, help="read the files of one find again")
    asked = parser.parse_args()
    if asked.replay:
        TARGETS[asked.targets[0]].read(asked.replay)
        return
    sys.stderr.flush()
    faulthandler.enable(os.fdopen(os.dup(2), "w"))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libraries in C++ say much about broken files
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as place:
        told = perf_counter()
        for runs in fuzz(asked.targets, asked.seed, Path(place), asked.finds):
            if sum(run.executions for run in runs) >= asked.executions:
                break
            if perf_counter() - told > 60:
                told = perf_counter()
                print(report(runs), flush=True)
    print(report(runs))
    sys.exit(any(run.found for run in runs))


if __name__ == "__main__":
    main()
