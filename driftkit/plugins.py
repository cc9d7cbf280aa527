"""Plugins: modules that extend driftkit by calling ``register_*`` when they are imported.

They come from ``--plugin`` of a command, from the variable ``DRIFTKIT_PLUGINS`` and from installed
packages with an entry point in the group ``driftkit.plugins``, and never from a settings file: a
plugin is code, and a file that happens to lie in a folder must not run any.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from driftkit.errors import DriftkitError, PluginError

GROUP = "driftkit.plugins"
VARIABLE = "DRIFTKIT_PLUGINS"

_loaded: set[str] = set()
_loading: list[str] = []


@contextmanager
def guarded(failed: Callable[[str], DriftkitError]) -> Iterator[None]:
    """Run code of others, whose errors, and attempts to exit, become the one that `failed` makes.

    `failed` is called with the cause in a few words. What the code prints goes to standard error,
    since standard output is for results.
    """
    try:
        with redirect_stdout(sys.stderr):
            yield
    except DriftkitError:
        raise
    except (Exception, SystemExit) as error:
        raise failed(_cause(error)) from error


def _cause(error: BaseException) -> str:
    first = next(iter(str(error).strip().splitlines()), "").removesuffix(".")
    return f"{type(error).__name__}{first and ': '}{first}"


def load_plugin(name: str) -> None:
    """Import a plugin, a module or the path of a ``.py`` file, unless it was imported before."""
    key = str(Path(name).resolve()) if name.endswith(".py") else name
    if key in _loaded:
        return
    _loaded.add(key)
    _loading.append(key)
    try:
        _imported(name)
    except PluginError:
        _loaded.discard(key)
        raise
    finally:
        _loading.remove(key)


def load_object(name: str) -> Any:
    """Return what ``MODULE:NAME`` or ``FILE.py:NAME`` names, importing the module.

    Raises
    ------
    PluginError
        If there is no such module or name, or importing it fails.
    """
    module, _, attribute = name.rpartition(":")
    if not module or not attribute:
        raise PluginError(name, "give a function as package.module:name or file.py:name.")
    home = _imported(module)
    if not hasattr(home, attribute):
        raise PluginError(module, f"it has no {attribute!r}; name a function or model that it has.")
    return getattr(home, attribute)


def load_plugins() -> None:
    """Import the plugins of the environment and of installed packages, each once.

    Every registry calls this before it answers, so that nothing is imported until it is needed.
    """
    if _loading:
        return  # a plugin asks a registry, and is not to be blamed for those after it
    for name in os.environ.get(VARIABLE, "").split(","):
        if name.strip():
            load_plugin(name.strip())
    for name in _installed():
        load_plugin(name)


@cache
def _installed() -> tuple[str, ...]:
    return tuple(sorted(entry.module for entry in entry_points(group=GROUP)))


def _imported(name: str) -> ModuleType:
    """Import a module, or the path of a ``.py`` file; what it prints goes to standard error."""
    try:
        with redirect_stdout(sys.stderr):
            is_file = name.endswith(".py")
            return _import_file(Path(name).resolve()) if is_file else import_module(name)
    except (Exception, SystemExit) as error:
        raise PluginError(name, _reason(error, name)) from error


def _import_file(file: Path) -> ModuleType:
    spec = spec_from_file_location(f"driftkit_plugin_{file.stem}", file)
    if spec is None or spec.loader is None or not file.is_file():
        raise FileNotFoundError("there is no such file")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


def _reason(error: BaseException, name: str) -> str:
    if isinstance(error, FileNotFoundError) and not error.filename:
        return "there is no such file; give the path of a .py file, or a module."
    if not name.endswith(".py") and name[:1] in ("", "."):
        return "give a module, such as package.module, or the path of a .py file."
    if isinstance(error, ModuleNotFoundError) and name.startswith(error.name or "?"):
        return "Python finds no such module; install it, or give the path of a .py file."
    return f"it failed when it was imported ({_cause(error)})."
