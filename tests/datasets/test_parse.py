from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from driftkit.datasets import (
    AnalogyBenchmark,
    CategorizationBenchmark,
    SimilarityBenchmark,
    parse,
)
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
