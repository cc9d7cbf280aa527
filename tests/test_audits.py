import json
from itertools import pairwise

import jsonschema
import numpy as np
import pytest

import driftkit as dk
from driftkit.audits import candidate_words
from driftkit.errors import OptionError, UnknownNameError
from driftkit.report.document import audit_schema

RESAMPLES = 200


@pytest.fixture(scope="module")
def audited(pair):
    return dk.audit(pair, resamples=RESAMPLES)


def test_parts_are_those_of_the_rooms(audited, pair):
    alone = dk.neighbor_shifts(pair)
    np.testing.assert_array_equal(audited.shifts.overlap, alone.overlap)
    assert [c.name for c in audited.scores] == ["ws353", "simlex999", "google"]
    expected = dk.compare_scores(pair, resamples=RESAMPLES)
    assert audited.scores.to_dict() == expected.to_dict()


def test_the_original_against_itself_is_unchanged(pair):
    same = dk.audit(dk.align(pair.original, pair.original), resamples=RESAMPLES)
    assert same.verdict == "unchanged"
    assert same.headline == (
        "Unchanged: none of 3,000 rows differs by more than rounding; if the table was tuned, the "
        "wrong file may have been exported."
    )
    assert not same.displaced.any()
    assert same.most_shifted(5, moved=True) == same.most_shifted(5, moved=False) == []


def test_permuted_rows_are_total_drift_and_must_not_ship(pair):
    rng = np.random.default_rng(1)
    shuffled = dk.Embeddings(pair.words, pair.before[rng.permutation(len(pair))])
    result = dk.audit(dk.align(pair.original, shuffled), resamples=RESAMPLES)
    assert result.verdict == "do not ship"
    assert {c.status for c in result.scores if c.reason is None} == {"lost"}
    assert result.displaced.mean() > 0.95
    assert result.shifts.overlap.mean() < 0.02


def test_a_rotation_keeps_meaning_and_breaks_readers_of_the_old_space(pair):
    rng = np.random.default_rng(1)
    rotation, _ = np.linalg.qr(rng.normal(size=(50, 50)))
    turned = dk.Embeddings(pair.words, pair.before @ rotation)
    result = dk.audit(dk.align(pair.original, turned), resamples=RESAMPLES)
    assert result.verdict == "ship with care"
    assert {c.status for c in result.scores} == {"retained", "not tested"}
    assert result.displaced.all()
    assert result.shifts.overlap.mean() > 0.999
    assert result.finding("link").status == "broken"
    assert "one rotation explains it all" in result.headline


def test_a_row_that_was_zero_has_no_old_place_to_leave():
    before = np.array([[0.0, 0], [1, 0], [1, 0.1], [0, 1]])
    after = np.array([[1.0, 0], [0, 0], [1, 0.1], [0, 1]])
    tables = (dk.Embeddings(list("abcd"), each) for each in (before, after))
    found = dk.audit(dk.align(*tables), [], k=1)
    assert found.displaced.tolist() == [False, True, False, False]
    assert "1 of 2 moved items is farther from its old place" in found.finding("link").sentence


def test_five_percent_of_rows_replaced_are_named(pair):
    rng = np.random.default_rng(1)
    replaced = rng.choice(len(pair), len(pair) // 20, replace=False)
    matrix = np.array(pair.before)
    matrix[replaced] = rng.permutation(matrix[replaced])[::-1] + rng.normal(
        0, 1.5, (len(replaced), 50)
    )
    result = dk.audit(
        dk.align(pair.original, dk.Embeddings(pair.words, matrix)), resamples=RESAMPLES
    )
    named = {shift.word for shift in result.most_shifted(len(replaced), moved=True)}
    assert named == {pair.words[row] for row in replaced}


def test_what_could_not_be_measured_is_undecided_never_safe():
    words = [f"w{row}" for row in range(50)]
    table = dk.Embeddings(words, np.random.default_rng(0).normal(size=(50, 8)))
    other = np.array(table.matrix)
    other[0] += 0.01
    asked = ["ws353", "simlex999", "google"]
    result = dk.audit(dk.align(table, dk.Embeddings(words, other)), asked, resamples=RESAMPLES)
    assert result.verdict == "undecided"
    assert "could not measure ws353, simlex999 and google" in result.headline


def test_missing_words_are_told(pair):
    fewer = dk.Embeddings(pair.words[:-40], pair.before[:-40])
    result = dk.audit(dk.align(pair.original, fewer), resamples=RESAMPLES)
    assert result.verdict == "ship with care"
    assert "40 words removed" in result.headline
    assert result.finding("knowledge").status == "kept"  # no score of theirs could change


def test_candidates_are_the_first_words_and_then_moved_ones(pair, nudged):
    chosen = candidate_words(pair, 1000)
    later = [nudged.words[row] for row in nudged.moved if row >= 1000]
    assert chosen == [*nudged.words[:1000], *later]
    assert len(candidate_words(pair, 10)) == 20
    assert candidate_words(pair, 10**6) == nudged.words


@pytest.fixture(scope="module")
def copied(pair):
    """A near copy of each word, under a name of its own, in front of all that was there."""
    noise = 0.01 * np.random.default_rng(0).normal(size=pair.before.shape)
    words = [*(f"new {word}" for word in pair.words), *pair.words]
    return dk.align(
        dk.Embeddings(pair.words, pair.before),
        dk.Embeddings(words, np.vstack([pair.before + noise, pair.before])),
    )


def test_added_words_crowd_in_as_the_first_of_them_are_candidates(copied):
    result = dk.audit(copied, [], candidates=400, k=3, null=True)
    shifts = result.shifts
    assert shifts.candidates == (*copied.words[:400], *(f"new {w}" for w in copied.words[:400]))
    assert (shifts.before < 400).all()
    assert (shifts.after[:, 0] == np.arange(400, 800)).all()
    assert result.crowded == 1
    assert not result.pair.moved.any()
    assert (result.null.shifts.overlap == shifts.overlap).all()
    told = result.explain(5)
    assert {each.cause for each in told.unmoved} == {"a new word came"}
    document = json.loads(json.dumps(result.to_dict(top=3, explain=True)))
    jsonschema.validate(document, audit_schema())
    assert document["unmoved_words"][0]["after"][0]["added"] is True
    other = result.shifts_of([copied.words[900]])
    assert (other.candidates, other.added) == (shifts.candidates, 400)


def test_most_shifted_words_lost_most_and_come_by_frequency(audited, pair):
    shifts = audited.most_shifted(30, moved=True)
    overlap = [shift.overlap for shift in shifts]
    assert overlap == sorted(overlap)
    for first, second in pairwise(shifts):
        if first.overlap == second.overlap:
            assert pair.index[first.word] < pair.index[second.word]
    unmoved = audited.most_shifted(30, moved=False)
    assert all(not pair.moved[pair.index[shift.word]] for shift in unmoved)
    assert all(shift.lost for shift in unmoved)


def test_neighbors_of_any_word_over_the_same_candidates(pair):
    result = dk.audit(pair, candidates=500, benchmarks=["ws353"], resamples=RESAMPLES)
    outside = next(w for w in reversed(pair.words) if w not in result.shifts.candidates)
    shifts = result.shifts_of([outside])
    assert shifts.candidates == result.shifts.candidates
    with pytest.raises(UnknownNameError):
        result.shifts_of(["no such word"])


def test_frames(audited, pair):
    words = audited.to_frame("words")
    assert list(words["word"]) == list(pair.words)
    assert list(words["rank"]) == list(range(1, len(pair) + 1))
    assert {"self_cosine", "l2", "norm_ratio", "overlap@10", "rbo(p=0.9)@10"} < set(words.columns)
    assert len(audited.to_frame()) == 3
    assert set(audited.to_frame("summary")["group"]) == {
        "all", "moved", "unmoved", "rank 1-1000", "rank 1001-3000",
    }  # fmt: skip
    assert set(audited.to_frame("split")["moved"]) == {"none", "some", "all"}
    assert "cka" in set(audited.to_frame("space")["measure"])
    with pytest.raises(UnknownNameError, match="did you mean 'words'"):
        audited.to_frame("word")


def test_words_that_were_no_candidates_have_no_neighbor_value(pair):
    result = dk.audit(pair, candidates=100, benchmarks=["ws353"], resamples=RESAMPLES)
    frame = result.to_frame("words")
    assert frame["overlap@10"].notna().sum() == len(result.shifts.words)


def test_the_document_follows_its_schema_and_holds_the_values(audited, pair):
    document = json.loads(json.dumps(audited.to_dict(top=7), allow_nan=False))
    jsonschema.Draft202012Validator(audit_schema()).validate(document)
    assert document["rows"]["moved"] == 150
    assert document["rows"]["added"] == 2
    assert len(document["words"]) == 7
    assert document["drift"]["overlap@10"]["moved"]["n"] == 150
    assert document["drift"]["cka"]["unmoved"]["value"] == pytest.approx(1)
    assert document["drift"]["mean_cosine"]["all"]["original"] == pytest.approx(
        audited.space.find("mean_cosine", "all", "original").value
    )


def test_two_runs_give_the_same_bytes_but_for_the_time(audited, pair, monkeypatch):
    again = dk.audit(pair, resamples=RESAMPLES)
    assert audited.time < again.time
    one, other = (each.to_dict() for each in (again, audited))
    assert one.pop("time") > other.pop("time")
    assert json.dumps(one) == json.dumps(other)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1764230400")
    assert dk.audit(pair, [], k=1).to_dict()["time"] == "2025-11-27T08:00:00.000000+00:00"
    other = dk.audit(pair, resamples=RESAMPLES, seed=1)
    assert other.to_dict()["benchmarks"] != audited.to_dict()["benchmarks"]


@pytest.mark.parametrize("given", ["", "yesterday", "-1", "1" * 400])
def test_a_time_that_is_none_is_refused(given, pair, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", given)
    with pytest.raises(OptionError, match="seconds since 1970"):
        dk.audit(pair, [], k=1)


def test_views_in_a_shell_and_in_a_notebook(audited):
    assert audited.headline.split(";")[0] in " ".join(repr(audited).split())
    html = audited._repr_html_()
    assert "<b>after against before" in html
    assert "overlap@10" in html
    assert "ws353" in html


def test_progress_names_every_stage(pair):
    stages = []
    dk.audit(
        pair,
        benchmarks=["ws353"],
        resamples=RESAMPLES,
        progress=lambda stage, done, total: stages.append((stage, done <= total)),
    )
    assert list(dict(stages)) == ["drift", "benchmarks", "neighbors", "link"]
    assert all(within for _, within in stages)


def test_options_out_of_range(pair):
    with pytest.raises(
        OptionError, match="resamples=5 was given; it must be a whole number, 100 or more"
    ):
        dk.audit(pair, resamples=5)
    with pytest.raises(OptionError, match="k=0"):
        dk.audit(pair, k=0, resamples=RESAMPLES, benchmarks=["ws353"])
    with pytest.raises(OptionError, match="candidates=0"):
        dk.audit(pair, candidates=0)
