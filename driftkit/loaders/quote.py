"""What a message quotes of a file or of what was given: as Python writes it, and cut short."""

from __future__ import annotations

from collections.abc import Sequence

LONGEST = 60  # characters of a text that a message shows
MOST_DIGITS = 20


def quote(value: object) -> str:
    r"""Return a value as a message shows it: control characters escaped, anything long cut.

    Examples
    --------
    >>> quote("good"), quote("\x1b[31mred")
    ("'good'", "'\\x1b[31mred'")
    >>> quote("x" * 1000) == repr("x" * 60) + "..."
    True
    >>> quote({"good": 0}), quote(10**5000)
    ('a dict', 'a number of more than 20 digits')
    """
    if isinstance(value, bytes):
        value = value.decode(errors="backslashreplace")
    if isinstance(value, str):
        return repr(value[:LONGEST]) + ("..." if len(value) > LONGEST else "")
    if value is None or isinstance(value, bool | float):
        return repr(value)
    if isinstance(value, int):
        few = abs(value) < 10**MOST_DIGITS
        return str(value) if few else f"a number of more than {MOST_DIGITS} digits"
    kind = type(value).__name__[:LONGEST]
    return f"{'an' if kind[:1] in 'aeiou' else 'a'} {kind}"


def quote_some(values: Sequence[str], most: int = 3) -> str:
    """Return the first few of some texts, and whether there are more.

    Examples
    --------
    >>> quote_some(["a", "b", "c", "d"])
    "'a', 'b', 'c', ..."
    """
    return ", ".join(map(quote, values[:most])) + (", ..." if len(values) > most else "")
