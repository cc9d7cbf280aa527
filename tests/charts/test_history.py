"""Control charts: what is drawn of a value, a gap, a band and a bound."""

import pytest
from small_weeks import RULES, SIZES, audit_of

import driftkit as dk
from driftkit.charts.history import control_chart, control_charts

pytest.importorskip("altair", reason="altair is not installed")

GAP = 4
FAR = ["self_cosine mean >= 0.9", "self_cosine mean >= -0.9"]


@pytest.fixture(scope="module")
def document():
    """Ten weeks, of which the fifth lacks a measure."""
    weeks = [
        audit_of(at + 1, size, measures=[] if at == GAP else ["jaccard"])
        for at, size in enumerate(SIZES)
    ]
    return dk.history(weeks, [*RULES, "jaccard mean >= 0.01", *FAR]).to_dict()


def layers_of(document, limit):
    (each,) = (each for each in document["trajectories"] if each["rule"] == limit)
    chart = control_chart(document["runs"], each).to_dict()
    for layer in chart["layer"]:
        layer["values"] = chart["datasets"][layer["data"]["name"]]
    return chart["layer"]


def drawn_by(layers, mark):
    return [layer["values"] for layer in layers if layer["mark"]["type"] == mark]


def test_every_run_is_drawn_and_a_gap_is_a_question_mark_with_its_reason(document):
    layers = layers_of(document, "jaccard mean >= 0.01")
    (points,) = drawn_by(layers, "point")
    (gaps,) = drawn_by(layers, "text")
    labels = [run["label"] for run in document["runs"]]
    assert [each["run"] for each in gaps] == [labels[GAP]]
    assert gaps[0]["reason"] == "its audit does not have it"
    assert sorted(each["run"] for each in [*points, *gaps]) == labels
    assert layers[0]["encoding"]["x"]["scale"]["domain"] == labels


def test_no_line_leads_over_a_gap(document):
    _, *stretches = drawn_by(layers_of(document, "jaccard mean >= 0.01"), "line")
    labels = [run["label"] for run in document["runs"]]
    assert [[each["run"] for each in stretch] for stretch in stretches] == [
        labels[:GAP],
        labels[GAP + 1 :],
    ]


def test_a_bound_far_off_does_not_press_the_values_together(document):
    for rule, is_inside in zip(FAR, (True, False), strict=True):
        low, high = layers_of(document, rule)[1]["encoding"]["y"]["scale"]["domain"]
        assert (low <= float(rule.split()[-1]) <= high) == is_inside


def test_bands_are_of_the_runs_that_have_one(document):
    (_, bands) = drawn_by(layers_of(document, "self_cosine mean >= baseline - 0.01"), "bar")
    assert len(bands) == len(SIZES) - 3


def test_a_status_has_its_three_places(document):
    chart = control_charts(document["runs"], document["trajectories"]).to_dict()
    (status,) = (panel for panel in chart["vconcat"] if "link" in str(panel["title"]))
    assert status["encoding"]["y"]["scale"]["domain"] == ["kept", "changed", "broken"]
    assert len(chart["vconcat"]) == len(document["trajectories"])
