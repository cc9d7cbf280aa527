"""Names of rows as tables print them: whole, or shortened in the middle and told apart.

Words are short; ids of products and sentences are not. A table gives each name so many columns, and
no two names that differ look alike in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from rich.cells import cell_len

from driftkit.escaping import looks, printable, spelled_out

SHORT, LONG = 15, 30
"""Columns of a name in two lists side by side: enough for words, and the most that 80 hold with the
cosines behind the names."""


def shortened(name: str, width: int) -> str:
    """Return what a terminal shows of a name in so many columns, its middle left out.

    Examples
    --------
    >>> shortened("the cat sat on the mat", 15), shortened("cat", 15)
    ('the cat…the mat', 'cat')
    """
    shown = printable(name, cut=False)
    if cell_len(shown) <= width:
        return shown
    head, tail = "", ""
    while cell_len(head + shown[len(head)]) <= width // 2:
        head += shown[len(head)]
    while cell_len(head + shown[-len(tail) - 1] + tail) < width:
        tail = shown[-len(tail) - 1] + tail
    return f"{head}…{tail}"


def told_apart(
    names: Iterable[str], width: int, texts: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return how each name is printed in so many columns; no two look alike.

    A text that belongs to a name stands behind it. Names that would look alike are numbered, and
    those that only compose a letter in another way are spelled out.

    Examples
    --------
    >>> told_apart(["item 1 of the shop", "item 2 of the shop", "bag"], 11)
    {'item 1 of the shop': 'item … shop', 'item 2 of the shop': 'item…hop ~2', 'bag': 'bag'}
    """
    whole = {}
    for name in dict.fromkeys(names):
        text = " ".join((texts or {}).get(name, "").split())
        whole[name] = f"{name} {text}" if text else name
    alike = Counter(map(looks, whole.values()))
    short = {
        name: shortened(spelled_out(full) if alike[looks(full)] > 1 else full, width)
        for name, full in whole.items()
    }
    taken = {looks(short[name]) for name, full in whole.items() if short[name] == full}
    for name, full in whole.items():
        number = 1
        while short[name] != full and looks(short[name]) in taken:
            number += 1
            mark = f" ~{number}"
            short[name] = shortened(full, width - len(mark)) + mark
        taken.add(looks(short[name]))
    return short


def without_shared_folder(paths: Sequence[str]) -> list[str]:
    """Return paths without the folders that all of them begin with.

    Examples
    --------
    >>> without_shared_folder(["runs/a/hot.pt", "runs/b/hot.pt", "runs/a.npy"])
    ['a/hot.pt', 'b/hot.pt', 'a.npy']
    """
    split = [path.split("/") for path in paths]
    alike = 0
    for folders in zip(*(parts[:-1] for parts in split), strict=False):
        if len({*folders}) > 1:
            break
        alike += 1
    return ["/".join(parts[alike:]) for parts in split]


def numbered(names: Sequence[str]) -> list[str]:
    """Return names of things in a row; each gets its number in front if two have one name.

    Examples
    --------
    >>> numbered(["hot.pt", "cold.pt"]), numbered(["hot.pt", "hot.pt"])
    (['hot.pt', 'cold.pt'], ['1. hot.pt', '2. hot.pt'])
    """
    if len(set(names)) == len(names):
        return list(names)
    return [f"{at}. {name}" for at, name in enumerate(names, 1)]


class Names:
    """The names of one view: `names[name]` in a list, `names.title(name)` above it.

    Parameters
    ----------
    names : iterable of str
        Every name that the view prints, so that all are told apart.
    texts : mapping of str to str, optional
        Texts that stand behind names.
    """

    def __init__(self, names: Iterable[str], texts: Mapping[str, str] | None = None) -> None:
        listed = list(dict.fromkeys(names))
        self.width = SHORT
        self._short = told_apart(listed, SHORT, texts)
        is_long = sum("…" in shown for shown in self._short.values()) > len(listed) / 2
        if is_long or any(" ~" in shown for shown in self._short.values()):
            self.width = LONG
            self._short = told_apart(listed, LONG, texts)
        self._titles = told_apart(listed, 2 * self.width + 5, texts)

    def __getitem__(self, name: str) -> str:
        return self._short[name]

    def title(self, name: str) -> str:
        """Return a name as the title of two lists, as wide as they are."""
        return self._titles[name]
