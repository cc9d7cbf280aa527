import numpy as np
import pytest

from driftkit import Embeddings, align
from driftkit.errors import OptionError, UnknownNameError
from driftkit.neighbors import NeighborShifts, neighbor_shifts


def nearest_words(words, matrix, word, k, pool):
    """Names of neighbors by sorting a dictionary of cosines."""
    unit = {w: row / np.linalg.norm(row) for w, row in zip(words, matrix, strict=True) if row.any()}
    cosine = {w: unit[word] @ unit[w] for w in pool if w in unit and w != word}
    return sorted(cosine, key=cosine.get, reverse=True)[:k]


def names(neighbors):
    return [name for name, _ in neighbors]


def test_every_shared_word_in_both_spaces(pair):
    shifts = neighbor_shifts(pair)
    assert isinstance(shifts, NeighborShifts)
    assert shifts.words == shifts.shared == pair.words
    assert shifts.candidates == (*pair.words, "<pad>")
    assert (len(shifts), shifts.k) == (120, 10)
    np.testing.assert_array_equal(shifts.moved, pair.moved)
    for shift in shifts:
        if shift.word != "w30":
            expected = nearest_words(pair.words, pair.before, shift.word, 10, pair.words)
            assert names(shift.before) == expected
            tuned = pair.tuned
            expected = nearest_words(tuned.words, tuned.matrix, shift.word, 10, tuned.words)
            assert names(shift.after) == expected
            assert shift.added == tuple({"<pad>"} & {*expected})


def test_agrees_with_gensim(pair):
    vectors = Embeddings(pair.words, pair.before).to_gensim()
    for shift in neighbor_shifts(pair, pair.words[:15]):
        expected = vectors.most_similar(shift.word, topn=10)
        assert names(shift.before) == names(expected)
        assert dict(shift.before) == pytest.approx(dict(expected), abs=1e-6)


def test_overlap_is_of_the_named_lists(pair):
    for shift in neighbor_shifts(pair, k=7):
        before, after = ({name for name, _ in side} for side in (shift.before, shift.after))
        assert set(shift.kept) == before & after
        assert set(shift.lost) == before - after
        assert set(shift.gained) == after - before
        assert shift.word not in before | after
        if shift.word != "w30":
            assert shift.overlap == len(shift.kept) / 7


def test_words_keep_the_order_asked(pair):
    shifts = neighbor_shifts(pair, ["w7", "w3"], k=4)
    every = neighbor_shifts(pair, k=4)
    assert [shift.word for shift in shifts] == ["w7", "w3"]
    assert shifts["w3"] == every["w3"]


def test_first_candidates_by_rank_with_queries_outside(pair):
    shifts = neighbor_shifts(pair, k=5, candidates=20)
    assert shifts.candidates == (*pair.words[:20], "<pad>")
    assert len(shifts) == 120
    for word in ("w3", "w90"):
        expected = nearest_words(pair.words, pair.before, word, 5, pair.words[:20])
        assert names(shifts[word].before) == expected
    assert neighbor_shifts(pair, ["w1"], candidates=np.int64(10**6)).shared == pair.words


def test_listed_candidates_keep_their_order_and_drop_repeats(pair):
    chosen = ["w9", "w2", "w9", "w50"]
    shifts = neighbor_shifts(pair, ["w2", "w70"], k=2, candidates=chosen)
    assert shifts.candidates == ("w9", "w2", "w50")
    for shift in shifts:
        expected = nearest_words(pair.words, pair.after, shift.word, 2, shifts.candidates)
        assert names(shift.after) == expected
    assert [shifts.candidates[row] for row in shifts.after[1]] == names(shifts["w70"].after)


def test_unmoved_words_lose_neighbors_too(pair):
    by_group = {(row.measure, row.group): row for row in neighbor_shifts(pair).summary()}
    share = {group: by_group["overlap@10", group] for group in ("all", "moved", "unmoved")}
    assert share["moved"].mean < share["all"].mean < share["unmoved"].mean < 1
    assert (share["moved"].n, share["unmoved"].n, share["moved"].unmeasured) == (12, 107, 1)


def test_a_zero_row_is_not_measured_and_says_why(pair):
    shifts = neighbor_shifts(pair)
    assert list(shifts.reasons) == ["w30"]
    shift = shifts["w30"]
    assert np.isnan([shift.overlap, shift.rbo]).all()
    assert shift.reason == "its row is zero in the tuned table, so it has no direction"
    assert len(shift.before) == 10
    assert shift.after == ()
    assert shifts.most_shifted()[-1] == 30


def test_fewer_neighbors_than_k_are_compared_at_their_length():
    words, x = ["a", "b", "c"], np.array([[1, 0], [1, 1], [0, 1]])
    shifts = neighbor_shifts(align(Embeddings(words, x), Embeddings(words, x[::-1])), k=10)
    assert (shifts.before >= 0).sum(axis=1).tolist() == [2, 2, 2]
    assert shifts.overlap.tolist() == [1, 1, 1]


def test_a_word_alone_has_nothing_to_compare():
    lonely = Embeddings(["only"], [[1.0, 2.0]])
    (shift,) = neighbor_shifts(align(lonely, lonely))
    assert np.isnan(shift.overlap)
    assert shift.reason == "no candidate but itself has a direction"


def test_identity_keeps_everything(pair):
    shifts = neighbor_shifts(align(pair.original, pair.original))
    assert (shifts.overlap == 1).all()
    assert np.allclose(shifts.rbo, 1)
    assert all(shift.lost == shift.gained == () for shift in shifts)


def test_an_unknown_word_gets_the_nearest(pair):
    with pytest.raises(UnknownNameError, match="neither table; 120 words") as caught:
        neighbor_shifts(pair, ["w1", "w11x"])
    assert caught.value.nearest == "w11"


def test_listed_candidates_may_be_added_ones_and_come_last(pair):
    shifts = neighbor_shifts(pair, ["w2", "w70"], k=2, candidates=["<pad>", "w9", "w50"])
    assert (shifts.candidates, shifts.added) == (("w9", "w50", "<pad>"), 1)
    assert (shifts.before < 2).all()
    for shift in shifts:
        tuned = pair.tuned
        expected = nearest_words(tuned.words, tuned.matrix, shift.word, 2, shifts.candidates)
        assert names(shift.after) == expected


def test_an_added_neighbor_took_a_place():
    words, x = ["good", "fine", "film"], [[1, 0], [1, 0.1], [0, 1]]
    tuned = Embeddings(["goods", *words], [[1, 0.01], *x])
    (shift,) = neighbor_shifts(align(Embeddings(words, x), tuned), ["good"], k=1)
    assert (shift.lost, shift.gained, shift.added) == (("fine",), ("goods",), ("goods",))
    assert shift.overlap == 0
    (entry,) = shift.lists()["after"]
    assert (entry["word"], entry["added"]) == ("goods", True)
    assert "added" not in shift.lists()["before"][0]


def test_equally_near_added_words_come_after_the_others():
    words, x = ["a", "b", "c"], [[1, 0], [1, 0], [2, 0]]
    tuned = Embeddings(["new", "newer", *words], [[3, 0], [1, 0], *x])
    (shift,) = neighbor_shifts(align(Embeddings(words, x), tuned), ["a"], k=4)
    assert names(shift.after) == ["b", "c", "new", "newer"]


def test_where_no_word_was_added_nothing_is_searched_besides(pair, monkeypatch):
    plain = align(pair.original, Embeddings(pair.words, pair.after))
    monkeypatch.delattr("driftkit.neighbors.search.incremental.joined")
    assert neighbor_shifts(plain).candidates == plain.words


@pytest.mark.parametrize(("word", "side"), [("gone", "original"), ("<pad>", "tuned")])
def test_a_word_of_one_table_is_told_which(pair, word, side):
    for ask in ({"words": [word]}, {"candidates": [word]}):
        with pytest.raises(UnknownNameError, match=f"'{word}': it is only in the {side} table"):
            neighbor_shifts(pair, **ask)


@pytest.mark.parametrize("k", [0, -3])
def test_refuses_a_depth_below_one(pair, k):
    with pytest.raises(OptionError, match=f"k={k} was given"):
        neighbor_shifts(pair, k=k)


@pytest.mark.parametrize("candidates", [0, []])
def test_refuses_no_candidates(pair, candidates):
    with pytest.raises(OptionError, match="candidates=0"):
        neighbor_shifts(pair, candidates=candidates)


@pytest.mark.parametrize("option", ["words", "candidates"])
def test_refuses_one_string_for_a_list(pair, option):
    with pytest.raises(OptionError, match=r"give a list of words: \['good'\]"):
        neighbor_shifts(pair, **{option: "good"})


def test_progress_counts_both_spaces(pair):
    calls = []
    neighbor_shifts(pair, ["w1", "w2"], progress=lambda *call: calls.append(call))
    assert calls == sorted(calls)
    assert {total for _, total in calls} == {4}
    assert calls[-1] == (4, 4)
