import numpy as np
import pytest

import driftkit as dk
from driftkit.report.frames import FRAMES


@pytest.fixture(scope="module")
def audited(pair):
    return dk.audit(
        pair, benchmarks=["ws353"], resamples=100, candidates=2_000, null=True,
        measures=["jaccard@5", "antihub_share"],
    )  # fmt: skip


@pytest.mark.parametrize("table", FRAMES)
def test_the_null_stands_beside(audited, table):
    frame = audited.to_frame(table)
    if table == "words":
        null = [name for name in frame if name.endswith(" null")]
        assert null == [f"{name} null" for name in audited.values]
    elif table != "findings":  # an answer has no number to stand beside
        assert frame["null"].notna().any()
    assert "null" not in audited.null.to_frame(table)


def test_words_have_every_measure(audited):
    frame = audited.to_frame("words")
    assert list(frame["word"]) == list(audited.pair.words)
    np.testing.assert_array_equal(frame["jaccard@5"], audited.values["jaccard@5"])
    assert frame["jaccard@5"].notna().sum() == len(audited.shifts)
    np.testing.assert_array_equal(frame["l2 null"], audited.null.words.l2)


def test_bands_sum_up_the_words_of_a_rank(audited):
    frame = audited.to_frame("summary").set_index(["measure", "group"])
    row = frame.loc["jaccard@5", "rank 1001-3000"]
    values = audited.values["jaccard@5"][1000:]
    assert row["mean"] == pytest.approx(np.nanmean(values))
    assert row["unmeasured"] == np.isnan(values).sum() > 0
    assert row["null"] == pytest.approx(np.nanmean(audited.null.values["jaccard@5"][1000:]))
