"""Charts of the documentation as pictures, light and dark; every notebook runs this first."""

import base64
import re
from html import escape

import altair
import vl_convert

from driftkit.charts import theme

MOST = 200_000
"""Characters of a drawing; one of thousands of points is a picture of pixels instead."""


BROAD = 700
"""From so many pixels on a picture is scrolled on a narrow screen, where it could not be read."""


def picture(spec, dark):
    """Return a chart as SVG or PNG, and which of them it is."""
    spec = {**spec, "config": theme.config(dark=dark)}
    drawing = vl_convert.vegalite_to_svg(spec)
    if len(drawing) <= MOST:
        return drawing.encode(), "svg+xml"
    return vl_convert.vegalite_to_png(spec, scale=2), "png"


def pictures(spec, **_):
    """Return a chart as two pictures, of which the page shows the one that fits it.

    Each is an image of its own, since shapes of two drawings in one page may bear the same name.
    """
    shown = []
    for name, dark in (("light", False), ("dark", True)):
        data, kind = picture(spec, dark)
        # Two pixels of a PNG are one of the page.
        width = int.from_bytes(data[16:20], "big") / 2 if kind == "png" else svg_width(data)
        size = "chart broad" if width > BROAD else "chart"
        url = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
        said = escape(spec.get("description", "A chart."))
        shown.append(
            f'<img class="only-{name} {size}" width="{width:.0f}" alt="{said}" src="{url}">'
        )
    return {"text/html": "".join(shown)}


def svg_width(data):
    """Return the width that a drawing states of itself."""
    return float(re.search(rb'width="([\d.]+)"', data)[1])


altair.renderers.register("documentation", pictures)
altair.renderers.enable("documentation")
altair.data_transformers.disable_max_rows()
