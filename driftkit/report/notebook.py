"""What a notebook shows for an audit."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from driftkit.audits import Audit


def audit_html(audit: Audit) -> str:
    """Return an audit as HTML: the headline, the benchmarks and the drift."""
    drift = audit.to_frame("summary").pivot(index="measure", columns="group", values="mean")
    order = list(dict.fromkeys(row.measure for row in audit.summaries()))
    drift = drift.loc[order, ["all", "moved", "unmoved"]].rename_axis(index=None, columns=None)
    return (
        f"<p><b>{escape(audit.headline)}</b></p>"
        f"{audit.scores._repr_html_()}"
        f"<p>Mean of each measure</p>{drift.to_html(float_format='{:.3f}'.format, border=0)}"
        f"{audit.space._repr_html_()}"
    )
