"""Every form a rule can have: what it is decided on, how, and what that leads to."""

import json
import shlex
from typing import get_args

import pytest
from click.testing import CliRunner

from driftkit.cli import main
from driftkit.drift.groups import GROUPS
from driftkit.gate.policy import Action
from driftkit.gate.rules import Level, Operator, Reference, Unit, parse_rule
from driftkit.gate.subjects import BAND, COUNTS, STATISTICS, Kind
from driftkit.gate.verdict import Outcome

# Tables and options; then for each rule its outcome, its action, the values and, perhaps, the
# reason. All rules of a row are checked by one command.
CASES = {
    "original.npy tuned.npy": [
        # Counts of words and of benchmarks.
        ("moved <= 10%", "pass", "pass", [40]),
        ("moved <= 20", "fail", "fail", [40]),
        ("moved = 45 +- 1%", "pass", "pass", [40]),
        ("moved == 45", "fail", "fail", [40]),
        ("unmoved > 90%", "pass", "pass", [673]),
        ("displaced <= 1%", "fail", "fail", [29]),
        ("added = 0", "pass", "pass", [0]),
        # Questions.
        ("input == kept", "pass", "pass", ["kept"]),
        ("link != broken", "fail", "fail", ["broken"]),
        ("warn neighbors != broken", "pass", "pass", ["changed"]),
        ("knowledge == kept", "not measured", "fail", ["not tested"]),
        ("lost == 0", "inconclusive", "warn", [0], "allows both a kept and a broken rule"),
        ("inconclusive == 0", "fail", "fail", [1]),
        # Statistics of a measure of words, and measures of the space.
        ("overlap@10 mean[moved] >= 0.6", "fail", "fail", [0.4675]),
        ("overlap mean[all] >= 60%", "pass", "pass", [0.9258]),
        ("l2 median <= 0", "pass", "pass", [0]),
        ("self_cosine p05[moved] >= 0.8", "fail", "fail", [0.6858]),
        ("self_cosine min[moved] >= 0.9", "fail", "fail", [0.6343]),
        ("norm_ratio p95 <= 1.01", "fail", "fail", [1.077]),
        ("rbo(p=0.9)@10 mean[unmoved] >= 0.97", "fail", "fail", [0.9493]),
        ("cka[moved] >= 0.9", "fail", "fail", [0.7691]),
        ("cka >= 0.9", "pass", "pass", [0.9698]),
        ("mean_cosine tuned[moved] <= 0.5", "pass", "pass", [0.2287]),
        ("isoscore original > 0", "pass", "pass", [0.5016]),
        # Measures that only a rule asks for, other depths, parameters.
        ("jaccard@50 mean[moved] >= 0.99", "fail", "fail", [0.401]),
        ("overlap@7 mean >= 0.6", "pass", "pass", [0.9243]),
        ("overlap mean >= 0", "pass", "pass", [0.9258]),
        ("overlap@20 mean >= 0", "pass", "pass", [0.9295]),
        ("displacement(center=1,anchors=500) p95 <= 2", "pass", "pass", [0.1966]),
        ("hubness_skewness tuned <= original + 50%", "pass", "pass", [1.497]),
        # Protected words.
        ("word[good] overlap@10 >= 0.5", "pass", "pass", [1]),
        ("word[good] overlap@7 >= 0.6", "pass", "pass", [1]),
        ("word[good] mutual_change >= -1", "pass", "pass", [0]),
        ('word["new york"] overlap >= 0.5', "pass", "pass", [1]),
        # Levels.
        ("fail moved <= 20", "fail", "fail", [40]),
        ("warn moved <= 20", "fail", "warn", [40]),
        ("warn: moved <= 20", "fail", "warn", [40]),
        # Benchmarks.
        ("spearman[ws353] = original +- 5 margins", "pass", "pass", [0.4813]),
        ("change[*] >= -margin", "inconclusive", "warn", [-0.02199]),
    ],
    "original.npy hot.npy": [
        ("lost == 0", "fail", "fail", [1]),
        ("gained >= 1", "fail", "fail", [0]),
        ("spearman[ws353] >= -0.02", "fail", "fail", [-0.2214]),
        ("spearman[ws353] = original +- 0.01", "fail", "fail", [0.2819]),
        ("spearman[ws353] >= original - 0.02", "fail", "fail", [0.2819]),
        ("spearman[ws353] >= original - 5%", "fail", "fail", [0.2819]),
        ("spearman[ws353] tuned >= 0.4", "fail", "fail", [0.2819]),
        ("spearman[ws353] original >= 0.4", "pass", "pass", [0.5033]),
        ("mean_cosine <= original + 5%", "pass", "pass", [0.1273]),
        ("words[good,bank] self_cosine >= 0.9", "fail", "fail", [0.4596, 0.7419]),
    ],
    "original.npy gentle.npy": [
        ("spearman[ws353] > -0.02", "pass", "pass", [3e-5]),
        ("spearman[ws353] change >= -0.5 margin", "pass", "pass", [3e-5]),
        ("spearman[ws353] >= 0.05", "fail", "fail", [3e-5]),
        ("spearman[ws353] = original", "pass", "pass", [0.5033]),
        ("spearman[ws353] = original ± 1%", "pass", "pass", [0.5033]),
        ("spearman[ws353] >= original - margin", "pass", "pass", [0.5033]),
        # Only the rule names it; with these few words the original knows nothing of it.
        ("spearman[simlex999] >= -margin", "not measured", "fail", [0], "told from chance"),
    ],
    "original.npy gentle.npy -b ws353 -b family.txt": [
        ("change[*] >= -margin", "pass", "pass", [3e-5, 0]),
        ("coverage[*] >= 0.9", "pass", "pass", [1, 1]),
        ("3cosadd[family] >= -0.1", "pass", "pass", [0]),
        ("3cosadd@1[*] >= -10%", "pass", "pass", [0]),
    ],
    "original.npy short.npy": [
        ("shared >= 95%", "fail", "fail", [475]),
        ("removed <= 10%", "fail", "fail", [238]),
        ("coverage[ws353] >= 90%", "fail", "fail", [0.3258]),
        ("word[yale] overlap >= 0.5", "not measured", "fail", [None], "not in short.npy"),
    ],
    "original.npy zero.npy": [
        ("added < 2", "fail", "fail", [2]),
        ("zero == 0", "fail", "fail", [1]),
        ("word[the] self_cosine >= 0.5", "not measured", "fail", [None], "its row is zero in one"),
        ("word[the] overlap >= 0.5", "not measured", "fail", [None], "zero"),
    ],
    "original.npy clipped.npy": [("saturated == 0", "fail", "fail", [691])],
    "original.npy same.npy": [
        ("overlap mean[moved] >= 0.6", "not measured", "fail", [None], "there are no moved words"),
        ("cka[moved] >= 0", "not measured", "fail", [None], "only 0 rows to measure"),
        ("warn cka[moved] >= 0", "not measured", "warn", [None]),
    ],
    "original.npy same.npy --not-measured warn": [
        ("cka[moved] >= 0", "not measured", "warn", [None])
    ],
    "original.npy same.npy --not-measured pass": [
        ("cka[moved] >= 0", "not measured", "pass", [None])
    ],
    "original.npy tuned.npy --inconclusive fail": [
        ("change[*] >= -margin", "inconclusive", "fail", [-0.02199]),
        ("warn change[*] >= -margin", "inconclusive", "warn", [-0.02199]),
    ],
    "original.npy tuned.npy --inconclusive pass": [
        ("change[*] >= -margin", "inconclusive", "pass", [-0.02199])
    ],
    "original.npy tuned.npy -m overlap@20": [("overlap mean >= 0", "pass", "pass", [0.9258])],
    "original.npy tuned.npy -b ws353 -b strange.tsv": [
        ("lost == 0", "not measured", "fail", [0], "strange: no item can be answered"),
        ("not_tested == 0", "pass", "pass", [0]),
        ("not_measured == 0", "fail", "fail", [1]),
    ],
    "original.npy gentle.npy -b strange.tsv": [
        ("change[*] >= -margin", "not measured", "fail", [None], "no item can be answered")
    ],
    "original.npy gentle.npy --candidates 200": [
        ("word[yale] mutual_change >= -1", "not measured", "fail", [None], "not among the words"),
    ],
    "frequent.npy faded.npy": [
        ("overlap mean[rank 1-1000] >= 0.99", "fail", "fail", [0.9593]),
        ("mean_cosine tuned[rank 1-1000] <= 0.6", "pass", "pass", [0.5001]),
    ],
    "frequent.npy faded.npy --previous frequent.npy": [
        ("overlap mean[rank 1001-1200] >= baseline - 0.1", "fail", "fail", [0.694]),
    ],
    "original.npy gentle.npy --baseline accepted.json": [
        ("moved = baseline", "pass", "pass", [40]),
        ("change[*] = baseline", "pass", "pass", [0]),
        ("spearman[ws353] >= baseline", "pass", "pass", [0]),  # the very same table
    ],
    "original.npy hot.npy --baseline accepted.json": [
        ("overlap mean[moved] >= baseline - 0.1", "fail", "fail", [0.09846]),
        ("moved <= baseline + 20%", "fail", "fail", [713]),
        ("change[*] >= baseline - 2 margin", "fail", "fail", [-0.2214]),
        ("spearman[ws353] tuned >= baseline - 0.01", "fail", "fail", [-0.2214]),
    ],
    "original.npy short.npy --baseline accepted.json": [
        ("change[*] >= baseline - margin", "not measured", "fail", [None],
         "only answers to the same items can be compared"),
    ],
    "original.npy hot.npy --previous gentle.npy": [
        ("change[*] >= baseline - margin", "fail", "fail", [-0.2214]),
    ],
    "original.npy gentle.npy --previous tuned.npy": [
        ("retained >= 100%", "pass", "pass", [1]),
        ("moved = baseline", "pass", "pass", [40]),
        ("displaced <= baseline", "pass", "pass", [0]),
    ],
    "original.npy gentle.npy --previous short.npy": [
        ("change[*] >= baseline - margin", "not measured", "fail", [None],
         "the baseline answered 115 items"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("command", CASES)
def test_rules_are_decided(command, in_tables):
    rules = [rule for rule, *_ in CASES[command]]
    given = [part for rule in rules for part in ("-r", rule)]
    result = CliRunner().invoke(main, ["check", *shlex.split(command), *given, "--json", "-"])
    assert result.exit_code in (0, 1), result.output
    (check,) = json.loads(result.stdout)["checks"]
    for rule, outcome, action, values, *reason in CASES[command]:
        found = [each for each in check["results"] if each["rule"] == rule]
        assert {(each["outcome"], each["action"]) for each in found} == {(outcome, action)}, rule
        for each, value in zip(found, values, strict=True):
            is_number = isinstance(value, int | float)
            assert each["value"] == (pytest.approx(value, 1e-3, 1e-6) if is_number else value)
            assert not reason or reason[0] in each["reason"]
    assert result.exit_code == ("fail" in {action for _, _, action, *_ in CASES[command]})


def test_every_form_has_a_case():
    rows = [row for rows in CASES.values() for row in rows]
    parsed = [parse_rule(rule) for rule, *_ in rows]
    bounds = [rule.bound for rule in parsed]
    subjects = [subject for rule in parsed for subject in rule.subjects]
    undecided = {(outcome, action) for _, outcome, action, *_ in rows}
    assert {*get_args(Outcome)} == {outcome for outcome, _ in undecided}
    for outcome in ("inconclusive", "not measured"):
        assert {(outcome, action) for action in get_args(Action)} <= undecided
    assert {rule.level for rule in parsed} == {*get_args(Level)}
    assert {rule.operator for rule in parsed} == {*get_args(Operator)}
    assert {(each.reference, each.unit) for each in bounds if each.number} == {
        (reference, unit)
        for reference in (None, *get_args(Reference))
        for unit in get_args(Unit)
        if reference is None or unit != "status"
    }
    assert {None, *get_args(Reference)} <= {each.reference for each in bounds if not each.number}
    units = {*get_args(Unit)} - {"status"}
    assert {each.tolerance.unit for each in bounds if each.tolerance} == units
    assert {each.kind for each in subjects} == {*get_args(Kind)}
    assert {each.measure for each in subjects if each.kind == "count"} == {*COUNTS}
    assert {str(each.bound) for each in parsed if each.bound.unit == "status"} >= {"kept", "broken"}
    assert {each.of for each in subjects if each.kind == "benchmark"} == {"", "tuned", "original"}
    assert {each.of for each in subjects if each.kind == "group"} == {
        *STATISTICS, "", "original", "tuned",
    }  # fmt: skip
    groups = {each.on or "all" for each in subjects if each.kind == "group"}
    assert {each for each in groups if not each.startswith(BAND)} == {*GROUPS}
    assert any(each.startswith(BAND) for each in groups)
