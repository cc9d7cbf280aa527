"""Words that all stand in quotes, as R's ``write.table`` puts them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from driftkit.loaders.quote import quote
from driftkit.loaders.request import Request


def all_quoted(words: Sequence[bytes]) -> bool:
    """Whether each of several words stands in double quotes.

    Examples
    --------
    >>> all_quoted([b'"good"', b'"new york"']), all_quoted([b'"good"', b"bad"])
    (True, False)
    """
    return len(words) > 1 and all(
        len(word) > 1 and word.startswith(b'"') and word.endswith(b'"') for word in words
    )


def unquoted(request: Request, words: Sequence[str], lines: Iterable[int]) -> list[str]:
    """Return words without the quotes around each; refuse one that could be read in two ways."""
    plain = [word[1:-1] for word in words]
    for word, inside, line in zip(words, plain, lines, strict=True):
        if word != f'"{inside}"' or '"' in inside or inside.endswith("\\"):
            raise request.error(
                f"line {line:,} has the word {quote(word)}, and those of the first lines all stand "
                "in quotes, which may belong to the words or not; write them all without (in R: "
                "quote = FALSE)."
            )
    return plain
