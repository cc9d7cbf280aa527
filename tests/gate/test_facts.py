import math

import numpy as np
import pytest

import driftkit as dk
from driftkit.drift.groups import GROUPS
from driftkit.errors import UnknownNameError
from driftkit.gate.apply import decide
from driftkit.gate.facts import Fact, facts_of, portable, rounded
from driftkit.gate.subjects import COUNTS, Subject, parse_subjects


@pytest.fixture(scope="module")
def named(audits):
    return {str(subject): fact for subject, fact in facts_of(audits.harmed).items()}


def test_every_value_of_an_audit_is_there(audits, named):
    """A measure that is added anywhere appears here without new code."""
    audit = audits.harmed
    for row in audit.summaries():
        on = "" if row.group == "all" else f"[{row.group}]"
        assert named[f"{row.measure} mean{on}"].value == rounded(row.mean)
        assert named[f"{row.measure} p05{on}"].value == rounded(row.p05)
    for each in audit.space:
        on = "" if each.group == "all" else f"[{each.group}]"
        of = "" if each.of == "pair" else f" {each.of}"
        assert named[f"{each.measure}{of}{on}"].value == pytest.approx(each.value, 1e-3, 1e-6)
    for change in audit.scores:
        name = f"{change.measure}[{change.name}]"
        assert named[name].value == rounded(change.delta)
        assert (named[name].low, named[name].high) == (
            rounded(change.ci_low),
            rounded(change.ci_high),
        )
        assert named[f"{name} tuned"].value == rounded(change.tuned)
        assert named[f"coverage[{change.name}]"].value == rounded(change.n_used / change.n_total)
    assert set(COUNTS) <= set(named)


def test_names_are_read_back_as_what_they_are(audits):
    for subject in facts_of(audits.harmed, ["good", "the"]):
        assert parse_subjects(str(subject), "") == (subject,)


def test_counts(audits, named):
    pair = audits.harmed.pair
    assert named["moved"].value == pair.moved.sum() == 150
    assert named["added"].value == 2
    assert named["added"].whole == len(pair.tuned)
    fewer = {str(subject): fact for subject, fact in facts_of(audits.fewer).items()}
    assert (fewer["removed"].value, fewer["removed"].whole) == (1_000, 3_000)
    assert named["displaced"].value == audits.harmed.displaced.sum()


def test_an_unsettled_benchmark_might_be_one_more_that_was_lost(audits, named):
    settled = len(audits.harmed.status("lost"))
    open_ = len(audits.harmed.status("inconclusive")) + len(audits.harmed.status("not tested"))
    assert open_ > 0
    assert (named["lost"].low, named["lost"].high) == (settled, settled + open_)
    assert decide(named["lost"], "=", 0) == ("inconclusive" if settled == 0 else "fail")
    assert decide(named["lost"], "<=", settled + open_) == "pass"


def test_a_benchmark_that_was_not_measured_is_no_benchmark_that_was_kept(audits):
    words = [f"w{i}" for i in range(40)]
    matrix = np.random.default_rng(0).normal(size=(40, 4))
    pair = dk.align(dk.Embeddings(words, matrix), dk.Embeddings(words, matrix))
    found = facts_of(dk.audit(pair, benchmarks=["ws353"], resamples=100))
    lost = found[Subject("count", "lost")]
    assert decide(lost, "=", 0) == "not measured"
    assert "ws353: no item can be answered" in lost.reason
    assert math.isnan(found[Subject("benchmark", "spearman", on="ws353")].value)
    nothing_moved = found[Subject("group", "overlap@10", "mean", "moved")]
    assert nothing_moved.reason == "there are no moved words"


def test_words_asked_about(audits):
    found = {str(subject): fact for subject, fact in facts_of(audits.fewer, ["good"]).items()}
    row = audits.fewer.pair.index["good"]
    shift = audits.fewer.shifts["good"]
    assert found["word[good] self_cosine"].value == rounded(audits.fewer.words.self_cosine[row])
    assert found["word[good] overlap@10"].value == shift.overlap
    gone = audits.fewer.pair.removed[0]
    missing = facts_of(audits.fewer, [gone])[Subject("word", "overlap@10", on=gone)]
    assert math.isnan(missing.value)
    assert missing.reason == "the word is not in fewer.pt"
    with pytest.raises(
        UnknownNameError, match=r"unknown protected word 'goood': did you mean .*double ones"
    ):
        facts_of(audits.fewer, ["goood"])


def test_a_level_carries_the_interval_of_its_change(named):
    change, level = named["spearman[ws353]"], named["spearman[ws353] tuned"]
    assert level.high - level.low == pytest.approx(change.high - change.low, abs=2e-6)
    assert level.unchanged == named["spearman[ws353] original"].value


@pytest.mark.parametrize("value", [0.0, -0.0, 1.0, 0.1234567, 123456.7, 1e-9, -2.5, math.inf])
def test_rounding_is_idempotent_and_close(value):
    kept = rounded(value)
    assert rounded(kept) == kept
    assert kept == pytest.approx(value, rel=1e-5)
    assert math.copysign(1, rounded(-0.0)) == 1


@pytest.mark.parametrize(
    ("name", "exact", "noise", "kept"),
    [
        # A mean over 64 words halfway between two numbers of six digits: noise decides nothing.
        ("overlap@10 mean[moved]", 321 / 640, 2e-16, 0.501563),
        ("overlap@10 mean", 0.123456489, 1e-14, 0.123456),
        # What a difference of large sums leaves of zero is zero, whatever its sign.
        ("spearman[ws353]", 0.0, 1e-15, 0.0),
        ("procrustes_angle", 0.0, 2e-7, 0.0),
        ("pip_loss[moved]", 0.00039080, 3e-11, 0.000391),
        ("effective_rank tuned[moved]", 30.15020, 3e-6, 30.15),
        # Where nothing cancels, small values keep their digits.
        ("relative_l2 mean", 7.65286e-05, 1e-19, 7.6529e-05),
        ("l2 p05[moved]", 0.00559237, 1e-17, 0.00559237),
    ],
)
def test_no_digit_is_kept_that_another_processor_writes_otherwise(name, exact, noise, kept):
    (subject,) = parse_subjects(name, "")
    for value in (exact - noise, exact, exact + noise):
        fact = portable(subject, Fact(value, low=value, high=value, unchanged=value))
        assert fact == Fact(kept, low=kept, high=kept, unchanged=kept)
        assert math.copysign(1, fact.value) == 1


def test_groups_are_those_of_the_audit(audits, named):
    found = {name.rpartition("[")[2].rstrip("]") for name in named if name.startswith("cka")}
    measured = {each.group for each in audits.harmed.space if each.measure == "cka"}
    assert found == {"cka", *measured - {"all"}}
    assert set(GROUPS) <= measured
