from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit.errors import RuleError
from driftkit.gate.rules import parse_rule


@pytest.mark.parametrize(
    ("text", "level", "operator", "bound"),
    [
        ("spearman[simlex999] >= -0.02", "fail", ">=", "-0.02"),
        ("spearman[simlex999] = original", "fail", "=", "original"),
        ("spearman[simlex999] == original ± 0.01", "fail", "=", "original +- 0.01"),
        ("spearman[simlex999] = original - 0.01 +- 2 margins", "fail", "=",
         "original - 0.01 +- 2 margin"),
        ("spearman[simlex999] >= original - 5%", "fail", ">=", "original - 5%"),
        ("change[*] >= - margin", "fail", ">=", "-margin"),
        ("change[*] >= -2*margin", "fail", ">=", "-2 margin"),
        ("change[*] >= baseline-margin", "fail", ">=", "baseline - margin"),
        ("change[*] >= baseline", "fail", ">=", "baseline"),
        ("overlap@10 mean[moved] >= 0.6", "fail", ">=", "0.6"),
        ("rbo(p=0.9)@10 mean[moved] > .6", "fail", ">", "0.6"),
        ("self_cosine p05 >= 0.8", "fail", ">=", "0.8"),
        ("mean_cosine <= original + 5%", "fail", "<=", "original + 5%"),
        ("moved <= 10%", "fail", "<=", "10%"),
        ("moved<1e3", "fail", "<", "1000"),
        ("moved <= baseline + 20%", "fail", "<=", "baseline + 20%"),
        ("coverage[rw] >= 0.9", "fail", ">=", "0.9"),
        ("lost == 0", "fail", "=", "0"),
        ("warn: moved <= 10%", "warn", "<=", "10%"),
        ("warn moved <= 10%", "warn", "<=", "10%"),
        ("fail moved <= 10%", "fail", "<=", "10%"),
        ('word["=",">="] overlap@10 >= 0.5', "fail", ">=", "0.5"),
    ],
)  # fmt: skip
def test_forms(text, level, operator, bound):
    rule = parse_rule(text)
    assert (rule.level, rule.operator, str(rule.bound)) == (level, operator, bound)
    again = parse_rule(f"{rule.level} {rule.subjects[0]} {rule.operator} {rule.bound}")
    assert again.bound == rule.bound


@pytest.mark.parametrize(
    "text",
    [
        "",
        "moved",
        ">= 3",
        "moved <=",
        "moved <= many",
        "moved <= 10 %%",
        "moved >= original",
        "word[good] overlap >= original",
        "overlap mean <= original",
        "coverage[x] >= original",
        "moved <= -margin",
        "coverage[x] >= baseline - margin",
        "spearman[x] tuned >= -margin",
        "spearman[x] >= original 0.02",
        "spearman[x] >= 0 +- 1",
        "spearman[x] = 0 +- -1",
        "moved <= basline",
        "movd <= 3",
        "overlap@0 mean >= 0.6",
        "rbo(q=1) mean >= 0.6",
        "rbo(p=nan) mean >= 0.6",
        "overlap@٣ mean >= 0.6",
        "moved <= 1_0",
        "moved <= ٣",
        "moved <= 0x10",
        "moved <= 1e400",
        'word["\\d"] overlap >= 0.5',
        'word["\x01"] overlap >= 0.5',
    ],
)
def test_what_cannot_be_read_is_refused_with_the_rule(text):
    with pytest.raises(RuleError) as caught:
        parse_rule(text)
    assert caught.value.rule == text
    assert str(caught.value).startswith(f"rule {text!r}: ")


def test_white_space_means_nothing():
    assert str(parse_rule("  moved   <= 3 ")) == "moved <= 3"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40) | st.text('moved spearman[]<>=+-%.0123456789"()±original', max_size=40))
def test_no_text_does_worse_than_a_sentence(text):
    with suppress(RuleError):
        assert parse_rule(text).subjects
