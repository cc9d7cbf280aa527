"""What a table is worth in a task: a number from a function, or from a command that prints it."""

from __future__ import annotations

import math
import shlex
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import SupportsFloat

import numpy as np

from driftkit.arguments import cut, number, shown
from driftkit.embeddings import Embeddings
from driftkit.errors import DriftkitError, OptionError
from driftkit.loaders.convert import FORMATS, write
from driftkit.pair import Pair
from driftkit.patches.files import write_rows
from driftkit.patches.patch import differing_rows
from driftkit.patches.places import NotReplacedError, place_of

Task = Callable[[Embeddings], SupportsFloat]

PLACEHOLDER = "{table}"

_OF_MODELS = ("torch", "safetensors", "model-folder", "keras", "hdf5", "spacy")
"""Formats that hold more than a table, which a task may ask for."""


def value_of(task: Task | str, pair: Pair, table: Embeddings) -> float:
    """Return what a task says of a table, more being better.

    A command is run without a shell, with the path of the table in the place of ``{table}``. The
    file is of the tuned table's own format: a copy of its ``.pt`` or ``.safetensors`` with that one
    tensor replaced, or the same text or binary; else ``.npy`` with the words beside it. A
    checkpoint of which no such copy can be made is refused.
    """
    value = _printed(task, pair, table) if isinstance(task, str) else _returned(task, table)
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = math.nan
    is_truth = isinstance(value, bool) or str(getattr(value, "dtype", "")).endswith("bool")
    if is_truth or isinstance(value, str | bytes) or not math.isfinite(found):
        raise OptionError(f"the task gave {shown(value)}; it must give a finite number.")
    return found


def _returned(task: Task, table: Embeddings) -> SupportsFloat:
    try:
        return task(table)
    except (Exception, SystemExit) as error:
        raise OptionError(
            f"the task failed ({type(error).__name__}: {cut(str(error))})."
        ) from error


def require_task(task: object, pair: Pair) -> None:
    """Refuse what is no task, or cannot be given its table, before the long work."""
    if isinstance(task, str):
        parts = _parts(task)
        if not any(PLACEHOLDER in part for part in parts):
            raise OptionError(
                f"the task {shown(task)} does not say where the table goes; write {PLACEHOLDER}, "
                f"as in 'python evaluate.py {PLACEHOLDER}'."
            )
        if shutil.which(parts[0]) is None:
            raise OptionError(f"the task's command {shown(parts[0])} is not found.")
        if _is_checkpoint(pair):
            try:
                place_of(pair.tuned, alone=True)
            except NotReplacedError as error:
                raise _no_copy(error.why) from None
    elif not callable(task):
        raise OptionError(
            f"task={shown(task)} was given; give a function of a table that returns a number, or a "
            "command."
        )


def _parts(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        raise OptionError(f"the task {shown(command)} cannot be read ({error}).") from None


def _printed(command: str, pair: Pair, table: Embeddings) -> float:
    with TemporaryDirectory(prefix="driftkit-") as folder:
        path = _written(pair, table, Path(folder))
        parts = [part.replace(PLACEHOLDER, str(path)) for part in _parts(command)]
        try:
            ran = subprocess.run(parts, capture_output=True, check=False)
        except OSError as error:
            raise OptionError(f"the task {shown(command)} cannot be run: {error}.") from None
    said = ran.stdout.decode(errors="replace").split("\n")
    if ran.returncode:
        lines = [line for line in ran.stderr.decode(errors="replace").split("\n") if line.strip()]
        why = f": {shown(lines[-1].strip())}" if lines else ""
        raise OptionError(f"the task {shown(command)} failed with {ran.returncode}{why}.")
    last = next((line.strip() for line in reversed(said) if line.strip()), "")
    value = number(last)
    if value is None:
        raise OptionError(
            f"the task {shown(command)} printed {shown(last)} last; its last line must be a number."
        )
    return value


def _is_checkpoint(pair: Pair) -> bool:
    source = pair.tuned.source
    return source.format in _OF_MODELS and source.path is not None


def _no_copy(why: str) -> OptionError:
    return OptionError(
        f"a task gets a copy of your checkpoint, and none can be made: {why.rstrip('.')}; for a "
        "task that reads a table alone, write it (driftkit convert) and restore that."
    )


def _written(pair: Pair, table: Embeddings, folder: Path) -> Path:
    tuned = pair.tuned
    source = tuned.source
    if _is_checkpoint(pair) and source.path is not None:
        copy = folder / source.path.name
        shutil.copyfile(source.path, copy)
        place = replace(place_of(tuned), path=copy)
        rows = np.flatnonzero(differing_rows(tuned.matrix, table.matrix))
        write_rows(tuned, place, rows, table.matrix[rows])
        return copy
    own = source.format if FORMATS.get(source.format) else "npy"
    for kind in (own, "npy", "safetensors"):
        path = folder / f"table{FORMATS[kind]}"
        with suppress(DriftkitError):  # words that this format cannot hold
            write(table, path, kind)
            return path
    raise OptionError("no format holds the words of this table.")
