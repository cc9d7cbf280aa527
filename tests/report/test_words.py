import numpy as np
import pytest

import driftkit as dk
from driftkit.display import to_text
from driftkit.provenance import Source
from driftkit.report.terminal import audit_view
from driftkit.report.words import neighbors_view


def blocks(text):
    return [line for line in text.splitlines() if line.strip()]


def test_before_and_after_stand_side_by_side(pair, nudged):
    word = nudged.words[nudged.moved[0]]
    shifts = dk.neighbor_shifts(pair, [word], k=5)
    (shift,) = shifts
    lines = blocks(to_text(neighbors_view(shifts), 80))
    assert lines[0] == word
    assert lines[1].startswith("overlap@5 ")
    assert lines[2].split() == ["before", "cosine", "after", "cosine"]
    for rank, line in enumerate(lines[3:]):
        (left, its), (right, cosine) = shift.before[rank], shift.after[rank]
        assert line.split() == [
            *("-" if left in shift.lost else "=", left, f"{its:.2f}"),
            *("+" if right in shift.gained else "=", right, f"{cosine:.2f}"),
        ]


def test_what_stands_beside_a_neighbor_is_named_after_the_metric(pair):
    shifts = dk.neighbor_shifts(pair, ["good"], k=2, metric="dot")
    lines = blocks(to_text(neighbors_view(shifts), 80))
    assert lines[2].split() == ["before", "dot", "after", "dot"]
    assert lines[3].split()[2] == f"{shifts['good'].before[0][1]:.2f}"
    assert to_text(shifts["good"], 80).splitlines()[2].split() == lines[2].split()


def test_a_distance_is_no_negative_number(pair):
    shifts = dk.neighbor_shifts(pair, ["good"], k=2, metric="euclidean")
    lines = blocks(to_text(neighbors_view(shifts), 80))
    assert lines[2].split() == ["before", "distance", "after", "distance"]
    name, near = shifts["good"].before[0]
    row, other = (pair.before[pair.index[word]] for word in ("good", name))
    assert near == pytest.approx(-np.linalg.norm(row - other), rel=1e-5)
    assert lines[3].split()[2] == f"{-near:.2f}"


def test_a_narrow_terminal_folds_names_and_keeps_signs_and_scores(pair, nudged):
    (shift,) = dk.neighbor_shifts(pair, [nudged.words[nudged.moved[0]]], k=5, metric="euclidean")
    wide, narrow = (blocks(to_text(shift, width)) for width in (80, 40))
    for signs in ("-", "+", "="):
        assert "\n".join(wide).count(f"{signs} ") == "\n".join(narrow).count(f"{signs} ")
    for _, score in (*shift.before, *shift.after):
        assert f" {-score:.2f}" in "\n".join(narrow)


def test_a_wide_terminal_holds_more_words_a_row(pair):
    shifts = dk.neighbor_shifts(pair, ["good", "bad", "film"], k=3)
    narrow, wide = (blocks(to_text(neighbors_view(shifts), width)) for width in (40, 140))
    assert len(wide) == 12
    assert len(narrow) == 18


def test_a_word_without_neighbors_says_why():
    table = dk.Embeddings(["zero", "x", "y"], [[0, 0], [1, 0], [0, 1]])
    text = to_text(neighbors_view(dk.neighbor_shifts(dk.align(table, table), ["zero"], k=2)), 100)
    assert "its row is zero in the original and the tuned table" in text


def as_from(table, form, words=None):
    return dk.Embeddings(words or table.words, table.matrix, source=Source("t", format=form))


def test_rank_is_said_only_where_the_order_of_the_file_means_frequency(pair):
    for form, place, other in (("glove-text", "rank", "row"), ("npy", "row", "rank")):
        sides = (as_from(side, form) for side in (pair.original, pair.tuned))
        text = to_text(audit_view(dk.audit(dk.align(*sides), ["ws353"], k=3), 3, bands=True))
        assert f"{place} 1" in text or f"{place} 2" in text
        assert f"By {place} of the words" in text
        assert f"\n{other} " not in text


def test_special_tokens_are_not_among_the_words_that_changed_most(pair):
    first = dk.audit(pair, [], k=3).most_shifted(2, moved=True)
    names = {first[0].word: "[PAD]", first[1].word: "<|endoftext|>"}
    sides = (
        dk.Embeddings([names.get(word, word) for word in side.words], side.matrix)
        for side in (pair.original, pair.tuned)
    )
    found = dk.audit(dk.align(*sides), [], k=3)
    assert not {"[PAD]", "<|endoftext|>"} & {x.word for x in found.most_shifted(50, moved=True)}
    assert "special tokens moved" in found.finding("vocabulary").sentence
    assert found.shifts_of(["[PAD]"])["[PAD]"].word == "[PAD]"  # whoever asks gets them
