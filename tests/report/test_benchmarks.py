from __future__ import annotations

import numpy as np
import pytest

from driftkit import Embeddings, align, audit, compare_scores
from driftkit.datasets import AnalogyBenchmark, ChoiceBenchmark, SimilarityBenchmark
from driftkit.display import to_text
from driftkit.report.benchmarks import NAMED, broken_view, describe


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(80)]
    before = rng.normal(size=(80, 6))
    before[40:] = before[:40] + 0.1 * rng.normal(size=(40, 6))
    after = before.copy()
    after[60:] = rng.normal(size=(20, 6))
    return align(Embeddings(words, before), Embeddings(words, after))


@pytest.fixture(scope="module")
def benchmarks(pair):
    cosine = [pair.before[i] @ pair.before[i + 40] for i in range(40)]
    pairs = tuple((f"w{i}", f"w{i + 40}") for i in range(40))
    quadruples = tuple(
        (f"w{i}", f"w{i + 40}", f"w{j}", f"w{j + 40}") for i in range(12) for j in range(20, 40)
    )
    options = tuple((f"w{i + 40}", f"w{(i + 5) % 40}") for i in range(40)) * 2
    stems = tuple(f"w{i}" for i in range(40)) * 2
    return [
        SimilarityBenchmark("pairs", pairs, np.array(cosine)),
        AnalogyBenchmark("quads", quadruples, ("",) * len(quadruples)),
        ChoiceBenchmark("choices", stems, options, (0,) * 80),
    ]


def test_what_fell_is_named_in_the_terminal_and_in_json(pair, benchmarks):
    found = audit(pair, benchmarks=benchmarks, k=3)
    text = to_text(found)
    assert "What broke" in text
    for entry in found.to_dict()["benchmarks"]:
        assert entry["status"] == "lost"
        assert entry["broken"]
        for item in entry["broken"][:NAMED]:
            assert describe(item) in " ".join(text.split())
        if entry["measure"] == "spearman":
            assert all(item["moved"] > 0 for item in entry["broken"])


def test_nothing_fell(pair, benchmarks):
    assert broken_view(compare_scores(align(pair.original, pair.original), benchmarks)) is None
    assert "What broke" not in to_text(audit(align(pair.original, pair.original),
                                             benchmarks=benchmarks, k=3))  # fmt: skip
