"""Write the shifts of many words to a file, part by part, so that a stopped run can go on.

Parts stand in a hidden folder beside the file, each written whole or not at all. The folder is
named after a hash of the tables and of all that was asked, so that no part is taken for another
question's. When all are there they are joined into the file, which appears only then, and the
folder goes. A second run into the same file is refused while the first lasts.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from glob import escape
from hashlib import sha256
from math import ceil
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from driftkit.arguments import strings, whole
from driftkit.atomic import beside, locked, place, writing
from driftkit.errors import OptionError, SourceError
from driftkit.neighbors.export.cluster import Team
from driftkit.neighbors.export.part import Part, cut, write_part
from driftkit.neighbors.export.question import Candidates, Question
from driftkit.neighbors.export.rows import (
    require_ending,
    require_ours,
    words_together,
    write_joined,
    write_rows,
)
from driftkit.neighbors.export.shards import Shard, finish_shard, is_answered
from driftkit.neighbors.recall import require_recall
from driftkit.neighbors.result import NeighborShifts
from driftkit.neighbors.search.exact import LEAST_TOGETHER
from driftkit.pair import Pair
from driftkit.progress import Progress

SHARES = 128
"""Parts that workers get at least, of so many words that none is too small."""


def write_shifts(
    pair: Pair,
    path: str | PathLike[str],
    words: Sequence[str] | None = None,
    k: int = 10,
    *,
    candidates: Candidates = None,
    part: int | None = None,
    partitioned: bool = False,
    shard: Shard | None = None,
    team: Team | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> int:
    """Find the neighbor shifts of many words and write them to a file.

    Each word has one row: ``word``, ``moved``, ``overlap@k``, ``rbo(p=0.9)@k``, ``before``,
    ``before_cosine``, ``after`` and ``after_cosine`` (lists, nearest first) and ``reason``. What is
    written is the same, byte for byte, whoever does the work and however it is cut.

    When the same question was stopped before, only what is missing is done, whoever did the rest.

    Parameters
    ----------
    pair : Pair
        The two tables.
    path : str or path
        Ends in ``.jsonl`` (one JSON object in each line) or ``.parquet`` (needs pyarrow).
    words : sequence of str, optional
        Shared words asked about; every one unless given.
    k, candidates, **options
        As for `driftkit.neighbor_shifts`. `memory` is that of each worker.
    part : int, optional
        Words done together: what a stopped run loses. By default as many as fit into `memory`, from
        256 to 32,768, and fewer for workers.
    partitioned : bool
        Write a folder of Parquet files, so that readers can take them side by side.
    shard : Shard, optional
        Do only this shard, and write a folder beside `path`, which `merge_shards` takes.
    team : Team, optional
        Processes that do the parts (see `driftkit.neighbors.export.team`); without, this one does.
    progress : callable, optional
        Called with (words done, words in all).

    Returns
    -------
    int
        How many words were there from a stopped run.

    Raises
    ------
    OptionError
        If an option is outside its range, the ending is another, there are fewer words than
        shards, or a recall below 1 is asked for.
    OutputError
        If nothing can be written there, or another run is writing it.
    UnknownNameError
        If a word is not shared.
    SourceError
        If a worker cannot do its part (it reads another table, or sees another folder), or a table
        was changed meanwhile.
    """
    named = Path(path)
    require_ending(named, partitioned=partitioned)
    whole(1, k=k, part=1 if part is None else part)
    asked = pair.words
    if words is not None:
        asked = words = strings("words", words, "words")
        pair.rows(asked)
    if isinstance(candidates, Iterable):
        candidates = strings("candidates", candidates, "words")
    start, stop = shard.bounds(len(asked)) if shard else (0, len(asked))
    if part is None:
        part = words_together(k, options.get("memory"))
        if team is not None:
            part = min(part, max(LEAST_TOGETHER, ceil(len(asked) / SHARES)))
    if require_recall(options.get("recall", 1)) < 1:
        raise OptionError(
            f"recall={options['recall']:g} was given, and only exact neighbors can be found in "
            "parts: find all with neighbor_shifts, and give them to write_found."
        )
    target = shard.place(named) if shard else named
    place(target, is_folder=partitioned or shard is not None)  # told before the long work
    if partitioned and shard is None:
        require_ours(target)
    with locked(target), writing(target):
        question = Question.of(pair, asked, k, candidates, options.get("metric", "cosine"))
        if shard and is_answered(target, shard, question, named.suffix):
            return stop - start
        with _folder(target, question, named.suffix) as folder:
            parts, missing = cut(folder, named.suffix, start, stop, part)
            found = stop - start - sum(map(len, missing))
            tell = progress and _counted(progress, found, stop - start)
            how: Any = {"candidates": candidates, **options}
            if team is not None:
                team.write(question, words, missing, k, progress=tell, **how)
            else:
                _write_here(pair, asked, missing, k, progress=tell, **how)
            _require_as_read(pair, folder)
            if shard:
                finish_shard(folder, parts, target, shard, question)
            else:
                files = [each.path for each in parts]
                write_joined(files, target, k, partitioned=partitioned)
    return found


def write_found(
    shifts: NeighborShifts, path: str | PathLike[str], *, partitioned: bool = False
) -> None:
    """Write shifts that were found already, as `write_shifts` does.

    Where they are approximate, each row also has ``overlap@k_low``, ``overlap@k_high`` and those of
    ``rbo``, between which the true values lie but for 5 % of the words, and ``recall_before`` and
    ``recall_after``, the share of the true neighbors that was found at least.

    Raises
    ------
    OptionError, OutputError
        As `write_shifts`.
    """
    target = Path(path)
    require_target(target, partitioned=partitioned)
    with locked(target), writing(target), TemporaryDirectory(dir=target.parent) as folder:
        whole_part = Path(folder) / f"rows{target.suffix}"
        write_rows(shifts, whole_part)
        write_joined([whole_part], target, shifts.k, partitioned=partitioned)


def require_target(path: str | PathLike[str], *, partitioned: bool) -> None:
    """Refuse a place where no shifts can be written, before the long work."""
    target = Path(path)
    require_ending(target, partitioned=partitioned)
    place(target, is_folder=partitioned)
    if partitioned:
        require_ours(target)


def _write_here(
    pair: Pair,
    words: Sequence[str],
    parts: Sequence[Part],
    k: int,
    *,
    progress: Progress | None,
    **how: Any,
) -> None:
    done, total = 0, sum(map(len, parts))
    for each in parts:
        write_part(pair, words, each, k, progress=_within(progress, done, len(each), total), **how)
        done += len(each)
        if progress:
            progress(done, total)


def _require_as_read(pair: Pair, folder: Path) -> None:
    """Refuse parts of tables that were written to meanwhile, and remove them."""
    try:
        pair.require_as_read()
    except SourceError:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _counted(progress: Progress, found: int, total: int) -> Progress:
    """Progress of what was missing, told as progress of all."""
    return lambda done, _: progress(found + done, total)


def _within(progress: Progress | None, start: int, count: int, total: int) -> Progress | None:
    """Progress of one part, told as progress of all."""
    if progress is None:
        return None
    return lambda done, of: progress(start + done * count // of, total)


@contextmanager
def _folder(target: Path, question: Question, ending: str) -> Iterator[Path]:
    """Make the folder of the parts, which stays while some are missing; others are removed."""
    mark = sha256(f"{question.digest} {ending}".encode()).hexdigest()[:16]
    whole_path = place(target, is_folder=True) or target
    folder = beside(whole_path, f".{mark}.parts")
    start = beside(whole_path, ".").name
    for other in whole_path.parent.glob(f"{escape(start)}{'[0-9a-f]' * 16}.parts"):
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)
    folder.mkdir(exist_ok=True)
    try:
        yield folder
    except BaseException:
        with suppress(OSError):  # it stays where a part is in it
            folder.rmdir()
        raise
    shutil.rmtree(folder, ignore_errors=True)
