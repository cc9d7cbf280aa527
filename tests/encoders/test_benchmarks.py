"""Benchmarks are asked of an encoder itself, about their own words and sentences."""

import shutil

import numpy as np
import pytest
import torch
from shared_data import SHARED, needs_shared

import driftkit as dk
from driftkit.datasets import AnalogyBenchmark, SimilarityBenchmark, get
from driftkit.encoders import encode, open_encoder
from driftkit.errors import BenchmarkError, OptionError
from driftkit.evaluators import Analogy, PairedAnswers, Similarity

SENTENCES = SimilarityBenchmark(
    "toy",
    (
        ("green tea is good", "black tea is good"),
        ("green tea is good", "coffee is bad"),
        ("coffee is black", "coffee is bad"),
        ("tea is black", "is tea black"),
    ),
    np.array([4.0, 1.0, 2.5, 5.0]),
)


def letters(texts):
    """Encode a text by its letters."""
    return [
        [text.count(letter) + 0.1 * at for at, letter in enumerate("aeiotdg")] for text in texts
    ]


def of_numbers(texts):
    """Encode words so that king - man + woman is nearest to queen."""
    known = {"man": (1, 0, 0), "king": (1, 1, 0), "woman": (0, 0, 1), "queen": (0, 1, 1)}
    return [known.get(text, (9.0, -9.0, 9.0)) for text in texts]


@pytest.fixture
def sick(monkeypatch, cache_folder):
    """The file of SICK where downloads go."""
    if not SHARED.is_dir():
        pytest.skip(f"the shared data folder is not at {SHARED}")
    place = cache_folder.parent / "sentences"
    place.mkdir(parents=True)
    shutil.copyfile(
        SHARED / "sentences" / "SICK_test_annotated.txt", place / "SICK_test_annotated.txt"
    )
    monkeypatch.setenv("DRIFTKIT_OFFLINE", "1")


# --- one encoder ----------------------------------------------------------------------------------


def test_every_item_is_answered_whatever_the_table_holds():
    table = encode(letters, {"q1": "a question"})
    for source in (table, table.encoder):
        scores = dk.score(source, [SENTENCES, "ws353"])
        assert [(score.n_used, score.oov) for score in scores] == [(4, ())] * 2 + [(353, ())] * 2
    direct = Similarity(SENTENCES).score((SENTENCES_TEXTS, letters(SENTENCES_TEXTS)))
    assert Similarity(SENTENCES).score(table).value == pytest.approx(direct.value, abs=1e-12)


SENTENCES_TEXTS = sorted({text for pair in SENTENCES.pairs for text in pair})


def test_analogies_are_sought_among_the_words_of_the_benchmark():
    questions = ("man", "king", "woman", "queen"), ("woman", "queen", "man", "king")
    toy = AnalogyBenchmark("kings", questions, ("", ""))
    scores = dk.score(open_encoder(of_numbers), [Analogy(toy)])
    assert (scores[0].value, scores[0].n_used) == (1.0, 2)
    assert scores.notes == (
        "of_numbers: answers of kings are sought among the 4 words of the benchmark, since an "
        "encoder has no vocabulary",
    )


def test_sick_is_among_the_default(sick):
    assert {score.benchmark for score in dk.score(open_encoder(letters))} == {
        "ws353", "simlex999", "sick",
    }  # fmt: skip


def test_a_default_that_is_not_here_is_left_out_and_told(monkeypatch):
    monkeypatch.setenv("DRIFTKIT_OFFLINE", "1")
    scores = dk.score(open_encoder(letters))
    assert {score.benchmark for score in scores} == {"ws353", "simlex999"}
    assert scores.notes == (
        "letters: the benchmark sick is left out: `driftkit datasets fetch sick` says why",
    )
    with pytest.raises(BenchmarkError, match="downloads are off"):
        dk.score(open_encoder(letters), ["sick"])


def test_sentences_asked_of_a_table_say_what_to_do():
    table = dk.Embeddings(["tea", "coffee"], np.eye(2))
    (score, _) = dk.score(table, [SENTENCES])
    assert score.n_used == 0
    assert score.reason.startswith("it asks about sentences, which no table of words has; give an ")
    change = dk.compare_scores(dk.align(table, table), [SENTENCES])[0]
    assert change.reason == score.reason
    given = dk.Embeddings(SENTENCES_TEXTS, letters(SENTENCES_TEXTS))  # encoded elsewhere
    assert dk.score(given, [SENTENCES])[0].n_used == 4


class OfStrangers:
    """An evaluator that looks its words up in a table."""

    benchmark, measure = SENTENCES, "toy"

    def score(self, table):
        raise AssertionError(table)

    def compare(self, pair):
        return PairedAnswers("toy", pair, None, None, None)


def test_an_evaluator_of_others_needs_a_table():
    with pytest.raises(BenchmarkError, match=r"an encoder has none; give a table: dk.encode"):
        dk.score(open_encoder(letters), [OfStrangers()])


# --- against a direct computation -----------------------------------------------------------------


@needs_shared
def test_minilm_scores_as_sentence_transformers_and_scipy_say(minilm, sick):
    """One text at a time on both sides: in other batches rounding may swap two ranks."""
    from scipy.stats import pearsonr, spearmanr
    from sentence_transformers import SentenceTransformer

    some = [
        SimilarityBenchmark(f"some of {whole.name}", whole.pairs[:60], whole.gold[:60])
        for whole in (get("ws353"), get("sick"))
    ]
    scores = dk.score(open_encoder(minilm, batch_size=1), some)
    model = SentenceTransformer(str(minilm), device="cpu")
    for benchmark in some:
        left, right = (
            model.encode(list(side), batch_size=1).astype(np.float64)
            for side in zip(*benchmark.pairs, strict=True)
        )
        lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
        cosines = (left * right).sum(1) / lengths
        found = {
            score.measure: score.value for score in scores if score.benchmark == benchmark.name
        }
        assert found["spearman"] == pytest.approx(spearmanr(benchmark.gold, cosines)[0], abs=1e-6)
        assert found["pearson"] == pytest.approx(pearsonr(benchmark.gold, cosines)[0], abs=1e-6)


# --- two encoders ---------------------------------------------------------------------------------


@pytest.fixture
def tuned(bert, tmp_path):
    """The tiny model with other weights."""
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(bert, tmp_path / "tuned")
    weights = load_file(folder / "model.safetensors")
    noise = torch.Generator().manual_seed(0)
    for value in weights.values():
        value += 0.1 * torch.randn(value.shape, generator=noise)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder


def test_both_are_compared_on_the_same_items(bert, tuned):
    tables = [
        encode(folder, {"a": "green tea", "b": "tea"}, pooling="mean") for folder in (bert, tuned)
    ]
    change = dk.compare_scores(dk.align(*tables), [SENTENCES])[0]
    assert (change.n_used, change.n_total) == (4, 4)
    for side, table in zip(("original", "tuned"), tables, strict=True):
        assert getattr(change, side) == pytest.approx(dk.score(table, [SENTENCES])[0].value)


def test_an_audit_of_encoders_asks_the_default_of_encoders(bert, tuned, sick):
    items = ["green tea", "tea", "black coffee", "coffee", "good tea", "bad coffee"]
    tables = [encode(folder, items, pooling="mean") for folder in (bert, tuned)]
    found = dk.audit(dk.align(*tables), k=2, resamples=100)
    assert [change.name for change in found.scores] == ["ws353", "simlex999", "sick"]
    source = found.to_dict()["sources"]["original"]
    assert (source["sha256"], source["key"]) == (tables[0].encoder.fingerprint, "mean pooling")
    with pytest.raises(OptionError, match="no rows that could be moved"):
        dk.audit(dk.align(*tables), null=True)


def test_a_second_audit_encodes_nothing(bert, tuned, monkeypatch):
    """Neither the items nor the words of the benchmarks."""

    def audited():
        tables = [encode(folder, ["tea", "coffee"], pooling="cls") for folder in (bert, tuned)]
        made = dk.audit(dk.align(*tables), [SENTENCES], k=1, resamples=100)
        return made.to_dict() | {"time": ""}

    first = audited()
    monkeypatch.setattr("transformers.AutoModel.from_pretrained", None)  # nobody may call it
    assert audited() == first


def test_several_tuned_models_share_the_original_of_a_memo(bert, tuned):
    asked = []

    def counted(texts):
        asked.extend(texts)
        return letters(texts)

    original = encode(counted, ["tea", "coffee"])
    other = encode(letters, ["tea", "coffee"])
    memo = {}
    for _ in range(3):
        dk.compare_scores(dk.align(original, other), [SENTENCES], memo=memo, resamples=100)
    assert len(asked) == 2 + len(SENTENCES_TEXTS)


def test_an_encoder_against_a_table_is_compared_on_the_names(bert):
    encoded = encode(letters, ["tea", "coffee"])
    table = dk.Embeddings(["tea", "coffee"], letters(["tea", "coffee"]))
    change = dk.compare_scores(dk.align(encoded, table), ["ws353"])[0]
    assert change.n_used < 353
