"""What a consumer is asked, of which inputs, and which answers are decisions."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import driftkit as dk
from driftkit.errors import OptionError
from driftkit.maps.asking import _is_regressor
from driftkit.maps.consumer import Consumer

WORDS = [f"w{row}" for row in range(400)]


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(5).normal(size=(400, 6)) + 0.3


def pair_of(before, after, words=WORDS):
    return dk.align(dk.Embeddings(words, before), dk.Embeddings(words, after))


def side(rows):
    return rows @ np.arange(1, 7) > 5


def flips_of(consumer, rows, among=None):
    return consumer.flips(consumer.decide(rows), among)


# --- consumers ------------------------------------------------------------------------------------


@pytest.fixture
def documents():
    rng = np.random.default_rng(4)
    return [[f"w{row}" for row in rng.integers(400, size=12)] for _ in range(300)]


def test_an_estimator_a_module_and_a_function_are_asked_alike(rows, documents):
    pair = pair_of(rows, rows[:, ::-1])
    means = np.stack([[rows[int(word[1:])] for word in each] for each in documents]).mean(axis=1)
    model = LogisticRegression().fit(means, means[:, 0] > 0.3)
    layer = torch.nn.Linear(6, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(np.vstack([-model.coef_, model.coef_])))
        layer.bias.copy_(torch.from_numpy(np.hstack([-model.intercept_, model.intercept_])))
    flips = [
        flips_of(Consumer(each, pair, documents), pair.after).flipped
        for each in (model, model.predict, layer)
    ]
    assert flips[0] == flips[1] == pytest.approx(flips[2], abs=0.01)
    assert flips[0] > 0.2
    assert layer.training


def test_the_rows_of_documents_are_given_where_they_are_read_one_by_one(rows, documents):
    def longest(documents):
        assert [each.shape for each in documents] == [(12, 6)] * 300
        return [np.linalg.norm(each, axis=1).argmax() for each in documents]

    found = dk.link(pair_of(rows, 2 * rows), longest, documents, reads="rows")
    assert (found.flips.flipped, found.status) == (0, "holds")


def test_lost_accuracy_and_its_interval(rows, documents):
    pair = pair_of(rows, rows[:, ::-1])
    right = side(np.stack([rows[[int(w[1:]) for w in each]].mean(axis=0) for each in documents]))
    found = dk.link(pair, side, documents, right.tolist()).flips
    assert found.accuracy[0] == 1
    low, high = found.lost
    assert low <= 1 - found.accuracy[1] <= high
    assert found.flipped == pytest.approx(1 - found.accuracy[1])


# --- what of the inputs a table holds -------------------------------------------------------------


def test_documents_without_a_word_of_the_original_table_are_left_out(rows):
    consumer = Consumer(side, pair_of(rows, rows), [*WORDS, "nothing known", "w3 w4"])
    assert (len(consumer), consumer.inputs.left_out) == (401, 1)


# --- inputs that repeat ---------------------------------------------------------------------------


@pytest.mark.parametrize("reads", ["means", "rows"])
def test_an_input_that_repeats_is_one_input(reads, rows, documents):
    def decides(given):
        return [side(np.atleast_2d(each).mean(axis=0)) for each in given]

    pair = pair_of(rows, rows[:, ::-1])
    once, often = (dk.link(pair, decides, documents[:2] * n, reads=reads) for n in (1, 500))
    assert (often.flips.n, often.flips.given) == (2, 1000)
    assert often.status == once.status == "weakened"
    assert (often.flips.low, often.flips.high) == (once.flips.low, once.flips.high)
    assert often.flips.high > 0.5
    assert "998 of 1,000 inputs repeat others and count once" in often.headline
    assert "repeat" not in once.headline


def test_an_input_is_what_the_consumer_is_given(rows):
    """A mean does not know the order of words, and words with equal rows are one word to it."""
    rows = rows.copy()
    rows[300:] = rows[300]
    tuned = rows[:, ::-1].copy()
    tuned[399] = 9
    pair = pair_of(rows, tuned)
    assert len(Consumer(side, pair)) == 302  # w399 was as the others, and is no more
    texts = ["w1 w2 w3", "w3 w1 w2", "w1 w1", "w1", "w300", "w301", "w300 w399"]
    read = [
        len(Consumer(decides, pair, texts, reads=reads))
        for reads, decides in (("means", side), ("rows", lambda given: [1] * len(given)))
    ]
    assert read == [4, 6]


def test_bytes_are_text(rows):
    """Whether the labels are, or the decisions."""
    pair, named = pair_of(rows, rows[:, ::-1]), np.array(["no", "yes"])

    def said(given):
        return named[side(given).astype(int)]

    as_bytes = [word.encode() for word in said(rows)]
    expected = flips_of(Consumer(said, pair, labels=said(rows)), pair.after)
    for labels in (as_bytes, np.array(as_bytes)):
        for asks in (said, lambda given: said(given).astype("S")):
            assert flips_of(Consumer(asks, pair, labels=labels), pair.after) == expected
    with pytest.raises(OptionError, match="name no class; give numbers or strings"):
        Consumer(said, pair, labels=[b"\xff"] * 400)


def test_repeated_inputs_with_unlike_labels_are_right_in_part(rows):
    pair = pair_of(rows, rows[:, ::-1])
    labels = [*side(rows), ~side(rows)[0], side(rows)[1]]
    found = flips_of(Consumer(side, pair, [*WORDS, "w0", "w1"], labels), pair.after)
    assert found.accuracy[0] == (399 + 1 / 2) / 400
    assert (found.n, found.given) == (400, 402)


def test_inputs_that_are_all_one_are_too_few(rows):
    with pytest.raises(OptionError, match="all of 40 inputs are one and the same to the consumer"):
        dk.link(pair_of(rows, 2 * rows), side, ["w1 w2", "w2 w1"] * 20)


def means(documents, held, rows):
    """Return the mean of the rows of each document's words that a table holds, or zeros."""
    found = [[rows[int(word[1:])] for word in each if word in held] for each in documents]
    return np.stack([np.mean(each or [np.zeros(6)], axis=0) for each in found])


def test_words_that_the_tuned_table_lost_flip_what_was_decided_by_them(rows, documents):
    held = [word for word in WORDS if int(word[1:]) % 3]
    tuned = dk.Embeddings(held, rows[[int(word[1:]) for word in held]])
    found = dk.link(dk.align(dk.Embeddings(WORDS, rows), tuned), side, documents)
    truly = side(means(documents, WORDS, rows)) != side(means(documents, held, rows))
    assert found.flips.flipped == truly.mean() > 0.05
    assert found.status == "broken"
    gone = sum(word not in held for each in documents for word in each)
    assert found.inputs.gone == gone
    assert f"{gone:,} of 3,600 words are gone from the tuned table" in found.headline


def test_an_input_of_which_no_word_is_left_is_decided_otherwise(rows):
    tuned = dk.Embeddings(WORDS[:300], rows[:300])
    found = dk.link(dk.align(dk.Embeddings(WORDS, rows), tuned), side, WORDS)
    assert found.flips.flipped == 0.25
    assert found.inputs.emptied == 100
    assert "100 inputs have no word left, which counts as decided otherwise" in found.headline
    assert dk.link(found.pair, side, WORDS, side(rows)).flips.accuracy == (1, 0.75)


def test_words_that_only_the_tuned_table_holds_are_read_with_its_rows(rows, documents):
    new = [f"new{at}" for at in range(300)]
    strange = np.random.default_rng(6).normal(size=(300, 6)) * 9
    tuned = dk.Embeddings([*WORDS, *new], np.vstack([rows, strange]))
    with_new = [[*each, word] for each, word in zip(documents, new, strict=True)]
    found = dk.link(dk.align(dk.Embeddings(WORDS, rows), tuned), side, with_new)
    before = means(documents, WORDS, rows)
    truly = side(before) != side((before * 12 + strange) / 13)
    assert found.flips.flipped == truly.mean() > 0.05
    assert found.inputs.added == 300


def test_a_map_is_judged_on_words_that_only_the_tuned_table_holds_too(rows, documents):
    new = [f"new{at}" for at in range(300)]
    known = np.random.default_rng(6).normal(size=(300, 6))
    tuned = dk.Embeddings([*WORDS, *new], -3 * np.vstack([rows, known]))
    with_new = [[*each, word] for each, word in zip(documents, new, strict=True)]
    pair = dk.align(dk.Embeddings(WORDS, rows), tuned)
    back = dk.fit_map(pair, consumer=side, inputs=with_new)
    consumer = Consumer(side, pair, with_new)
    table = back.apply(tuned).matrix
    _, second = consumer.halves(0)
    assert back.evidence.flips[1] == flips_of(consumer, table, second)
    assert back.evidence.inputs.added == 300


def test_without_documents_nobody_knows_whether_words_that_are_gone_are_read(rows):
    pair = pair_of(rows, rows)
    pair = dk.align(pair.original, dk.Embeddings(WORDS[:300], rows[:300]))
    for asked in ((), (side,)):
        found = dk.link(pair, *asked)
        assert found.status == "weakened"
        assert "100 words are gone, and no documents show whether they are read" in found.headline
    assert dk.link(pair, side, WORDS[:300]).status == "holds"


def test_words_unknown_for_their_capitals_are_counted(rows):
    documents = [f"W{row} w{row}" for row in range(400)] + ["W1", "The"]
    found = dk.link(pair_of(rows, rows), side, documents)
    assert found.inputs.left_out == 2
    assert found.inputs.in_lower_case == 401
    assert "402 of 802 words of the inputs are in neither table (such as W0, W1, W2)" in (
        found.headline
    )
    assert dk.fit_map(pair_of(rows, rows[:, ::-1]), consumer=side, inputs=documents).evidence.inputs


def test_a_refusal_says_what_was_left_out_too(rows):
    with pytest.raises(OptionError, match="2 of 2 words .* 1 of them only for their capitals"):
        dk.link(pair_of(rows, 2 * rows), side, ["W1", "The"])
    with pytest.raises(OptionError, match="1 input holds a word of the original table .1 holds no"):
        dk.link(pair_of(rows, 2 * rows), side, ["w0", "The"])


def test_nothing_is_said_of_inputs_that_were_read_whole(rows, documents):
    assert Consumer(side, pair_of(rows, rows), documents).inputs.notes == []


def test_inputs_may_be_read_only_once(rows, documents):
    found = dk.link(pair_of(rows, rows[:, ::-1]), side, iter(documents))
    assert found.flips.n == 300


# --- what decides, and what decides nothing -------------------------------------------------------


def test_a_decision_that_is_rare_may_not_be_lost_whole(rows):
    """One input in a hundred is called spam, and with the tuned rows none: 1 % flips."""
    length = np.linalg.norm(rows, axis=1)
    bound = np.sort(length)[-5]
    tuned = np.where(length[:, None] >= bound, 0.5 * rows, rows)
    found = dk.link(pair_of(rows, tuned), lambda rows: np.linalg.norm(rows, axis=1) > bound - 1e-4)
    assert found.flips.high < 0.03
    assert found.status == "weakened"
    assert "of 5 inputs that it called True, 100.0% are not called so now" in found.headline


class Fitted(ClassifierMixin, BaseEstimator):
    """A classifier without ``predict``."""

    def fit(self, x, y):
        self.inner_ = LogisticRegression().fit(x, y)
        self.classes_ = self.inner_.classes_
        return self


class Probabilities(Fitted):
    def predict_proba(self, x):
        return self.inner_.predict_proba(x)


class Unnamed:
    """One that does not say what it is, nor its classes."""

    def fit(self, x, y):
        self.inner = LogisticRegression().fit(x, y)
        return self

    def predict_proba(self, x):
        return self.inner.predict_proba(x)


class Margins(Fitted):
    def decision_function(self, x):
        return self.inner_.decision_function(x)


@pytest.fixture
def moods(rows):
    return np.where(side(rows), "good", "bad")


@pytest.mark.parametrize("kind", [LogisticRegression, Probabilities, Margins])
def test_classifiers_decide_by_what_they_have(kind, rows, moods):
    """And say their classes, which labels of strings are compared with."""
    pair = pair_of(rows, rows[:, ::-1])
    model = make_pipeline(StandardScaler(), kind()).fit(rows.astype(np.float32), moods)
    found = flips_of(Consumer(model, pair, WORDS, list(moods)), pair.after)
    plain = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, moods)
    decided = plain.predict(pair.before), plain.predict(pair.after)
    assert found.flipped == pytest.approx((decided[0] != decided[1]).mean(), abs=0.01)
    assert found.accuracy == pytest.approx([(each == moods).mean() for each in decided], abs=0.01)


def test_a_classifier_that_does_not_name_its_classes_numbers_them(rows, moods):
    model = Unnamed().fit(rows, moods)
    assert set(decided_by(model, rows)) == {0, 1}
    assert not _is_regressor(make_pipeline(StandardScaler(), model))
    with pytest.raises(OptionError, match="the consumer never says what the labels say"):
        dk.link(pair_of(rows, 2 * rows), model, labels=moods)


class Output(dict):
    """What a model of transformers returns."""

    @property
    def logits(self):
        return self["logits"]


class Model(torch.nn.Module):
    """A classifier with dropout, whose normalization is frozen."""

    def __init__(self, returns=lambda scores: scores):
        super().__init__()
        torch.manual_seed(0)
        self.frozen = torch.nn.BatchNorm1d(6).eval()
        self.inner = torch.nn.Sequential(torch.nn.Dropout(0.5), torch.nn.Linear(6, 3))
        self.returns = returns

    def forward(self, rows):
        return self.returns(self.inner(self.frozen(rows)))


def decided_by(consumer, rows):
    pair = pair_of(rows, rows[:, ::-1])
    return Consumer(consumer, pair).decide(pair.after)[0]


@pytest.mark.parametrize(
    ("returns", "kind"),
    [
        (lambda scores: scores, torch.float64),
        (lambda scores: scores, torch.bfloat16),
        (lambda scores: scores.argmax(dim=1), torch.float32),
        (lambda scores: Output(logits=scores, hidden=scores), torch.float32),
    ],
)
def test_a_module_is_asked_when_not_training_and_left_as_it_was(returns, kind, rows):
    model = Model(returns).to(kind)
    modes = [part.training for part in model.modules()]
    before = {name: each.clone() for name, each in model.state_dict().items()}
    decided = decided_by(model, rows)
    assert [part.training for part in model.modules()] == modes
    assert all(torch.equal(before[name], each) for name, each in model.state_dict().items())
    with torch.no_grad():
        plain = model.eval().inner(model.frozen(torch.from_numpy(rows[:, ::-1].copy()).to(kind)))
    assert (decided == plain.argmax(dim=1).numpy()).mean() > 0.98


def test_a_function_may_return_tensors_that_know_their_gradient(rows):
    layer = torch.nn.Linear(6, 2)
    decided = decided_by(lambda rows: layer(torch.from_numpy(rows)), rows)
    assert (decided == decided_by(layer, rows)).all()


def scores_of(rows):
    return rows @ np.arange(12, dtype=np.float32).reshape(6, 2)


CHANCE = np.random.default_rng(0)

REFUSED = {
    "one column of logits": (torch.nn.Linear(6, 1), "one column, and where it decides"),
    "one column of a function": (lambda rows: scores_of(rows)[:, :1], "one column, and where"),
    "a tuple": (Model(lambda scores: (scores, scores)), "a tuple of several things"),
    "a dict": (lambda rows: {"scores": scores_of(rows)}, "a dict of several things"),
    "scores without a threshold": (
        lambda rows: scores_of(rows)[:, 0],
        "name no class; decide at a threshold",
    ),
    "scores that are NaN": (lambda rows: scores_of(rows) * np.nan, "no numbers (NaN)"),
    "labels that are NaN": (
        lambda rows: scores_of(rows)[:, 0] * np.nan,
        "such as nan name no class",
    ),
    "labels that are no numbers": (lambda rows: [None] * len(rows), "such as None name no class"),
    "several labels": (lambda rows: scores_of(rows) > 0, "several labels at once"),
    "several names": (lambda rows: [["a", "b"]] * len(rows), "several labels for each input"),
    "the ids of near rows": (
        lambda rows: np.argsort(scores_of(rows), axis=1) + 1,
        "the ranks of a list",
    ),
    "the places of a sorted list": (
        lambda rows: np.argsort(scores_of(rows)[:, 0]),
        "the ranks of a list",
    ),
    "ranks": (
        lambda rows: np.argsort(np.argsort(scores_of(rows)[:, 0])) + 1,
        "the ranks of a list",
    ),
    "nothing": (lambda rows: None, "an array of shape ()"),
    "chance": (
        lambda rows: CHANCE.integers(2, size=len(rows)),
        "otherwise when it is asked again",
    ),
    "dropout": (
        lambda rows: torch.nn.functional.dropout(torch.from_numpy(rows)).numpy(),
        "otherwise when it is asked again",
    ),
    "a class": (LogisticRegression, "LogisticRegression is a class"),
    "one that is not fitted": (LogisticRegression(), "the consumer failed (NotFittedError"),
    "amounts": (
        make_pipeline(StandardScaler(), LinearRegression()).fit(np.eye(6), np.eye(6)),
        "predicts amounts; give a function that decides by them",
    ),
}


@pytest.mark.parametrize("consumer", REFUSED)
def test_what_is_no_decision_is_refused(consumer, rows):
    decides, said = REFUSED[consumer]
    with pytest.raises(OptionError) as caught:
        dk.link(pair_of(rows, 2 * rows), decides)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "labels",
    [np.array([True, False]), [1.0, 0.0], ["1", "0"], ["True", "False"], [np.True_, np.False_]],
)
def test_labels_are_those_that_are_decided_however_they_are_written(labels, rows):
    right = [labels[0] if each else labels[1] for each in side(rows)]
    pair = pair_of(rows, rows)
    assert flips_of(Consumer(side, pair, labels=right), pair.after).accuracy == (1, 1)


def test_a_consumer_that_says_one_thing_can_show_nothing(rows):
    pair = pair_of(rows, rows[:, ::-1])
    found = dk.link(pair, lambda rows: np.zeros(len(rows)))
    assert (found.status, found.flips.only) == ("weakened", "0")
    assert "it says 0 of all of them, which shows little" in found.headline
    assert found.map.reason == "the consumer says 0 of all of 200 inputs, which shows nothing"


def test_a_consumer_that_said_one_thing_may_say_another_of_tuned_rows(rows):
    longest = np.linalg.norm(rows, axis=1).max()
    found = dk.link(pair_of(rows, rows * 99), lambda rows: (rows**2).sum(axis=1) > longest**2 + 1)
    assert (found.status, found.flips.only) == ("broken", "False")
    assert "shows little" not in found.headline


def test_a_decision_of_its_own_about_each_input_is_one(rows):
    """The nearest original row, of words that are all in it."""
    found = dk.link(pair_of(rows, -rows), lambda given: (given @ rows.T).argmax(axis=1))
    assert found.flips.flipped > 0.9
    distinct = np.unique(rows[:, 0]).searchsorted
    assert dk.link(pair_of(rows, -rows), lambda given: distinct(given[:, 0])).flips.n == 400


def test_one_input_is_too_few(rows):
    with pytest.raises(OptionError, match="1 input holds a word of the original table; give 2"):
        dk.link(pair_of(rows, 2 * rows), side, ["w3"])
    both = dk.link(pair_of(rows, 2 * rows), side, ["w3", "w0"])
    assert both.flips.n == 2


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"inputs": ["w1"]}, "inputs are what a consumer decides about"),
        ({"consumer": 7}, "give a function of rows"),
        ({"consumer": side, "inputs": "w1 w2"}, "inputs is one string"),
        ({"consumer": side, "inputs": ["none"]}, "no input holds a word of the original table"),
        (
            {"consumer": side, "inputs": ["w1"], "labels": [1, 2]},
            "2 labels were given for 1 inputs",
        ),
        (
            {"consumer": side, "labels": ["good", "bad"] * 200},
            "it says False, True, and they are 'bad', 'good'",
        ),
        ({"consumer": side, "labels": [0.5] * 400}, "labels such as 0.5 name no class"),
        ({"consumer": side, "labels": np.eye(400)}, "labels such as [1.0, 0.0"),
        ({"consumer": side, "labels": 7}, "labels=7 was given; give a list"),
        ({"consumer": side, "labels": [1, None] * 200}, "labels such as None name no class"),
        ({"consumer": side, "labels": [1, "a"] * 200}, "labels of numbers and strings name no"),
        ({"consumer": side, "inputs": pd.DataFrame({"text": ["w1"]})}, "is a DataFrame; give"),
        ({"consumer": side, "inputs": {"text": ["w1"]}}, "inputs is a dict; give a list"),
        ({"consumer": side, "inputs": ["w1", np.nan]}, "input 2 holds nan, which is no word"),
        ({"consumer": side, "inputs": [("w1", 0)]}, "input 1 holds 0, which is no word"),
        ({"consumer": side, "inputs": [{"text": "w1"}]}, "input 1 holds {'text': 'w1'}"),
        ({"consumer": lambda rows: rows[:1]}, "returned an array of shape"),
        ({"consumer": lambda rows: 1 / 0}, "the consumer failed (ZeroDivisionError"),
        ({"consumer": side, "reads": "words"}, "it is means or rows"),
    ],
)
def test_natural_mistakes(asked, said, rows):
    with pytest.raises(OptionError) as caught:
        dk.link(pair_of(rows, 2 * rows), **asked)
    assert said in str(caught.value)
