import json

import numpy as np
import pytest

from driftkit import Embeddings, align, compare_scores
from driftkit.datasets import SimilarityBenchmark
from driftkit.errors import OptionError, UnknownNameError


@pytest.fixture(scope="module")
def changes():
    rng = np.random.default_rng(0)
    words = [f"w{row}" for row in range(40)]
    before = rng.normal(size=(40, 6))
    after = before.copy()
    after[:10] += rng.normal(size=(10, 6))
    pairs = tuple((words[row], words[row + 1]) for row in range(39))
    answerable = SimilarityBenchmark("toy", pairs, rng.uniform(0, 10, 39))
    unknown = SimilarityBenchmark("alien", (("x", "y"),) * 20, rng.uniform(0, 10, 20))
    pair = align(Embeddings(words, before), Embeddings(words, after))
    return compare_scores(pair, [answerable, unknown], resamples=200)


def test_one_benchmark_by_name_or_by_position(changes):
    assert changes["toy"].n_used == 39
    assert changes[0] is changes["toy"]
    assert changes[-1] is changes["alien"]
    with pytest.raises(OptionError, match=r"\[2\] was asked for; there are 2"):
        changes[2]
    with pytest.raises(UnknownNameError, match="did you mean 'toy'"):
        changes["toi"]


def test_what_could_not_be_measured_is_null_with_a_reason(changes):
    toy, alien = json.loads(json.dumps(changes.to_dict(), allow_nan=False))["benchmarks"]
    assert toy["reason"].startswith("nothing to lose: the original's own spearman of 0.24 cannot")
    assert toy["delta"] == pytest.approx(toy["tuned"] - toy["original"])
    assert alien["status"] == "not measured"
    assert alien["delta"] is alien["ci_low"] is alien["p_holm"] is None
    assert alien["reason"]
    assert alien["oov"] == ["x", "y"]


def test_frames_are_tidy(changes):
    frame = changes.to_frame().set_index("name")
    assert frame.loc["alien", "oov"] == 2
    assert np.isnan(frame.loc["alien", "delta"])
    split = changes.split_frame()
    assert list(split.columns) == ["name", "measure", "moved", "n", "original", "tuned", "delta"]
    assert split[split.name == "toy"]["n"].sum() == 39


def test_views_name_every_benchmark(changes):
    for view in (repr(changes), changes._repr_html_()):
        assert "toy" in view
        assert "not measured" in view


def test_what_was_not_tested_is_not_called_not_measured():
    rng = np.random.default_rng(0)
    words, rows = [f"w{row}" for row in range(40)], rng.normal(size=(40, 6))
    table = Embeddings(words, rows)
    pairs = [*((words[row], words[row + 1]) for row in range(39)), ("w0", "nowhere")]
    gold = [float(table[one] @ table[other]) for one, other in pairs[:-1]]
    asked = [
        SimilarityBenchmark("still", tuple(pairs), [*gold, 0.0]),
        SimilarityBenchmark("alien", (("x", "y"),) * 20, range(20)),
    ]
    said = repr(compare_scores(align(table, table), asked, resamples=100))
    assert "Not tested: still: no item of it has a word that moved; a status needs 10." in said
    assert "Not measured: alien: no item can be answered: 2 words are out of vocabulary." in said
    assert "still: 39 of 40 items answered; 1 word is not in both tables." in said
