from pathlib import Path

import pytest

from driftkit import Embeddings
from driftkit.datasets import REGISTRY, WordSets, get, read_bats, read_choices, read_word_sets
from driftkit.errors import BenchmarkError, UnknownNameError
from driftkit.evaluators import Analogy


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The layout of BATS 3.0, with two relations of three pairs each."""
    files = {
        "1_Inflectional_morphology/I01 [noun - plural_reg].txt": "cat\tcats\ncar\tcars\n"
        "year\tyears\n",
        "4_Lexicographic_semantics/L07 [synonyms - intensity].txt": "big\tlarge/huge\n"
        "hot\tboiling/scorching/\n\ncold  icy\n",
    }
    for name, text in files.items():
        path = tmp_path / "BATS_3.0" / name
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "BATS_3.0"


def test_every_ordered_pair_of_lines_is_a_question(folder):
    bats = read_bats(folder)
    assert len(bats) == 2 * 3 * 2
    assert bats.quadruples[0] == ("cat", "cats", "car", "cars")
    at = bats.quadruples.index(("big", "large", "hot", "boiling"))
    assert bats.alternatives[at] == ("scorching",)
    assert bats.accepted[at] == ("boiling", "scorching")
    assert bats.sections == ("I01 [noun - plural_reg]", "L07 [synonyms - intensity]")
    assert list(bats.groups) == ["1_Inflectional_morphology", "4_Lexicographic_semantics"]


def test_it_is_found_by_its_folder_and_scored(folder):
    bats = get(folder)
    assert (bats.name, len(bats)) == ("BATS_3.0", 12)
    words = ["cat", "cats", "car", "cars", "year", "years", "hot", "scorching", "big", "huge"]
    rows = [[1, 0, 0, 0], [1, 0, 0, 1], [0, 1, 0, 0], [0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 1, 1],
            [1, 1, 0, 0], [1, 1, 0, 1], [-1, 0, 1, 0], [-1, 0, 1, 1]]  # fmt: skip
    found = Analogy(bats).score(Embeddings(words, rows))
    by_name = {s.category: s for s in found.scores}
    assert by_name["1_Inflectional_morphology"].value == 1
    # `large` and `boiling` are absent: what stands for them as answers are the alternatives,
    # but the example of a question is its first answer.
    assert by_name["L07 [synonyms - intensity]"].n_used == 0
    assert found.macro == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [("cat\tcats\ncar\n", "line 2: 'car' has no answer"), ("cat\tcats\n", "has one line"),
     ("\n", "holds no benchmark item")],
)  # fmt: skip
def test_folders_of_bats_that_do_not_fit(tmp_path, text, message):
    (tmp_path / "x.txt").write_text(text)
    with pytest.raises(BenchmarkError, match=message):
        read_bats(tmp_path)


def test_a_folder_without_files(tmp_path):
    with pytest.raises(BenchmarkError, match=r"holds no .txt file"):
        get(tmp_path)


QUESTIONS = """1. enormously
a. appropriately
b. uniquely
c. tremendously
d. decidedly

2. provisions
a. stipulations
b. interrelations
c. jurisdictions
d. interpretations
"""


def test_lines_of_esl(tmp_path):
    path = tmp_path / "esl.txt"
    path.write_text("# comment\nrusty | corroded | black | dirty | painted\nlump | chunk | stem\n")
    found = read_choices(path)
    assert found.stems == ("rusty", "lump")
    assert found.options[0] == ("corroded", "black", "dirty", "painted")
    assert found.right == (0, 0)
    assert get(path).options == found.options
    assert len(found) == 2


def test_the_two_files_of_toefl(tmp_path):
    path = tmp_path / "toefl.qst"
    path.write_text(QUESTIONS)
    path.with_suffix(".ans").write_text("1 a 1 c\n2 a 1 a\n")
    found = get(path)
    assert (found.name, found.stems) == ("toefl", ("enormously", "provisions"))
    assert [o[r] for o, r in zip(found.options, found.right, strict=True)] == [
        "tremendously", "stipulations",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("questions", "answers", "message"),
    [
        (QUESTIONS, "1 c\n", "no usable answer to question 2"),
        (QUESTIONS, "1 c\n2 g\n", "no usable answer to question 2"),
        (QUESTIONS, "one c\n", "line 1: 'one c' cannot be read"),
        (QUESTIONS, None, "cannot be read \\(No such file"),
        (QUESTIONS + "loose\n", "1 c\n2 a\n", "line 12: 'loose' cannot be read"),
    ],
)
def test_toefl_files_that_do_not_fit(tmp_path, questions, answers, message):
    path = tmp_path / "toefl.qst"
    path.write_text(questions)
    if answers is not None:
        path.with_suffix(".ans").write_text(answers)
    with pytest.raises(BenchmarkError, match=message):
        read_choices(path)


@pytest.mark.parametrize("line", ["a | b", "a | | c", " | b | c"])
def test_lines_that_do_not_fit(tmp_path, line):
    path = tmp_path / "mine.txt"
    path.write_text(f"a | b | c\n{line}\n")
    with pytest.raises(BenchmarkError, match="line 2"):
        read_choices(path)


def test_the_ten_tests_of_the_paper():
    """Sizes as in tables 1 to 10 of the supplement of Caliskan et al. 2017."""
    sizes = {
        name: tuple(len(words) for words in (sets.x, sets.y, sets.a, sets.b))
        for name, sets in ((name, get(name)) for name in REGISTRY if name.startswith("weat"))
    }
    assert sizes["weat1"] == sizes["weat2"] == (25, 25, 25, 25)
    assert sizes["weat4"] == (18, 18, 25, 25)
    assert sizes["weat5"] == (18, 18, 8, 8)
    assert sizes["weat6"] == sizes["weat7"] == sizes["weat8"] == sizes["weat10"] == (8, 8, 8, 8)
    assert sizes["weat9"] == (6, 6, 7, 7)
    assert list(sizes) == [f"weat{i}" for i in range(1, 11)]
    assert get("weat6").labels == ("male names", "female names", "career", "family")


def test_an_unknown_test_gets_the_nearest_name():
    with pytest.raises(UnknownNameError, match="did you mean 'weat1"):
        get("weat11")


def test_the_user_s_own(tmp_path):
    path = tmp_path / "mine.txt"
    text = "# mine\nX: a, b, a\nY: c, d\nA: e, f\nB: g, h\n"
    path.write_text(text)
    assert read_word_sets(path) == {
        "mine": WordSets(
            "mine", ("X", "Y", "A", "B"), ("a", "b"), ("c", "d"), ("e", "f"), ("g", "h")
        )
    }
    path.write_text(": one\n" + text + ": two\n" + text)
    assert list(read_word_sets(path)) == ["one", "two"]


@pytest.mark.parametrize(
    ("text", "message"),
    [("X: a, b\n", "has 1 sets"), ("X: a\n", "line 1: 'X: a'"), ("words\n", "line 1: 'words'")],
)
def test_word_sets_that_do_not_fit(tmp_path, text, message):
    path = tmp_path / "mine.txt"
    path.write_text(text)
    with pytest.raises(BenchmarkError, match=message):
        read_word_sets(path)
