"""What the docs say of three years of retrains is computed from the weeks that were kept."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.validity import year

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "gate.md"


@pytest.fixture(scope="module")
def study():
    return year.Study(pd.read_csv(year.RESULTS))


@pytest.mark.parametrize(
    "table", [year.unharmed, year.by_rule, year.power, year.crept, year.steady]
)
def test_the_page_holds_what_the_weeks_say(study, table):
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert set(table(study)) <= set(lines)


def test_planted_damage_is_as_large_as_it_says(study):
    for (benchmark, margins, seed), value in study.damaged.items():
        whole = study.weeks["direct", seed][year.SUBJECTS[year.NAMES[benchmark]]].value
        lost = (whole - value) / year.MARGINS[benchmark]
        assert lost == pytest.approx(margins, abs=year.NEAR + 1e-3)
