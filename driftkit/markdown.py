"""Markdown that holds words of strangers: none of them becomes a link, a mention or an element."""

from __future__ import annotations

import re

from driftkit.escaping import harmless, printable

_WORD = re.compile(r"""([("']*)(.*?)([.,;:!?)"']*)""")  # punctuation around a word
_PLAIN = re.compile(r"[^\W\d_]*(?:['’-][^\W\d_]+)*|[-+]?\d[\d.,]*%?|[<>=]=?|!=|\+-|-")
"""Words and numbers that neither Markdown nor a forge (mentions, links, emoji) acts on."""


def cells(*texts: str) -> str:
    r"""Write a row of a table. In it ``\|`` is a bar, whatever else a backslash may do.

    Examples
    --------
    >>> print(cells("ws353", code("a|b")))
    | ws353 | `a\|b` |
    """
    bars = (re.sub(r"(?<=\\)\|", r"\\x7c", text).replace("|", r"\|") for text in texts)
    return f"| {' | '.join(bars)} |"


def code(text: str) -> str:
    """Put text of users or files into a code span that it cannot leave.

    Examples
    --------
    >>> print(code("a`b"))
    ``a`b``
    """
    flat = harmless(printable(text)).strip() or " "
    fence = "`"
    while fence in flat:
        fence += "`"
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{pad}{flat}{pad}{fence}"


def prose(text: str) -> str:
    """Write a sentence; what in it is more than plain words and numbers becomes code.

    Examples
    --------
    >>> print(prose("Lost ws353 (0.5 to 0.4), says @octocat."))
    Lost `ws353` (0.5 to 0.4), says `@octocat`.
    """
    return " ".join(map(_word, printable(text).split()))


def _word(word: str) -> str:
    before, inside, after = _WORD.fullmatch(word).groups()  # type: ignore[union-attr]
    if _PLAIN.fullmatch(inside):
        return word.replace("<", "&lt;").replace(">", "&gt;")
    return f"{before}{code(inside)}{after}"
