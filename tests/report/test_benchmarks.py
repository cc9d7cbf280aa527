from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from driftkit import Embeddings, align, audit, compare_scores
from driftkit.datasets import REGISTRY, AnalogyBenchmark, ChoiceBenchmark, SimilarityBenchmark
from driftkit.datasets.source import FOLDER_VARIABLE
from driftkit.display import to_text
from driftkit.report.benchmarks import (
    NAMED,
    broken_view,
    datasets_document,
    datasets_view,
    describe,
)


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


def test_what_fell_in_benchmarks_that_were_not_lost_is_not_called_broken(pair, benchmarks):
    changes = compare_scores(pair, benchmarks)
    assert broken_view(changes) is not None
    kept = [replace(change, status="retained") for change in changes]
    assert broken_view(kept) is None


def test_benchmarks_are_grouped_by_task(monkeypatch, tmp_path):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    lines = to_text(datasets_view(tuple(REGISTRY.values())), width=80).splitlines()
    tasks = ["similarity", "analogy", "categorization", "outliers"]
    assert [line for line in lines if line in tasks] == tasks
    rows = [line.split() for line in lines]
    names = [row[0] for row in rows if row[-2:-1] in (["yes"], ["no"])]
    assert sorted(names) == sorted(REGISTRY)


def test_nothing_is_said_of_absent_files_when_there_are_none(monkeypatch, tmp_path):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    text = to_text(datasets_view((REGISTRY["ws353"],)))
    assert "not here yet" not in text
    assert text.endswith(f"Files are kept in {tmp_path}.")


def test_the_document_holds_every_benchmark():
    document = datasets_document(tuple(REGISTRY.values()))
    assert [entry["task"] for entry in document["datasets"]] == [
        dataset.task for dataset in REGISTRY.values()
    ]
    assert all("licence" in entry for entry in document["datasets"])  # as it was shipped
