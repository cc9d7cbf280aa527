import pytest

from driftkit.errors import OptionError, UnknownNameError
from driftkit.measures.registry import requested_measures


def test_a_depth_left_out_is_that_of_the_lists():
    found = requested_measures(["jaccard", "local_neighborhood@25", "l2", "antihub_share"], k=20)
    assert list(map(str, found)) == [
        "jaccard@20", "local_neighborhood@25", "l2", "antihub_share@20",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        (["jacard@5"], UnknownNameError, "did you mean 'jaccard'"),
        (["jaccard(p=1)"], UnknownNameError, "unknown parameter of jaccard 'p'"),
        (["spearman"], OptionError, "so it comes with a benchmark"),
        ("jaccard", OptionError, "is one string; give a list of names: ['jaccard']"),
        (["jaccard@0"], OptionError, "the depth must be 1 or more"),
    ],
)
def test_bad_names_get_one_sentence(names, error, message):
    with pytest.raises(error) as caught:
        requested_measures(names, k=10)
    assert message in str(caught.value)
