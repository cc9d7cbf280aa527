"""Runs in their order: each is judged as a check would have, and none joins another's line."""

import json
import math
import random
from dataclasses import replace
from statistics import fmean

import numpy as np
import pytest
from scipy.stats import t
from small_weeks import RULES, SIZES, WORDS, audit_of, write

import driftkit as dk
from driftkit.errors import BaselineError, OptionError, RuleError, SourceError, UnknownNameError
from driftkit.gate import Baseline, Run, baseline_of, read_baseline, write_baseline
from driftkit.gate.facts import Fact
from driftkit.gate.judged import NO_RUN_BEFORE


@pytest.fixture(scope="module")
def weeks():
    return [audit_of(seed, size) for seed, size in enumerate(SIZES, 1)]


@pytest.fixture(scope="module")
def folder(weeks, tmp_path_factory):
    """The weeks as files whose names say nothing of their order."""
    made = tmp_path_factory.mktemp("audits")
    names = [f"{at:02d}.json" for at in range(len(weeks))]
    random.Random(1).shuffle(names)
    for name, week in zip(names, weeks, strict=True):
        write(week, made / name)
    return made


@pytest.fixture(scope="module")
def found(weeks):
    return dk.history(weeks, RULES)


# --- what each run came to ------------------------------------------------------------------------


@pytest.mark.parametrize("keep", [2, 3, 10])
def test_each_run_is_judged_as_a_check_against_the_accepted_ones_before_it(weeks, keep):
    history = dk.history(weeks, RULES, keep=keep)
    accepted = []
    for at, week in enumerate(weeks):
        points = [each.points[at] for each in history.trajectories]
        if accepted:
            verdict = dk.check(week, RULES, baseline=baseline_of(accepted[-keep:]))
            assert [(each.outcome, each.action, each.reason) for each in verdict.results] == [
                (point.outcome, point.action, point.reason) for point in points
            ]
            assert history.runs[at].state == verdict.state
        else:
            assert [point.reason for point in points] == [NO_RUN_BEFORE, None, NO_RUN_BEFORE, None]
        if history.runs[at].is_accepted:
            accepted.append(week)
        stands_out = any(point.stands_out for point in points)
        assert history.runs[at].is_accepted == (history.runs[at].state != "fail" or not stands_out)
        assert stands_out == (at == 6 and keep > 2)  # two runs have no band
    assert [run.state for run in history.runs].count("fail") == 1


def test_benchmarks_too(seeds):
    rules = ["change[ws353] >= baseline - margin", "spearman[ws353] tuned >= original - margin"]
    history = dk.history(seeds, rules)
    verdict = dk.check(seeds[-1], rules, baseline=baseline_of(seeds[:-1]))
    for each, result in zip(history.trajectories, verdict.results, strict=True):
        assert (each.newest.outcome, each.newest.action) == (result.outcome, result.action)
    change, level = history.trajectories
    assert change.newest.value == seeds[-1].scores["ws353"].delta or math.isclose(
        change.newest.value, seeds[-1].scores["ws353"].delta, rel_tol=1e-5
    )
    # The bound is that of the value, not that of its difference from the mean of the others.
    mean = fmean(point.value for point in change.points[:-1])
    assert change.newest.bound == pytest.approx(mean - 0.02, abs=1e-6)
    assert level.newest.bound == pytest.approx(seeds[0].scores["ws353"].original - 0.02, abs=1e-6)


def test_a_band_is_the_prediction_interval_of_the_runs_before(found):
    drift = found.trajectories[0]
    for at in range(3):
        assert drift.points[at].band.reason == f"too few runs before it: {at} of 3"
    values = [point.value for point in drift.points[:6]]
    band = drift.points[6].band
    scatter = np.std(values, ddof=1) * math.sqrt(1 + 1 / 6)
    assert band.runs == 6
    assert band.mean == pytest.approx(fmean(values), abs=1e-6)
    assert band.high - band.mean == pytest.approx(t.ppf(0.975, 5) * scatter, rel=1e-2)
    assert band.far == pytest.approx(t.ppf(1 - 0.025 / 3, 5) * scatter, rel=1e-2)  # of 3 subjects


def test_the_damaged_week_stands_out_and_is_in_no_band_after_it(found):
    drift = found.trajectories[0]
    assert [at for at, point in enumerate(drift.points) if point.stands_out] == [6]
    assert [point.band.runs for point in drift.points] == [0, 1, 2, 3, 4, 5, 6, 6, 7, 8]
    assert (drift.points[6].action, drift.state) == ("fail", "pass")
    assert [run.is_compared for run in found.runs] == [at not in (6, 9) for at in range(10)]


def test_a_rule_that_every_week_breaks_takes_none_of_them_out_of_the_bands(weeks):
    """Bands of those alone that passed by chance would be too narrow for all."""
    history = dk.history(weeks, [*RULES, "moved <= 39"])
    assert {run.state for run in history.runs} == {"fail"}
    assert [run.is_accepted for run in history.runs] == [at != 6 for at in range(10)]


def test_a_run_of_one_recipe_leaves_its_band_one_time_in_twenty():
    """The band as it is: of runs without a difference, at the stated rate."""
    rng = np.random.default_rng(3)
    outside = [
        point.is_outside
        for series in rng.normal(0.9, 0.01, (60, 30))
        for point in points_of(series)
        if point.band.runs
    ]
    assert 0.03 < np.mean(outside) < 0.07


def points_of(series):
    from driftkit.gate.judged import lines_of, point_of
    from driftkit.gate.policy import make_policy
    from driftkit.gate.rules import parse_rule

    policy = make_policy(["cka >= 0"])
    (subject,) = parse_rule("cka >= 0").subjects
    runs = [
        Run(str(at), {"tuned": {"sha256": str(at)}}, {subject: Fact(value, n=9)})
        for at, value in enumerate(series)
    ]
    (line,) = lines_of(policy, policy.rules[0], runs)
    return [
        point_of(policy, line, run, runs[max(0, at - 10) : at], None, 1)
        for at, run in enumerate(runs)
        if at >= 3
    ]


def test_since_counts_the_newest_runs_that_came_to_the_same(weeks):
    failing = [audit_of(seed, 0.5) for seed in (20, 21)]
    history = dk.history([*weeks[:5], *failing], RULES)
    drift = history.trajectories[0]
    assert (drift.state, drift.since) == ("fail", 5)
    label = history.runs[5].label
    assert f"self_cosine mean >= baseline - 0.01 since {label} (2 runs)" in history.headline
    assert "1 of 4 checks" in history.headline or "2 of 4 checks" in history.headline


def test_a_bound_within_the_band_of_the_next_run_is_near(weeks):
    least = min(point.value for point in dk.history(weeks[:6], RULES).trajectories[0].points)
    near, far = f"self_cosine mean >= {least - 1e-5:.6f}", "self_cosine mean >= 0.5"
    history = dk.history(weeks[:6], [near, far])
    assert [each.is_near for each in history.trajectories] == [True, False]
    assert f"Near the bound: {near}" in history.headline


def test_a_baseline_is_what_all_runs_are_compared_with(weeks, tmp_path):
    path = tmp_path / "accepted.json"
    write_baseline(baseline_of(weeks[:4]), path)
    history = dk.history(weeks, RULES, baseline=path)
    drift = history.trajectories[0]
    assert {point.band for point in drift.points} == {drift.next_band}
    assert {point.bound for point in drift.points} == {drift.next_bound}
    for week, point in zip(weeks, drift.points, strict=True):
        assert point.action == dk.check(week, RULES, baseline=path).results[0].action
    assert history.baseline == f"{path} (4 runs)"
    with pytest.raises(OptionError, match="no rule compares with it"):
        dk.history(weeks, ["moved <= 60"], baseline=path)
    with pytest.raises(BaselineError, match="is outdated: it has no cka"):
        thin = replace(read_baseline(path).runs[0], facts={})
        dk.history(weeks, ["cka >= baseline - 0.1"], baseline=Baseline(str(path), (thin,)))
    foreign = baseline_of(audit_of(1, original=np.ones((len(WORDS), 6)) + np.eye(len(WORDS), 6)))
    with pytest.raises(BaselineError, match="is foreign"):
        dk.history(weeks, RULES, baseline=foreign)


# --- which runs, and in which order ---------------------------------------------------------------


def test_files_are_in_the_order_of_their_times_whatever_they_are_called(folder, found):
    history = dk.history(folder, RULES)
    assert [run.name for run in history.runs] == [run.name for run in found.runs]
    assert history.to_dict()["trajectories"] == found.to_dict()["trajectories"]
    assert [run.label for run in history.runs][:2] == ["2026-09-17", "2026-09-24"]
    listed = sorted(folder.iterdir(), reverse=True)
    assert dk.history(listed, RULES).runs == history.runs
    given = dk.history(listed, RULES, order="given")
    assert [run.file for run in given.runs] == list(map(str, listed))
    assert "in the order in which they were given" in given.explained


def test_an_order_that_nothing_tells_is_not_made_up(weeks, folder, tmp_path):
    same = [audit_of(seed, day=1) for seed in (1, 2)]
    with pytest.raises(OptionError, match="week-1.pt and week-2.pt were made at the same time"):
        dk.history(same, RULES)
    assert [run.label for run in dk.history(same, RULES, order="given").runs] == ["run 1", "run 2"]
    document = weeks[0].to_dict()
    del document["time"]
    path = tmp_path / "old.json"
    path.write_text(json.dumps(document))
    with pytest.raises(OptionError, match=r"old.json \(week-1.pt\) does not say when"):
        dk.history(path, RULES)
    assert dk.history(path, RULES, order="given").runs[0].time == ""
    with pytest.raises(OptionError, match="is a folder, whose files have no order"):
        dk.history(folder, RULES, order="given")
    with pytest.raises(UnknownNameError, match="order"):
        dk.history(weeks, RULES, order="name")


def test_two_runs_of_one_day_are_told_apart_by_the_hour():
    labels = [run.label for run in dk.history([audit_of(1), audit_of(2, day=7.25)], RULES).runs]
    assert labels == ["2026-09-17 00:26", "2026-09-17 06:26"]


def test_a_table_counts_once(weeks, tmp_path):
    again = audit_of(2, day=100, name="copy.pt")
    history = dk.history([*weeks[:4], again], RULES)
    assert [run.name for run in history.runs] == [f"week-{at}.pt" for at in range(1, 5)]
    assert history.notes == ("copy.pt is of the same table as week-2.pt, and a run counts once",)


def other(kind, day=1):
    if kind == "original":
        original = np.random.default_rng(9).normal(size=(len(WORDS), 6))
        return audit_of(90, day=day, original=original), "is foreign: it was made against o.npy"
    return audit_of(90, day=day, k=4), "was made with k 4 and the newest uses k 3"


@pytest.mark.parametrize("kind", ["original", "settings"])
def test_what_does_not_compare_with_the_newest_joins_no_line(weeks, kind):
    stranger, why = other(kind)
    history = dk.history([stranger, *weeks[:4]], RULES)
    assert [run.name for run in history.runs] == [f"week-{at}.pt" for at in range(1, 5)]
    (note,) = history.notes
    assert note.startswith(f"week-90.pt {why}")
    assert note.endswith("and was left out")
    (note,) = dk.history([*weeks[:4], other(kind, day=99)[0]], RULES).notes
    assert note.startswith("4 audits were left out, such as week-1.pt, which ")


def test_another_driftkit_and_other_items_join_no_line(seeds, tmp_path):
    rules = ["change[ws353] >= -margin"]
    first, second, third = (seed.to_dict() for seed in seeds[:3])
    first["driftkit"] = "0.0.9"
    second["benchmarks"][0]["items_sha256"] = "0" * 64
    paths = [tmp_path / f"{at}.json" for at in range(3)]
    for path, document in zip(paths, (first, second, third), strict=True):
        path.write_text(json.dumps(document))
    history = dk.history(tmp_path, rules)
    assert [run.name for run in history.runs] == ["seed-2.pt"]
    older, items = history.notes
    assert "0.json (seed-0.pt) is outdated: driftkit 0.0.9 wrote it" in older
    assert "1.json (seed-1.pt) is outdated: spearman[ws353] is measured on other items now" in items


def test_other_versions_of_libraries_are_told(weeks, tmp_path):
    for at, (week, numpy) in enumerate(zip(weeks[:3], ("1.26.4", "2.0.0", "2.0.0"), strict=True)):
        engines = {"numpy": numpy, "scipy": "1.13.0", "torch": "2.4.0"}
        write(week, tmp_path / f"{at}.json", engines=engines)
    (note,) = dk.history(tmp_path, RULES).notes
    assert note == "runs were audited with numpy 1.26.4 and 2.0.0; last digits may differ"


def test_what_is_no_audit_is_named_and_what_is_damaged_is_refused(weeks, tmp_path):
    with pytest.raises(SourceError, match="holds no audit; put there what"):
        dk.history(tmp_path)
    with pytest.raises(SourceError, match="there is no such file or folder"):
        dk.history(tmp_path / "nothing")
    (tmp_path / "other.json").write_text('{"schema": "driftkit.scores/1"}')
    with pytest.raises(SourceError, match=r"holds no audit \(.*other.json is no audit"):
        dk.history(tmp_path)
    write(weeks[0], tmp_path / "a.json")
    history = dk.history(tmp_path, RULES)
    assert history.notes[0].startswith(f"{tmp_path / 'other.json'} is no audit")
    (tmp_path / "b.json").write_text('{"schema": ')
    with pytest.raises(SourceError, match=r"b.json: is not JSON from line 1"):
        dk.history(tmp_path, RULES)
    with pytest.raises(OptionError, match="needs the audit of one run"):
        dk.history([])
    with pytest.raises(OptionError, match="keep=0"):
        dk.history(weeks, keep=0)


# --- what was not measured ------------------------------------------------------------------------


def test_a_run_without_a_value_is_a_gap_and_never_holds(weeks):
    richer = [audit_of(seed, measures=["jaccard"]) for seed in (1, 2, 3, 4)]
    history = dk.history([*richer, weeks[4]], ["jaccard mean >= 0.1"])
    (each,) = history.trajectories
    assert math.isnan(each.newest.value)
    assert (each.state, each.newest.reason) == (None, "its audit does not have it")
    assert history.headline.startswith("0 of 1 check hold. Not decided: jaccard@3 mean >= 0.1")
    assert history.runs[-1].state is None
    assert each.points[3].band.runs == 3


def test_a_rule_about_what_no_audit_has_is_refused(weeks, folder):
    with pytest.raises(RuleError, match="was not measured"):
        dk.history(weeks, ["jaccard mean >= 0.1"])
    with pytest.raises(
        RuleError, match="is in none of these audits; .* keeps the words of its rules"
    ):
        dk.history(folder, ["word[nobody] overlap >= 0.1"])
    history = dk.history(weeks, ["word[word0] self_cosine >= 0.5"])
    assert all(point.outcome == "pass" for point in history.trajectories[0].points[:6])


def test_benchmarks_that_items_do_not_have_lead_to_nothing(weeks):
    history = dk.history(weeks)
    moot = [each for each in history.trajectories if each.subject == "change[*]"]
    assert moot
    for each in moot:
        assert each.state is None
        assert {point.action for point in each.points} == {"pass"}
        assert each.newest.reason
    assert "Not decided" in history.headline


# --- how it is shown ------------------------------------------------------------------------------


def test_plain_values(found, weeks):
    document = json.loads(found.to_json())
    assert document["schema"] == "driftkit.history/1"
    assert document == found.to_dict()
    first = document["trajectories"][0]
    assert [point["action"] for point in first["points"]][6] == "fail"
    assert document["trajectories"][3]["points"][0]["value"] in ("kept", "changed", "broken")
    frame = found.to_frame()
    assert len(frame) == len(RULES) * len(weeks)
    assert frame[frame.subject == "moved"].value.tolist() == [40] * 10
    assert "<table" in found._repr_html_()


def test_charts_are_chosen_by_what_is_worth_a_look(found):
    pytest.importorskip("altair", reason="altair is not installed")
    spec = found.plot("self_cosine mean").to_dict()
    assert "fails" not in json.dumps(spec["title"])
    assert len(spec["vconcat"]) == 1
    assert len(found.plot("moved <= 60").to_dict()["vconcat"]) == 1
    assert found.plot().to_dict()["vconcat"]
    with pytest.raises(UnknownNameError, match="moved"):
        found.plot("movd")


def test_a_run_in_which_nothing_moved_is_a_gap_in_what_is_of_moved_words(weeks):
    same = audit_of(12, size=0.0)
    history = dk.history([*weeks[:4], same, audit_of(13)], ["l2 mean[moved] <= 1"])
    gap = history.trajectories[0].points[4]
    assert math.isnan(gap.value)
    assert gap.reason
    assert not math.isnan(history.trajectories[0].points[5].value)
