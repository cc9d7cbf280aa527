"""Words beside numbers: which column, which order, and when a number is part of the name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftkit.errors import VocabularyError
from driftkit.loaders.vocabulary.columns import of_lines
from driftkit.loaders.vocabulary.find import read_vocabulary

WORDS = [f"{a}{b}" for a in ("ba", "ko", "mi") for b in ("tu", "re", "la", "so")]
COUNTS = [900, 700, 700, 500, 80, 40, 9, 8, 5, 2, 1, 1]


@pytest.fixture
def read(tmp_path):
    def read(text, name="vocab.txt"):
        (path := tmp_path / name).write_text(text, encoding="utf-8")
        return read_vocabulary(path)

    return read


def lines(template, *columns):
    return "".join(template.format(*row) + "\n" for row in zip(*columns, strict=True))


@pytest.mark.parametrize(
    "text",
    [
        lines("{} {}", WORDS, COUNTS),
        lines("{}\t{}", WORDS, COUNTS),
        lines("{},{}", WORDS, COUNTS),
        lines("{};{}", WORDS, COUNTS),
        lines("{}|{}", WORDS, COUNTS),
        lines("{:>7} {}", COUNTS, WORDS),  # uniq -c
        lines('"{}",{}', WORDS, COUNTS),
        "word,count\n" + lines("{},{}", WORDS, COUNTS),
        "count\tword\n" + lines("{}\t{}", COUNTS, WORDS),
        "word\tkind\tcount\n" + lines("{}\tx\t{}", WORDS, COUNTS),
        "\n".join(f"{w} {c} #fairseq:overwrite" for w, c in zip(WORDS, COUNTS, strict=True)),
    ],
)
def test_counts_are_left_out_and_noted(read, text):
    found = read(text)
    assert list(found.words) == WORDS
    assert [p.kind for p in found.problems if p.kind != "columns"] == ["number beside a word"]
    assert found.problems[-1].detail.endswith("'batu' had 900")


@pytest.mark.parametrize("template", ["{0}\t{1}", "{0},{1}", "{0} {1}", "{1}\t{0}", "{1} {0}"])
@pytest.mark.parametrize("order", [range(12), [3, 1, 0, 2, *range(11, 3, -1)]])
def test_rows_from_0_give_the_order(read, template, order):
    text = lines(template, order, [WORDS[row] for row in order])
    assert (list(read(text).words), read(text).problems) == (WORDS, ())


@pytest.mark.parametrize("head", ["index,word", "Token_ID,Token", "id,name", ",word"])
def test_a_header_names_the_columns(read, head):
    order = [2, 0, 1]
    text = head + "\n" + lines("{},{}", order, [WORDS[row] for row in order])
    assert list(read(text).words) == WORDS[:3]


def test_of_several_columns_of_text_the_one_named_so_is_taken(read):
    table = lines("{}\t{}\t{}", "xyz", ["a", "b", "c"], "uvw")
    found = read("kind\tWord\tother\n" + table)
    assert found.words == ("a", "b", "c")
    assert str(found.problems[0]) == (
        "columns: the words are column 2 ('Word') of 3, the others are left out"
    )
    assert read("kind\tpos\tother\tword\n" + lines("x\ty\tz\t{}", ["1999", "2000"])).words == (
        "1999", "2000",
    )  # fmt: skip
    assert read(table).words == ("x", "y", "z")


def test_scores_of_sentencepiece_are_left_out(read):
    assert read("<unk>\t0\n▁the\t-3.25\n,\t-4\n").words == ("<unk>", "▁the", ",")


def test_a_word_may_hold_the_separator(read):
    assert read(",,500\nthe,300\nof,300\n").words == (",", "the", "of")
    assert read("0,the\n1,,\n2,of\n").words == ("the", ",", "of")
    assert read("0\tthe\n1\ta\tb\n2\tof\n").words == ("the", "a\tb", "of")


@pytest.mark.parametrize(
    "words",
    [
        ["iphone 1", "iphone 2", "iphone 3"],
        ["page 2", "page 1"],
        ["New York", "the"],
        ["in 2003", "the"],
        ["Boston, MA", "Salem, OR"],
        ["7 eleven", "apollo 13"],
        ["##1", "1", "the"],
        ["route 66"],
        [",", "the", "1,000"],
    ],
)
def test_names_stay_whole(read, words):
    found = read("\n".join(words))
    assert (list(found.words), found.problems) == (words, ())


@pytest.mark.parametrize(
    "text",
    [
        "route 66\ntop 10\n",  # fall, as any two numbers may
        "top 10\nroute 66\n",
        "aardvark 3\nabacus 17\nabbey 5\n",
        "a 0\nb 0\nc 1\n",
        lines("{} 5", WORDS),
        lines("{1} {0}", WORDS, [3, 1, *range(20, 30)]),
    ],
)
def test_numbers_after_a_space_that_can_be_either_are_refused(read, text):
    with pytest.raises(VocabularyError, match="a count or part of the name; put a tab"):
        read(text)


@pytest.mark.parametrize("text", ["b 2\nd 4\na 1\nc 3\n", "word\tindex\nb\t2\na\t1\n"])
def test_numbers_from_1_that_can_be_rows_or_counts_are_refused(read, text):
    with pytest.raises(VocabularyError, match="row numbers that start at 1 or counts"):
        read(text)
    assert read("a 1\nb 2\nc 3\n").words == ("a", "b", "c")
    assert read("word\tcount\nthe\t2\nof\t1\n").words == ("the", "of")


def test_words_that_are_numbers(read):
    assert read("1999\t1\n2000\t0\n").words == ("2000", "1999")
    assert read("0\t1999\n1\t2000\n").words == ("1999", "2000")
    for text in ("1999\t500\n2000\t300\n", "1999 500\n2000 300\n"):
        with pytest.raises(VocabularyError, match="nothing but numbers, so which column"):
            read(text)
    assert read("word\tcount\n1999\t500\n2000\t300\n").words == ("1999", "2000")
    (problem,) = read("1999\n2000\n").problems
    assert str(problem) == (
        "words that look like numbers: all of them are numbers ('1999', '2000'): are these the "
        "words?"
    )


def test_numbers_after_different_marks_are_refused(read):
    lines = [f"w{chr(97 + i)},{900 - i}" for i in range(25)]
    lines[-1] = lines[-1].replace(",", " ")
    with pytest.raises(VocabularyError, match="end in a number, after different marks"):
        read("\n".join(lines))


def test_lines_of_which_a_few_lack_the_number_are_refused(read):
    counted = [f"{word}{i} {900 - i}" for i, word in enumerate(WORDS * 2)]
    with pytest.raises(VocabularyError, match=r"but for line 5 \('the'\); mend that line"):
        read("\n".join([*counted[:4], "the", *counted[5:]]))


def test_merges_are_no_words(read):
    with pytest.raises(VocabularyError, match=r"lists merges of a BPE tokenizer"):
        read("#version: 0.2\nt h\nth e</w>\n")


def test_what_still_looks_like_columns_is_noted(read):
    (problem,) = read("a,1\na,2\nb:c,3\n").problems or [None]
    assert problem.kind == "number beside a word"
    found = read("1,000\n2,500\n3,100\n")
    assert found.words == ("1,000", "2,500", "3,100")
    assert found.problems[0].kind == "words that look like columns"


plain = st.text(
    st.characters(exclude_characters='\n\r"', exclude_categories=["Cs"]), min_size=1, max_size=6
)


@given(st.lists(plain, min_size=1, max_size=12, unique=True), st.randoms())
def test_row_numbers_and_a_tab_round_trip(tmp_path_factory, words, random):
    rows = [f"{word}\t{row}" for row, word in enumerate(words)]
    random.shuffle(rows)
    assert list(of_lines(["word\tindex", *rows], tmp_path_factory.getbasetemp()).words) == words


@pytest.mark.parametrize("line", ["x" + "," * 100_000, "x" + " " * 100_000 + "y", "1" * 100_000])
def test_long_lines_take_no_long_time(read, line):
    assert len(read(f"{line}\n{line}z\n")) == 2
