import re

import numpy as np
import pytest

import driftkit as dk
from driftkit.display import to_text
from driftkit.report.terminal import audit_view


@pytest.fixture(scope="module")
def audited(pair):
    return dk.audit(pair, resamples=200)


@pytest.mark.parametrize("width", [60, 80, 140])
def test_an_audit_fits_the_width_and_loses_no_value(audited, width):
    text = to_text(audit_view(audited, top=4), width)
    assert max(map(len, text.splitlines())) <= width
    if width >= 80:
        assert "…" not in text
        for change in audited.scores:
            assert f"{change.original:.3f} {change.tuned:.3f}" in re.sub(" +", " ", text)
            assert change.status in text


def test_one_is_no_plural():
    one, other = (dk.Embeddings(["good"], [[float(x)]]) for x in (1, 2))
    for found in (dk.audit(dk.align(one, each), [], k=1) for each in (one, other)):
        text = " ".join(to_text(audit_view(found, 1, bands=True), 1000).split())
        assert not re.search(r"\b1 ([a-z]+ )?(words|items|rows|candidates|neighbors|dim)", text)
        (answer,) = (each for each in found.findings if each.question == "neighbors")
        assert answer.sentence == (
            "1 candidate for 1 neighbor agree by chance; the tables have too few rows to tell"
        )


def test_fewer_neighbors_are_advised_only_where_they_help():
    rng = np.random.default_rng(0)
    words = [f"w{row}" for row in range(30)]
    pair = dk.align(*(dk.Embeddings(words, rng.normal(size=(30, 3))) for _ in range(2)))

    def advised(**how):
        return dk.audit(pair, [], **how).finding("neighbors").sentence.partition("; ")[2]

    assert advised(k=9) == "ask for fewer (-k)"
    assert advised(k=1, candidates=4) == "take more candidates (--candidates)"


def test_signs_say_what_color_says(audited):
    text = to_text(audit_view(audited, top=4), 140)
    shift = audited.most_shifted(1, moved=True)[0]
    assert f"- {shift.lost[0]}" in text
    assert f"+ {shift.gained[0]}" in text
    (kept, *_) = audited.shifts_of(["the"])
    assert all(f"= {name}" in to_text(audit_view(audited, 0, ["the"]), 140) for name in kept.kept)


def test_asked_words_are_shown_instead_of_the_most_shifted(audited):
    text = to_text(audit_view(audited, top=4, words=["good"]), 80)
    assert "Words asked about" in text
    assert "kept the fewest" not in text


def test_repairs_of_the_loader_are_told():
    table = dk.Embeddings(
        ["a", "b", "a", *"cdefghij"], np.random.default_rng(0).normal(size=(11, 4))
    )
    text = to_text(dk.audit(dk.align(table, table), benchmarks=["ws353"], resamples=100), 100)
    assert "1 note from reading it, such as duplicate: 'a' again" in text
    assert "Not measured: ws353: " in text


def test_words_that_look_like_markup_are_printed_as_they_are():
    words = ["[bold]", "[/red]", "<b>", "x"]
    rng = np.random.default_rng(0)
    pair = dk.align(
        dk.Embeddings(words, rng.normal(size=(4, 3))), dk.Embeddings(words, rng.normal(size=(4, 3)))
    )
    result = dk.audit(pair, benchmarks=["ws353"], resamples=100)
    text = to_text(audit_view(result, top=4, words=words), 100)
    assert all(word in text for word in words)
