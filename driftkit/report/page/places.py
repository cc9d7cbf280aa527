"""The map of a page: where each listed word lies before and after, on axes of the original."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from driftkit.arrays import Values
from driftkit.drift.projection import Method, project
from driftkit.errors import AlignmentError
from driftkit.findings import Findings
from driftkit.report.page.strings import packed

FARTHEST = 32_000  # the place farthest from the middle; places are whole numbers


def places_of(findings: Findings, listed: Sequence[str], method: Method = "pca") -> dict[str, Any]:
    """Return the places of the m listed words, before and after (m, 2), or why there are none.

    A unit of the places is the same in each audit of one original table, and so are the axes.
    """
    pair = findings.pair
    row = np.array([pair.index.get(word, -1) for word in listed], np.int64)
    here = np.flatnonzero(row >= 0)
    try:
        found = project(pair, row[here], method=method, seed=findings.settings.seed)
    except AlignmentError as error:
        return {"reason": str(error)}
    reach = float(np.nanmax(np.abs(found.before), initial=0.0)) * 2 or 1.0

    def whole(places: Values) -> Any:
        out = np.full((len(listed), 2), np.nan)
        out[here] = FARTHEST / reach * places
        return packed(out, np.int16)

    return {
        "before": whole(found.before),
        "after": whole(found.after),
        "shares": [round(share, 3) for share in found.shares.tolist()],
    }
