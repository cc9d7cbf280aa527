import numpy as np

from driftkit.drift.space_figures import SpaceDrift, SpaceFigure


def test_groups_come_in_their_order():
    figures = tuple(
        SpaceFigure("cka", group, "pair", 5, 1.0)
        for group in ("all", "moved", "unmoved", "rank 1-1000")
    )
    drift = SpaceDrift(figures)
    assert drift.groups == ["all", "moved", "unmoved", "rank 1-1000"]
    assert "rank 1-1000" in repr(drift)
    assert drift.figure("cka", "rank 1-1000").value == 1
    unmeasured = SpaceDrift((*figures[:3], SpaceFigure("rsa", "all", "pair", 0, np.nan, "why")))
    assert "all: why" in repr(unmeasured)
