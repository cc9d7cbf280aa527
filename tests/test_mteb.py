"""Folders as MTEB 2.26 writes them: what is compared, what is not, and what is not said."""

import json
import math

import numpy as np
import pytest
from scipy.stats import binomtest

import driftkit as dk
from driftkit.errors import SourceError

CHANGES = {
    "STS12": (0.72, 0.78), "Banking77": (0.81, 0.81), "NFCorpus": (0.33, 0.30),
    "SciFact": (0.64, 0.59), "AmazonPolarity": (0.9, 0.91), "Biorxiv": (0.38, 0.35),
    "AskUbuntu": (0.61, 0.6),
}  # fmt: skip


def result(task, score, **other):
    """One task's file; `score` is a main score, or those of splits and subsets."""
    parts = score if isinstance(score, dict) else {("test", "default"): score}
    scores = {}
    for (split, subset), value in parts.items():
        entry = {"main_score": value, "hf_subset": subset, "languages": ["eng-Latn"]}
        scores.setdefault(split, []).append(entry | {"mteb_version": "2.26.24"})
    return {
        "dataset_revision": "a1", "task_name": task, "mteb_version": "2.26.24", "scores": scores,
        "evaluation_time": 1.5, "kg_co2_emissions": math.nan, "date": 1795740902.99,
        "evaluation_phases": None,
    } | other  # fmt: skip


@pytest.fixture
def write(tmp_path):
    def write(side, *results):
        folder = tmp_path / "results" / f"me__{side}" / "rev1"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model_meta.json").write_text(json.dumps({"name": f"me/{side}"}))
        (folder / "run_settings.jsonl").write_text('{"task": "STS12"}\n')
        for each in results:
            (folder / f"{each['task_name']}.json").write_text(json.dumps(each, indent=2))
        return folder

    return write


@pytest.fixture
def both(write):
    return [
        write(name, *(result(task, scores[side]) for task, scores in CHANGES.items()))
        for side, name in enumerate(("original", "tuned"))
    ]


def test_each_task_and_all_of_them(both):
    found = dk.compare_results(*both)
    assert {task.task: (task.original, task.tuned) for task in found.tasks} == CHANGES
    deltas = [task.delta for task in found.tasks]
    assert deltas == sorted(deltas)
    assert found.mean_delta == pytest.approx(np.mean(deltas))
    assert (found.rose, found.fell) == (2, 4)
    assert found.sign_p == binomtest(2, 6).pvalue
    assert found.over_tasks.low < found.mean_delta < found.over_tasks.high
    assert found.headline == (
        "7 tasks compared, 0 not: 2 rose, 4 fell, 1 stayed the same; mean difference -0.007"
    )
    assert found.to_frame()["task"].iloc[0] == found.tasks[0].task == "SciFact"


def test_the_two_sides_swapped_change_the_signs_alone(both):
    there, back = dk.compare_results(*both), dk.compare_results(*reversed(both))
    assert back.mean_delta == -there.mean_delta
    assert (back.rose, back.fell, back.sign_p) == (there.fell, there.rose, there.sign_p)


def test_a_folder_with_itself(both):
    found = dk.compare_results(both[0], both[0])
    assert (found.rose, found.fell, found.mean_delta) == (0, 0, 0)
    assert (found.over_tasks.low, found.over_tasks.high) == (0, 0)
    assert math.isnan(found.sign_p)


def test_the_score_of_a_task_is_the_mean_over_its_splits_and_subsets(write):
    parts = {("test", "de"): 0.2, ("test", "en"): 0.4, ("dev", "en"): 0.9}
    turned = dict(reversed(parts.items()))
    one, other = (
        write("original", result("Bitext", parts)),
        write("tuned", result("Bitext", turned)),
    )
    (task,) = dk.compare_results(one, other).tasks
    assert (task.original, task.delta, task.parts) == (pytest.approx(0.5), 0, 3)


NOT_COMPARED = {
    "no result": (None, "tuned: there are no results of it"),
    "another revision of the dataset": (
        result("X", 0.5, dataset_revision="b2"), "revision a1 of its dataset against b2"),
    "another version of MTEB": (
        json.loads(json.dumps(result("X", 0.5)).replace("2.26.24", "1.38.0")),
        "MTEB 2.26.24 against 1.38.0"),
    "another subset": (
        result("X", {("test", "de"): 0.5}), "other splits or subsets: only tuned has test, de"),
    "scores of 0 to 100": (
        result("X", 50.0),
        "scores of other scales: only tuned has one above 1, and hence those of 0 to 100"),
    "no number": (result("X", math.nan), "tuned: it has no main_score for test, default"),
    "no version": (
        {**result("X", 0.5), "mteb_version": None, "scores": {
            "test": [{"hf_subset": "default", "main_score": 0.5}]}},
        "tuned: its file does not say which version of MTEB wrote it"),
    "a subset twice": (
        result("X", 0.5, scores={"test": 2 * [{"hf_subset": "a", "main_score": 1,
                                               "mteb_version": "2"}]}),
        "tuned: its subsets of test are without a name or there twice"),
    "no scores": (result("X", 0.5, scores={}), "tuned: its file lacks dataset_revision or scores"),
    "scores of another form": (
        result("X", 0.5, scores={"test": {"main_score": 1}}),
        "tuned: its scores of test are no list of subsets"),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_COMPARED)
def test_what_is_not_alike_is_named_and_not_compared(write, both, case):
    theirs, why = NOT_COMPARED[case]
    write("original", result("X", 0.5))
    if theirs is not None:
        write("tuned", theirs)
    found = dk.compare_results(*both)
    assert found.not_compared == {"X": why}
    assert len(found.tasks) == len(CHANGES)
    assert f"X: {why}." in " ".join(repr(found).split())


def test_the_file_of_an_old_mteb_and_other_json(write, both):
    old = {"mteb_dataset_name": "X", "mteb_version": "1.0.2", "test": {"accuracy": 0.5}}
    (both[1] / "X.json").write_text(json.dumps(old))
    (both[0] / "notes.json").write_text("[1]")
    assert dk.compare_results(*both).not_compared == {
        "X": "original: there are no results of it",
        "notes": "original: its file is no result of MTEB",
    }


def test_fewer_tasks_than_six_have_no_interval(write):
    sides = (("original", 0.5), ("tuned", 0.25))
    one, other = (write(side, *(result(f"T{i}", v) for i in range(5))) for side, v in sides)
    found = dk.compare_results(one, other)
    assert (found.fell, found.sign_p) == (5, 0.0625)
    assert math.isnan(found.over_tasks.low)
    assert "no interval from fewer than 6" in repr(found)
    assert found.to_dict()["ci_low"] is None


def test_predictions_and_experiments_beside_the_results_are_left_aside(both):
    (both[1] / "STS12_predictions.json").write_text('{"default": {"test": {"cosine_scores": [1]}}}')
    below = both[1] / "experiments" / "fp16" / "STS12.json"
    below.parent.mkdir(parents=True)
    below.write_text(json.dumps(result("STS12", 0.1)))
    assert len(dk.compare_results(*both).tasks) == len(CHANGES)


def test_a_folder_above_one_model_will_do_and_above_two_will_not(both):
    assert dk.compare_results(both[0].parent, both[1].parent).tasks
    with pytest.raises(SourceError) as caught:
        dk.compare_results(both[0].parents[1], both[1])
    assert str(caught.value) == (
        f"{both[0].parents[1]}: holds results of 2 models or revisions; give one of them, such as "
        f"{both[0]} or {both[1]}."
    )


def test_folders_that_hold_nothing_to_compare(write, both, tmp_path):
    with pytest.raises(SourceError, match="is no folder; give that of a model's results"):
        dk.compare_results(tmp_path / "gone", both[1])
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match=r"holds no result of MTEB that can be read \(no file"):
        dk.compare_results(both[0], tmp_path / "empty")
    (both[0] / "STS12.json").write_text("{")
    with pytest.raises(SourceError, match=r"STS12\.json: is not JSON from line 1, column 2 on"):
        dk.compare_results(*both)


def test_no_task_in_common(write):
    one, other = write("original", result("A", 0.5)), write("tuned", result("B", 0.5))
    with pytest.raises(SourceError) as caught:
        dk.compare_results(one, other)
    assert str(caught.value) == (
        f"{other}: no task of it can be compared with {one} (A: tuned: there are no results of it; "
        "B: original: there are no results of it); evaluate both models on the same tasks, splits "
        "and subsets, with one version of MTEB."
    )


def test_two_files_of_one_task(both):
    (both[0] / "again.json").write_text(json.dumps(result("STS12", 0.5)))
    with pytest.raises(SourceError, match="holds two results of STS12; keep the one"):
        dk.compare_results(*both)


def test_the_task_score_is_that_of_mteb_itself(both):
    mteb = pytest.importorskip("mteb", reason="mteb is not installed")
    for folder, side in zip(both, ("original", "tuned"), strict=True):
        for task in dk.compare_results(*both).tasks:
            theirs = mteb.TaskResult.from_disk(folder / f"{task.task}.json").get_score()
            assert getattr(task, side) == pytest.approx(theirs, abs=1e-12)
