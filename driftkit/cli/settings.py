"""Settings from files: ``driftkit.toml`` or ``[tool.driftkit]`` in ``pyproject.toml``.

The command line comes first, then ``DRIFTKIT_*``, then the file, then the default. A key is an
option without its dashes (``not-measured``), or, for an option that may be repeated, its plural
(``rules``). Keys at the top hold for every command that has the option; a table named after a
command (``[tool.driftkit.check]``) holds for that command and comes first. What runs code is never
taken from a file, and what is written stays in the folder of the file that names it.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from driftkit.documents import parse_toml
from driftkit.errors import OptionError, UnknownNameError
from driftkit.files import read_whole

OWN_FILE, SHARED_FILE = "driftkit.toml", "pyproject.toml"
LARGEST = 1_000_000  # bytes of a file of settings

RUNS_CODE = {
    "plugin": "--plugin",
    "plugins": "--plugin",
    "scheduler": "--scheduler",  # what it sends is unpickled
    "unsafe-pickle": "--unsafe-pickle",
    "consumer": "--consumer",
    "task": "--task",
}
"""Keys that are refused: a file that happens to lie in a folder must not run code."""


def find_settings(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """Look for settings in a folder, then in those above it; return the nearest file that has some.

    A file that is not valid TOML, and a folder with two such files, are an OptionError. A
    ``pyproject.toml`` that does not name driftkit may hold anything.
    """
    for here in (folder, *folder.parents):
        found = []
        own, shared = here / OWN_FILE, here / SHARED_FILE
        if os.path.isfile(own):  # noqa: PTH113 - Path.is_file fails where a folder is closed
            found.append((own, _parse(own, _read(own))))
        if os.path.isfile(shared):  # noqa: PTH113
            data = _read(shared)
            section = _section(shared, _parse(shared, data)) if b"driftkit" in data else None
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
    _require_once(settings, path)
    tables = {  # baseline is a command and an option
        key: _require_table(f"[{key}]", value, path)
        for key, value in settings.items()
        if key in commands and (isinstance(value, dict) or key not in known)
    }
    for key, value in settings.items():
        if key in tables:
            _require_once(tables[key], path)
            for each in tables[key]:
                _require_key(each, _keys(commands[key]), f"key of [{key}] in {path}", path)
        elif isinstance(value, dict) and _key(key) not in known:
            raise UnknownNameError(f"table of {path}", key, commands)
        else:
            _require_key(key, known, f"key of {path}", path, commands)
    top = {key: value for key, value in settings.items() if key not in tables}
    return {
        name: _defaults(command, {**top, **tables.get(name, {})}, path)
        for name, command in commands.items()
    }


def require_known(environment: Iterable[str], commands: Mapping[str, click.Command]) -> None:
    """Refuse a variable that is named after a command and after no option of it."""
    known = {variable for name in commands for variable in _variables(name, commands[name])}
    prefixes = tuple(f"DRIFTKIT_{name.upper()}_" for name in commands)
    for variable in environment:
        if variable.startswith(prefixes) and variable not in known:
            raise UnknownNameError("environment variable", variable, sorted(known))


def require_beside(output: str, path: Path) -> None:
    """Refuse a file to write that a settings file names outside its folder, or hidden in it."""
    folder, target = path.parent.resolve(), Path(output).resolve()
    inside = target.parts[len(folder.parts) :] if target.is_relative_to(folder) else ("..",)
    if output != "-" and any(part.startswith(".") for part in inside):
        raise OptionError(
            f"a settings file names only outputs in its own folder, none of them hidden, and "
            f"{target} is not one; name it on the command line."
        )


def _variables(name: str, command: click.Command) -> Iterator[str]:
    """Return the variables that click reads for the options of a command."""
    if isinstance(command, click.Group):
        for each, inner in command.commands.items():
            yield from _variables(f"{name}_{each}", inner)
    for option in (*command.params, click.Option(["--help"])):
        if isinstance(option, click.Option) and option.allow_from_autoenv:
            yield f"DRIFTKIT_{name}_{option.name}".upper()


def _require_table(name: str, value: Any, path: Path) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise OptionError(f"{path}: {name} must be a table, not {_shown(value)}.")
    return value


def _require_once(table: Mapping[str, Any], path: Path) -> None:
    """Refuse an option that is set under two spellings."""
    seen: dict[str, str] = {}
    for key in table:
        if (other := seen.setdefault(_key(key), key)) != key:
            raise OptionError(f"{path}: {other} and {key} are the same option; keep one of them.")


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


def _read(path: Path) -> bytes:
    return read_whole(path, lambda why: OptionError(f"{path}: {why}"))


def _parse(path: Path, data: bytes) -> dict[str, Any]:
    if len(data) > LARGEST:
        raise OptionError(f"{path}: has more than 1 MB; settings take a few lines.")
    try:
        return parse_toml(data.decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        raise OptionError(f"{path}: is not UTF-8 text, from byte {error.start:,} on.") from None
    except ValueError as error:
        raise OptionError(f"{path}: is not valid TOML ({error}).") from None


def _section(path: Path, document: Mapping[str, Any]) -> dict[str, Any] | None:
    tool = _require_table("[tool]", document.get("tool", {}), path)
    return _require_table("[tool.driftkit]", tool["driftkit"], path) if "driftkit" in tool else None


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
    elif not all(_is_kind(each, option) for each in (value if option.multiple else [value])):
        wanted = f"a list, each {_kind(option)}" if option.multiple else _kind(option)
    if wanted is not None:
        raise OptionError(f"{path}: {key} = {_shown(value)} must be {wanted}.")
    if option.multiple:
        return [_located(each, option, path) for each in value]
    return _located(value, option, path)


def _is_kind(value: Any, option: click.Option) -> bool:
    """Whether a value may stand where it does; click reads it, and says what is wrong with it."""
    if option.is_flag or isinstance(value, bool):
        return option.is_flag and isinstance(value, bool)
    if isinstance(value, int):
        return not isinstance(option.type, click.Path) and abs(value) < 2**63
    if isinstance(value, float):
        return isinstance(option.type, click.types.FloatParamType) and math.isfinite(value)
    return isinstance(value, str)


def _kind(option: click.Option) -> str:
    if option.is_flag:
        return "true or false"
    if isinstance(option.type, click.types.IntParamType):
        return "a whole number"
    return "a path, as a string" if isinstance(option.type, click.Path) else "a string"


def _shown(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except ValueError:  # digits by the thousand
        return "a huge number"


def _located(value: Any, option: click.Option, path: Path) -> Any:
    """Make a relative path start at the folder of the settings."""
    is_path = isinstance(option.type, click.Path) and value != "-"
    beside = path.parent / str(value)
    # os.path, since Path.exists raises for a name that is too long
    if is_path or (option.name in ("benchmarks", "base") and os.path.exists(beside)):  # noqa: PTH110
        return str(beside)
    return value
