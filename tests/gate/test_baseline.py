import copy
import dataclasses
import json

import numpy as np
import pytest

import driftkit as dk
from driftkit.errors import BaselineError, OptionError
from driftkit.gate import baseline_of, read_baseline, write_baseline
from driftkit.gate.baseline import engine_changes, require_comparable
from driftkit.gate.figures import figures_of


@pytest.fixture(scope="module")
def baseline(audits):
    return baseline_of(audits.gentle, ["good"])


def test_what_is_written_is_read_back(baseline, tmp_path, audits):
    write_baseline(baseline, tmp_path / "b.json")
    read = read_baseline(tmp_path / "b.json")
    assert read.document == json.loads(json.dumps(baseline.document))
    assert set(read.figures) == set(figures_of(audits.gentle, ["good"]))
    for subject, figure in baseline.figures.items():
        again = read.figures[subject]
        assert (
            np.array_equal(
                [again.value, again.low, again.high],
                [figure.value, figure.low, figure.high],
                equal_nan=True,
            )
            or not figure.uncertain
        )
        assert again.uncertain == figure.uncertain


def test_the_file_is_small_sorted_and_the_same_each_time(baseline, audits):
    text = baseline.to_json()
    assert text == baseline_of(audits.gentle, ["good"]).to_json()
    assert len(text) < 64_000
    document = json.loads(text)
    assert list(document) == sorted(document)
    assert list(document["figures"]) == sorted(document["figures"])
    assert document["rounding"] == "6 significant digits; counts are exact"
    assert '    "moved": 150,\n' in text
    assert all(len(line) < 120 for line in text.splitlines())


def test_it_says_where_it_comes_from(baseline, audits):
    document = baseline.document
    assert document["schema"] == "driftkit.baseline/1"
    settings = dataclasses.asdict(audits.gentle.settings)
    assert document["settings"] == {
        name: settings[name] for name in ("k", "candidates", "resamples", "seed")
    }
    assert document["driftkit"] == dk.__version__
    assert set(document["engines"]) == {"numpy", "scipy", "torch"}
    assert document["original"]["name"] == "original.npy"
    ws353 = document["benchmarks"]["spearman[ws353]"]
    assert ws353["n_used"] == audits.gentle.scores["ws353"].n_used < ws353["n_total"] == 353


def test_nothing_is_written_where_there_is_no_folder(baseline, tmp_path):
    with pytest.raises(OptionError, match="does not exist"):
        write_baseline(baseline, tmp_path / "no" / "b.json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "there is no such baseline; make it with `driftkit baseline write`."),
        ("", "is not a readable baseline"),
        ("{", "is not a readable baseline"),
        ("\xff", "is not a readable baseline"),
        ("[]", "its schema is None"),
        ('{"schema": "driftkit.baseline/2"}', "its schema is 'driftkit.baseline/2'"),
        ('{"schema": "driftkit.audit/1"}', "its schema is 'driftkit.audit/1'"),
        ('{"schema": "driftkit.baseline/1"}', "is damaged: KeyError('figures')"),
        ('{"schema": "driftkit.baseline/1", "figures": {"movd": 1}}', "damaged: unknown measure"),
        ('{"schema": "driftkit.baseline/1", "figures": {"moved": "x"}}', "is damaged: ValueError"),
        ('{"schema": "driftkit.baseline/1", "figures": {"moved": [1, 2]}}', "is damaged"),
        ('{"schema": "driftkit.baseline/1", "figures": {"moved": 1}}', "is damaged: KeyError"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_baseline(text, message, tmp_path):
    path = tmp_path / "b.json"
    if text is not None:
        path.write_text(text, encoding="latin-1")
    with pytest.raises(BaselineError) as caught:
        read_baseline(path)
    assert message in str(caught.value)
    assert caught.value.baseline == str(path)


def _changed(baseline, *path_and_value):
    *path, last, value = path_and_value
    document = copy.deepcopy(dict(baseline.document))
    inside = document
    for step in path:
        inside = inside[step]
    inside[last] = value
    return dataclasses.replace(baseline, document=document)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("original", "sha256", "0" * 64), "is foreign: it was made against original.npy"),
        (("driftkit", "0.0.9"), "is outdated: driftkit 0.0.9 wrote it"),
        (("settings", "k", 20), "was made with k 20 and this check uses k 10"),
        (("settings", "seed", 1), "was made with seed 1 and this check uses seed 0"),
        (("settings", "resamples", 9), "was made with resamples 9"),
        (("benchmarks", "spearman[ws353]", "n_total", 352), "spearman[ws353] is measured on other"),
        (("benchmarks", "spearman[ws353]", "items_sha256", "0"), "is measured on other items now"),
    ],
)  # fmt: skip
def test_foreign_and_outdated_ones_are_refused(baseline, change, message):
    require_comparable(baseline, baseline)
    with pytest.raises(BaselineError) as caught:
        require_comparable(_changed(baseline, *change), baseline)
    assert message in str(caught.value)


def test_a_patch_release_and_another_library_are_no_reason_to_refuse(baseline):
    require_comparable(_changed(baseline, "driftkit", dk.__version__ + ".post1"), baseline)
    older = _changed(baseline, "engines", "numpy", "1.26.0")
    require_comparable(older, baseline)
    assert engine_changes(older, baseline) == (
        f"numpy 1.26.0 then, {baseline.document['engines']['numpy']} now",
    )
    assert engine_changes(baseline, baseline) == ()
