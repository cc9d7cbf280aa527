"""What the shell offers at the tab key: files, benchmarks, profiles and measures.

Nothing is loaded and no plugin runs, so that a key is answered at once; names are those that
driftkit brings.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from importlib.resources import files as resources
from typing import Any

import click
from click.shell_completion import CompletionItem


def files(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer files and folders; a source is mostly one."""
    return [CompletionItem(incomplete, type="file")]


def benchmarks(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the benchmarks known by name; where none begins so, files, if the option takes them."""
    known = _brought("datasets", "catalog")["benchmarks"]
    told = {name: each["citation"] for name, each in known.items()}
    if isinstance(param, click.Argument):  # of `driftkit datasets`, which knows names only
        return beginning(incomplete, told.items())
    told["none"] = "for items that are no words"
    return beginning(incomplete, told.items()) or files(ctx, param, incomplete)


def profiles(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the profiles of rules."""
    known = _brought("gate", "profiles")
    return beginning(incomplete, ((name, each["summary"]) for name, each in known.items()))


def measures(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the measures of words and of the space; depth and parameters are left out."""
    known = _brought("measures", "measures")
    taken = {name: each for name, each in known.items() if each["kind"] in ("word", "space")}
    return beginning(incomplete, ((name, each["summary"]) for name, each in taken.items()))


def _brought(package: str, name: str) -> dict[str, Any]:
    """Read a list that driftkit brings without importing the package that it is for."""
    return tomllib.loads(resources("driftkit").joinpath(package, f"{name}.toml").read_text("utf-8"))


def beginning(incomplete: str, known: Iterable[tuple[str, str]]) -> list[CompletionItem]:
    """Offer names that begin so, each with a line of help."""
    return [CompletionItem(name, help=told) for name, told in known if name.startswith(incomplete)]
