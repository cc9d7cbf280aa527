"""Charts of a page: drawn once, as SVG whose ink follows the colors of the page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from driftkit.charts.theme import COLORS, config

if TYPE_CHECKING:
    from driftkit.charts.theme import Chart

SVG = "http://www.w3.org/2000/svg"

_KEPT = {
    *("class", "clip-path", "d", "display", "id", "opacity", "points", "transform", "viewBox"),
    *("cx", "cy", "dx", "dy", "height", "r", "rx", "ry", "width", "x", "x1", "x2", "y", "y1", "y2"),
    *("fill", "fill-opacity", "font-size", "font-style", "font-weight", "text-anchor"),
    *("stroke", "stroke-dasharray", "stroke-dashoffset", "stroke-linecap", "stroke-linejoin"),
    *("stroke-miterlimit", "stroke-opacity", "stroke-width"),
}
"""Attributes that say how something is drawn; no address and no script is among them."""

NARROW = 250  # pixels of the widest part of a chart on a narrow page

_NUMBER = re.compile(r"-?\d+\.\d{2,}")


def drawn(chart: Chart) -> dict[str, str]:
    """Return a chart as SVG for wide pages, as another one for narrow ones, and its subtitle."""
    from vl_convert import vegalite_to_svg

    spec = chart.to_dict()
    told, title = str(spec.pop("description", "")), spec.pop("title", {})  # the page has titles
    wide = inline_svg(vegalite_to_svg(spec), told)
    narrow = inline_svg(vegalite_to_svg(narrowed(spec)), told)
    return {"wide": wide, "narrow": narrow, "said": _said(title.get("subtitle", ()))}


def _said(lines: Sequence[str]) -> str:
    """Join the lines of a subtitle to a sentence."""
    said = "; ".join(lines)
    return said if not said or said.endswith(".") else f"{said}."


def narrowed(spec: Any) -> Any:
    """Return a specification with parts below each other and no part wider than a phone."""
    if isinstance(spec, list):
        return [narrowed(each) for each in spec]
    if not isinstance(spec, dict):
        return spec
    return {
        "vconcat" if key == "hconcat" else key: (
            min(value, NARROW)
            if key == "width" and isinstance(value, int | float)
            else value
            if key in ("datasets", "data", "config")
            else narrowed(value)
        )
        for key, value in spec.items()
    }


def inline_svg(svg: str, told: str) -> str:
    """Return a drawing fit to stand in a page: one image to a screen reader, in the page's colors.

    What is written in it stays text.
    """
    root = ElementTree.fromstring(svg)
    mark = sha256(svg.encode()).hexdigest()[:8]  # ids of two drawings in a page differ
    for parent in root.iter():
        for child in list(parent):
            if not child.tag.startswith(f"{{{SVG}}}") or _is_idle(child):
                parent.remove(child)
    return _write(root, mark, f' role="img" aria-label="{escape(told)}"')


def _is_idle(element: ElementTree.Element) -> bool:
    """Whether an element draws nothing; or it is the background, which the page has already."""
    name = element.tag.rpartition("}")[2]
    is_page = name == "rect" and element.get("fill") == _LIGHT["page"]
    hidden = element.get("display") == "none" or element.get("class") == "background"
    return (
        name in ("script", "style", "title", "image", "a", "foreignObject")
        or is_page
        or (hidden and not element.get("stroke"))
    )


def _write(element: ElementTree.Element, mark: str, more: str = "") -> str:
    name = element.tag.rpartition("}")[2]
    attributes = "".join(
        f' {key}="{escape(_value(key, value, mark))}"'
        for key, value in element.attrib.items()
        if key in _KEPT and key != "class"
    )
    inside = "".join(_write(child, mark) + escape((child.tail or "").strip()) for child in element)
    text = escape(element.text or "") if name in ("text", "tspan") else ""
    if name == "g" and not (attributes or more):
        return inside
    return f"<{name}{attributes}{more}>{text}{inside}</{name}>"


def _value(key: str, value: str, mark: str) -> str:
    if key == "id":
        return f"{mark}-{value}"
    if value.startswith("url(#"):
        return f"url(#{mark}-{value[5:]}"
    if key in ("fill", "stroke"):
        return _VARIABLES.get(value.lower(), value)
    return _NUMBER.sub(lambda found: f"{float(found[0]):.1f}", value)


def palette() -> dict[str, Mapping[str, str]]:
    """Return the colors of the page by name, which are those of the charts."""
    return {"things": COLORS, "light": _LIGHT, "dark": _ink(dark=True)}


def _ink(*, dark: bool) -> dict[str, str]:
    """Return the colors of page and ink by name."""
    used = config(dark)
    axis = used["axis"]
    page, text = used["background"], axis["titleColor"]
    return {"page": page, "text": text, "soft": axis["labelColor"], "line": axis["gridColor"]}


_LIGHT = _ink(dark=False)
_VARIABLES: Mapping[str, str] = {
    **{color.lower(): f"var(--{name})" for name, color in reversed(list(COLORS.items()))},
    **{color.lower(): f"var(--{name})" for name, color in _LIGHT.items()},
}
