import dataclasses
import math
import re

import pytest

from driftkit.display import to_text
from driftkit.gate import baseline_of
from driftkit.gate.reports.terminal import baseline_view, verdict_view


@pytest.mark.parametrize("width", [70, 80, 120])
def test_every_rule_its_value_and_its_slack_fit_the_width(verdicts, width):
    text = to_text(verdict_view(verdicts), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    for verdict in verdicts:
        for result in verdict.results:
            assert result.value_text in text
            assert result.bound_text in text
            assert result.slack_text in text


def test_one_table(verdicts):
    lines = to_text(verdict_view(verdicts[:1]), 100).splitlines()
    assert lines[0] == "harmed.pt against original.npy"
    assert lines[1].startswith("Failed: 2 of 6 checks: ")
    assert "x moved" in " ".join(lines)
    assert "All tables" not in lines
    assert "A value with an interval is decided by its interval." in " ".join(lines)


def test_several_tables_end_with_a_matrix(verdicts):
    text = to_text(verdict_view(verdicts), 100)
    assert text.splitlines()[-2].split() == ["harmed.pt", "2", "2", "2", "failed"]
    assert text.splitlines()[-1].split()[:1] == ["same.pt"]


def test_an_interval_is_shown_where_it_decided(verdicts):
    result = verdicts[0].results[2]
    assert result.value_text.count(",") == 1
    assert result.value_text.startswith(f"{result.value:+.3f} [")
    assert dataclasses.replace(result, low=math.nan).value_text == f"{result.value:.3g}"


def test_what_is_not_known_is_a_dash(verdicts):
    unknown = next(each for each in verdicts[1].results if each.outcome == "not measured")
    assert (unknown.value_text, unknown.slack_text) == ("-", "-")
    assert dataclasses.replace(unknown, bound=math.nan).bound_text == ">= -"


def test_what_a_baseline_holds(audits):
    text = to_text(baseline_view(baseline_of(audits["harmed.pt"])), 100)
    assert text.startswith("harmed.pt against original.npy\ndriftkit ")
    assert "6 significant digits" in text
    assert re.search(r"\nmoved +150\n", text)
    assert "spearman[ws353]" in text


def test_golden(worked, golden):
    golden(to_text(verdict_view([worked]), 80) + "\n", "verdict.txt")
