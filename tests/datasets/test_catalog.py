from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from shared_data import SHARED, needs_shared

from driftkit.datasets import REGISTRY, Dataset, Pinned
from driftkit.datasets.catalog import CATALOG

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "benchmarks.md"


def test_names_are_unique_and_every_field_is_filled() -> None:
    assert len(REGISTRY) == len(CATALOG) == 21
    for dataset in CATALOG:
        assert re.fullmatch(r"[a-z0-9-]+", dataset.name)
        assert dataset.language == "en"
        assert dataset.licence
        assert re.fullmatch(r".+ (19|20)\d\d, .{10,}", dataset.citation)
        if isinstance(dataset.origin, Pinned):
            assert re.fullmatch(r"[0-9a-f]{40}", dataset.origin.commit)
            assert re.fullmatch(r"[0-9a-f]{64}", dataset.origin.sha256)


@needs_shared
def test_pins_are_those_under_which_the_files_were_gathered() -> None:
    with (SHARED / "SOURCES.tsv").open(encoding="utf-8", newline="") as file:
        sources = {row["file"]: row for row in csv.DictReader(file, delimiter="\t")}
    for dataset in CATALOG:
        origin = dataset.origin
        if isinstance(origin, Pinned):
            source = sources[f"{dataset.task}/{origin.file}"]
            assert origin.sha256 == source["sha256"]
            assert (origin.repository, origin.commit) == (source["repository"], source["commit"])
            assert f"{origin.folder}/{origin.file}" == source["path in repository"]


@pytest.mark.parametrize("dataset", CATALOG, ids=lambda dataset: dataset.name)
def test_the_page_of_benchmarks_lists_it(dataset: Dataset) -> None:
    (row,) = (
        line
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith(f"| `{dataset.name}` |")
    )
    assert f"| {dataset.n_items:,} |" in row
    assert f"| {dataset.licence} |" in row
    assert dataset.citation in row
    if isinstance(dataset.origin, Pinned):
        assert dataset.origin.url in row
    else:
        assert dataset.origin.package in row
