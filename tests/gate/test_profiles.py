import pytest

import driftkit as dk
from driftkit.errors import UnknownNameError
from driftkit.gate.profiles import PROFILES, get_profile
from driftkit.gate.rules import parse_rule


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_every_rule_of_a_profile_can_be_read_and_applied(profile, audits):
    for text in (*profile.rules, *profile.baseline_rules):
        assert parse_rule(text).text == text
    verdict = dk.check(audits.gentle, profile=profile.name, baseline=audits.gentle)
    assert {result.rule for result in verdict.results} == {*profile.rules, *profile.baseline_rules}


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_what_cannot_be_measured_fails_in_every_profile(profile):
    assert profile.not_measured == "fail"
    assert 0 < profile.false_alarms <= 0.05


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
        get_profile("strickt")
