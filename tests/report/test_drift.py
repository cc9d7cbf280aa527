import re

import numpy as np
import pytest

import driftkit as dk
from driftkit.display import number, signed, to_text
from driftkit.report.benchmarks import null_view
from driftkit.report.drift import bands_view, drift_view
from driftkit.report.terminal import audit_view

ASKED = ["jaccard@50", "displacement(center=1,anchors=1000)", "largest_hub", "isoscore"]


@pytest.fixture(scope="module")
def audited(pair):
    return dk.audit(
        pair, benchmarks=["ws353"], resamples=100, candidates=2_000, null=True, measures=ASKED
    )


def lines(view, width=80):
    return [re.sub(" +", " ", line) for line in to_text(view, width).splitlines()]


def test_measures_asked_for_get_a_row_beside_their_null(audited):
    shown = lines(drift_view(audited))
    for name in ("jaccard@50, mean", "displacement(center=1,anchors=1000), mean"):
        at = next(row for row, line in enumerate(shown) if line.startswith(name))
        for text, result in ((shown[at], audited), (shown[at + 1], audited.null)):
            row = next(each for each in result.summaries() if f"{each.measure}, mean" == name)
            assert number(row.mean, 3) in text
        assert shown[at + 1].startswith(" null ")
    assert any(line.startswith("largest_hub@10, tuned ") for line in shown)
    assert any(line.startswith("isoscore, tuned ") for line in shown)
    assert sum(line.startswith(" null ") for line in shown) == sum(
        ", original" not in line and bool(re.search(r" [\d.-]+ [\d.-]+ [\d.-]+$", line))
        for line in shown
        if not line.startswith(" null ")
    )


def test_nothing_further_is_shown_unless_asked(audited, pair):
    plain = dk.audit(pair, benchmarks=["ws353"], resamples=100, candidates=2_000)
    text = to_text(audit_view(plain, top=2), 80)
    for word in ("null", "row 1-1000", "By row", "jaccard", "isoscore", "Directions"):
        assert word not in text


def test_benchmarks_beside_random_moves(audited):
    (change,), (random,) = audited.scores, audited.null.scores
    text = lines(null_view(audited, audited.null))[-1]
    assert text == f"ws353 spearman {signed(change.delta)} {signed(random.delta)}"


def test_bands_and_what_was_not_sought_in_them(audited):
    shown = lines(bands_view(audited))
    assert shown[3] == "measure 1,000 3,000"
    row = audited.space.find("rsa", "rank 1001-3000")
    assert next(line for line in shown if line.startswith("rsa")).endswith(number(row.value, 3))
    moved_beyond = int(audited.pair.moved[2000:].sum())
    assert f"{1000 + moved_beyond:,} of 2,000 in row 1001-3000" in " ".join(shown)


@pytest.mark.parametrize("width", [80, 140])
def test_everything_asked_for_fits_the_width(audited, width):
    text = to_text(audit_view(audited, top=2, bands=True, explain=True), width)
    assert max(map(len, text.splitlines())) <= width
    values = text[text.index("How far the table moved") : text.index("Moved words")]
    assert "…" not in values


def test_few_words_are_one_band():
    table = dk.Embeddings(
        [f"w{row}" for row in range(50)], np.random.default_rng(0).random((50, 4))
    )
    found = dk.audit(dk.align(table, table), benchmarks=["ws353"], resamples=100)
    assert lines(bands_view(found))[-1] == "50 words are in one band."
