"""Text of numbers alone: their words are in another file, or it is refused."""

import gzip
import warnings

import numpy as np
import pytest

from driftkit.errors import SourceError, VocabularyError
from driftkit.loaders import inspect, load
from driftkit.loaders.text.header import first_column

MATRIX = np.random.default_rng(0).normal(size=(60, 8))
WORDS = [f"w{i}" for i in range(60)]


@pytest.fixture
def saved(tmp_path):
    def saved(matrix=MATRIX, **settings):
        np.savetxt(tmp_path / "m.txt", matrix, **settings)
        return tmp_path / "m.txt"

    return saved


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"fmt": "%.5f"},
        {"fmt": "%9.5f"},
        {"fmt": "%g"},
        {"delimiter": "  "},
        {"fmt": "%.5f", "delimiter": " \t"},
        {"newline": "\r\n"},
        {"header": "60 8"},
        {"header": "60 8", "comments": ""},
        {"header": "written by a script\nof numbers"},
        {"fmt": "%.3e", "newline": " \n"},
    ],
)
def test_what_savetxt_writes_is_what_loadtxt_reads(saved, settings):
    path = saved(**settings)
    table = load(path, vocab=WORDS)
    skip = int(settings.get("comments") == "")
    assert list(table.words) == WORDS
    assert np.array_equal(table.matrix, np.loadtxt(path, skiprows=skip).astype(np.float32))
    assert table.source.dtype == "text"
    assert load(path, vocab=WORDS, limit=3).words == ("w0", "w1", "w2")
    assert load(path, vocab=WORDS, words=["w59"]).matrix.tolist() == table.matrix[59:].tolist()


def test_the_rounding_is_that_of_text(saved):
    assert load(saved(fmt="%.5f"), vocab=WORDS).source.rounding.absolute == 5e-6


def test_the_words_beside_it_are_found(saved, tmp_path):
    path = saved()
    (tmp_path / "m.vocab.txt").write_text("\n".join(WORDS))
    assert list(load(path).words) == WORDS
    found = inspect(path)
    assert (found.format, found.words, found.last_word) == ("text", 60, "w59")
    assert found.vocabulary == str(tmp_path / "m.vocab.txt")
    packed = tmp_path / "m.txt.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert list(load(packed).words) == WORDS


def test_without_words_both_readings_are_named(saved):
    path = saved()
    with pytest.raises(SourceError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: holds lines of 8 numbers and no other word, which can be read in two ways: as 8 "
        "numbers for each row, whose words are in another file (name it: --vocab FILE, vocab=), or "
        "as a word that is a number and 7 more (put a first line ROWS 7, as word2vec does)."
    )


@pytest.mark.parametrize("words", [WORDS[:59], [*WORDS, "more"]])
def test_each_row_needs_a_word(saved, words):
    with pytest.raises(VocabularyError, match="the matrix has 60 rows and the vocabulary given"):
        load(saved(), vocab=words)


def test_the_header_chooses(write):
    rows = "".join(f"{i}.5 {i}.25 1\n" for i in range(5))
    table = load(write("5 2\n" + rows))
    assert (table.words[1], table.dimensions, table.source.format) == ("1.5", 2, "word2vec-text")
    assert load(write("5 3\n" + rows), vocab=WORDS[:5]).dimensions == 3
    with pytest.raises(SourceError, match="3 numbers in each line, as its header says, and no w"):
        load(write("5 3\n" + rows))
    whole = "".join(f"{i} {2 * i} 1\n" for i in range(5))
    for vocab in (None, WORDS[:5]):
        with pytest.raises(SourceError, match="put a first line ROWS 3, and name it"):
            load(write(whole), vocab=vocab)
    assert load(write("5 3\n" + whole), vocab=WORDS[:5]).matrix[1].tolist() == [1, 2, 1]
    assert load(write("5 2\n" + whole)).words == ("0", "1", "2", "3", "4")


def test_words_that_are_years_or_ids_are_words(write):
    rows = "".join(f"{year} 0.{year} 1.5\n" for year in range(1900, 2000))
    table = load(write(rows))
    assert (table.words[0], table.words[-1], table.dimensions) == ("1900", "1999", 2)
    with pytest.raises(SourceError, match="has words of its own"):
        load(write(rows), vocab=[str(i) for i in range(100)])
    found = inspect(write(rows))
    assert found.problems == (
        "words that look like numbers: all of them are numbers ('1900', '1901', '1902', ...): are "
        "these the words?",
    )


def test_one_word_among_numbers_makes_a_table_of_words(write):
    rows = "".join(f"{i}.5 {i}.25 1\n" for i in range(500))
    assert load(write(rows + "aardvark 1 2\n")).words[-1] == "aardvark"
    assert load(write("# 1.5 2.5\n" + rows)).words[0] == "#"


def test_ids_that_repeat_are_refused():
    assert first_column([[b"0", b"0.5"], [b"0", b"1.5"]]) == "either"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda line: line + " 1", "line 31 has 9 numbers where other lines have 8"),
        (lambda line: line.rpartition(" ")[0], "line 31 has 7 numbers where other lines have 8"),
        (lambda line: "x" + line, "line 31 holds 'x"),
        (lambda line: "nan" + line[line.index(" ") :], "a number past 3.4e38 (line 31); vectors"),
    ],
)
def test_a_broken_line_is_named(saved, write, change, sentence, monkeypatch):
    from driftkit.loaders.text import header

    monkeypatch.setattr(header, "SAMPLE_LINES", 5)
    monkeypatch.setattr("driftkit.loaders.text.reader.SAMPLE_BYTES", 500)
    lines = saved(fmt="%.5f").read_text().splitlines()
    lines[30] = change(lines[30])
    with pytest.raises(SourceError) as caught:
        load(write("\n".join(lines) + "\n"), vocab=WORDS)
    assert sentence in str(caught.value)


def test_a_line_of_more_whole_numbers_is_named(write):
    with pytest.raises(SourceError, match="line 4 has more numbers than the 2 of other lines"):
        load(write("4 2\n1 2\n3 4\n5 6 7\n8 9\n"), vocab=WORDS[:4])


def test_blank_lines_are_passed_over(write, saved):
    text = saved(fmt="%.5f").read_text().replace("\n", "\n\n  \n")
    table = load(write(text), vocab=WORDS)
    assert len(table) == 60
    assert {p.kind for p in table.problems} == {"blank line"}


@pytest.mark.parametrize(
    "template", ["{}\t{} {}", "{}\u00a0{} {}", "{}  {}  {}", " {} {} {}", "{:<9}  {:>9}  {:>9}"]
)
def test_tabs_and_several_spaces_after_every_word(write, template):
    rows = [("good", "0.5", "1.25"), ("caf\u00e9", "-0.5", "2.0"), ("a.b", "1.0", "-3.5")]
    table = load(write("\n".join(template.format(*row) for row in rows)))
    assert table.words == ("good", "caf\u00e9", "a.b")
    assert table.matrix.tolist() == [[0.5, 1.25], [-0.5, 2], [1, -3.5]]
    if "\t" not in template:  # which is a delimited table whose vectors are texts
        assert table.problems[0].kind == "spacing"
    assert inspect(write("\n".join(template.format(*row) for row in rows))).last_word == "a.b"


def test_a_tab_after_one_word_is_named(write):
    with pytest.raises(SourceError, match="line 2 has a tab where other lines have a space"):
        load(write("good 0.5 1.5\nodd\t1.5 2.5 3.5\n" + "bad 1 2\n" * 30))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("good 0.1 0.2\n".encode("utf-16"), "is UTF-16 or UTF-32 text; save it as UTF-8."),
        ("good 0.1 0.2\n".encode("utf-32"), "is UTF-16 or UTF-32 text; save it as UTF-8."),
        (b"good 0.1 0.2\rbad 0.1 0.2\r", "ends its lines with carriage returns alone"),
        ("good 0,1 0,25\nbad 0,1 -0,2\n", "its numbers have decimal commas (0,25)"),
        ("2 2\ngood 0,1 0,25\nbad 0,1 -0,2\n", "its numbers have decimal commas (0,25)"),
    ],
)
def test_text_of_other_kinds_is_named(write, content, sentence):
    with pytest.raises(SourceError) as caught:
        load(write(content))
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    "content", ["good,0.1,0.2\nbad,0.1,0.2\n", "good\t0.1\t0.2\nbad\t0.3\t0.4\n", "a;1;2\nb;3;4\n"]
)
def test_delimited_tables_are_left_to_others(content):
    from driftkit.loaders.text.reader import tells_text

    assert not tells_text(content.encode())


def test_a_file_of_words_is_never_warned_of(write):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load(write("404 0.5 1.5\ngood 0.5 1.5\n")).words == ("404", "good")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("# trained 2020\n{}", "line 1 seems to be a comment ('# trained 2020')"),
        ("#!/made by hand\n{}", "line 1 seems to be a comment ('#!/made by hand')"),
        ("# from 20 dumps of a wiki\n{}", "line 1 seems to be a comment"),
        ("<<<<<<< HEAD\n{}=======\n{}>>>>>>> main\n", "line 1 is left by a merge that git could"),
        ("{}=======\n{}>>>>>>> main\n", "line 4 is left by a merge that git could not finish"),
    ],
)
def test_comments_and_what_git_leaves_are_named(write, content, sentence):
    rows = "good 0.5 1.5 2.5\nbad 1.5 2.5 0.5\nfilm 0.25 0.75 1.25\n"
    with pytest.raises(SourceError) as caught:
        load(write(content.format(rows, rows)))
    assert sentence in str(caught.value)
