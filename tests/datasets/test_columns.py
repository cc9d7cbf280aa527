from __future__ import annotations

from pathlib import Path

import pytest

from driftkit.datasets import (
    Benchmark,
    CategorizationBenchmark,
    OutlierBenchmark,
    OutlierGroup,
    SimilarityBenchmark,
    parse,
)
from driftkit.errors import BenchmarkError


def read(folder: Path, text: str) -> Benchmark:
    path = folder / "mine.csv"
    path.write_text(text, encoding="utf-8")
    return parse(path)


@pytest.mark.parametrize(
    "text",
    [
        # as in vecto-ai/word-benchmarks
        ",word1,word2,similarity\n0,old,new,1.58\n1,smart,clever,9.2\n",
        # as SimLex-999's authors publish it
        "word1\tword2\tPOS\tSimLex999\tconc(w1)\nold\tnew\tA\t1.58\t2.7\nsmart\tclever\tA\t9.2\t2\n",
        # as WordSim-353's authors publish it
        "Word 1,Word 2,Human (mean)\nold,new,1.58\nsmart,clever,9.2\n",
        "score;w2;w1\n1.58;new;old\n9.2;clever;smart\n",
    ],
)
def test_similarity_by_the_names_of_its_columns(tmp_path: Path, text: str) -> None:
    benchmark = read(tmp_path, text)
    assert isinstance(benchmark, SimilarityBenchmark)
    assert benchmark.pairs == (("old", "new"), ("smart", "clever"))
    assert benchmark.gold.tolist() == [1.58, 9.2]


@pytest.mark.parametrize(
    "text",
    [
        ",category,word\n0,animal,lion\n1,animal,carp\n2,animal,\n3,fruit,fig\n",
        "Word\tCategory\nlion\tanimal\ncarp\tanimal\nfig\tfruit\n",
    ],
)
def test_categories_by_the_names_of_their_columns(tmp_path: Path, text: str) -> None:
    benchmark = read(tmp_path, text)
    assert isinstance(benchmark, CategorizationBenchmark)
    assert benchmark.words == ("lion", "carp", "fig")
    assert benchmark.labels == ("animal", "animal", "fruit")


def test_outliers_by_the_names_of_their_columns(tmp_path: Path) -> None:
    text = (
        ",category,outliers,words\n"
        "0,Big_cats,\"['dog', 'car', '']\",\"['tiger', 'lion']\"\n"
        '1,Revolts,"[\'oxymoron\']","[""Peasants\'_Revolt"", \'Nika_riots\', \'Easter\']"\n'
    )
    benchmark = read(tmp_path, text)
    assert isinstance(benchmark, OutlierBenchmark)
    assert benchmark.groups == (
        OutlierGroup("Big_cats", ("tiger", "lion"), ("dog", "car")),
        OutlierGroup("Revolts", ("Peasants'_Revolt", "Nika_riots", "Easter"), ("oxymoron",)),
    )
    assert len(benchmark) == 3

    unnamed = read(tmp_path, "words\toutliers\n['a', 'b']\t['c']\n")
    assert isinstance(unnamed, OutlierBenchmark)
    assert unnamed.groups[0].name == "line 2"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("word,category\n", "no item follows"),
        ("word,category\nlion,animal,cat\n", "line 2: .* has 3 fields, not 2"),
        ("word,category\nlion,\n", "line 2: .* has an empty field"),
        ("word1,word2,score\nold,new,high\n", "'high' where a number belongs"),
        ("word1,word2,score\nold,new,inf\n", "'inf' where a number belongs"),
        ("words\toutliers\n['a', 'b']\tc\n", "line 2: .* needs lists such as"),
        ("words\toutliers\n['a', 'b']\t[1]\n", "needs lists such as"),
        ("words\toutliers\n['a', 'b']\t('c',)\n", "needs lists such as"),
        ("words\toutliers\n['a', 'b']\t__import__('os').getcwd()\n", "needs lists such as"),
        ("words\toutliers\n['a', 'b']\t" + "[" * 90_000 + "\n", "needs lists such as"),
        ("words\toutliers\n['a']\t['b']\n", "needs two words or more"),
        ("words\toutliers\n['a', 'b']\t['']\n", "needs two words or more"),
        ("words\toutliers\n['a', 'b']\t['b', 'c']\n", "'b' both among the words"),
    ],
)
def test_lines_that_do_not_fit_are_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BenchmarkError, match=said) as caught:
        read(tmp_path, text)
    assert str(tmp_path / "mine.csv") in str(caught.value)


def test_names_of_columns_that_mean_nothing_are_skipped(tmp_path: Path) -> None:
    benchmark = read(tmp_path, "left,right,human\nold,new,1.58\n")
    assert isinstance(benchmark, SimilarityBenchmark)
    assert benchmark.pairs == (("old", "new"),)
