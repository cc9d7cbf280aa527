"""Kill driftkit at chosen moments of what it writes, look at what is there, and run it again.

``python tests/hostile/kills.py [--kills 40] [--timed 8] [--runs 2 4] [NAME...]``

Each command runs once to count its moments: the calls that change files (open to write, rename,
remove, make or remove a folder, bring to the disk), and the lines of driftkit that are run from the
first of these on. Then it is killed by SIGKILL, from within, at moments spread evenly over both, and
`--timed` times from without, at random. After each kill the output must be the old one or the new
one, whole; after the next run it must be the new one, byte for byte, and nothing else may be left.
With `--runs`, several processes write different tables into one file at the same moment.

Children are forks of this process, which has imported everything and computed nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["NO_PROXY"] = "127.0.0.1"
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
from click.testing import CliRunner
from file_server import Answer, serve

import driftkit
import driftkit.arrays
from driftkit import Embeddings, load
from driftkit.cli import main as command_line
from driftkit.datasets import REGISTRY, source
from driftkit.datasets.catalog import Dataset
from driftkit.datasets.source import Pinned
from driftkit.loaders.convert import write

PACKAGE = str(Path(driftkit.__file__).parent)
RATINGS = "".join(f"w{i}\tw{i + 1}\t{i % 7}.5\n" for i in range(60)).encode()
NAME = "made-up"
ROWS, D = 900, 6
FILES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate", "os.chmod"}

Contents = dict[str, bytes]


def table(seed: int, words: str = "w") -> Embeddings:
    rng = np.random.default_rng(seed)
    matrix = np.random.default_rng(0).normal(size=(ROWS, D)).astype(np.float32)
    matrix[::3] += rng.normal(0, 0.1, (len(matrix[::3]), D)).astype(np.float32)
    return Embeddings([f"{words}{i}" for i in range(ROWS)], matrix)


# What is run: its name, the command, what it writes into the folder "out", and the older output.

SHIFTS = ["shifts", "original.bin", "new.bin", "--all", "-k", "5", "--memory", "1KB", "-o"]
AUDIT = ["original.bin", "new.bin", "-b", "pairs.tsv", "--resamples", "100", "--force", "-o"]
COMMANDS: dict[str, tuple[list[str], list[str] | None]] = {
    "convert to text": (["convert", "new.bin", "out/t.vec"], ["convert", "old.bin", "out/t.vec"]),
    "convert to safetensors": (
        ["convert", "new.bin", "out/t.safetensors"],
        ["convert", "other.bin", "out/t.safetensors"],
    ),
    "convert to npy": (["convert", "new.bin", "out/t.npy"], ["convert", "old.bin", "out/t.npy"]),
    "convert to a new npy": (["convert", "new.bin", "out/t.npy"], None),
    "convert to a folder": (["convert", "new.bin", "out/t"], ["convert", "other.bin", "out/t"]),
    "convert to a new folder": (["convert", "new.bin", "out/t"], None),
    "shifts": ([*SHIFTS, "out/s.jsonl"], ["shifts", "original.bin", "old.bin", "w1", "w2", "-o", "out/s.jsonl"]),
    "shifts to parquet": ([*SHIFTS, "out/s.parquet"], None),
    "baseline write": (["baseline", "write", *AUDIT, "out/b.json"], None),
    "baseline update": (
        ["baseline", "update", *AUDIT, "out/b.json"],
        ["baseline", "write", "original.bin", "old.bin", "-b", "pairs.tsv", "--resamples", "100", "--force", "-o", "out/b.json"],
    ),
    "datasets fetch": (["datasets", "fetch", NAME], None),
}  # fmt: skip


def seen(folder: Path) -> Contents | None:
    """What a reader finds: files by name, a driftkit folder by its table; no hidden file."""
    if (folder / "t" / "driftkit.json").exists():
        read = load(folder / "t")
        return {"words": "\n".join(read.words).encode(), "rows": read.matrix.tobytes()}
    found = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }  # fmt: skip
    if set(found) == {"t.vocab.txt"}:  # words without rows are no table
        return None
    return found or None


def left(folder: Path) -> set[str]:
    """Every name below the folder; which of two names a driftkit folder uses is its own affair."""
    return {str(path.relative_to(folder)).replace("-2.", ".") for path in folder.rglob("*")}


def started(act: Callable[[], None]) -> int:
    """Run something in a fork, which ends with 0, or with 1 if it raised."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        act()
        code = 0
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    finally:
        os._exit(code)


def ended(child: int) -> int:
    """Wait for a fork: its exit code, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run(arguments: list[str]) -> None:
    driftkit.arrays.BLOCK_ROWS = 64  # so that there are moments between blocks
    result = CliRunner().invoke(command_line, arguments)
    if result.exit_code:
        raise RuntimeError(f"exit code {result.exit_code}: {result.output}")


def watched(arguments: list[str], at_call: int = 0, at_line: int = 0) -> tuple[int, int]:
    """Run a command, killed at a moment counted from 1; return how many there were of each."""
    calls = lines = 0
    folder = str(Path("out").resolve())

    def call() -> None:
        nonlocal calls
        calls += 1
        if calls == at_call:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event: str, args: tuple[object, ...]) -> None:
        writes = (
            event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)
        )
        if (writes or event in FILES) and str(args[0]).startswith((folder, "out")):
            call()

    def line(frame: object, event: str, _: object) -> object:
        nonlocal lines
        if event == "line" and calls:
            lines += 1
            if lines == at_line:
                os.kill(os.getpid(), signal.SIGKILL)
        return line

    def trace(frame: object, event: str, arg: object) -> object:
        return line if frame.f_code.co_filename.startswith(PACKAGE) else None  # type: ignore[attr-defined]

    sync = os.fsync

    def counted_sync(descriptor: int) -> None:
        call()
        sync(descriptor)
        call()

    sys.addaudithook(hook)
    os.fsync = counted_sync
    sys.settrace(trace)
    try:
        run(arguments)
    finally:
        sys.settrace(None)
    return calls, lines


def prepare() -> None:
    """Make the inputs of every command in the working folder."""
    write(table(0), "original.bin")
    write(table(1), "old.bin")
    write(table(2), "new.bin")
    write(table(3, "other"), "other.bin")
    for i in range(4):
        write(table(10 + i, f"v{i}-"), f"mine{i}.bin")
    Path("pairs.tsv").write_bytes(RATINGS)
    Path("before").mkdir()


def fresh(older: list[str] | None) -> None:
    """Make the folder "out" as it is before the command."""
    shutil.rmtree("out", ignore_errors=True)
    if not Path("before", "made").exists() and older is not None:
        Path("out").mkdir()
        assert ended(started(lambda: run(older))) == 0
        shutil.copytree("out", "before/made")
    elif older is not None:
        shutil.copytree("before/made", "out")
    else:
        Path("out").mkdir()


def know(modules: list[str]) -> None:
    """Import what a fork has imported, once for all later ones."""
    for module in set(modules) - set(sys.modules):
        with suppress(ImportError):
            import_module(module)


def spread(count: int, total: int) -> list[int]:
    """Moments from 1 to `total`, evenly spread."""
    count = min(count, total)
    return [1 + (2 * i + 1) * total // (2 * count) for i in range(count)]


def killed(name: str, kills: int, timed: int) -> dict[str, object]:
    """Kill one command again and again; what was seen, and what was wrong."""
    arguments, older = COMMANDS[name]
    shutil.rmtree("before/made", ignore_errors=True)
    fresh(older)
    old = seen(Path("out"))

    def count() -> None:
        moments = watched(arguments)
        Path("counted").write_text(json.dumps([*moments, list(sys.modules)]))

    for _ in range(2):  # first to learn what it imports, and import that here, once for all forks
        fresh(older)
        start = time.monotonic()
        assert ended(started(count)) == 0, name
        lasted = time.monotonic() - start
        calls, lines, modules = json.loads(Path("counted").read_text())
        know(modules)
    new, names = seen(Path("out")), left(Path("out"))
    half = kills // 2
    moments = [(f"call {n} of {calls}", {"at_call": n}) for n in spread(half, calls)]
    moments += [
        (f"line {n} of {lines}", {"at_line": n}) for n in spread(kills - len(moments), lines)
    ]
    times = random.Random(0)
    moments += [
        (f"{at:.2f} s", {"after": at}) for at in (times.uniform(0, lasted) for _ in range(timed))
    ]
    found = {"kills": 0, "old": 0, "new": 0, "left hidden": 0, "wrong": []}
    for moment, how in moments:
        fresh(older)
        after = how.pop("after", None)
        child = started(lambda how=how: watched(arguments, **how))
        if after is not None:
            time.sleep(after)
            os.kill(child, signal.SIGKILL)
        found["kills"] += ended(child) == -signal.SIGKILL
        there = seen(Path("out"))
        if there not in (old, new):
            found["wrong"].append(f"killed at {moment}: neither old nor new")
        found["new" if there == new else "old"] += 1
        found["left hidden"] += any("/." in f"/{each}" for each in left(Path("out")))
        again = arguments
        if name == "baseline write" and there == new:  # which replaces nothing
            again = COMMANDS["baseline update"][0]
        if ended(started(lambda again=again: run(again))):
            found["wrong"].append(f"killed at {moment}: the next run failed")
        elif seen(Path("out")) != new:
            found["wrong"].append(f"killed at {moment}: the next run gave something else")
        elif left(Path("out")) != names:
            found["wrong"].append(f"killed at {moment}: left {left(Path('out')) - names}")
    return found


def together(runs: int, ending: str) -> dict[str, object]:
    """Let several processes write different things into one file at once."""

    def command(i: int, place: str) -> list[str]:
        if ending == ".jsonl":
            return [
                "shifts",
                "original.bin",
                ["old.bin", "new.bin"][i % 2],
                "--all",
                "-k",
                f"{2 + i}",
                "--memory",
                "1KB",
                "-o",
                place,
            ]
        return ["convert", f"mine{i}.bin", place]

    possible = []
    for i in range(runs):
        shutil.rmtree("out", ignore_errors=True)
        Path("out").mkdir()

        def alone(i: int = i) -> None:
            run(command(i, f"out/t{ending}"))
            Path("counted").write_text(json.dumps(list(sys.modules)))

        assert ended(started(alone)) == 0
        know(json.loads(Path("counted").read_text()))
        possible.append(seen(Path("out")))
    names = left(Path("out"))
    found = {"runs": runs, "done": 0, "refused": 0, "wrong": []}
    shutil.rmtree("out")
    Path("out").mkdir()
    ready, go = os.pipe()

    def race(i: int) -> None:
        os.close(go)
        os.read(ready, 1)  # until every writer of the pipe is closed
        result = CliRunner().invoke(command_line, command(i, f"out/t{ending}"))
        Path(f"said{i}").write_text(json.dumps([result.exit_code, result.output]))

    children = [started(lambda i=i: race(i)) for i in range(runs)]
    os.close(ready)
    os.close(go)
    for child in children:
        ended(child)
    done = []
    for i in range(runs):
        code, said = json.loads(Path(f"said{i}").read_text())
        if code == 0:
            done.append(possible[i])
        elif code != 2 or "Error: cannot write" not in said:
            found["wrong"].append(f"run {i}: {code}: {said}")
    found["done"], found["refused"] = len(done), runs - len(done)
    if seen(Path("out")) not in done:
        found["wrong"].append("what is there is nobody's")
    if left(Path("out")) != names:
        found["wrong"].append(f"left {left(Path('out')) - names}")
    return found


@contextmanager
def server() -> Iterator[str]:
    """Serve one benchmark from a fork, since threads and forks do not mix."""
    path = f"/made/up/{'0' * 40}/data/up.tsv"
    reading, writing = os.pipe()

    def act() -> None:
        with serve() as files:
            files.answers[path] = Answer(RATINGS * 200)
            os.write(writing, files.url.encode())
            signal.pause()

    child = started(act)
    try:
        yield os.read(reading, 100).decode()
    finally:
        os.kill(child, signal.SIGKILL)
        ended(child)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(COMMANDS))
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--timed", type=int, default=8)
    parser.add_argument("--runs", type=int, nargs="*", default=[2, 4])
    given = parser.parse_args()
    sha256 = hashlib.sha256(RATINGS * 200).hexdigest()
    origin = Pinned("made/up", "0" * 40, "data", "up.tsv", sha256)
    REGISTRY[NAME] = Dataset(NAME, "similarity", "en", 60, "-", "made up", origin)
    wrong = 0
    with tempfile.TemporaryDirectory() as folder, server() as url:
        source.HOST = url
        os.chdir(folder)
        os.environ[source.FOLDER_VARIABLE] = str(Path("out").resolve())
        os.environ.pop("CI", None)
        assert ended(started(prepare)) == 0
        for name in (given.names or COMMANDS) if given.kills + given.timed else ():
            found = killed(name, given.kills, given.timed)
            print(f"{name}: {json.dumps(found)}", flush=True)
            wrong += len(found["wrong"])
        for runs in given.runs:
            for ending in (".vec", ".npy", ".safetensors", "", ".jsonl"):
                found = together(runs, ending)
                print(f"at once into t{ending}: {json.dumps(found)}", flush=True)
                wrong += len(found["wrong"])
        os.chdir("/")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
