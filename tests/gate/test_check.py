"""Rules against tables that were harmed or not, and the same values found another way."""

import numpy as np
import pytest

import driftkit as dk
from driftkit.errors import BaselineError, InputError, RuleError
from driftkit.gate import baseline_of, read_baseline, write_baseline
from driftkit.gate.facts import facts_of


def outcomes(audit, *rules, **settings):
    return [result.outcome for result in dk.check(audit, list(rules), **settings).results]


@pytest.mark.parametrize(
    ("rule", "on_gentle", "on_harmed"),
    [
        ("moved <= 10%", ["pass"], ["pass"]),
        ("moved <= 4%", ["fail"], ["fail"]),
        ("moved = 150", ["pass"], ["pass"]),
        ("added == 0", ["pass"], ["fail"]),
        ("displaced == 0", ["pass"], ["fail"]),
        ("lost == 0", ["inconclusive"], ["inconclusive"]),
        ("retained >= 1", ["pass"], ["inconclusive"]),
        ("inconclusive == 0", ["pass"], ["fail"]),
        ("not_measured == 0", ["pass"], ["pass"]),
        ("spearman[ws353] >= -0.02", ["pass"], ["inconclusive"]),
        ("spearman[*] = original", ["pass", "inconclusive"], ["inconclusive", "inconclusive"]),
        ("change[*] >= -margin", ["pass", "inconclusive"], ["inconclusive", "inconclusive"]),
        ("spearman[ws353] >= original - 50%", ["pass"], ["pass"]),
        ("spearman[ws353] tuned >= 0.2", ["pass"], ["pass"]),
        ("spearman[ws353] original >= 0.5", ["pass"], ["pass"]),
        ("coverage[ws353] >= 40%", ["pass"], ["pass"]),
        ("coverage[*] >= 0.9", ["fail", "fail"], ["fail", "fail"]),
        ("overlap@10 mean[moved] >= 0.6", ["pass"], ["fail"]),
        ("overlap median >= 0.6", ["pass"], ["pass"]),
        ("self_cosine p05[moved] >= 0.99", ["pass"], ["fail"]),
        ("cka[moved] >= 0.9", ["pass"], ["fail"]),
        ("mean_cosine[moved] >= original - 1%", ["pass"], ["fail"]),
        ("mean_cosine tuned <= 0.5", ["pass"], ["pass"]),
        ("word[the] overlap@10 >= 0.5", ["pass"], ["pass"]),
    ],
)
def test_rule_forms(audits, rule, on_gentle, on_harmed):
    assert outcomes(audits.gentle, rule) == on_gentle
    assert outcomes(audits.harmed, rule) == on_harmed


def test_a_percentage_of_a_count_is_a_share_of_the_words(audits):
    (result,) = dk.check(audits.fewer, ["removed <= 10%"]).results
    assert (result.value, result.bound, result.slack) == (1_000, 300, -700)


def test_a_change_and_a_level_are_the_same_rule(audits):
    for audit in (audits.gentle, audits.harmed):
        change = outcomes(audit, "spearman[*] >= -0.02")
        assert outcomes(audit, "spearman[*] >= original - 0.02") == change


def test_the_gate_and_the_audit_agree(audits):
    for audit in (audits.gentle, audits.harmed, audits.same, audits.fewer):
        for result, change in zip(
            dk.check(audit, ["change[*] >= -margin"]).results, audit.scores, strict=True
        ):
            assert (result.outcome == "fail") == (change.status == "lost")
            assert result.decided_by == "interval"


def test_a_base_table_that_was_exported_unnoticed_fails(audits):
    verdict = dk.check(audits.same)
    assert verdict.exit_code == 1
    failed = {result.subject: result for result in verdict.acting("fail")}
    assert failed["moved"].value == 0
    assert failed["overlap@10 mean[moved]"].outcome == "not measured"
    assert failed["overlap@10 mean[moved]"].reason == "there are no moved words"


def test_not_measured_fails_unless_allowed(audits):
    rule = "overlap mean[moved] >= 0.6"
    assert dk.check(audits.same, [rule]).state == "fail"
    assert dk.check(audits.same, [rule], not_measured="warn").state == "warn"
    assert dk.check(audits.same, [rule], not_measured="pass").state == "pass"
    assert dk.check(audits.same, [f"warn {rule}"]).state == "warn"


def test_inconclusive_warns_unless_asked_otherwise(audits):
    rule = "spearman[ws353] >= -0.02"
    assert dk.check(audits.harmed, [rule]).state == "warn"
    assert dk.check(audits.harmed, [rule], inconclusive="fail").state == "fail"
    assert dk.check(audits.harmed, [rule], inconclusive="pass").state == "pass"
    assert dk.check(audits.harmed, [f"warn {rule}"], inconclusive="fail").state == "warn"


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("spearman[simlex99] >= 0", "unknown benchmark of this audit 'simlex99': did you mean"),
        ("spearman[google] >= 0", "unknown benchmark of this audit 'google': Known: ws353, sim"),
        ("3cosadd[*] >= 0", "3cosadd[*] was not measured"),
        ("overlap@20 mean >= 0", "overlap@20 was not measured; audit with measures=['overlap@20']"),
        ("word[good] overlap@7 >= 0", "audit with measures=['overlap@7']"),
        ("hubness_skewness tuned <= 9", "audit with measures=['hubness_skewness']"),
        ("overlap mean[rank 5-7] >= 0", "of all, moved, unmoved, rank 1-1000, rank 1001-3000."),
    ],
)
def test_a_rule_on_what_was_not_measured_is_an_error(audits, rule, message):
    with pytest.raises(InputError) as caught:
        dk.check(audits.gentle, [rule])
    assert message in str(caught.value)


def test_one_of_several_depths_is_never_chosen_by_chance(audits):
    measures = ["jaccard@20", "jaccard@50"]
    pair = audits.gentle.pair
    audit = dk.audit(pair, benchmarks=["ws353"], resamples=100, measures=measures)
    with pytest.raises(RuleError, match=r"write a depth; this audit has jaccard@20, jaccard@50\."):
        dk.check(audit, ["jaccard mean >= 0"])


def test_a_protected_word_that_is_gone_is_not_measured(audits):
    gone = audits.fewer.pair.removed[-1]
    (result,) = dk.check(audits.fewer, [f'word["{gone}"] overlap >= 0.5']).results
    assert (result.outcome, result.action) == ("not measured", "fail")


def test_against_a_baseline(audits, tmp_path):
    write_baseline(baseline_of(audits.gentle), tmp_path / "b.json")
    rules = ["overlap mean[moved] >= baseline - 0.1", "moved = baseline", "added <= baseline"]
    found = dk.check(audits.harmed, rules, baseline=tmp_path / "b.json")
    overlap, moved, added = found.results
    assert found.baseline == str(tmp_path / "b.json")
    accepted = facts_of(audits.gentle)
    reference = next(f.value for s, f in accepted.items() if str(s) == "overlap@10 mean[moved]")
    assert overlap.bound == pytest.approx(reference - 0.1, abs=1e-6)
    assert (overlap.outcome, moved.outcome, added.outcome) == ("fail", "pass", "fail")
    same = dk.check(audits.gentle, rules, baseline=read_baseline(tmp_path / "b.json"))
    assert same.state == "pass"


def test_against_the_previous_release(audits):
    rules = ["change[*] >= baseline - margin", "spearman[ws353] = baseline +- 0.5"]
    live = dk.check(audits.harmed, rules, baseline=audits.gentle)
    assert live.baseline == "gentle.pt"
    assert [each.subject for each in live.results] == [
        f"spearman[{name}] - baseline" for name in ("ws353", "simlex999", "ws353")
    ]
    assert live.results[2].outcome == "pass"
    assert dk.check(audits.gentle, rules, baseline=audits.gentle).state == "pass"


def test_another_original_is_foreign(audits, nudged):
    other = dk.Embeddings(nudged.words, nudged.before + np.float32(0.5))
    audit = dk.audit(dk.align(other, audits.gentle.pair.tuned), benchmarks=["ws353"], resamples=100)
    with pytest.raises(BaselineError, match="is foreign"):
        dk.check(audit, baseline=audits.gentle)
