"""Two recipes by several runs of each: what is said, and when nothing can be."""

import json

import numpy as np
import pytest

import driftkit as dk
from driftkit.errors import BaselineError, InputError, OptionError
from driftkit.gate import check_document, check_runs
from driftkit.gate.recipes import pairs_by_name
from driftkit.provenance import Source
from driftkit.report.document import check_schema


@pytest.fixture(scope="module")
def recipes():
    """Six runs of a mild recipe and of a wild one, and of the mild one by other seeds."""
    rng = np.random.default_rng(0)
    words = [f"w{row}" for row in range(200)]
    before = rng.normal(size=(200, 10)).astype(np.float32)
    original = dk.Embeddings(words, before, source=Source("original.npy"))

    def run(name, seed, size):
        noise = np.random.default_rng(seed).normal(size=before.shape).astype(np.float32)
        table = dk.Embeddings(words, before + size * noise, source=Source(f"{name}-{seed}.npy"))
        return dk.audit(dk.align(original, table), benchmarks=[])

    made = {"mild": (1, 0.10), "wild": (1, 0.60), "again": (11, 0.10)}
    return {
        name: [run(name, first + at, size) for at in range(6)]
        for name, (first, size) in made.items()
    }


RULE = "overlap mean[moved] >= baseline - 0.1"


def last(runs, against, *rules, **settings):
    return check_runs(runs, against, list(rules) or [RULE], **settings)[-1]


@pytest.mark.parametrize(
    ("ours", "theirs", "outcome"),
    [("wild", "mild", "fail"), ("mild", "wild", "pass"), ("again", "mild", "pass")],
)
def test_six_runs_of_each_decide(recipes, ours, theirs, outcome):
    verdict = last(recipes[ours], recipes[theirs])
    (result,) = verdict.results
    assert (result.outcome, result.runs, result.decided_by) == (outcome, 6, "interval")
    mean = [
        np.mean([dict(_overlap(audit))["mean"] for audit in recipes[name]])
        for name in (ours, theirs)
    ]
    assert result.value == pytest.approx(mean[0] - mean[1], abs=1e-5)
    assert result.low < result.value < result.high
    assert "so many runs show one of " in result.detail


def _overlap(audit):
    (row,) = [
        each for each in audit.summaries() if (each.measure, each.group) == ("overlap@10", "moved")
    ]
    yield "mean", row.mean


@pytest.mark.parametrize("n", [2, 3, 5])
def test_fewer_warn_and_never_pass_in_silence(recipes, n):
    for ours in ("wild", "mild"):
        verdict = last(recipes[ours][:n], recipes["wild" if ours == "mild" else "mild"][:n])
        (result,) = verdict.results
        assert (result.outcome, verdict.state) == ("inconclusive", "warn")
        said = f"a sign-flip test of {n} pairs of runs has no p-value below {2 / 2**n:.2g}"
        assert said in result.reason
        assert any(said in note for note in verdict.notes)
        assert "6 pairs can" in result.reason


def test_groups_of_runs_need_fewer(recipes):
    verdict = last(recipes["wild"][:4], recipes["again"][:4])
    assert verdict.results[0].outcome == "fail"
    assert verdict.notes[0].startswith("the names of the runs do not pair")
    verdict = last(recipes["wild"][:3], recipes["again"][:3])
    assert "a permutation test of 3 and 3 runs has no p-value below 0.1" in verdict.notes[1]


@pytest.mark.parametrize(
    ("ours", "theirs", "pairs"),
    [
        (["a/s1.pt", "a/s2.pt"], ["b/s2.pt", "b/s1.pt"], [(0, 1), (1, 0)]),
        (["new-seed10", "new-seed9"], ["old-seed9", "old-seed10"], [(0, 1), (1, 0)]),
        (["x-1.pt::emb", "x-2.pt::emb"], ["y/1.npy", "y/2.npy"], [(0, 0), (1, 1)]),
        (["a-1-x", "a-2-y"], ["b-1-x", "b-2-y"], [(0, 0), (1, 1)]),
        (["a-10", "a-11"], ["b-20", "b-21"], None),  # not by a digit of a number
        (["a-1", "a-2"], ["b-1", "b-2", "b-3"], None),
        (["a-1", "a-2"], ["first", "second"], None),
        (["a-1", "b-1-1"], ["c-1", "d-1-1"], None),
        (["a", "a"], ["a", "a"], None),
    ],
)
def test_runs_pair_where_names_do(ours, theirs, pairs):
    assert pairs_by_name(ours, theirs) == pairs


def test_rules_on_the_original_are_for_each_run(recipes):
    rules = ["overlap mean[moved] >= 0.5", "moved >= 1", RULE]
    *each, both = check_runs(recipes["wild"], recipes["mild"], rules)
    assert [verdict.tuned for verdict in each] == [f"wild-{seed}.npy" for seed in range(1, 7)]
    assert [len(verdict.results) for verdict in (*each, both)] == [2] * 6 + [1]
    assert both.tuned.startswith("6 runs (wild-1.npy, ")
    assert both.compared_with.endswith("mild-6.npy (6 runs)")
    document = check_document([*each, both])
    assert [rule["rule"] for rule in document["rules"]] == rules
    assert len(document["checks"][-1]["sources"]["against"]) == 6
    text = json.dumps(document, allow_nan=False)
    assert json.loads(text) == document


def test_a_document_of_few_runs_follows_the_schema(recipes):
    jsonschema = pytest.importorskip("jsonschema")
    document = check_document(check_runs(recipes["wild"][:3], recipes["mild"][:3], [RULE]))
    jsonschema.Draft202012Validator(check_schema()).validate(document)


def test_what_cannot_be_compared_is_refused(recipes):
    mild, wild = recipes["mild"], recipes["wild"]
    with pytest.raises(OptionError, match="give two or more runs of each"):
        check_runs(mild[:1], wild, [RULE])
    with pytest.raises(OptionError, match="is the same table as"):
        check_runs(mild[:3], [*wild[:2], mild[0]], [RULE])
    with pytest.raises(OptionError, match="no rule compares with it"):
        check_runs(mild, wild, ["moved >= 1"])
    with pytest.raises(InputError, match="check_runs"):
        check_runs(["a.npy", "b.npy"], wild, [RULE])
    pair = wild[0].pair
    other = dk.audit(pair, benchmarks=[], k=5)
    with pytest.raises(BaselineError, match="was made with k"):
        check_runs(mild[:2], [wild[1], other], [RULE])
