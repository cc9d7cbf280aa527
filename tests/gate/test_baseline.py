import copy
import dataclasses
import hashlib
import json

import numpy as np
import pytest

import driftkit as dk
from driftkit.errors import BaselineError, OptionError
from driftkit.gate import Baseline, baseline_of, read_baseline, write_baseline
from driftkit.gate.baseline import added, engine_changes, require_comparable
from driftkit.gate.facts import ROUNDING, facts_of
from driftkit.gate.run import run_of


@pytest.fixture(scope="module")
def baseline(audits):
    return baseline_of(audits.gentle, ["good"])


def test_what_is_written_is_read_back(baseline, tmp_path, audits):
    write_baseline(baseline, tmp_path / "b.json")
    read = read_baseline(tmp_path / "b.json")
    assert read.document == json.loads(json.dumps(baseline.document))
    figures = {each for each in facts_of(audits.gentle, ["good"]) if each.kind != "question"}
    (written,), (run,) = baseline.runs, read.runs
    assert set(run.facts) == figures
    for subject in figures:
        fact, again = written.facts[subject], run.facts[subject]
        assert (
            np.array_equal(
                [again.value, again.low, again.high],
                [fact.value, fact.low, fact.high],
                equal_nan=True,
            )
            or not fact.uncertain
        )
        assert again.uncertain == fact.uncertain


def test_the_file_is_small_sorted_and_the_same_each_time(baseline, audits):
    text = baseline.to_json()
    assert text == baseline_of(audits.gentle, ["good"]).to_json()
    assert len(text) < 64_000
    document = json.loads(text)
    assert list(document) == sorted(document)
    (run,) = document["runs"]
    assert list(run["figures"]) == sorted(run["figures"])
    assert document["rounding"] == ROUNDING
    assert '        "moved": 150,\n' in text
    assert all(len(line) < 120 for line in text.splitlines() if '"headline"' not in line)


def test_it_says_where_it_comes_from(baseline, audits):
    document = baseline.document
    assert document["schema"] == "driftkit.baseline/2"
    (run,) = document["runs"]
    settings = dataclasses.asdict(audits.gentle.settings)
    assert document["settings"] == {
        name: settings[name] for name in ("k", "candidates", "resamples", "seed")
    }
    assert run["driftkit"] == dk.__version__
    assert run["headline"] == audits.gentle.headline
    assert set(run["engines"]) == {"numpy", "scipy", "torch"}
    assert document["original"]["name"] == "original.npy"
    ws353 = run["benchmarks"]["spearman[ws353]"]
    assert ws353["n_used"] == audits.gentle.scores["ws353"].n_used < ws353["n_total"] == 353


def test_nothing_is_written_where_there_is_no_folder(baseline, tmp_path):
    with pytest.raises(OptionError, match="does not exist"):
        write_baseline(baseline, tmp_path / "no" / "b.json")


SCHEMA = '"schema": "driftkit.baseline/2"'
OF_ONE_RUN = '"schema": "driftkit.baseline/1"'


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "{",
        "\xff",
        "[]",
        "3",
        '{"schema": "driftkit.baseline/3"}',
        f"{{{OF_ONE_RUN}}}",
        f'{{{SCHEMA}, "runs": []}}',
        f'{{{SCHEMA}, "runs": 3}}',
        f'{{{SCHEMA}, "runs": [3]}}',
        f"{{{SCHEMA}}}",
        f'{{{SCHEMA}, "figures": []}}',
        f'{{{SCHEMA}, "original": 3}}',
        f'{{{SCHEMA}, "original": {{"name": 3}}}}',
    ],
)
def test_a_file_that_is_no_baseline_is_refused(text, tmp_path):
    path = tmp_path / "b.json"
    if text is not None:
        path.write_text(text, encoding="latin-1")
    with pytest.raises(BaselineError) as caught:
        read_baseline(path)
    assert caught.value.baseline == str(path)


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("moved", "many"),
        ("moved", [1, 2]),
        ("moved", {}),
        ("moved", [1, "a", 2]),
        ("moved", True),
        ("moved", "0.5"),
        ("moved", [1, False, 2]),
    ],
)
def test_an_entry_that_is_no_value_is_refused(baseline, name, entry, tmp_path):
    document = baseline.document
    document["runs"][0]["figures"] = {name: entry}
    (tmp_path / "b.json").write_text(json.dumps(document))
    with pytest.raises(BaselineError, match=f"is damaged: '{name}'"):
        read_baseline(tmp_path / "b.json")


def _changed(baseline, *path_and_value):
    *path, last, value = path_and_value
    (run,) = baseline.runs
    document = copy.deepcopy(dict(run.document))
    inside = document
    for step in path:
        inside = inside[step]
    inside[last] = value
    return Baseline(baseline.name, (dataclasses.replace(run, document=document),))


def test_a_patch_release_and_another_library_are_no_reason_to_refuse(baseline):
    (run,) = baseline.runs
    require_comparable(baseline, run)
    require_comparable(_changed(baseline, "driftkit", dk.__version__ + ".post1"), run)
    older = _changed(baseline, "engines", "numpy", "1.26.0")
    require_comparable(older, run)
    (change,) = engine_changes(older, run)
    assert change.startswith("made with numpy 1.26.0")
    assert engine_changes(baseline, run) == ()


def test_the_digest_is_that_of_words_and_little_endian_rows():
    table = dk.Embeddings(["a", "ß"], [[1.0, 2.0], [3.0, -4.0]])
    expected = hashlib.sha256("a\nß\n".encode() + np.array([[1, 2], [3, -4]], "<f4").tobytes())
    assert table.sha256 == expected.hexdigest()


def test_the_file_format_does_not_matter_and_everything_else_does(saved, tmp_path):
    original = dk.load(saved / "original.npy")
    same = dk.load(f"{saved}/same.pt::embedding.weight")
    assert original.sha256 == same.sha256
    changed = np.array(original.matrix)
    changed[-1, -1] += 1e-6
    assert dk.Embeddings(original.words, changed).sha256 != original.sha256
    renamed = [*original.words[:-1], "renamed"]
    assert dk.Embeddings(renamed, original.matrix).sha256 != original.sha256


def test_items_depend_on_the_benchmark_and_not_on_the_tables(audits):
    ours, theirs = audits.harmed.scores["ws353"], audits.gentle.scores["ws353"]
    assert ours.items_sha256 == theirs.items_sha256
    assert ours.items_sha256 != audits.harmed.scores["simlex999"].items_sha256
    assert ours.items_sha256 != audits.fewer.scores["ws353"].items_sha256


def test_gold_answers_count(tmp_path, audits):
    pair = audits.gentle.pair
    digests = set()
    for gold in ("1.0", "2.0"):
        rows = [f"{word}\tgood\t{i}" for i, word in enumerate(pair.words[:20])]
        (tmp_path / "mine.txt").write_text("\n".join([*rows, f"year\ttime\t{gold}"]))
        audit = dk.audit(pair, benchmarks=[tmp_path / "mine.txt"], resamples=100)
        digests.add(audit.scores["mine"].items_sha256)
    assert len(digests) == 2


def test_a_file_of_the_schema_before_is_one_run(baseline, tmp_path):
    document = baseline.document
    (run,) = document.pop("runs")
    del run["headline"]
    older = {**document, **run, "schema": "driftkit.baseline/1"}
    (tmp_path / "b.json").write_text(json.dumps(older))
    (found,) = read_baseline(tmp_path / "b.json").runs
    write_baseline(baseline, tmp_path / "c.json")
    (same,) = read_baseline(tmp_path / "c.json").runs
    assert repr(sorted(found.facts.items())) == repr(sorted(same.facts.items()))
    assert (found.sha256, found.headline) == (same.sha256, "")


@pytest.fixture(scope="module")
def runs(seeds):
    return [run_of(each, ["good"]) for each in seeds]


def names(baseline):
    return [run.name for run in baseline.runs]


def test_runs_are_kept_in_order_and_the_oldest_leave(baseline, runs, tmp_path):
    everything = added(baseline, runs)
    assert names(everything) == ["gentle.pt", "seed-0.pt", "seed-1.pt", "seed-2.pt", "seed-3.pt"]
    write_baseline(everything, tmp_path / "b.json")
    assert names(read_baseline(tmp_path / "b.json")) == names(everything)
    window = baseline
    for run in runs:
        window = added(window, [run], keep=2)
    assert names(window) == ["seed-2.pt", "seed-3.pt"]
    assert names(added(baseline, runs, keep=99)) == names(everything)


def test_a_run_counts_once(baseline, runs, audits, seeds):
    for again in (runs[0], baseline.runs[0]):
        with pytest.raises(OptionError, match="a run counts once"):
            added(added(baseline, runs), [again])
    with pytest.raises(OptionError, match="is the same table as"):
        baseline_of([audits.gentle, seeds[0], audits.gentle])
    with pytest.raises(OptionError, match="one accepted table or more"):
        baseline_of([])


def test_a_run_is_measured_as_those_before(baseline, seeds):
    pair = seeds[0].pair
    with pytest.raises(OptionError, match=r"was measured without word\[good\] .*give the options"):
        added(baseline, [run_of(seeds[0])])
    other = dk.audit(pair, benchmarks=["ws353", "simlex999"], resamples=200, k=5)
    with pytest.raises(BaselineError, match="was made with k 10"):
        added(baseline, [run_of(other, ["good"])])
