"""Two folders of results that MTEB wrote, task by task: what rose, what fell, what is not said."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Group, RenderableType
from scipy.stats import binomtest

from driftkit.arrays import generator
from driftkit.defaults import RESAMPLES
from driftkit.display import Displayed, Text, counted, interval, number, section, signed, table
from driftkit.documents import read_json
from driftkit.errors import SourceError
from driftkit.evaluators.significance import Interval, MeanDifference

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "driftkit.mteb/1"

FEWEST = 6
"""Tasks for an interval over tasks: of fewer, all rise or all fall by chance in more than 5 %."""

NOT_SAID = (
    "A task's file holds one mean over its items and not what each item scored, so no task has an "
    "interval: small differences may be chance, and nothing here calls a task lost."
)
OVER_TASKS = (
    "The interval and the sign test take the tasks as a sample of tasks like these; tasks that "
    "share texts count as if they did not."
)


@dataclass(frozen=True, slots=True)
class TaskChange:
    """The main score of one task, as MTEB means it, on both sides.

    Parameters
    ----------
    task : str
    original, tuned : float
        The mean of ``main_score`` over splits and subsets.
    parts : int
        How many splits and subsets that is.
    """

    task: str
    original: float
    tuned: float
    parts: int

    @property
    def delta(self) -> float:
        """Tuned less original."""
        return self.tuned - self.original


@dataclass(frozen=True, slots=True, repr=False)
class ResultsComparison(Displayed):
    """What two folders of MTEB's results say about the same tasks.

    Parameters
    ----------
    original, tuned : str
        The two folders, as typed.
    tasks : tuple of TaskChange
        Those that both hold and that may be compared, the largest fall first.
    not_compared : mapping of str to str
        The other tasks, and why each is not compared.
    over_tasks : Interval
        Of the mean difference, over tasks like these; NaN for fewer than six.
    sign_p : float
        Two-sided p-value of as many tasks rising as falling; NaN if none did either.
    """

    original: str
    tuned: str
    tasks: tuple[TaskChange, ...]
    not_compared: Mapping[str, str]
    over_tasks: Interval
    sign_p: float

    @property
    def rose(self) -> int:
        """How many tasks have a higher score."""
        return sum(task.delta > 0 for task in self.tasks)

    @property
    def fell(self) -> int:
        """How many tasks have a lower score."""
        return sum(task.delta < 0 for task in self.tasks)

    @property
    def mean_delta(self) -> float:
        """The mean of the tasks' differences."""
        return math.fsum(task.delta for task in self.tasks) / len(self.tasks)

    @property
    def headline(self) -> str:
        """What can be said, in one sentence."""
        same = len(self.tasks) - self.rose - self.fell
        return (
            f"{counted(len(self.tasks), 'task')} compared, {len(self.not_compared):,} not: "
            f"{self.rose:,} rose, {self.fell:,} fell, {same:,} stayed the same; mean difference "
            f"{signed(self.mean_delta)}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document ``driftkit.mteb/1``; what could not be measured is null."""
        low, high, p_value = (
            None if math.isnan(value) else value
            for value in (self.over_tasks.low, self.over_tasks.high, self.sign_p)
        )
        return {
            "schema": SCHEMA,
            "original": self.original,
            "tuned": self.tuned,
            "headline": self.headline,
            "tasks": [
                {
                    "task": task.task,
                    "original": task.original,
                    "tuned": task.tuned,
                    "delta": task.delta,
                    "parts": task.parts,
                }
                for task in self.tasks
            ],
            "not_compared": dict(self.not_compared),
            "rose": self.rose,
            "fell": self.fell,
            "mean_delta": self.mean_delta,
            "ci_low": low,
            "ci_high": high,
            "sign_p": p_value,
            "notes": [NOT_SAID, OVER_TASKS],
        }

    def to_frame(self) -> pd.DataFrame:
        """Return one row per task: task, original, tuned, delta, parts."""
        import pandas as pd

        return pd.DataFrame(self.to_dict()["tasks"])

    def __rich__(self) -> RenderableType:
        made = table("task", right=("parts", "original", "tuned", "difference"))
        for task in self.tasks:
            made.add_row(
                task.task,
                f"{task.parts:,}",
                number(task.original, 4),
                number(task.tuned, 4),
                signed(task.delta),
            )
        over = f"over tasks: 95 % interval {interval(self.over_tasks.low, self.over_tasks.high)}"
        if math.isnan(self.over_tasks.low):
            over = f"over tasks: no interval from fewer than {FEWEST}"
        sign = "" if math.isnan(self.sign_p) else f", sign test p {self.sign_p:.3f}"
        left_out = [Text(f"{name}: {why}.") for name, why in self.not_compared.items()]
        return Group(
            Text(f"{self.tuned} against {self.original}", "bold"),
            Text(f"{self.headline}."),
            Text(f"{over}{sign}."),
            section("Tasks", made),
            *([section("Not compared", *left_out)] if left_out else []),
            Text(""),
            Text(NOT_SAID, "dim"),
            Text(OVER_TASKS, "dim"),
        )


def compare_results(
    original: str | os.PathLike[str], tuned: str | os.PathLike[str]
) -> ResultsComparison:
    """Compare two folders of results of MTEB on the tasks that both hold.

    A task is compared where its dataset's revision, the version of MTEB, and the splits and subsets
    are the same on both sides. Nothing is evaluated again.

    Parameters
    ----------
    original, tuned : str or path
        The folder of one model's results, ``results/MODEL/REVISION``, or one above it in which no
        other model's are.

    Returns
    -------
    ResultsComparison

    Raises
    ------
    SourceError
        If a folder is missing, holds no results or those of several models, or if no task can be
        compared.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> scores = {"test": [{"hf_subset": "default", "main_score": 0.5, "languages": ["eng-Latn"]}]}
    >>> result = {"task_name": "STS12", "dataset_revision": "a", "mteb_version": "2.1.0"}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for side, score in (("before", 0.5), ("after", 0.25)):
    ...         path = pathlib.Path(folder, side, "STS12.json")
    ...         path.parent.mkdir()
    ...         scores["test"][0]["main_score"] = score
    ...         _ = path.write_text(json.dumps(result | {"scores": scores}))
    ...     found = compare_results(f"{folder}/before", f"{folder}/after")
    >>> found.headline
    '1 task compared, 0 not: 0 rose, 1 fell, 0 stayed the same; mean difference -0.250'
    """
    sides = [_read(os.fspath(folder)) for folder in (original, tuned)]
    tasks, not_compared = [], {}
    for name in sorted({*sides[0], *sides[1]}):
        before, after = (side.get(name, "there are no results of it") for side in sides)
        why = _why_not(before, after)
        if why is not None:
            not_compared[name] = why
        else:
            assert isinstance(before, _Result)
            assert isinstance(after, _Result)
            tasks.append(TaskChange(name, before.score, after.score, len(before.parts)))
    if not tasks:
        said = [f"{name}: {why}" for name, why in not_compared.items()]
        raise SourceError(
            os.fspath(tuned),
            f"no task of it can be compared with {os.fspath(original)} ({'; '.join(said[:3])}); "
            "evaluate both models on the same tasks, splits and subsets, with one version of MTEB.",
        )
    tasks.sort(key=lambda task: (task.delta, task.task))
    return ResultsComparison(
        os.fspath(original), os.fspath(tuned), tuple(tasks), not_compared, *_over_tasks(tasks)
    )


def _over_tasks(tasks: list[TaskChange]) -> tuple[Interval, float]:
    """Return the interval of the mean difference over tasks, and the p-value of the sign test."""
    change = np.array([task.delta for task in tasks])
    rose, fell = int((change > 0).sum()), int((change < 0).sum())
    sign_p = float(binomtest(rose, rose + fell).pvalue) if rose + fell else math.nan
    if len(tasks) < FEWEST:
        return Interval(), sign_p
    difference = MeanDifference([t.original for t in tasks], [t.tuned for t in tasks])
    drawn = difference.resample(RESAMPLES, generator(0, "tasks of MTEB"))
    return difference.percentiles(drawn), sign_p


@dataclass(frozen=True, slots=True)
class _Result:
    """One task's file."""

    revision: str
    parts: Mapping[tuple[str, str], float]  # main score by split and subset
    versions: tuple[str, ...]  # of MTEB, in the parts

    @property
    def in_percent(self) -> bool:
        """Whether a score is more than 1, and hence of 100 and not of 1, as MTEB writes it."""
        return max(map(abs, self.parts.values())) > 1

    @property
    def score(self) -> float:
        return math.fsum(self.parts.values()) / len(self.parts)


def _why_not(before: _Result | str, after: _Result | str) -> str | None:
    """Say why a task cannot be compared; None where it can."""
    for side, result in (("original", before), ("tuned", after)):
        if isinstance(result, str):
            return f"{side}: {result}"
    assert isinstance(before, _Result)
    assert isinstance(after, _Result)
    if before.revision != after.revision:
        return f"revision {before.revision} of its dataset against {after.revision}"
    if before.versions != after.versions:
        return f"MTEB {', '.join(before.versions)} against {', '.join(after.versions)}"
    if before.parts.keys() != after.parts.keys():
        split, subset = min(before.parts.keys() ^ after.parts.keys())
        side = "original" if (split, subset) in before.parts else "tuned"
        return f"other splits or subsets: only {side} has {split}, {subset}"
    if before.in_percent != after.in_percent:
        side = "original" if before.in_percent else "tuned"
        return f"scores of other scales: only {side} has one above 1, and hence those of 0 to 100"
    return None


def _read(folder: str) -> dict[str, _Result | str]:
    """Return the results of a folder by task, or why a file gives none."""
    found: dict[str, _Result | str] = {}
    for path in _files(folder):
        document = read_json(path, partial(SourceError, path), not_numbers=True)
        task = document.get("task_name") if isinstance(document, dict) else None
        if isinstance(document, dict) and "mteb_dataset_name" in document:
            found[path.stem] = "its file is that of MTEB before 1.11"
        elif not isinstance(task, str):
            found[path.stem] = "its file is no result of MTEB"
        elif task in found:
            raise SourceError(folder, f"holds two results of {task}; keep the one that is meant.")
        else:
            found[task] = _result(document)
    if not any(isinstance(result, _Result) for result in found.values()):
        why = next(iter(found.values()), "no file of results")
        raise SourceError(folder, f"holds no result of MTEB that can be read ({why}).")
    return found


def _files(folder: str) -> Iterator[Path]:
    """Yield the files of results of the one model in a folder."""
    top = Path(folder)
    if not top.is_dir():
        raise SourceError(
            folder, "is no folder; give that of a model's results, such as results/MODEL/REVISION."
        )
    by_folder: dict[Path, list[Path]] = {}
    for path in sorted(top.rglob("*.json")):
        if path.name != "model_meta.json" and not path.name.endswith("_predictions.json"):
            by_folder.setdefault(path.parent, []).append(path)
    if len(by_folder) > 1 and top not in by_folder:
        first, second, *_ = by_folder
        raise SourceError(
            folder,
            f"holds results of {len(by_folder):,} models or revisions; give one of them, such as "
            f"{first} or {second}.",
        )
    yield from by_folder.get(top, next(iter(by_folder.values()), []))


def _result(document: Mapping[str, Any]) -> _Result | str:
    """Return what a task's file says, or why it says nothing that can be compared."""
    revision, scores = document.get("dataset_revision"), document.get("scores")
    if not isinstance(revision, str) or not isinstance(scores, dict) or not scores:
        return "its file lacks dataset_revision or scores"
    parts: dict[tuple[str, str], float] = {}
    versions: set[str] = set()
    for split, entries in scores.items():
        for entry in entries if isinstance(entries, list) else [None]:
            if not isinstance(entry, dict):
                return f"its scores of {split} are no list of subsets"
            subset, score = entry.get("hf_subset"), entry.get("main_score")
            if not isinstance(subset, str) or (split, subset) in parts:
                return f"its subsets of {split} are without a name or there twice"
            if not isinstance(score, int | float) or isinstance(score, bool):
                return f"it has no main_score for {split}, {subset}"
            parts[split, subset] = float(score)
            version = entry.get("mteb_version") or document.get("mteb_version")
            if not isinstance(version, str):
                return "its file does not say which version of MTEB wrote it"
            versions.add(version)
    if not parts:
        return "its file holds no score"
    return _Result(revision, parts, tuple(sorted(versions)))
