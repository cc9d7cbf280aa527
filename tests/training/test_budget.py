import math

import pytest

from driftkit.errors import OptionError, UnknownNameError
from driftkit.training.budget import Budget

START = {"moved": 0, "overlap@10": 1.0, "spearman[ws353]": 0.5}


@pytest.mark.parametrize(
    ("now", "times"), [(0.5, 0), (0.6, 0), (0.481, 0), (0.479, 1), (0.455, 2), (math.nan, 0)]
)
def test_a_fall_counts_in_whole_budgets(now, times):
    budget = Budget("ws353", fall=0.02)
    assert budget.times_broken(START, {**START, "spearman[ws353]": now}) == times


def test_a_fall_of_zero_allows_none():
    assert Budget("overlap@10", fall=0).times_broken(START, {"overlap@10": 0.999}) == 1
    assert Budget("overlap@10", fall=0).times_broken(START, {"overlap@10": 1.0}) == 0


def test_names():
    assert Budget("ws353", 0.1).find(START) == "spearman[ws353]"
    assert Budget("spearman[ws353]", 0.1).find(START) == "spearman[ws353]"
    with pytest.raises(UnknownNameError, match="overlap@10"):
        Budget("overlap@1", 0.1).find(START)
    with pytest.raises(OptionError, match="rises"):
        Budget("moved", 0.1).find(START)


@pytest.mark.parametrize(
    "options", [{"fall": -1}, {"fall": 1, "factor": 1}, {"fall": 1, "action": "x"}]
)
def test_options_out_of_range(options):
    with pytest.raises(OptionError, match="0 or more"):
        Budget("ws353", **options)
