import json

import numpy as np
import pytest

from driftkit import Embeddings, align
from driftkit.errors import UnknownNameError
from driftkit.neighbors import Shift, neighbor_shifts


def test_frame_has_a_row_a_word(pair):
    shifts = neighbor_shifts(pair, ["w30", "w3"])
    frame = shifts.to_frame().set_index("word")
    assert list(frame) == ["moved", "overlap@10", "rbo(p=0.9)@10", "lost", "gained", "kept"]
    assert frame.loc["w3", "lost"] == shifts["w3"].lost
    assert frame.loc["w3", "overlap@10"] == shifts["w3"].overlap


def test_neighbor_frame_has_a_row_a_rank(pair):
    shifts = neighbor_shifts(pair, ["w30", "w3"], k=4)
    frame = shifts.neighbor_frame()
    assert len(frame) == 8
    mine = frame[frame.word == "w3"]
    assert list(mine["rank"]) == [1, 2, 3, 4]
    assert tuple(zip(mine.after, mine.after_cosine, strict=True)) == shifts["w3"].after
    assert frame[frame.word == "w30"].after.isna().all()


def test_dict_is_json_without_nan(pair):
    document = json.loads(
        json.dumps(neighbor_shifts(pair, ["w30", "w3"]).to_dict(), allow_nan=False)
    )
    assert document["schema"] == "driftkit.shifts/1"
    zero, other = document["words"]
    assert zero["measures"] == {"overlap@10": None, "rbo(p=0.9)@10": None}
    assert "zero" in zero["reason"]
    assert (other["word"], other["reason"], len(other["before"])) == ("w3", None, 10)
    assert {row["group"] for row in document["summary"]} == {"all", "moved", "unmoved"}


def test_views_show_the_words(pair):
    few = neighbor_shifts(pair, ["w30", "w3"], k=20)
    assert repr(few).startswith("Neighbors of 2 words among 121 candidates, 1 of them added, mean")
    assert [line.split()[0] for line in repr(few).splitlines()[2:]] == ["w30", "w3"]
    every = neighbor_shifts(pair)
    assert len(repr(every).splitlines()) == 12
    assert pair.words[int(every.most_shifted(1)[0])] in repr(every).splitlines()[2]
    assert "the only word could not be measured" in " ".join(
        repr(neighbor_shifts(pair, ["w30"])).split()
    )


def test_html_view_escapes_words():
    words = ["<b>bold</b>", "x", "y"]
    pair = align(Embeddings(words, np.eye(3)), Embeddings(words, np.ones((3, 3))))
    view = neighbor_shifts(pair, k=1)._repr_html_()
    assert "<b>" not in view
    assert "&lt;b&gt;bold" in view


def test_a_word_not_asked_about(pair):
    with pytest.raises(UnknownNameError, match="not among the words asked about"):
        neighbor_shifts(pair, ["w3"])["w4"]


def test_shift_of_a_word_without_neighbors():
    shift = Shift("w", (), (("a", 0.5),), np.nan, np.nan, "why")
    assert (shift.lost, shift.gained, shift.kept) == ((), ("a",), ())
