"""Settings from files: ``driftkit.toml`` or ``[tool.driftkit]`` in ``pyproject.toml``.

The command line comes first, then ``DRIFTKIT_*``, then the file, then the default. A key is an
option without its dashes (``not-measured``), or, for an option that may be repeated, its plural
(``rules``). Keys at the top hold for every command that has the option; a table named after a
command (``[tool.driftkit.check]``) holds for that command and comes first. What runs code is never
taken from a file.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from driftkit.errors import OptionError, UnknownNameError

OWN_FILE, SHARED_FILE = "driftkit.toml", "pyproject.toml"

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
            section = _read(shared).get("tool", {}).get("driftkit")
            if section is not None:
                found.append((shared, section))
        if len(found) > 1:
            both = f"both {own} and [tool.driftkit] of {shared} hold settings"
            raise OptionError(f"{both}; keep one of them.")
        if found:
            return found[0]
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
        if isinstance(value, dict):
            if key not in commands:
                raise UnknownNameError(f"table of {path}", key, commands)
            inside = _keys(commands[key])
            for each in value:
                _refuse_code(each, path)
                if _key(each) not in inside:
                    raise UnknownNameError(f"key of [{key}] in {path}", each, sorted(inside))
            continue
        _refuse_code(key, path)
        if _key(key) not in known:
            raise UnknownNameError(f"key of {path}", key, sorted({*known, *commands}))
    top = {key: value for key, value in settings.items() if not isinstance(value, dict)}
    return {
        name: _defaults(command, {**top, **settings.get(name, {})}, path)
        for name, command in commands.items()
    }


def _refuse_code(key: str, path: Path) -> None:
    if option := RUNS_CODE.get(_key(key)):
        raise OptionError(
            f"{path}: {key} would run code, which no settings file may do; give {option} on the "
            "command line."
        )


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
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
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
    if option.multiple != isinstance(value, list):
        wanted = "a list" if option.multiple else "one value"
        raise OptionError(f"{path}: {key} = {json.dumps(value, default=str)} must be {wanted}.")
    if option.is_flag != isinstance(value, bool):
        wanted = "true or false" if option.is_flag else "a number or a string"
        raise OptionError(f"{path}: {key} = {json.dumps(value, default=str)} must be {wanted}.")
    located = [_located(each, option, path) for each in (value if option.multiple else [value])]
    return located if option.multiple else located[0]


def _located(value: Any, option: click.Option, path: Path) -> Any:
    """Make a relative path start at the folder of the settings."""
    is_path = isinstance(option.type, click.Path) and value != "-"
    beside = path.parent / str(value)
    if is_path or (option.name == "benchmarks" and beside.is_file()):
        return str(beside)
    return value
