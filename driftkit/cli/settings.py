"""Settings from files: ``driftkit.toml`` or ``[tool.driftkit]`` in ``pyproject.toml``.

The command line comes first, then ``DRIFTKIT_*``, then the file, then the default. A key is an
option without its dashes (``not-measured``), or, for an option that may be repeated, its plural
(``rules``). Keys at the top hold for every command that has the option; a table named after a
command (``[tool.driftkit.check]``) holds for that command and comes first. What runs code is never
taken from a file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from driftkit.arguments import cut
from driftkit.documents import parse_toml
from driftkit.errors import OptionError, UnknownNameError
from driftkit.files import read_text

OWN_FILE, SHARED_FILE = "driftkit.toml", "pyproject.toml"

LARGEST = 1_000_000
"""Bytes of a file of settings."""

RUNS_CODE = {"plugin": "--plugin", "plugins": "--plugin", "unsafe-pickle": "--unsafe-pickle"}
"""Keys that are refused: a file that happens to lie in a folder must not run code."""


def find_settings(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """Look for settings in a folder, then in those above it; return the nearest file that has some.

    A file that is not valid TOML, and a folder with two such files, are an OptionError.
    """
    for here in (folder, *folder.parents):
        found = []
        own, shared = here / OWN_FILE, here / SHARED_FILE
        if own.is_file():
            found.append((own, _read(own)))
        if shared.is_file():
            tool = _read(shared).get("tool", {})
            section = tool.get("driftkit") if isinstance(tool, dict) else None
            if section is not None:
                found.append((shared, section))
        if len(found) > 1:
            both = f"both {own} and [tool.driftkit] of {shared} hold settings"
            raise OptionError(f"{both}; keep one of them.")
        if found:
            path, settings = found[0]
            if not isinstance(settings, dict):
                raise OptionError(f"{path}: tool.driftkit must be a table, [tool.driftkit].")
            return path, settings
    return None


def default_map(
    settings: Mapping[str, Any], path: Path, commands: Mapping[str, click.Command]
) -> dict[str, Any]:
    """Turn settings into click's defaults: command, then parameter, then value.

    Paths are relative to the folder of the file. A key that no command knows is an
    UnknownNameError; a value of the wrong type, or one that would run code, an OptionError.
    """
    known = {key for command in commands.values() for key in _keys(command)}
    for key, value in settings.items():
        if not isinstance(value, dict):
            _require_key(key, known, f"key of {path}", path, commands)
            continue
        if key not in commands:
            raise UnknownNameError(f"table of {path}", key, commands)
        for each in value:
            _require_key(each, _keys(commands[key]), f"key of [{key}] in {path}", path)
    top = {key: value for key, value in settings.items() if not isinstance(value, dict)}
    return {
        name: _defaults(command, {**top, **settings.get(name, {})}, path)
        for name, command in commands.items()
    }


def _require_key(
    key: str, known: set[str], kind: str, path: Path, tables: Iterable[str] = ()
) -> None:
    """Refuse a key that would run code, and one that nothing knows."""
    if option := RUNS_CODE.get(_key(key)):
        raise OptionError(
            f"{path}: {key} would run code, which no settings file may do; give {option} on the "
            "command line."
        )
    if _key(key) not in known:
        raise UnknownNameError(kind, key, sorted({*known, *tables}))


def _defaults(command: click.Command, values: Mapping[str, Any], path: Path) -> dict[str, Any]:
    if isinstance(command, click.Group):
        return {name: _defaults(each, values, path) for name, each in command.commands.items()}
    options = dict(_options(command))
    return {
        str(options[_key(key)].name): _value(key, value, options[_key(key)], path)
        for key, value in values.items()
        if _key(key) in options
    }


def _keys(command: click.Command) -> set[str]:
    if isinstance(command, click.Group):
        return {key for each in command.commands.values() for key in _keys(each)}
    return {key for key, _ in _options(command)}


def _read(path: Path) -> dict[str, Any]:
    text = read_text(path, lambda why: OptionError(f"{path}: {why}"), LARGEST)
    if path.name == SHARED_FILE and "driftkit" not in text:
        return {}  # other people's settings, right or wrong
    try:
        return parse_toml(text)
    except ValueError as error:
        raise OptionError(f"{path}: is not valid TOML ({error}).") from None


def _options(command: click.Command) -> Iterator[tuple[str, click.Option]]:
    """Return the options of a command by their key."""
    for each in command.params:
        if isinstance(each, click.Option) and each.name:
            long = [name for name in each.opts if name.startswith("--")]
            key = _key(each.name if each.multiple or not long else long[0].lstrip("-"))
            if key not in RUNS_CODE:
                yield key, each


def _key(name: str) -> str:
    return name.replace("_", "-")


def _value(key: str, value: Any, option: click.Option, path: Path) -> Any:
    wanted = None
    if option.multiple != isinstance(value, list):
        wanted = "a list" if option.multiple else "one value"
    elif option.multiple and not all(isinstance(each, str) for each in value):
        wanted = "a list of strings"
    elif not isinstance(value, str | int | float | list):
        wanted = "a number or a string"
    elif option.is_flag != isinstance(value, bool):
        wanted = "true or false" if option.is_flag else "a number or a string"
    if wanted is not None:
        given = cut(json.dumps(value, default=str))
        raise OptionError(f"{path}: {key} = {given} must be {wanted}.")
    if option.multiple:
        return [_located(each, option, path) for each in value]
    return _located(value, option, path)


def _located(value: Any, option: click.Option, path: Path) -> Any:
    """Make a relative path start at the folder of the settings."""
    is_path = isinstance(option.type, click.Path) and value != "-"
    beside = path.parent / str(value)
    # os.path, since Path.is_file raises for a name that is too long
    if is_path or (option.name == "benchmarks" and os.path.isfile(beside)):  # noqa: PTH113
        return str(beside)
    return value
