import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftkit.errors import OptionError, UnknownNameError
from driftkit.measures.registry import REGISTRY, parse_measure


@given(st.sampled_from(sorted(REGISTRY)), st.integers(1, 1000), st.floats(0.01, 0.99))
def test_names_round_trip(name, k, p):
    measure = REGISTRY[name]
    if measure.k is not None:
        measure = measure.at(k)
    assert parse_measure(str(measure)) == measure
    if measure.parameters == (("p", 0.9),):
        text = f"{name}(p={p:g})@{k}"
        assert str(parse_measure(text)) == text


@given(st.sampled_from([0, 1]), st.integers(0, 3_000_000))
def test_parameters_left_out_take_their_defaults(center, anchors):
    text = f"displacement(center={center},anchors={anchors})"
    assert str(parse_measure(text)) == text
    assert parse_measure(f"displacement(anchors={anchors})").parameters == (
        ("center", 0), ("anchors", anchors),
    )  # fmt: skip


def test_every_measure_declares_itself():
    for name, measure in REGISTRY.items():
        assert measure.name == name
        assert measure.low < measure.high
        assert measure.summary.endswith(".")
        assert measure.source


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("overlp@10", "unknown measure 'overlp': did you mean 'overlap'?"),
        ("rbo(q=1)", "unknown parameter of rbo 'q'"),
        ("rbo(p=high)", "'high' is not a number"),
        ("rbo(p=1)", "p must be between 0 and 1"),
        ("displacement(center=2)", "center must be 0 or 1"),
        ("displacement(anchors=1.5)", "anchors must be a whole number, 0 or more"),
        ("displacement(anchors=nan)", "'nan' is not a number"),
        ("overlap@0", "the depth must be 1 or more"),
        ("overlap@100001", "the depth must be 100,000 or less"),
        ("overlap@" + "9" * 6000, "no list of neighbors is that long"),
        ("cka@3", "measure cka has no depth"),
        ("overlap @ ten", "is not a measure's name"),
        ("", "is not a measure's name"),
    ],
)
def test_bad_names_get_one_sentence(text, message):
    with pytest.raises((OptionError, UnknownNameError)) as caught:
        parse_measure(text)
    assert message in str(caught.value)
