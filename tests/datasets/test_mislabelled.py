from __future__ import annotations

from pathlib import Path

import pytest
from shared_data import SHARED, needs_shared

from driftkit.datasets import SimilarityBenchmark, get
from driftkit.datasets.mislabelled import NOT_SIMLEX, YP130
from driftkit.errors import BenchmarkError


def as_csv(path: Path, rows: list[tuple[str, str, float]]) -> Path:
    """Write a file the way the collection with the two mislabelled sets does."""
    lines = [f"{number},{a},{b},{score}" for number, (a, b, score) in enumerate(rows)]
    path.write_text("\n".join([",word1,word2,similarity", *lines]) + "\n")
    return path


@pytest.mark.parametrize("name", ["simlex999.csv", "renamed.csv"])
def test_simlex_pairs_with_other_ratings_are_refused(tmp_path: Path, name: str) -> None:
    simlex = get("simlex999")
    assert isinstance(simlex, SimilarityBenchmark)
    rows = [
        (a, b, NOT_SIMLEX.get((a, b), score))
        for (a, b), score in zip(simlex.pairs, simlex.gold.tolist(), strict=True)
    ]
    with pytest.raises(BenchmarkError, match="is not SimLex-999") as caught:
        get(as_csv(tmp_path / name, rows))
    assert "use the name simlex999" in str(caught.value)


def test_simlex_itself_is_not_refused_however_it_is_written(tmp_path: Path) -> None:
    simlex = get("simlex999")
    assert isinstance(simlex, SimilarityBenchmark)
    assert set(simlex.pairs) >= NOT_SIMLEX.keys()
    rows = [(a, b, s) for (a, b), s in zip(simlex.pairs, simlex.gold.tolist(), strict=True)]
    again = get(as_csv(tmp_path / "simlex999.csv", rows))
    assert isinstance(again, SimilarityBenchmark)
    assert again.pairs == simlex.pairs
    assert again.gold.tolist() == simlex.gold.tolist()


def test_yp130_is_refused_under_the_name_of_verb143_only(tmp_path: Path) -> None:
    rows = [(a, b, 4.0) for a, b in sorted(YP130)]
    with pytest.raises(BenchmarkError, match="is not VERB-143: it holds YP-130"):
        get(as_csv(tmp_path / "verb-143.csv", rows))
    assert len(get(as_csv(tmp_path / "yp-130.csv", rows))) == 3
    assert len(get(as_csv(tmp_path / "verb143-mine.csv", [("happen", "say", 0.19)]))) == 1


@needs_shared
def test_the_real_sets_differ_where_the_check_looks() -> None:
    yp130, verb143 = (
        get(SHARED / "similarity" / f"{name}.txt") for name in ("EN-YP-130", "EN-VERB-143")
    )
    assert isinstance(yp130, SimilarityBenchmark)
    assert isinstance(verb143, SimilarityBenchmark)
    assert set(yp130.pairs) >= YP130
    assert not set(verb143.pairs) & YP130
