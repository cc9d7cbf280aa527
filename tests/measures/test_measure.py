import pytest

from driftkit.errors import OptionError
from driftkit.measures import Bounds, Measure


def test_its_repr_is_its_name_with_depth_and_parameters():
    plain = Measure("cka", "space", 0, 1, True, "One sentence.", "a paper")
    accepted = {"p": Bounds(0, 1), "q": Bounds(0)}
    deep = Measure(
        "rbo", "word", 0, 1, True, "One.", "a paper", 10, (("p", 0.9), ("q", 2.0)), accepted
    )
    assert repr(plain) == "cka"
    assert repr(deep) == "rbo(p=0.9,q=2)@10"
    assert repr(deep.at(3)) == "rbo(p=0.9,q=2)@3"


def test_a_depth_only_where_there_is_one():
    plain = Measure("cka", "space", 0, 1, True, "One sentence.", "a paper")
    with pytest.raises(OptionError, match="measure cka has no depth, so @3 cannot be asked of it"):
        plain.at(3)
