"""A stranger's measure, known by its name wherever driftkit's own are."""

import json
import sys

import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner

import driftkit as dk
from driftkit.cli import main
from driftkit.drift import space_drift, word_drift
from driftkit.errors import OptionError
from driftkit.gate.subjects import CHANGE, COUNTS, COVERAGE
from driftkit.measures import REGISTRY, Bounds, Measure, register_measure, registry
from driftkit.neighbors.optional_measures import shifts_with_measures
from driftkit.questions.finding import QUESTIONS
from driftkit.report.document import audit_schema

NAMES = ["head_cosine(first=3)", "first_kept@2", "mean_gap"]


@pytest.fixture
def clean():
    """What a test registers is gone after it."""
    kept = [(each, dict(each)) for each in (REGISTRY, registry._COMPUTATIONS)]
    yield
    for mapping, items in kept:
        mapping.clear()
        mapping.update(items)


def measure(name="mine", kind="word", **fields):
    declared = {"low": 0, "high": 10, "higher_is_better": True, "summary": "One.", "source": "us"}
    return Measure(name, kind, **{**declared, **fields})


def head_cosine(pair, first):
    x, y = (rows[:, : int(first)].astype(float) for rows in (pair.before, pair.after))
    with np.errstate(invalid="ignore"):
        return (x * y).sum(axis=1) / np.linalg.norm(x, axis=1) / np.linalg.norm(y, axis=1)


def first_kept(shifts):
    assert shifts.before.shape[1] == shifts.k == 2
    return shifts.before[:, 0] == shifts.after[:, 0]


def mean_gap(before, after):
    return np.linalg.norm(before.mean(axis=0) - after.mean(axis=0)) if len(before) > 1 else np.nan


@pytest.fixture
def ours(clean):
    """Three measures: of words by their rows, of words by their neighbors, and of the space."""
    head = measure(
        "head_cosine", low=-1, high=1, identity=1, parameters=(("first", 2),),
        accepted={"first": Bounds(1, whole=True)},
    )  # fmt: skip
    dk.register_measure(head, head_cosine)
    dk.register_measure(measure("first_kept", k=10, identity=1), first_kept, needs="neighbors")
    dk.register_measure(measure("mean_gap", "space", identity=0), mean_gap)


@pytest.fixture
def audited(ours, pair):
    return dk.audit(pair, benchmarks=["ws353"], resamples=100, measures=NAMES)


def test_frames_have_it(audited, pair):
    words = audited.to_frame("words")
    expected = head_cosine(pair, 3)
    np.testing.assert_allclose(words["head_cosine(first=3)"], expected)
    assert words["first_kept@2"].mean() == pytest.approx(
        (audited.shifts.before[:, 0] == audited.shifts.after[:, 0]).mean()
    )
    space = audited.to_frame("space").set_index(["measure", "group"]).sort_index()["value"]
    assert space["mean_gap", "moved"] == pytest.approx(
        mean_gap(pair.before[pair.moved], pair.after[pair.moved])
    )
    assert space["mean_gap", "rank 1-1000"] > 0
    summary = audited.to_frame("summary").set_index(["measure", "group"]).sort_index()["mean"]
    assert summary["head_cosine(first=3)", "moved"] == pytest.approx(expected[pair.moved].mean())


def test_groups_that_did_not_change_read_as_declared(audited):
    assert audited.space.find("mean_gap", "unmoved").value == 0


@pytest.mark.parametrize("needs", ["pair", "neighbors"])
def test_a_value_of_a_word_is_what_the_function_says_whatever_moved(clean, needs):
    register_measure(measure(identity=0), lambda of: np.full(len(of), 3.0), needs=needs)
    table, tuned = (dk.Embeddings("abc", rows) for rows in (np.eye(3), np.eye(3)[[1, 0, 2]]))
    for after in (table, tuned):
        found = dk.audit(dk.align(table, after), benchmarks=[], k=1, measures=["mine"])
        assert (found.to_frame("words")["mine"] == 3).all()


def test_documents_and_screens_have_it(audited):
    document = json.loads(json.dumps(audited.to_dict(top=1), allow_nan=False))
    jsonschema.Draft202012Validator(audit_schema()).validate(document)
    assert document["settings"]["measures"] == NAMES
    assert set(NAMES) <= set(document["drift"])
    assert document["words"][0]["measures"].keys() >= set(NAMES[:2])
    assert [name for name in NAMES if name in repr(audited)]


def test_the_command_and_its_rules_know_it(ours, saved, monkeypatch):
    monkeypatch.chdir(saved)
    tables = ("original.npy", "tuned.pt::embedding.weight", "-b", "ws353", "--resamples", "100")
    shown = CliRunner().invoke(main, ["audit", *tables, "-m", "mean_gap", "--json", "-"])
    assert "mean_gap" in json.loads(shown.stdout)["drift"], shown.output
    rules = ["head_cosine mean[moved] >= 0.3", "first_kept@2 mean[unmoved] >= 0.5",
             "mean_gap[unmoved] = 0", "word[good] head_cosine >= -1"]  # fmt: skip
    asked = [part for rule in rules for part in ("-r", rule)]
    checked = CliRunner().invoke(main, ["check", *tables, *asked])
    assert checked.exit_code == 0, checked.output


def test_asked_twice_in_a_notebook_is_no_error(clean):
    register_measure(measure(), lambda pair: np.zeros(len(pair)))
    register_measure(measure(), lambda pair: np.ones(len(pair)))
    pair = dk.align(*2 * [dk.Embeddings("ab", np.eye(2))])
    assert word_drift(pair, [measure()]).values["mine"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((measure("cka"), len), "'cka' is registered already; choose another name"),
        ((measure("twice", high=2), len), "'twice' is registered already"),
        ((measure("moved"), len), "'moved' has another meaning in rules"),
        ((measure(),), "needs a function that computes it"),
        ((measure(), 3), "give a Measure and a function"),
        (("mine", len), "give a Measure and a function"),
        ((measure(kind="analogy"), len), "takes no function; kinds 'word' and 'space' do, others"),
    ],
)
def test_what_cannot_be_registered_gets_one_sentence(clean, given, message):
    register_measure(measure("twice"), len)
    with pytest.raises(OptionError, match=message):
        register_measure(*given)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "my own"}, "a name is made of letters, digits, _ and -"),
        ({"low": 10}, "it ranges from 10 to 10, and low must be less than high"),
        ({"identity": 11}, "it reads 11 where nothing changed, and ranges from 0 to 10"),
        ({"k": 0}, "the depth must be 1 or more"),
        ({"parameters": (("p", 2),)}, "must name the same parameters"),
        (
            {"parameters": (("p", 2),), "accepted": {"p": Bounds(0, 1)}},
            "p=2 was given; p must be from 0 to 1",
        ),
    ],
)
def test_what_contradicts_itself_gets_one_sentence(fields, message):
    with pytest.raises(OptionError, match=message):
        measure(**fields)


@pytest.mark.parametrize(
    ("kind", "needs", "compute", "message"),
    [
        ("word", "pair", lambda _: [1.0], r"shape \(1,\), but 3 numbers, one for each word"),
        ("word", "pair", lambda _: ["x"] * 3, "was computed as <U1 of shape"),
        ("word", "pair", lambda _: [0, 11, 0], "came out as 11, outside its range of 0 to 10"),
        ("word", "neighbors", lambda _: [-1, 0, 0], "came out as -1, outside its range"),
        ("space", "pair", lambda *_: [1, 2], r"shape \(2,\), but one number was expected"),
    ],
)
def test_a_function_that_gives_something_else_is_refused(clean, kind, needs, compute, message):
    mine = measure(kind=kind)
    register_measure(mine, compute, needs=needs)
    pair = dk.align(*2 * [dk.Embeddings("abc", np.eye(3))])
    with pytest.raises(OptionError, match=message):
        word_drift(pair, [mine])
        space_drift(pair, measures=[mine])
        shifts_with_measures(pair, pair.words, 1, [mine])


@pytest.mark.parametrize(
    ("kind", "needs"), [("word", "pair"), ("word", "neighbors"), ("space", "pair")]
)
def test_a_function_that_fails_or_exits_is_named_and_what_it_prints_is_no_result(
    clean, capsys, kind, needs
):
    def leave(*_):
        sys.stdout.write("leaving\n")
        raise SystemExit

    mine = measure(kind=kind)
    register_measure(mine, leave, needs=needs)
    pair = dk.align(*2 * [dk.Embeddings("abc", np.eye(3))])
    with pytest.raises(OptionError, match=r"^mine could not be computed \(SystemExit\);") as told:
        dk.audit(pair, benchmarks=[], k=1, measures=["mine"])
    assert isinstance(told.value.__cause__, SystemExit)
    assert capsys.readouterr() == ("", "leaving\n")


def test_infinite_values_are_not_measured(clean):
    register_measure(measure("far", high=np.inf), lambda pair: [np.inf, 1, 1][: len(pair)])
    register_measure(measure("wide", "space", high=np.inf), lambda *_: np.inf)
    pair = dk.align(*(dk.Embeddings("abc", size * np.eye(3)) for size in (1, 2)))
    found = dk.audit(pair, benchmarks=[], k=1, measures=["far", "wide"])
    row = found.to_frame("summary").set_index(["measure", "group"]).loc[("far", "all")]
    assert (row["n"], row["unmeasured"], row["mean"]) == (2, 1, 1)
    assert found.space.find("wide").reason == "wide of these rows is not a finite number"
    json.dumps(found.to_dict(), allow_nan=False)


def test_rounding_past_the_end_of_the_range_is_no_error(clean):
    register_measure(measure(), lambda _: [10 + 1e-12, -1e-17])
    pair = dk.align(dk.Embeddings("ab", np.eye(2)), dk.Embeddings("ab", 2 * np.eye(2)))
    assert word_drift(pair, [measure()]).values["mine"].tolist() == [10, 0]


def test_names_that_mean_something_else_in_rules_are_reserved():
    assert {*COUNTS, *QUESTIONS, CHANGE, COVERAGE, "word", "words"} <= registry.RESERVED
