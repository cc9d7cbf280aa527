from pathlib import Path

import pytest

from driftkit import Embeddings
from driftkit.datasets import get, read_bats
from driftkit.errors import BenchmarkError
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
     ("\n", "holds no item")],
)  # fmt: skip
def test_files_that_do_not_fit(tmp_path, text, message):
    (tmp_path / "x.txt").write_text(text)
    with pytest.raises(BenchmarkError, match=message):
        read_bats(tmp_path)


def test_a_folder_without_files(tmp_path):
    with pytest.raises(BenchmarkError, match=r"holds no .txt file"):
        get(tmp_path)
