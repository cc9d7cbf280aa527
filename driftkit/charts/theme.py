"""How every chart looks: one color for each thing, and a frame for light and for dark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any, TypeAlias

from driftkit.errors import MissingExtraError

if TYPE_CHECKING:
    from altair import TopLevelMixin

    Chart: TypeAlias = TopLevelMixin

COLORS: Mapping[str, str] = {
    "original": "#2878B5",
    "tuned": "#D97706",
    "lost": "#E0245E",
    "gained": "#0E93B8",
    "moved": "#8B5CF6",
    "unmoved": "#808590",
    "chance": "#808590",
}
"""One color for each thing, in every chart. Each stands out from a light and from a dark page by
3 : 1 or more, and those that meet in one chart are told apart by color-blind eyes. Shape, sign or
place says the same wherever color says something."""

_SHAPES = {"moved": "circle", "unmoved": "diamond"}

SERIES = ("#2878B5", "#D97706", "#8B5CF6", "#0E93B8", "#E0245E", "#808590")
"""For what comes in any number, such as tables and benchmarks, which have shapes besides."""

_INK = {
    False: {"page": "#ffffff", "text": "#1f2328", "soft": "#57606a", "line": "#d0d7de"},
    True: {"page": "#16181d", "text": "#e6e8eb", "soft": "#a8b0ba", "line": "#3a404a"},
}

LINE = 100  # columns of a subtitle

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"


def config(dark: bool = False) -> dict[str, Any]:
    """Return the Vega-Lite ``config`` of all charts, for a light or a dark page.

    Charts come with the light one. For a dark page put the other in its place:
    ``spec["config"] = config(dark=True)``.

    >>> config()["background"], config(dark=True)["background"]
    ('#ffffff', '#16181d')
    """
    ink = _INK[bool(dark)]
    named = {"labelColor": ink["soft"], "titleColor": ink["text"], "labelFontSize": 11}
    return {
        "background": ink["page"],
        "font": FONT,
        "padding": 12,
        "view": {"continuousHeight": 300, "continuousWidth": 300, "stroke": None},
        "title": {
            "anchor": "start",
            "color": ink["text"],
            "fontSize": 15,
            "fontWeight": 600,
            "frame": "bounds",
            "offset": 12,
            "subtitleColor": ink["soft"],
            "subtitleFontSize": 12,
            "subtitlePadding": 5,
        },
        "axis": {
            **named,
            "domainColor": ink["line"],
            "gridColor": ink["line"],
            "gridOpacity": 0.6,
            "tickColor": ink["line"],
            "titleFontSize": 12,
            "titleFontWeight": 500,
            "titlePadding": 8,
            "labelFlush": False,
            "labelLimit": 260,
        },
        "legend": {
            **named,
            "labelLimit": 300,
            "orient": "top",
            "symbolOpacity": 1,
            "titleFontSize": 12,
            "titleFontWeight": 500,
        },
        "header": {**named, "titleFontSize": 12, "labelFontWeight": 600, "labelColor": ink["text"]},
        "text": {"color": ink["text"], "fontSize": 11},
        "rule": {"color": ink["soft"]},
        "tick": {"color": ink["soft"]},
        "range": {"category": list(SERIES)},
    }


def altair_module() -> Any:
    """Return altair, which is imported only where a chart is made."""
    try:
        import altair
    except ImportError:
        raise MissingExtraError("a chart", "altair", "report") from None
    return altair


def inline(rows: Iterable[Mapping[str, Any]]) -> Any:
    """Return rows of plain values as the data of a chart, however many they are."""
    return altair_module().InlineData(values=list(rows))


def finished(chart: Any, title: str, subtitle: str | Sequence[str], description: str) -> Chart:
    """Return a chart with its title, what a screen reader says of it, and the light frame."""
    parts = [subtitle] if isinstance(subtitle, str) else subtitle
    lines = [line for part in parts for line in wrap(part, LINE)]
    whole = altair_module().TitleParams(title, subtitle=lines)
    done: Chart = chart.properties(title=whole, description=description).configure(**config())
    return done


def sentence(title: str, said: str) -> Chart:
    """Return a chart that says in words why there is nothing to draw."""
    alt = altair_module()
    words = alt.Chart(inline([{"said": said}])).mark_text(align="left", fontSize=13, limit=560)
    placed = words.encode(text="said:N", x=alt.value(0), y=alt.value(14))
    return finished(placed.properties(width=560, height=28), title, [], f"{title}. {said}")


def heading(text: str, **settings: Any) -> Any:
    """Return the title of one panel of a chart."""
    return altair_module().TitleParams(text, **{"fontSize": 12, "offset": 6, **settings})


def kept_title(measure: str) -> str:
    """Return a measure of a word with what it says the word kept; all but one are overlaps.

    >>> kept_title("overlap@10")
    'overlap@10: neighbors kept'
    """
    return f"{measure}: {'direction' if measure == 'self_cosine' else 'neighbors'} kept"


def own_row(noun: str) -> str:
    """Return the title of a legend that tells moved from unmoved words."""
    return f"the {noun}'s own row"


def shapes(*names: str) -> Any:
    """Return the scale that gives moved and unmoved words their shape, as `scale` their color."""
    return altair_module().Scale(domain=list(names), range=[_SHAPES[name] for name in names])


def scale(*names: str) -> Any:
    """Return the scale that gives each of these things its color."""
    return altair_module().Scale(domain=list(names), range=[COLORS[name] for name in names])
