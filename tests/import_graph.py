"""Who imports whom in a package, by every import statement in its source, wherever it stands."""

from __future__ import annotations

import ast
from pathlib import Path

Graph = dict[str, set[str]]


def read_graph(root: Path) -> Graph:
    """Return, for each module of the package at ``root``, the modules of the package it imports.

    Imports inside functions and under ``TYPE_CHECKING`` count, and so does a module named in a
    string, as for ``import_module`` (a package named so may be where a data file lies).
    ``from package.room import name`` is an import of the module ``package.room.name`` where there
    is one, and of the face ``package.room`` otherwise.
    """
    files = {_name(path, root): path for path in root.rglob("*.py")}
    packages = {module for module, path in files.items() if path.name == "__init__.py"}
    return {
        module: set(_imports(path, module, files.keys(), packages)) - {module}
        for module, path in files.items()
    }


def _name(path: Path, root: Path) -> str:
    parts = (root.name, *path.relative_to(root).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path, module, modules, packages):
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from {alias.name} & modules
        elif isinstance(node, ast.ImportFrom):
            start = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(start if node.level else ()), *filter(None, [node.module])])
            for alias in node.names:
                submodule = f"{base}.{alias.name}"
                yield from {submodule if submodule in modules else base} & modules
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value:
            named = node.value.partition(":")[0]
            yield from {named} & modules - packages


def circles(graph: Graph) -> list[list[str]]:
    """Return a shortest circle of each tangle of imports, its first module repeated at the end."""
    reached = {module: _reachable(graph, module) for module in graph}
    found, seen = [], set()
    for module in sorted(graph):
        if module in reached[module] and module not in seen:
            tangle = {other for other in reached[module] if module in reached[other]}
            seen |= tangle
            found.append(min((_way_back(graph, one) for one in sorted(tangle)), key=len))
    return found


def _reachable(graph: Graph, start: str) -> set[str]:
    """Return what can be reached in one step or more."""
    reached, waiting = set(), [start]
    while waiting:
        for other in graph.get(waiting.pop(), ()):
            if other not in reached:
                reached.add(other)
                waiting.append(other)
    return reached


def _way_back(graph: Graph, start: str) -> list[str]:
    """Return a shortest way from a module of a circle to itself."""
    ways, met = [[start]], {start}
    while True:
        longer = []
        for way in ways:
            for other in sorted(graph[way[-1]]):
                if other == start:
                    return [*way, start]
                if other not in met:
                    met.add(other)
                    longer.append([*way, other])
        ways = longer
