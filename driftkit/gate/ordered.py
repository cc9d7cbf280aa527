"""Audits of several runs: read, put in their order, and those left out that do not compare."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Literal

from driftkit.arguments import path_of
from driftkit.audits import Audit
from driftkit.documents import read_json
from driftkit.errors import OptionError, SourceError
from driftkit.gate.baseline import differences
from driftkit.gate.documents import Written, audits_of, kind_of, read_audits
from driftkit.gate.policy import Policy
from driftkit.gate.run import run_of

Order = Literal["time", "given"]
ORDERS: tuple[Order, ...] = ("time", "given")

Given = str | os.PathLike[str] | Audit


def read(
    listed: Iterable[Given], policy: Policy, order: str, notes: list[str]
) -> Iterator[Written]:
    """Yield the audits of files and folders; what a folder holds besides is noted."""
    for each in listed:
        if isinstance(each, Audit):
            run = run_of(each, policy.words, policy.bands)
            yield Written(run, each.time, each.verdict, "")
            continue
        path = path_of(each, "dk.history")
        if not path.exists():
            why = "there is no such file or folder; give what `driftkit audit --json` wrote."
            raise SourceError(each, why)
        if not path.is_dir():
            yield from read_audits(path)
            continue
        if order == "given":
            raise OptionError(f"{each} is a folder, whose files have no order; name the files.")
        yield from _in_folder(path, notes)


def _in_folder(folder: Path, notes: list[str]) -> Iterator[Written]:
    others: dict[str, list[str]] = {}
    found = False
    for path in sorted(folder.glob("*.json")):
        document = read_json(path, lambda why, path=path: SourceError(path, why))  # type: ignore[misc]
        if (why := kind_of(document)) is not None:
            others.setdefault(why, []).append(str(path))
            continue
        found = True
        yield from audits_of(document, str(path))
    if not found:
        seen = next((f" ({paths[0]} {why})" for why, paths in others.items()), "")
        raise SourceError(
            folder,
            f"holds no audit{seen}; put there what `driftkit audit ... --json FILE.json` writes "
            "(folders in it are not looked into).",
        )
    notes += _left_out(others)


def _left_out(listed: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Say what was left out, once for each reason why."""
    for why, names in listed.items():
        if len(names) == 1:
            yield f"{names[0]} {why}, and was left out"
        else:
            yield f"{len(names)} audits were left out, such as {names[0]}, which {why}"


def in_order(found: list[Written], order: str) -> list[Written]:
    """Put audits in order of their times, which they must all have."""
    if order == "given":
        return found
    advice = "name the files in their order, with --order given (order='given' in Python)"
    known: list[tuple[datetime, Written]] = []
    for each in found:
        if each.time is None:
            raise OptionError(f"{_named(each)} does not say when it was made; {advice}.")
        known.append((each.time, each))
    known.sort(key=lambda pair: pair[0])
    for (time, one), (other_time, other) in pairwise(known):
        if time == other_time and one.run.sha256 != other.run.sha256:
            raise OptionError(
                f"{_named(one)} and {_named(other)} were made at the same time, "
                f"{time.isoformat()}; {advice}."
            )
    return [each for _, each in known]


def _named(each: Written) -> str:
    return f"{each.file} ({each.run.name})" if each.file else each.run.name


def comparable(found: list[Written], notes: list[str]) -> list[Written]:
    """Leave out what does not compare with the newest audit, and all but the first of one table."""
    newest = found[-1]
    kept: dict[str, Written] = {}
    others: dict[str, list[str]] = {}
    for each in found:
        if why := next(differences(each.run, newest.run, "the newest"), None):
            others.setdefault(why[0], []).append(_named(each))
        elif (first := kept.setdefault(each.run.sha256, each)) is not each:
            notes.append(
                f"{_named(each)} is of the same table as {_named(first)}, and a run counts once"
            )
    notes += _left_out(others)
    return list(kept.values())


def labels_of(found: Sequence[Written]) -> list[str]:
    """Return what each run is called: its day, the time of day with it, or its place."""
    times = [each.time for each in found]
    for form in ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"):
        labels = [time.astimezone(UTC).strftime(form) for time in times if time is not None]
        if len(set(labels)) == len(found):
            return labels
    return [f"run {at}" for at in range(1, len(found) + 1)]
