import json

import numpy as np
import pytest

from driftkit.drift.groups import GROUPS, band_masks, group_masks, none_if_nan, summarize
from driftkit.errors import OptionError

VALUES = np.array([0.1, 0.9, np.nan, 0.4, 0.7, 1.0])
MOVED = np.array([1, 1, 1, 0, 0, 0], bool)


def test_each_group_is_numpy_over_its_words():
    rows = {row.group: row for row in summarize({"overlap@10": VALUES}, group_masks(MOVED))}
    assert tuple(rows) == GROUPS
    for group, mask in group_masks(MOVED).items():
        known = VALUES[mask & ~np.isnan(VALUES)]
        row = rows[group]
        assert (row.n, row.unmeasured) == (len(known), mask.sum() - len(known))
        values = (row.mean, row.median, row.p05, row.p95, row.min)
        expected = (known.mean(), np.median(known), *np.percentile(known, [5, 95]), known.min())
        assert values == pytest.approx(expected)
        assert row.reason is None


def test_an_empty_group_says_so():
    empty = summarize({"l2": VALUES}, group_masks(np.ones(6, bool)))[2]
    assert (empty.group, empty.n, empty.reason) == ("unmoved", 0, "there are no unmoved words")
    assert np.isnan(empty.mean)


def test_a_reason_does_not_speak_of_all_words():
    for values, said in (
        ([], "there are no words"),
        ([np.nan] * 2, "none of the 2 words could be measured"),
    ):
        moved = np.zeros(len(values), bool)
        assert summarize({"l2": np.array(values)}, group_masks(moved))[0].reason == said


def test_a_group_of_unmeasured_words_says_so():
    row = summarize({"self_cosine": np.full(2, np.nan)}, group_masks(np.ones(2, bool)))[1]
    assert row.reason == "none of the 2 moved words could be measured"
    assert json.loads(json.dumps(row.to_dict(), allow_nan=False))["mean"] is None


def test_none_if_nan():
    assert [none_if_nan(value) for value in (np.nan, 0.0, 3, "x", None)] == [
        None,
        0.0,
        3,
        "x",
        None,
    ]


@pytest.mark.parametrize("n", [1001, 10_000, 10_001, 250_000])
def test_every_word_is_in_one_band(n):
    masks = band_masks(n)
    assert (np.sum(list(masks.values()), axis=0) == 1).all()
    assert next(iter(masks)) == "rank 1-1000"
    assert list(masks)[-1].endswith(f"-{n}")


@pytest.mark.parametrize("last", [[10, 5], [0], [5, 5]])
def test_ranks_must_ascend(last):
    with pytest.raises(OptionError, match="must ascend"):
        band_masks(100, last)
