import pytest

from driftkit.cli.judging import benchmarks_for
from driftkit.errors import UnknownNameError


def test_benchmarks_named_by_rules_join_those_asked_for():
    names = [each.name for each in benchmarks_for(["ws353"], ["simlex999", "ws353"])]
    assert names == ["ws353", "simlex999"]
    assert [each.name for each in benchmarks_for([], [])] == ["ws353", "simlex999", "google"]


def test_a_file_is_named_by_its_stem(tmp_path):
    (tmp_path / "mine.txt").write_text("good\tbad\t1\nbad\tgood\t2\n")
    assert [each.name for each in benchmarks_for([str(tmp_path / "mine.txt")], ["mine"])] == [
        "mine"
    ]


def test_an_unknown_one_is_told():
    with pytest.raises(UnknownNameError, match="did you mean 'simlex999'"):
        benchmarks_for(["ws353"], ["simlex99"])
