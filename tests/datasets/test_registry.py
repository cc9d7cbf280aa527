from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from gensim.test.utils import datapath

from driftkit.datasets import DEFAULT, REGISTRY, AnalogyBenchmark, SimilarityBenchmark, get, get_all
from driftkit.errors import BenchmarkError, MissingExtraError, UnknownNameError

SHARED = Path(os.environ.get("DRIFTKIT_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))


@pytest.mark.parametrize("dataset", REGISTRY.values(), ids=REGISTRY)
def test_each_is_what_the_registry_says(dataset) -> None:
    benchmark = get(dataset.name)
    assert benchmark.name == dataset.name
    assert len(benchmark) == dataset.n_items
    kind = {"similarity": SimilarityBenchmark, "analogy": AnalogyBenchmark}[dataset.task]
    assert isinstance(benchmark, kind)
    assert dataset.path == Path(datapath(dataset.path.name))
    assert dataset.citation
    assert dataset.licence


def test_known_facts_of_the_files() -> None:
    ws353, google = get("ws353"), get("google")
    assert isinstance(ws353, SimilarityBenchmark)
    assert isinstance(google, AnalogyBenchmark)
    assert len({frozenset(pair) for pair in ws353.pairs}) == 351
    assert ("tiger", "tiger") in ws353.pairs
    assert sum(any(c.isupper() for c in a + b) for a, b in ws353.pairs) == 18
    assert len(google) - len(set(google.quadruples)) == 171
    assert len(google.sections) == 14
    groups = google.groups
    assert sum(name in groups["semantic"] for name in google.categories) == 8869
    assert sum(name in groups["syntactic"] for name in google.categories) == 10675
    assert len({word for quadruple in google.quadruples for word in quadruple}) == 905


def test_a_name_nobody_knows() -> None:
    with pytest.raises(UnknownNameError) as caught:
        get("simlex99")
    assert caught.value.nearest == "simlex999"
    assert "path of a file" in str(caught.value)


def test_a_file_works_where_a_name_does(tmp_path: Path) -> None:
    path = tmp_path / "men.v2.txt"
    path.write_text("sun\tsunlight\t50\n")
    assert get(path).name == get(str(path)).name == "men.v2"
    benchmark = get(path)
    assert get(benchmark) is benchmark


def test_get_all(tmp_path: Path) -> None:
    assert tuple(benchmark.name for benchmark in get_all()) == DEFAULT
    assert [benchmark.name for benchmark in get_all("ws353")] == ["ws353"]
    with pytest.raises(BenchmarkError, match="two benchmarks are called 'ws353'"):
        get_all(["ws353", "ws353"])
    with pytest.raises(BenchmarkError, match="no benchmark was named"):
        get_all([])


def test_a_package_that_is_not_there() -> None:
    absent = replace(REGISTRY["ws353"], package="no_such_package_anywhere")
    with pytest.raises(MissingExtraError, match="no_such_package_anywhere"):
        absent.read()


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data folder is not here")
def test_every_similarity_set_and_msr_parse() -> None:
    files = sorted((SHARED / "similarity").glob("*.txt"))
    sizes = {path.stem: len(get(path)) for path in files}
    assert all(isinstance(get(path), SimilarityBenchmark) for path in files)
    assert sizes["EN-MTurk-287"] == 287  # no newline at its end
    assert sizes["EN-VERB-143"] == 144  # not 143
    assert sizes["EN-SimVerb-3500"] == 3500
    assert sizes["EN-MEN-TR-3k"] == 3000
    assert len(sizes) == 13
    msr = get(SHARED / "analogy" / "msr.txt")
    assert isinstance(msr, AnalogyBenchmark)
    assert len(msr) == 8000


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data folder is not here")
@pytest.mark.parametrize(
    "name", ["categorization/ap.csv", "outliers/8-8-8.csv", "text/TREC.test.all"]
)
def test_files_for_other_tasks_are_refused(name: str) -> None:
    with pytest.raises(BenchmarkError, match="cannot be read"):
        get(SHARED / name)
