"""What a room can say: the sentences in its functions, as patterns to look for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

LEAST_WORDS = 3
NOT_SAID = ("help", "metavar", "epilog")
"""Arguments of click's options: they belong to ``--help``."""


def sentences(path: Path) -> Iterator[tuple[str, re.Pattern[str]]]:
    """Return each sentence of a file, and a pattern for it with anything where values go."""
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(function, ast.FunctionDef):
            for statement in function.body:
                yield from _in(statement)


def _in(node: ast.AST) -> Iterator[tuple[str, re.Pattern[str]]]:
    if isinstance(node, ast.FunctionDef):  # walked by itself
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):  # a docstring
        return
    if isinstance(node, ast.keyword) and node.arg in NOT_SAID:
        return
    if isinstance(node, ast.JoinedStr | ast.Constant):
        pieces = node.values if isinstance(node, ast.JoinedStr) else [node]
        said = [
            re.sub(r"\s+", " ", piece.value)
            if isinstance(piece, ast.Constant) and isinstance(piece.value, str)
            else None
            for piece in pieces
        ]
        text = "".join(piece if piece is not None else "..." for piece in said)
        if len(re.findall(r"[a-z]{2,}", text)) >= LEAST_WORDS:
            pattern = "".join(".*?" if piece is None else re.escape(piece) for piece in said)
            yield text, re.compile(pattern.replace(r"\ ", r"\s+"), re.DOTALL)
        return
    for child in ast.iter_child_nodes(node):
        yield from _in(child)
