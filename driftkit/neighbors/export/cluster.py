"""Parts done by other processes: on this machine, or wherever a Dask scheduler has workers.

A worker is sent the names of the tables, opens them itself, and checks that they are the ones the
client read. It writes its parts beside the output, which must lie where all can write. Lists of
words stand in a file there, so nothing large goes through the scheduler. A part whose worker is
lost is given to another one.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from driftkit.arguments import shown, whole
from driftkit.atomic import replacing
from driftkit.errors import DriftkitError, MissingExtraError, OptionError, SourceError
from driftkit.neighbors.export.part import Part, write_part
from driftkit.neighbors.export.question import Candidates, Question
from driftkit.pair import Pair, align
from driftkit.progress import Progress

ASKED = "asked.json"  # the lists of words, in the folder of the parts
ANSWER, WAIT = 20, 60  # seconds until a scheduler answers, and until it has a worker
MOST = 1024  # processes on one machine
_ADDRESS = re.compile(r"(?:(?:tcp|tls|ucx|ws|wss)://)?[^\s/]+:[0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class Opening:
    """How a worker opens the two tables: by name, with options of `driftkit.load`.

    Parameters
    ----------
    original, tuned : str or path
        As `driftkit.load` takes them. Paths must mean the same files everywhere.
    original_options, tuned_options : mapping
        Options of `driftkit.load`, such as ``{"vocab": "words.txt"}``.
    plugins : sequence of str
        Plugins to load first.
    """

    original: str | os.PathLike[str]
    tuned: str | os.PathLike[str]
    original_options: Mapping[str, Any] = field(default_factory=dict)
    tuned_options: Mapping[str, Any] = field(default_factory=dict)
    plugins: tuple[str, ...] = ()

    def absolute(self) -> Opening:
        """Return the same with whole paths, as a worker stands in another folder."""
        return Opening(
            _absolute(self.original),
            _absolute(self.tuned),
            _absolute_options(self.original_options),
            _absolute_options(self.tuned_options),
            tuple(os.path.abspath(each) if each.endswith(".py") else each for each in self.plugins),  # noqa: PTH100
        )

    def pair(self) -> Pair:
        """Open both tables and join them."""
        from driftkit.plugins import load_plugin

        for each in self.plugins:
            load_plugin(each)
        return align(
            _load(self.original, self.original_options), _load(self.tuned, self.tuned_options)
        )


@dataclass(frozen=True, slots=True)
class Team:
    """Workers that do parts; made by `team`."""

    opening: Opening
    client: Any  # distributed.Client

    def write(
        self,
        question: Question,
        words: Sequence[str] | None,
        parts: Sequence[Part],
        k: int,
        *,
        candidates: Candidates,
        progress: Progress | None,
        **how: Any,
    ) -> None:
        """Have every part written; `words` is None for every shared one."""
        if not parts:
            return
        folder = parts[0].path.absolute().parent
        task = _Task(self.opening, question, folder, k, how)
        listed = (
            [*candidates] if isinstance(candidates, Iterable) else candidates and int(candidates)
        )
        asked = {"words": None if words is None else [*words], "candidates": listed}
        with replacing(folder / ASKED) as partial:
            partial.write_text(json.dumps(asked), "utf-8")
        spans = [(each.start, each.stop, each.path.name) for each in parts]
        futures = self.client.map(_write_on_worker, spans, task=task, pure=False)
        of = dict(zip(futures, parts, strict=True))
        done, total = 0, sum(map(len, parts))
        try:
            with self.client.as_current():
                for future in _distributed().as_completed(futures):
                    _require_written(future, of[future])
                    done += len(of[future])
                    if progress:
                        progress(done, total)
        finally:
            self.client.cancel(futures)
            (folder / ASKED).unlink(missing_ok=True)
        there = {each.name for each in os.scandir(folder)}
        if not all(each.path.name in there for each in parts):
            raise SourceError(
                folder, "parts that workers wrote are not here; write where all machines see it."
            )


@contextmanager
def team(
    opening: Opening, *, workers: int | None = None, scheduler: str | None = None
) -> Iterator[Team]:
    """Yield the processes that do parts: new ones on this machine, or those of a scheduler.

    Parameters
    ----------
    opening : Opening
        How each opens the tables.
    workers : int, optional
        Start so many processes here, which share the cores.
    scheduler : str, optional
        The address of a Dask scheduler, such as ``"tcp://10.0.0.1:8786"``, whose workers have the
        same driftkit installed.

    Raises
    ------
    OptionError
        If not one of both is given, or the scheduler cannot be reached or has no worker.
    MissingExtraError
        If distributed is not installed.
    """
    if (workers is None) == (scheduler is None):
        raise OptionError(
            "workers are processes on this machine, scheduler is the address of others; give one "
            "of them."
        )
    if scheduler is not None and not _ADDRESS.fullmatch(scheduler):
        raise OptionError(
            f"scheduler {shown(scheduler)} was given; write its address, such as "
            "tcp://10.0.0.1:8786."
        )
    distributed = _distributed()
    with ExitStack() as stack:
        # A lost worker is no matter, and a lost scheduler is told in a sentence.
        stack.enter_context(distributed.utils.silence_logging_cmgr(logging.CRITICAL))
        address: Any = scheduler
        if workers is not None:
            whole(1, MOST, workers=workers)
            address = stack.enter_context(_processes(workers))
        try:
            client = stack.enter_context(
                distributed.Client(address, timeout=ANSWER, set_as_default=False)
            )
        except Exception as error:  # each kind of address has errors of its own
            why = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise OptionError(
                f"the scheduler {scheduler} cannot be reached ({why}); is it running?"
            ) from None
        try:
            client.wait_for_workers(1, timeout=WAIT)
        except TimeoutError:
            raise OptionError(
                f"the scheduler {address} has had no worker for {WAIT} s; start some: dask worker "
                f"{address}."
            ) from None
        yield Team(opening.absolute(), client)


def _processes(workers: int) -> Any:
    """Start processes that share the cores of this machine.

    Dask counts mapped pages as memory of a worker and would stop those with large tables, so it is
    told not to.
    """
    from dask.system import CPU_COUNT

    threads = str(max(1, CPU_COUNT // workers))
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return _distributed().LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        memory_limit=0,
        dashboard_address=None,
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # its status page: any free port
        silence_logs=logging.CRITICAL,
        env=dict.fromkeys(names, threads),
    )


@dataclass(frozen=True, slots=True)
class _Task:
    """What all parts have in common; small, and sent to every worker."""

    opening: Opening
    question: Question
    folder: Path
    k: int
    how: Mapping[str, Any]


_kept: list[tuple[Question, Pair, Sequence[str], Candidates]] = []
"""What this worker has open: the tables and lists of one question."""
_opens = Lock()


def _write_on_worker(span: tuple[int, int, str], task: _Task) -> str | None:
    """Do one part; return what went wrong, in a sentence, since not every error can be sent."""
    start, stop, name = span
    try:
        pair, words, candidates = _opened(task)
        part = Part(start, stop, task.folder / name)
        write_part(pair, words, part, task.k, candidates=candidates, **task.how)
    except (DriftkitError, OSError) as error:
        return f"{error or type(error).__name__} (on {platform.node()})"
    return None


def _opened(task: _Task) -> tuple[Pair, Sequence[str], Candidates]:
    """Open the tables once, and check that they are those that the client read."""
    with _opens:
        if not _kept or _kept[0][0] != task.question:
            _kept.clear()
            try:
                asked = json.loads((task.folder / ASKED).read_bytes())
            except OSError as error:
                raise SourceError(
                    task.folder,
                    f"a worker cannot read it ({error.strerror}); write the output where all "
                    "machines see it.",
                ) from None
            pair = task.opening.pair()
            words = pair.words if asked["words"] is None else asked["words"]
            metric = task.how.get("metric", "cosine")
            read = Question.of(pair, words, task.k, asked["candidates"], metric)
            if differ := task.question.differences(read):
                raise SourceError(
                    "a worker",
                    f"has read something else than this process: {', '.join(differ)}; let both "
                    "read the same files with the same driftkit.",
                )
            _kept.append((task.question, pair, words, asked["candidates"]))
        return _kept[0][1:]


def _require_written(future: Any, part: Part) -> None:
    """Turn whatever kept a worker from writing its part into one sentence."""
    from distributed import KilledWorker

    try:
        why = future.result()
    except KilledWorker:
        raise SourceError(
            "the cluster",
            f"several workers were lost over one part of {len(part):,} words; they may lack "
            "memory: give --memory a smaller size, or the workers more.",
        ) from None
    except Exception as error:
        said = (str(error).strip().splitlines() or [""])[0]
        raise SourceError(
            "the cluster",
            f"a part was lost ({type(error).__name__}: {said}); what is done is kept, so run the "
            "same again, with the same driftkit on all workers.",
        ) from error
    if why is not None:
        raise SourceError("a worker", why)


def _load(source: str | os.PathLike[str], options: Mapping[str, Any]) -> Any:
    """Read a table; a vocabulary that it does not need is left out, as the command line does."""
    from driftkit.loaders.formats.format import OwnWordsError
    from driftkit.loaders.load import load

    try:
        return load(source, **options)
    except OwnWordsError:
        return load(source, **{**options, "vocab": None})


def _absolute(source: str | os.PathLike[str]) -> str:
    from driftkit.loaders.request import parse

    request = parse(source)
    if request.scheme is not None or not os.path.lexists(request.target):
        return os.fspath(source)
    key = "" if request.key is None else f"::{request.key}"
    return os.path.abspath(request.target) + key  # noqa: PTH100 - links are kept


def _absolute_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options with whole paths of files that are here."""
    whole_paths = {
        name: os.path.abspath(value)  # noqa: PTH100
        for name in ("vocab", "base")
        if isinstance(value := options.get(name), str | os.PathLike) and os.path.lexists(value)
    }
    return {**options, **whole_paths}


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise MissingExtraError("a cluster", "distributed", "dask") from None
    return distributed
