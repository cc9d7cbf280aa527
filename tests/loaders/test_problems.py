from driftkit.loaders.problems import LISTED, Problems
from driftkit.provenance import Problem


def test_a_million_problems_cost_a_thousand():
    problems = Problems()
    problems.add("one", None, "first")
    problems.add_many("blank line", range(1, 1_000_001), "skipped")
    for _ in range(5):
        problems.add("blank line", 7, "skipped")
    listed = problems.all()
    assert len(listed) == LISTED + 2
    assert listed[1] == Problem("blank line", 1, "skipped")
    assert listed[-1] == Problem("blank line", None, "999,005 more like these")


def test_problems_made_elsewhere_come_first():
    problems = Problems([Problem("a", 1, "b")])
    problems.add("c", None, "d")
    assert problems.all() == (Problem("a", 1, "b"), Problem("c", None, "d"))
    assert [str(problem) for problem in problems.all()] == ["a at 1: b", "c: d"]
