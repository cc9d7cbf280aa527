import pytest

import driftkit as dk
from driftkit.errors import OptionError, UnknownNameError
from driftkit.gate.policy import PROFILES, make_policy
from driftkit.gate.rules import parse_rule


def test_rules_replace_the_default_profile_and_join_a_named_one():
    assert [rule.text for rule in make_policy().rules] == list(PROFILES["default"].rules)
    alone = make_policy(["moved <= 3"])
    assert (alone.profile, [rule.text for rule in alone.rules]) == (None, ["moved <= 3"])
    joined = make_policy(["moved <= 3"], profile="strict")
    assert [rule.text for rule in joined.rules] == [*PROFILES["strict"].rules, "moved <= 3"]
    assert (joined.profile, joined.inconclusive) == ("strict", "fail")


def test_a_baseline_adds_the_rules_that_compare_with_it():
    default = PROFILES["default"]
    texts = [rule.text for rule in make_policy(baseline=True).rules]
    assert texts == [*default.rules, *default.baseline_rules]


def test_a_baseline_without_a_rule_and_a_rule_without_a_baseline_are_errors():
    with pytest.raises(OptionError, match="no rule compares with it"):
        make_policy(["moved <= 3"], baseline=True)
    with pytest.raises(OptionError, match="compares with a baseline and none was given"):
        make_policy(["moved <= baseline"])


def test_actions():
    policy = make_policy(inconclusive="fail", not_measured="pass")
    assert (policy.inconclusive, policy.not_measured) == ("fail", "pass")
    with pytest.raises(UnknownNameError, match="unknown action for not measured 'ignore'"):
        make_policy(not_measured="ignore")


def test_what_rules_name():
    policy = make_policy(["words[good,bad] overlap >= 0", "word[bad] l2 <= 9", "spearman[rw] >= 0"])
    assert policy.words == ["good", "bad"]
    assert policy.benchmarks == ["rw"]


def test_one_string_is_not_a_list_of_rules():
    with pytest.raises(OptionError, match="give a list of rules"):
        make_policy("moved <= 3")


def test_the_same_rule_twice_counts_once():
    assert len(make_policy(["moved <= 3", "moved  <= 3"]).rules) == 1


def test_measures_and_bands_that_rules_name():
    policy = make_policy(
        [
            "moved <= 10%",
            "change[*] >= -margin",
            "jaccard@50 mean[rank 1-1000] >= 0.5",
            "words[good,bad] mutual_change >= 0",
            "largest_hub@5 tuned[rank 1001-10000] <= 100",
            "cka[moved] >= 0.5",
        ]
    )
    assert policy.measures == ["jaccard@50", "mutual_change", "largest_hub@5", "cka"]
    assert policy.bands == ["rank 1-1000", "rank 1001-10000"]


@pytest.mark.parametrize(("name", "profile"), PROFILES.items(), ids=list(PROFILES))
def test_every_rule_of_a_profile_can_be_read_and_applied(name, profile, audits):
    for text in (*profile.rules, *profile.baseline_rules):
        assert parse_rule(text).text == text
    verdict = dk.check(audits.gentle, profile=name, baseline=audits.gentle)
    assert {result.rule for result in verdict.results} == {*profile.rules, *profile.baseline_rules}


def test_what_cannot_be_measured_fails_in_every_profile():
    assert {profile.not_measured for profile in PROFILES.values()} == {"fail"}


def test_a_stricter_profile_never_passes_what_a_laxer_one_fails(audits):
    order = ["pass", "warn", "fail"]
    for audit in (audits.gentle, audits.harmed, audits.same, audits.fewer):
        strict, default, lenient = (
            order.index(dk.check(audit, profile=name).state)
            for name in ("strict", "default", "lenient")
        )
        failed = [each == 2 for each in (strict, default, lenient)]
        assert failed == sorted(failed, reverse=True)


def test_an_unknown_profile_names_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'strict'"):
        make_policy(profile="strickt")
