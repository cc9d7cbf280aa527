"""How anything is shown: numbers, lists of names, tables, and one view for shell and notebook.

This module knows no result. A result says what it looks like once, in ``__rich__``, built from the
pieces here; `Displayed` makes its repr and its notebook view of that, and a terminal prints it as
it is. Signs carry the meaning and color only repeats it: ``-`` lost, ``+`` gained, ``=`` kept.
"""

from __future__ import annotations

import io
import math
import shlex
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.protocol import rich_cast
from rich.style import Style, StyleType
from rich.table import Column, Table
from rich.text import Text as RichText

from driftkit.escaping import harmless, printable
from driftkit.names import LONG, Names, told_apart

WIDTH = 100
"""Columns of a result printed in a shell."""


class Text(RichText):
    """A text of any words; what cannot be seen in it is shown, where rich would leave it out."""

    def __init__(self, text: str = "", style: str = "", **settings: Any) -> None:
        cut = not settings.get("no_wrap")  # a command to copy stays whole
        super().__init__(printable(text, cut=cut), style, **settings)


class Heading(Text):
    """The title of a section."""


def run_of(parts: Iterable[str], between: str, style: str = "") -> RichText:
    """Join texts of any words by what may be a new line, as no text here can hold one."""
    return RichText(between).join(Text(part, style) for part in parts)


class Displayed:
    """A result that is shown in a shell, a notebook and a terminal by its ``__rich__``.

    A dataclass that inherits from this is made with ``repr=False``.
    """

    __slots__ = ()

    def __rich__(self) -> RenderableType:
        raise NotImplementedError

    def __repr__(self) -> str:
        return to_text(self)

    def _repr_html_(self) -> str:
        return to_html(self)


class OneLine:
    """A result whose repr is one line, which a notebook shows too."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return f"<code>{escape(repr(self))}</code>"


def to_text(view: RenderableType, width: int = WIDTH) -> str:
    """Return a view, or a result that has one, as plain text without color.

    Examples
    --------
    >>> print(to_text(section("Words", "good"), 30))
    <BLANKLINE>
    Words
    good
    """
    out = io.StringIO()
    # In a notebook rich would display the text instead of writing it.
    console = SafeConsole(file=out, width=width, color_system=None, force_jupyter=False)
    console.print(Group(view), crop=False)  # a bare text would lose that it is not wrapped
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


class SafeConsole(Console):
    """A console that prints words as they are, but nothing that would steer what reads it."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, soft_wrap=False, **settings)

    def print(self, *views: Any, **settings: Any) -> None:
        """Print texts, views or results."""
        with self.capture() as lines:  # only now is it known where each line begins
            super().print(*map(_safe, views), **settings)
        self.file.write(harmless(lines.get()))


def _safe(view: RenderableType) -> RenderableType:
    shown = rich_cast(view)
    if isinstance(shown, Group):
        return Group(*map(_safe, shown.renderables))
    if isinstance(shown, Columns):
        shown.renderables[:] = map(_safe, shown.renderables)
    elif isinstance(shown, Table):
        for column in shown.columns:
            heads = str(column.header).split("\n")  # a title may have two lines; a word has one
            column.header = "\n".join(map(printable, heads))
            column._cells[:] = map(_safe, column._cells)
    elif isinstance(shown, str):
        return printable(shown)
    return shown


def to_html(view: RenderableType) -> str:
    """Return a view, or a result that has one, as HTML: headings, paragraphs and tables.

    All text is escaped. There is no script, address, class or id, and every style is one that
    JupyterLab leaves to notebooks it does not trust. Colors are mixed with that of the text around,
    so that they can be read on light and on dark.

    Examples
    --------
    >>> print(to_html(Text("<b>")))
    <div style="overflow-x:auto"><p style="margin:0;white-space:pre-wrap">&lt;b&gt;</p></div>
    """
    return f'<div style="overflow-x:auto">{_html(view)}</div>'


_HUES = {"red": "#e0245e", "cyan": "#0e93b8", "green": "#2e8b40", "yellow": "#a3761a"}
"""Colors of a notebook by those of a terminal, about as far from white as from black."""

_PLAIN = Console(file=io.StringIO(), force_jupyter=False)


def _html(view: RenderableType) -> str:
    shown = _safe(view)
    if isinstance(shown, Group):
        return "".join(map(_html, shown.renderables))
    if isinstance(shown, Columns):
        style = "display:inline-block;vertical-align:top;margin:0 2em 1em 0"
        return "".join(f'<div style="{style}">{_html(block)}</div>' for block in shown.renderables)
    if isinstance(shown, Table):
        return _table_html(shown)
    text = shown if isinstance(shown, RichText) else Text(str(shown))
    if not text.plain:
        return '<div style="height:0.6em"></div>'
    if isinstance(text, Heading):
        return f'<h4 style="margin:0.4em 0 0.2em">{escape(text.plain)}</h4>'
    if text.no_wrap:
        return f'<pre style="margin:0;white-space:pre;font-family:monospace">{_inline(text)}</pre>'
    return f'<p style="margin:0;white-space:pre-wrap">{_inline(text)}</p>'


def _table_html(made: Table) -> str:
    titles = (str(column.header).rstrip() for column in made.columns)
    head = [
        # A column of signs has no name, and a heading without one helps nobody who listens.
        _cell("th" if title else "td", title, column, made.header_style)
        for title, column in zip(titles, made.columns, strict=True)
    ]
    columns = ([*column.cells] for column in made.columns)
    body = [
        [_cell("td", *of, row.style or "") for of in zip(cells, made.columns, strict=True)]
        for cells, row in zip(zip(*columns, strict=True), made.rows, strict=True)
    ]
    head_row, *rows = (f"<tr>{''.join(cells)}</tr>" for cells in (head, *body))
    return (
        '<table style="margin:0.2em 0;border-collapse:collapse">'
        f"<thead>{head_row}</thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _cell(tag: str, cell: RenderableType, column: Column, style: StyleType) -> str:
    text = cell if isinstance(cell, RichText) else RichText(str(cell))
    wrap = "pre" if column.no_wrap or tag == "th" else "pre-wrap"
    css = f"text-align:{column.justify};white-space:{wrap};padding:0.1em 0.8em 0.1em 0"
    css += ";font-weight:normal;vertical-align:bottom" if tag == "th" else ";vertical-align:top"
    return f'<{tag} style="{css}">{_inline(text, style)}</{tag}>'


def _inline(text: RichText, style: StyleType = "") -> str:
    """Escape a text, with what its styles mean; `style` is that of the row it stands in."""
    around = _PLAIN.get_style(style) + _PLAIN.get_style(text.style)
    return "".join(
        _styled(escape(part.text).replace("\n", "<br>"), around + (part.style or Style()))
        for part in text.render(_PLAIN)
    )


def _styled(inside: str, style: Style) -> str:
    css = "opacity:0.7;" if style.dim else ""
    if style.color is not None and (hue := _HUES.get(style.color.name)):
        # An old browser, and JupyterLab where it does not trust the notebook, keep the first.
        css += f"color:{hue};color:color-mix(in srgb,{hue} 65%,currentColor);"
        if " " not in inside:
            css += "white-space:nowrap;"  # a sign stays with its word
    inside = f'<span style="{css.removesuffix(";")}">{inside}</span>' if css else inside
    return f"<b>{inside}</b>" if style.bold else inside


def table(*left: str, right: Sequence[str] = ()) -> Table:
    """Make a table of columns aligned left, then columns aligned right."""
    made = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    for name in left:
        made.add_column(name, no_wrap=True, overflow="ellipsis")
    for name in right:
        made.add_column(name, justify="right", no_wrap=True)
    return made


def section(title: str, *parts: RenderableType) -> RenderableType:
    """Put a title over some parts, after an empty line."""
    return Group(Text(""), Heading(title, "bold"), *parts)


def unwrapped(line: str, style: str = "") -> Text:
    """Return a line that stays one line in any terminal, such as a command to copy.

    It is printed with ``crop=False``.
    """
    return Text(line, style, no_wrap=True, overflow="ignore")


def argument(text: str) -> str:
    """Return a path as a shell takes it: quoted where it must be, and never like an option.

    Examples
    --------
    >>> argument("a.npy"), argument("-my table.pt")
    ('a.npy', "'./-my table.pt'")
    """
    return shlex.quote(f"./{text}" if text.startswith("-") else text)


def reasons(
    pairs: Iterable[tuple[str, str | None]], what: str = "Not measured"
) -> list[RenderableType]:
    """Say what could not be measured, or `what` else, and why; nothing where all could."""
    lines = dict.fromkeys(f"{name}: {reason}" for name, reason in pairs if reason)
    return [Text(f"{what}: {line}.", "yellow") for line in lines]


def before_and_after(
    title: str,
    caption: str,
    before: Sequence[str],
    after: Sequence[str],
    *,
    names: Names | None = None,
    scores: tuple[Sequence[float], Sequence[float]] | None = None,
    score: str = "cosine",
    reason: str | None = None,
) -> RenderableType:
    """Put two lists of names side by side, marked by what left and what came.

    The scores of both lists stand behind the names, under what a score is called.
    """
    names = Names((title, *before, *after)) if names is None else names
    block = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    for side in ("before", "after"):
        block.add_column("", no_wrap=True)
        # As wide as its names may be; in a narrow terminal they alone are folded.
        block.add_column(side.ljust(names.width), overflow="fold")
        if scores is not None:
            block.add_column(score, justify="right", no_wrap=True)
    for rank in range(max(len(before), len(after))):
        row: list[Text] = []
        for at, (listed, others, sign, style) in enumerate(
            ((before, after, "-", "red"), (after, before, "+", "cyan"))
        ):
            row += _marked(listed, rank, others, sign, style, names)
            if scores is not None:
                row.append(Text(number(scores[at][rank]) if rank < len(listed) else "", "dim"))
        block.add_row(*row)
    why = [Text(reason, "yellow")] if reason else []
    return Group(Text(names.title(title), "bold"), Text(caption, "dim"), *why, block)


def _marked(
    listed: Sequence[str], rank: int, others: Sequence[str], sign: str, style: str, names: Names
) -> tuple[Text, Text]:
    """Sign and name at a rank, from 0; both empty past the end of the list."""
    if rank >= len(listed):
        return Text(""), Text("")
    if listed[rank] in others:
        return Text("="), Text(names[listed[rank]])
    return Text(sign, style), Text(names[listed[rank]], style)


VERY_LARGE = 1e9
"""From here on a value is written as a power of ten: more digits than these nobody reads."""


def number(value: float, digits: int = 2) -> str:
    """Write a value, or a dash where it could not be measured; what rounds to zero has no sign.

    Examples
    --------
    >>> number(0.5033, 3), number(-0.0001), number(float("nan")), number(2943.7023, 3)
    ('0.503', '0.00', '-', '2,944')
    >>> number(1.5164e30), number(-1e9)
    ('1.52e+30', '-1e+09')
    """
    if math.isnan(value):
        return "-"
    if abs(value) >= VERY_LARGE:
        return f"{value:.3g}"
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text


def compact(value: float, spread: float = math.nan) -> str:
    """Write a value in a few columns, with digits enough to tell it from others.

    Those lie so far apart; where nobody knows, four digits do.

    Examples
    --------
    >>> compact(-0.0144712), compact(0.0), compact(4392.3), compact(43.42), compact(1.003)
    ('-0.0145', '0', '4,392', '43.4', '1.003')
    >>> compact(0.9998541, spread=2e-5)
    '0.999854'
    """
    if math.isnan(value):
        return "-"
    if abs(value) >= VERY_LARGE:
        return number(value)
    if value == round(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    if 0 < spread < 1:
        return number(value, min(6, 2 - math.floor(math.log10(spread))))
    return number(value, 4 if abs(value) < 1 else 3 if abs(value) < 10 else 1)


def signed(value: float) -> str:
    """Write a change with its sign, as `number` does; one that rounds to zero has none.

    Examples
    --------
    >>> signed(0.0581), signed(-0.0001), signed(float("nan")), signed(2943.7023)
    ('+0.058', '0.000', '-', '+2,944')
    """
    text = number(value, 3)
    return text if math.isnan(value) or text[0] == "-" or text == "0.000" else f"+{text}"


def interval(low: float, high: float) -> str:
    """Write the two ends of an interval."""
    return "-" if math.isnan(low) else f"{signed(low)} to {signed(high)}"


def counted(n: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun, and a verb if it has one.

    Examples
    --------
    >>> counted(1, "word"), counted(2_000, "word"), counted(1, "word is", "words are")
    ('1 word', '2,000 words', '1 word is')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def joined(names: Iterable[str]) -> str:
    """Join all names as a sentence does.

    Examples
    --------
    >>> joined(["ws353", "simlex999", "google"])
    'ws353, simlex999 and google'
    """
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else str(last)


def first_few(names: Sequence[str], shown: int = 3) -> str:
    """Join the first names, long ones shortened, and say how many there are if some are left out.

    Examples
    --------
    >>> first_few(["good", "bad"]), first_few(["good", "bad", "fine"], 2)
    ('good, bad', 'good, bad, ... (3 in all)')
    """
    more = f", ... ({len(names):,} in all)" if len(names) > shown else ""
    return ", ".join(told_apart(names[:shown], LONG).values()) + more
