"""Templates filled in: one file that runs no script and no style but its own."""

from __future__ import annotations

import base64
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from importlib.util import find_spec
from typing import Any

from driftkit.errors import MissingExtraError
from driftkit.escaping import printable

_LIBRARIES = {"altair": "altair", "jinja2": "jinja2", "vl_convert": "vl-convert-python"}


def require_libraries() -> None:
    """Raise a MissingExtraError if a library that pages need is not installed."""
    for module, package in _LIBRARIES.items():
        if find_spec(module) is None:
            raise MissingExtraError("a report", package, "report")


def source_of(name: str) -> str:
    """Return the text of a file of this folder."""
    return (files("driftkit.report.page") / name).read_text(encoding="utf-8")


def rendered(name: str, **context: Any) -> str:
    """Return a page, ``NAME.html``, with what the template asks for put in.

    `early`, `script` and `data` are put in as they are, and the page says by their digests that no
    other script may run.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    from driftkit.report.page.figures import palette

    def seen(value: Any) -> Any:
        """Show what cannot be seen; every expression of the template passes through here."""
        return printable(value) if type(value) is str else value

    made = Environment(
        autoescape=True,
        finalize=seen,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    own = {"style": made.from_string(source_of("page.css")).render(palette())}
    own |= {each: context.pop(each) for each in ("early", "script", "data") if each in context}
    template = made.from_string(source_of("macros.html") + source_of(f"{name}.html"))
    return template.render(
        **context,
        version=version("driftkit"),
        **{each: Markup(text) for each, text in own.items()},
        **{f"{each}_hash": _hash(text) for each, text in own.items() if each != "data"},
        raw=Markup,
    )


def _hash(text: str) -> str:
    """Return what names a text in a Content-Security-Policy."""
    return f"sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}"
