"""What a notebook of the documentation runs first: charts become pictures, light and dark."""

import base64
from html import escape

import altair
import vl_convert

from driftkit.charts import theme


def picture(spec, **_):
    """Return a chart as two pictures, of which the page shows the one that fits it.

    Each is an image of its own, since shapes of two drawings in one page may bear the same name.
    """
    shown = []
    for name, dark in (("light", False), ("dark", True)):
        drawing = vl_convert.vegalite_to_svg({**spec, "config": theme.config(dark=dark)})
        data = base64.b64encode(drawing.encode()).decode()
        said = escape(spec.get("description", "A chart."))
        shown.append(
            f'<img class="only-{name} chart" alt="{said}" src="data:image/svg+xml;base64,{data}">'
        )
    return {"text/html": "".join(shown)}


altair.renderers.register("documentation", picture)
altair.renderers.enable("documentation")
altair.data_transformers.disable_max_rows()
