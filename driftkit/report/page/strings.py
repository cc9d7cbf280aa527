"""Every name of a page, written once."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from driftkit.escaping import looks, printable, spelled_out

LONGEST_TEXT = 240
"""Characters of a text beside an id; what is longer ends in an ellipsis."""


class Strings:
    r"""A table of names as people may see them, and the place of each name in it.

    Two names that would look alike are numbered or spelled out, so that what is shown is also an
    address.

    Examples
    --------
    >>> strings = Strings()
    >>> strings.place("good"), strings.place("go\u200bod"), strings.place("go\\u200bod")
    (0, 1, 2)
    >>> strings.shown
    ['good', 'go\\u200bod', 'go\\u200bod ~2']
    """

    def __init__(self) -> None:
        self.shown: list[str] = []
        self._places: dict[str, int] = {}
        self._taken: dict[str, int] = {}

    def place(self, name: str) -> int:
        """Return the place of a name, which is given one if it has none."""
        if name not in self._places:
            self._places[name] = len(self.shown)
            self.shown.append(self._apart(printable(name)))
        return self._places[name]

    def places(self, names: Iterable[str]) -> list[int]:
        """Return the place of each name."""
        return [self.place(name) for name in names]

    def find(self, name: str) -> int | None:
        """Return the place of a name, if it has one."""
        return self._places.get(name)

    def texts(self, texts: Mapping[str, str]) -> dict[int, str]:
        """Return the texts beside those names that have one, by place."""
        found = {}
        for name, place in self._places.items():
            if text := " ".join(texts.get(name, "").split()):
                cut = text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"
                found[place] = printable(cut)
        return found

    def _apart(self, shown: str) -> str:
        if looks(shown) in self._taken:
            shown = spelled_out(shown)
        one, number = shown, self._taken.get(looks(shown), 0)
        while looks(one) in self._taken:
            number += 1
            one = f"{shown} ~{number + 1}"
        self._taken[looks(shown)] = number
        self._taken.setdefault(looks(one), 0)
        return one


def packed(values: Any, kind: Any) -> dict[str, Any]:
    """Return whole numbers as base64 of little-endian bytes, half as long as their digits.

    NaN becomes the least number of a signed type, and what is beyond its ends the nearest end.

    Examples
    --------
    >>> packed([1.0, 2.0, 3.0, np.nan], np.int16)
    {'type': 'int16', 'data': 'AQACAAMAAIA='}
    """
    ends, given = np.iinfo(kind), np.asarray(values, np.float64)
    known = np.isfinite(given)
    least = ends.min + 1 if ends.min else 0
    inside = np.clip(np.rint(np.where(known, given, 0)), least, ends.max)
    whole = np.where(known, inside, ends.min).astype(np.dtype(kind).newbyteorder("<"))
    data = base64.b64encode(np.ascontiguousarray(whole).tobytes()).decode("ascii")
    return {"type": np.dtype(kind).name, "data": data}
