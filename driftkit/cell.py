"""Lines under a cell of a notebook, drawn again in place as a terminal draws the one it is on."""

from __future__ import annotations

import sys
from typing import Any


def writes_to_cell(stream: object) -> bool:
    """Whether what a stream is given appears under a cell; one that was redirected does not."""
    iostream = sys.modules.get("ipykernel.iostream")
    return iostream is not None and isinstance(stream, iostream.OutStream)


class Cell:
    """An output of its own under the cell that runs.

    On standard error, a notebook shows every state of a line that was drawn again, on red.
    """

    def __init__(self) -> None:
        self._lines = [""]
        self._shown: Any = None  # IPython's handle of the output, once there is one

    def write(self, text: str) -> None:
        r"""Add text; ``\r`` begins the last line anew, and ``\n`` begins another."""
        for line in text.splitlines(keepends=True):
            self._lines[-1] += line.rstrip("\r\n")
            if line.endswith("\n"):
                self._lines.append("")
            elif line.endswith("\r"):
                self._lines[-1] = ""
        self._draw({"text/plain": "\n".join(map(str.rstrip, self._lines)).rstrip()})

    def _draw(self, output: dict[str, str]) -> None:
        from IPython.display import display

        if self._shown is None:
            self._shown = display(output, raw=True, display_id=True)
        else:
            self._shown.update(output, raw=True)
