from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from shared_data import SHARED, needs_shared

from driftkit.datasets import (
    AnalogyBenchmark,
    Benchmark,
    CategorizationBenchmark,
    OutlierBenchmark,
    OutlierGroup,
    SimilarityBenchmark,
    get,
    parse,
)
from driftkit.datasets.parse import NOT_SIMLEX, YP130
from driftkit.errors import BenchmarkError

PAIRS = (("old", "new"), ("smart", "clever"))
GOLD = [1.58, 9.2]


def write(folder: Path, content: str | bytes, name: str = "mine.txt") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        "old\tnew\t1.58\nsmart\tclever\t9.2\n",
        "old,new,1.58\nsmart,clever,9.2\n",
        "old;new;1.58\nsmart;clever;9.2\n",
        "old new 1.58\nsmart  clever   9.2",
        "old\tnew\t1.58\r\nsmart\tclever\t9.2\r\n",
        "\ufeffold\tnew\t1.58\n\nsmart\tclever\t9.2\n\n",
        "# SimLex\n# Word 1\tWord 2\tHuman (mean)\nold\tnew\t1.58\nsmart\tclever\t9.2\n",
        "word1,word2,score\nold,new,1.58\nsmart,clever,9.2\n",
        'Word 1,Word 2,Human (mean)\nold,new,1.58\n"smart",clever,9.2\n',
        "Word 1 Word 2 Human (mean)\nold new 1.58\nsmart clever 9.2\n",
    ],
)
def test_similarity_in_every_dress(tmp_path: Path, content: str) -> None:
    benchmark = parse(write(tmp_path, content))
    assert isinstance(benchmark, SimilarityBenchmark)
    assert benchmark.name == "mine"
    assert benchmark.pairs == PAIRS
    assert benchmark.gold.tolist() == GOLD


def test_one_pair_is_a_benchmark_and_tabs_allow_spaces_in_words(tmp_path: Path) -> None:
    benchmark = parse(write(tmp_path, "New York\tbig apple\t8"))
    assert isinstance(benchmark, SimilarityBenchmark)
    assert benchmark.pairs == (("New York", "big apple"),)


def test_repeated_pairs_are_kept(tmp_path: Path) -> None:
    assert len(parse(write(tmp_path, "a b 1\na b 1\n"))) == 2


def test_analogies_with_and_without_sections(tmp_path: Path) -> None:
    plain = parse(write(tmp_path, "good better rough rougher\ngood best rough roughest\n"))
    assert isinstance(plain, AnalogyBenchmark)
    assert plain.quadruples[1] == ("good", "best", "rough", "roughest")
    assert plain.sections == ()
    assert plain.groups == {}

    text = ": family\nboy girl man woman\n: gram1\ngood better bad worse\nbad worse good better\n"
    sections = parse(write(tmp_path, text))
    assert isinstance(sections, AnalogyBenchmark)
    assert sections.categories == ("family", "gram1", "gram1")
    assert sections.groups == {"semantic": ("family",), "syntactic": ("gram1",)}


def test_tabs_between_the_words_of_analogies(tmp_path: Path) -> None:
    benchmark = parse(write(tmp_path, ":x\nNew York\tUS\tNew Delhi\tIndia\n"))
    assert isinstance(benchmark, AnalogyBenchmark)
    assert benchmark.quadruples == (("New York", "US", "New Delhi", "India"),)
    assert benchmark.sections == ("x",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "holds no benchmark item"),
        ("# only a comment\n\n", "holds no benchmark item"),
        (": section\n", "holds no benchmark item"),
        ("old new\n", "line 1"),
        ("old new 1\nold new one\n", "line 2: 'old new one'"),
        ("old new nan\nold new 2\n", "line 1"),
        ("old new 1\nold new inf\n", "line 2"),
        ("old\t\t1\nnew\told\t2\n", "line 1"),
        ("the 0.41 0.25 -0.1 0.3\nof 0.1 0.2 0.3 0.4\n", "line 1"),
        ("a b c d\na b c\n", "line 2: 'a b c'"),
        (": s\na b c d e\n", "line 2"),
        ("old new 1\na b c d\n", "line 1"),
        ("x" * 500 + "\n", "xxx..."),
        (b"old\xff\tnew\t1\n", "not UTF-8 text (byte 3)"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, content: str | bytes, said: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(BenchmarkError) as caught:
        parse(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert "four words" in str(caught.value)


def test_a_word_and_its_category_a_line(tmp_path: Path) -> None:
    text = "lion\tanimal\ncarp\tanimal\nNew York\tcity\norange\tfruit\norange\tcolor\n"
    for content in (text, text.replace("\t", ","), text.replace("\t", ";")):
        benchmark = parse(write(tmp_path, content))
        assert isinstance(benchmark, CategorizationBenchmark)
        assert benchmark.words == ("lion", "carp", "New York", "orange", "orange")
        assert benchmark.labels == ("animal", "animal", "city", "fruit", "color")
        assert benchmark.categories == ("animal", "city", "fruit", "color")
        assert len(benchmark) == 5


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("lion\tanimal\ntiger\tanimal\tcat\n", "line 2"),
        ("lion\tanimal\ncarp\t\n", "line 2"),
        ("animal\tlion\nanimal\tcarp\nfruit\tfig\n", "category of its own"),
        ("word,category\nlion,cat\ncarp,fish\n", "category of its own"),
        ("lion animal\ncarp animal\n", "line 2"),  # a space may stand inside a word
        ("the\t120\nof\t80\n", "line 1"),  # a list of frequencies
    ],
)
def test_what_is_no_categorization(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(BenchmarkError, match=said):
        parse(write(tmp_path, content))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any")


WORD = st.text(st.characters(categories=("L", "N", "S")), min_size=1, max_size=8)
SCORE = st.floats(-1e6, 1e6)


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(WORD, WORD, SCORE), min_size=1, max_size=5))
def test_what_is_written_with_tabs_is_read_back(
    folder: Path, rows: list[tuple[str, str, float]]
) -> None:
    text = "".join(f"{a}\t{b}\t{score!r}\n" for a, b, score in rows)
    benchmark = parse(write(folder, text))
    assert isinstance(benchmark, SimilarityBenchmark)
    assert benchmark.pairs == tuple((a, b) for a, b, _ in rows)
    assert benchmark.gold.tolist() == [score for _, _, score in rows]


PIECES = st.sampled_from(
    [b"word,category", b",", b"\t", b"\n", b"\r", b"'", b'"', b"[", b"]", b"word1,word2,score",
     b"category,outliers,words", b"\"['a','b']\"", b"a", b"1", b"nan", b":", b"#", b"\x00", b"\xff"]
)  # fmt: skip


@hypothesis_settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | st.lists(PIECES, max_size=30).map(b"".join))
def test_any_bytes_are_a_benchmark_or_one_error(folder: Path, content: bytes) -> None:
    path = write(folder, content)
    with contextlib.suppress(BenchmarkError):
        assert len(parse(path)) > 0


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
