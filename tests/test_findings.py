import json

import jsonschema
import numpy as np
import pytest

import driftkit as dk
from driftkit.drift.displacement import displacement
from driftkit.drift.groups import band_masks
from driftkit.drift.null_model import null_pair
from driftkit.neighbors.optional_measures import OPTIONAL
from driftkit.report.document import audit_schema
from driftkit.report.frames import FRAMES

HUBS = ("hubness_skewness", "largest_hub", "antihub_share")
QUICK = {"benchmarks": ["ws353"], "resamples": 100}
ASKED = ["jaccard@50", "displacement(anchors=1000)", "rbo(p=0.98)@50", *OPTIONAL, *HUBS, "l2"]


@pytest.fixture(scope="module")
def plain(pair):
    return dk.audit(pair, candidates=2_000, **QUICK)


@pytest.fixture(scope="module")
def audited(pair):
    return dk.audit(pair, candidates=2_000, measures=ASKED, null=True, **QUICK)


def test_asking_for_more_changes_nothing_else(plain, audited):
    before, after = plain.to_dict(), audited.to_dict()
    for name, groups in before["drift"].items():
        for group, entry in groups.items():
            assert entry.items() <= after["drift"][name][group].items()
    assert [entry["word"] for entry in before["words"]] == [w["word"] for w in after["words"]]
    assert (before["headline"], before["rows"]) == (after["headline"], after["rows"])
    assert set(after["drift"]) - set(before["drift"]) == {
        "jaccard@50", "displacement(center=0,anchors=1000)", "rbo(p=0.98)@50",
        *(f"{name}@10" for name in (*OPTIONAL, *HUBS)),
    }  # fmt: skip


def test_further_values_are_those_of_the_rooms(audited, pair):
    deep = dk.neighbor_shifts(pair, audited.shifts.words, 50, candidates=audited.shifts.candidates)
    a, b = ([set(row.tolist()) for row in lists] for lists in (deep.before, deep.after))
    expected = [len(x & y) / len(x | y) for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(audited.values["jaccard@50"][audited.candidate_rows], expected)
    first = np.arange(len(pair)) < 1000
    np.testing.assert_array_equal(
        audited.values["displacement(center=0,anchors=1000)"], displacement(pair, anchors=first)
    )


def test_the_null_is_an_audit_of_random_moves(audited, pair):
    random = null_pair(pair, seed=0)
    np.testing.assert_array_equal(audited.null.pair.after, random.after)
    alone = dk.neighbor_shifts(random, audited.shifts.words, candidates=audited.shifts.candidates)
    np.testing.assert_array_equal(audited.null.shifts.overlap, alone.overlap)
    expected = dk.compare_scores(random, ["ws353"], resamples=100)
    assert audited.null.scores["ws353"].tuned == expected["ws353"].tuned
    assert audited.null.null is None


def test_the_document_follows_its_schema_with_everything_asked_for(audited):
    document = json.loads(json.dumps(audited.to_dict(top=3, explain=True), allow_nan=False))
    jsonschema.Draft202012Validator(audit_schema()).validate(document)
    assert document["settings"]["measures"][0] == "jaccard@50"
    for groups in document["drift"].values():
        for entry in groups.values():
            assert "null" in entry
    random = audited.null.shifts.overlap
    assert document["drift"]["overlap@10"]["all"]["null"] == pytest.approx(np.nanmean(random))
    assert document["benchmarks"][0]["null"] == audited.null.scores["ws353"].tuned
    assert document["words"][0]["null"].keys() == document["words"][0]["measures"].keys()
    assert len(document["explanation"]["words"]) == 6


def test_bands_are_of_all_words_of_a_rank(plain, pair):
    rows = {(row.measure, row.group): row for row in plain.summaries(bands=True)}
    for band, mask in band_masks(len(pair)).items():
        for name, values in plain.values.items():
            row = rows[name, band]
            assert row.n + row.unmeasured == mask.sum()
            assert row.mean == pytest.approx(np.nanmean(values[mask]))
    assert {row.group for row in plain.summaries()} == {"all", "moved", "unmoved"}
    assert "rank 1-1000" in plain.to_dict()["drift"]["overlap@10"]


def test_words_asked_about_have_the_further_measures_too(audited, pair):
    outside = next(word for word in reversed(pair.words) if word not in audited.shifts.candidates)
    found = audited.shifts_of(["the", outside])
    assert list(found.values) == list(audited.shifts.values)
    for name, values in found.values.items():
        row = audited.candidate_rows.tolist().index(pair.index["the"])
        np.testing.assert_array_equal(values[0], audited.shifts.values[name][row])
    assert not np.isnan(found.optional["jaccard@50"]).any()
    assert np.isnan(found.optional["k_occurrence_change@10"]).tolist() == [False, True]


def test_explanations_are_of_the_most_shifted_words(plain):
    told = plain.explain(4)
    assert [each.word for each in told.moved] == [
        shift.word for shift in plain.most_shifted(4, moved=True)
    ]
    assert all(each.own == 0 and each.cause == "its neighbors moved" for each in told.unmoved)
    assert len(told.directions) == 3


def test_progress_names_the_stages_of_the_null(pair):
    stages = []
    dk.audit(pair, null=True, progress=lambda stage, *_: stages.append(stage), **QUICK)
    assert list(dict.fromkeys(stages)) == [
        "drift", "benchmarks", "neighbors", "link", "drift of random moves",
        "benchmarks of random moves", "neighbors of random moves", "link of random moves",
    ]  # fmt: skip


def _nudged(rows):
    """A pair of 40 words of which some went far from where they were."""
    words = [f"w{row}" for row in range(40)]
    before = np.random.default_rng(0).normal(size=(40, 8))
    after = before.copy()
    after[rows] = -before[rows]
    return dk.align(dk.Embeddings(words, before), dk.Embeddings(words, after))


@pytest.mark.parametrize(
    ("rows", "said"),
    [([3], "1 of 1 moved item is farther from its old place than its nearest neighbor was"),
     ([3, 5], "2 of 2 moved items are farther from their old place than their nearest neighbor "
              "was")],
)  # fmt: skip
def test_without_a_benchmark_nothing_is_called_safe_and_everything_else_is_told(rows, said):
    found = dk.audit(_nudged(rows), [], k=3)
    assert found.verdict == "ship with care"
    assert (
        "; knowledge was not tested: no benchmark of knowledge was asked for (-b NAME or FILE "
        "would test it); "
    ) in found.headline
    assert said in found.headline
    assert found.headline.endswith(f"; {len(rows)} of 40 items moved.")
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    jsonschema.Draft202012Validator(audit_schema()).validate(document)
    assert document["benchmarks"] == []
    assert "What the benchmarks say" not in repr(found)
    assert {part for part in FRAMES if found.to_frame(part).empty} == {"benchmarks", "split"}
