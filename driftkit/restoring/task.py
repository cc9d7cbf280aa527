"""What a table is worth in a task: a number from a function, or from a command that prints it."""

from __future__ import annotations

import math
import shlex
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import SupportsFloat

from driftkit.arguments import cut, number, shown
from driftkit.embeddings import Embeddings
from driftkit.errors import DriftkitError, OptionError
from driftkit.loaders.convert import FORMATS, write
from driftkit.pair import Pair
from driftkit.patches import Patch, apply_patch
from driftkit.patches.places import place_of

Task = Callable[[Embeddings], SupportsFloat]

PLACEHOLDER = "{table}"


def value_of(task: Task | str, pair: Pair, table: Embeddings) -> float:
    """Return what a task says of a table, more being better.

    A command is run without a shell, with the path of the table in the place of ``{table}``. The
    file is of the tuned table's own format: a copy of its ``.pt`` or ``.safetensors`` with that one
    tensor replaced, or the same text or binary; else ``.npy`` with the words beside it.
    """
    value = _printed(task, pair, table) if isinstance(task, str) else _returned(task, table)
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise OptionError(f"the task gave {shown(value)}; it must give a finite number.")
    return found


def _returned(task: Task, table: Embeddings) -> SupportsFloat:
    try:
        return task(table)
    except Exception as error:
        raise OptionError(
            f"the task failed ({type(error).__name__}: {cut(str(error))})."
        ) from error


def require_task(task: object) -> None:
    """Refuse what is no task before the long work."""
    if isinstance(task, str):
        parts = _parts(task)
        if not any(PLACEHOLDER in part for part in parts):
            raise OptionError(
                f"the task {shown(task)} does not say where the table goes; write {PLACEHOLDER}, "
                f"as in 'python evaluate.py {PLACEHOLDER}'."
            )
        if shutil.which(parts[0]) is None:
            raise OptionError(f"the task's command {shown(parts[0])} is not found.")
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


def _written(pair: Pair, table: Embeddings, folder: Path) -> Path:
    tuned = pair.tuned
    source = tuned.source
    if source.format in ("torch", "safetensors") and source.path is not None:
        copy = folder / source.path.name
        try:
            place_of(tuned)
            shutil.copyfile(source.path, copy)
            patch = Patch.between(tuned, table, pair.original)
            named = f"{copy}::{source.key}" if source.key else copy
            if len(patch):
                apply_patch(patch, named, vocab=list(tuned.words))
        except DriftkitError:
            copy.unlink(missing_ok=True)
        else:
            return copy
    own = source.format if FORMATS.get(source.format) else "npy"
    for kind in (own, "npy", "safetensors"):
        save = partial(write, table, folder / f"table{FORMATS[kind]}", kind)
        try:
            save()
        except DriftkitError:  # words that this format cannot hold
            continue
        return folder / f"table{FORMATS[kind]}"
    raise OptionError("no format holds the words of this table.")
