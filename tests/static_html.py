"""What a notebook may be given to show: elements without behavior, and styles that stay."""

import re

TAGS = {
    "b",
    "br",
    "code",
    "div",
    "h4",
    "p",
    "pre",
    "span",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
}

_LENGTHS = r"-?[\d.]+(em)?( -?[\d.]+(em)?)*"
STYLES = {
    "border-collapse": "collapse",
    "color": "#[0-9a-f]{6}|color-mix\\(in srgb,#[0-9a-f]{6} 65%,currentColor\\)",
    "display": "inline-block",
    "font-family": "monospace",
    "font-weight": "normal",
    "height": _LENGTHS,
    "margin": _LENGTHS,
    "opacity": r"0\.\d+",
    "overflow-x": "auto",
    "padding": _LENGTHS,
    "text-align": "left|right",
    "vertical-align": "top|bottom",
    "white-space": "nowrap|pre|pre-wrap",
}
"""What JupyterLab keeps of a notebook it does not trust (its sanitizer lists these), but for mixed
colors, before which stands one that it keeps."""


def require_static(html):
    """Parse HTML as a browser does, and refuse all but plain elements; return the tree."""
    import html5lib

    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parseFragment(html)
    for element in tree.iter():
        if element.tag == "DOCUMENT_FRAGMENT":
            continue
        assert element.tag in TAGS, element.tag
        assert set(element.attrib) <= {"style"}, element.attrib
        for style in filter(None, element.get("style", "").split(";")):
            name, value = style.split(":")
            assert re.fullmatch(STYLES[name], value), style
    return tree
