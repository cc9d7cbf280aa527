import pytest

from driftkit.errors import SourceError, VocabularyError
from driftkit.loaders import load


@pytest.fixture
def pair(tmp_path):
    path = tmp_path / "run_tensors.tsv"
    path.write_text("0.25\t1.5\n-1.0\t2.75\n3.0\t4.0\n")
    (tmp_path / "run_metadata.tsv").write_text("word\tcount\ngood\t9\nbad\t7\nodd\t2\n")
    return path


def test_a_pair(pair):
    table = load(pair)
    assert (table.words, table.source.format) == (("good", "bad", "odd"), "projector")
    assert table.matrix.tolist() == [[0.25, 1.5], [-1, 2.75], [3, 4]]
    assert table.source.rounding.absolute == 0.005
    assert load(pair, words=["odd"]).matrix.tolist() == [[3, 4]]
    assert load(pair, vocab=["a", "b", "c"]).words == ("a", "b", "c")
    pair.write_text(pair.read_text().replace("\n", "\r\n"))
    assert load(pair).matrix.tolist() == [[0.25, 1.5], [-1, 2.75], [3, 4]]


def test_the_usual_names(pair):
    pair.with_name("run_metadata.tsv").unlink()
    with pytest.raises(VocabularyError, match=r"no metadata\.tsv with a word for each row"):
        load(pair)
    pair.with_name("metadata.tsv").write_text("good\nbad\nodd\n")
    assert load(pair).words == ("good", "bad", "odd")
    pair.with_name("metadata.tsv").write_text("good\nbad\n")
    with pytest.raises(VocabularyError, match=r"has 3 rows and metadata\.tsv has 2 words"):
        load(pair)


def test_broken_rows(pair):
    lines = ["0.25\t1.5"] * 30
    pair.write_text("\n".join([*lines, "x\t1"]))
    with pytest.raises(SourceError, match="is a TSV of numbers with a broken row"):
        load(pair)
    pair.write_text("\n".join([*lines, "1"]))
    with pytest.raises(
        SourceError, match="line 31 has fewer than the 2 numbers of the other lines"
    ):
        load(pair)
