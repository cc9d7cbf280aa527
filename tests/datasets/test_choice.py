import pytest

from driftkit.datasets import get, read_choices
from driftkit.errors import BenchmarkError

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
        (QUESTIONS, None, "cannot be read: No such file"),
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
