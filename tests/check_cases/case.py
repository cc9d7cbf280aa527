"""What a case is: a command line, what lies in the folder, and the exit code it must give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]

ACCEPTED = "accepted.json"
"""The baseline that a case may ask for, of ``gentle.npy`` against ``original.npy``."""


@dataclass(frozen=True)
class Case:
    """One command line.

    Parameters
    ----------
    name : str
        Of the golden file, which holds the exit code and all that was printed.
    command : str
        As typed after ``driftkit``.
    code : int
        The exit code.
    files : mapping of str to str
        Texts that lie in the folder beside the tables (``conftest.py`` lists those).
    accepted : callable, optional
        Gives the text of ``accepted.json``, from what ``driftkit baseline write`` wrote.
    environment : mapping of str to str
    stops : exception, optional
        Raised in the midst of the check, as by a bug or by Ctrl-C.
    leaves : tuple of str
        Files the command writes, whose text the golden file holds too.
    """

    name: str
    command: str
    code: int
    files: Mapping[str, str] = field(default_factory=dict)
    accepted: Callable[[str], str] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    stops: BaseException | None = None
    leaves: tuple[str, ...] = ()
