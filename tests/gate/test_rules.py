from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit.errors import InputError, RuleError
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
    ("text", "message"),
    [
        ("", "rule '': write SUBJECT, then one of >= > <= < =, then a bound: moved <= 10%."),
        ("moved", "write SUBJECT, then one of"),
        (">= 3", "write SUBJECT, then one of"),
        ("moved <=", "'' is not a bound; write a number (0.6)"),
        ("moved <= many", "'many' is not a bound"),
        ("moved <= 10 %%", "'10 %%' is not a bound"),
        ("moved >= original", "moved has no value of the original table to compare with"),
        ("word[good] overlap >= original", "has no value of the original table"),
        ("overlap mean <= original", "overlap mean has no value of the original table"),
        ("coverage[x] >= original", "has no value of the original table"),
        ("moved <= -margin", "only benchmarks have a margin; give a number for moved"),
        ("coverage[x] >= baseline - margin", "only benchmarks have a margin"),
        ("spearman[x] tuned >= -margin", "a margin bounds a change, and spearman[x] tuned is a"),
        ("spearman[x] >= original 0.02", "'original 0.02' is not a bound"),
        ("spearman[x] >= 0 +- 1", "a tolerance belongs to =, not to >="),
        ("spearman[x] = 0 +- -1", "the tolerance -1 is negative"),
        ("moved <= basline", "'basline' is not a bound"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told(text, message):
    with pytest.raises(RuleError) as caught:
        parse_rule(text)
    assert message in str(caught.value)
    assert caught.value.rule == text


def test_benchmarks_and_words_named():
    assert parse_rule("spearman[rw] >= 0").benchmarks == ("rw",)
    assert parse_rule("change[*] >= 0").benchmarks == ()
    assert parse_rule("words[good,bad] overlap >= 0.5").words == ("good", "bad")
    assert str(parse_rule("  moved   <= 3 ")) == "moved <= 3"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40) | st.text('moved spearman[]<>=+-%.0123456789"()±original', max_size=40))
def test_no_text_does_worse_than_a_sentence(text):
    with suppress(InputError):
        assert parse_rule(text).subjects
