import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from driftkit import Embeddings, align
from driftkit.errors import MissingExtraError, OptionError
from driftkit.explain.explanation import explain
from driftkit.neighbors import neighbor_shifts
from driftkit.neighbors.export import write_found, write_shifts
from driftkit.neighbors.recall import found_share
from driftkit.neighbors.search import approximate
from driftkit.neighbors.search.verify import verify

pytestmark = pytest.mark.slow  # numba compiles

N, ASKED = 3_000, 0.8


def tables(added=0, copies=0):
    """Words in clouds, a tenth of them moved, one zero afterwards; some added, some twice there."""
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(60, 12))
    matrix = (centers[rng.integers(0, 60, N)] + rng.normal(size=(N, 12)) / 2).astype(np.float32)
    matrix[N - copies :] = matrix[:copies]
    tuned = matrix.copy()
    tuned[:300] += rng.normal(size=(300, 12)) / 2
    tuned[500] = 0
    words = [f"w{i}" for i in range(N)]
    new = matrix[:added] + rng.normal(size=(added, 12)).astype(np.float32) / 10
    return align(
        Embeddings(words, matrix),
        Embeddings([*words, *(f"new{i}" for i in range(added))], np.vstack([tuned, new])),
    )


@pytest.fixture(autouse=True, scope="module")
def worth_it():
    """Let few words be worth graphs."""
    pytest.importorskip("pynndescent", reason="needs pynndescent")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(approximate, "WORTH", 0)
        patch.setattr(approximate, "SAMPLE", 600)
        yield


@pytest.fixture(scope="module")
def pair():
    return tables(added=40, copies=20)


@pytest.fixture(autouse=True, scope="module")
def threads():
    """How many threads torch takes before numba starts any."""
    return torch.get_num_threads()


@pytest.fixture(scope="module")
def found(pair, threads):
    return neighbor_shifts(pair, recall=ASKED, device="cpu")


@pytest.fixture(scope="module")
def exact(pair):
    return neighbor_shifts(pair)


def test_the_recall_promised_is_found_on_the_words_it_was_not_measured_on(found, exact):
    recall = found.recall
    assert found.is_approximate
    assert recall.asked == ASKED <= min(recall.before_least, recall.after_least)
    assert recall.sampled in (599, 600)  # a zero word tells nothing
    known = exact.before[:, 0] >= 0
    known &= exact.after[:, 0] >= 0
    assert found_share(exact.before[known], found.before[known]).mean() >= recall.before_least
    assert found_share(exact.after[known], found.after[known]).mean() >= recall.after_least
    for name, ours, theirs in (
        ("overlap", found.overlap, exact.overlap),
        ("rbo", found.rbo, exact.rbo),
    ):
        off = np.abs(ours - theirs)[known]
        assert off.mean() <= recall.mean_error[name]
        assert (off <= recall.word_error[name] + 1e-12).mean() >= 0.95
        assert np.isnan(ours[~known]).all()


def test_torch_takes_as_many_threads_as_before(found, threads):
    assert torch.get_num_threads() == threads


def test_what_is_listed_has_its_exact_cosine_in_order_and_never_itself(pair, found):
    where = {word: row for row, word in enumerate(pair.tuned.words)}
    unit = pair.tuned.matrix / np.maximum(pair.tuned.norms, 1e-9)[:, None]
    for shift in map(found.at, range(0, N, 97)):
        names = [name for name, _ in shift.after]
        cosines = [cosine for _, cosine in shift.after]
        assert shift.word not in names
        assert len({*names}) == len(names)
        assert cosines == sorted(cosines, reverse=True)
        expected = [unit[where[shift.word]] @ unit[where[name]] for name in names]
        assert cosines == pytest.approx(expected, abs=1e-6)


def test_where_nothing_changed_nothing_is_told_to_have_changed():
    same = tables()
    still = align(same.original, same.original)
    shifts = neighbor_shifts(still, recall=0.6, k=5)
    assert shifts.is_approximate
    assert (shifts.overlap == 1).all()


def test_the_same_question_has_the_same_answer(pair, found):
    again = neighbor_shifts(pair, recall=ASKED, memory=1)
    np.testing.assert_array_equal(again.before, found.before)
    np.testing.assert_array_equal(again.after, found.after)
    assert again.recall == found.recall


def test_some_words_among_some_candidates(pair, exact):
    words = pair.words[:2_000:2]
    shifts = neighbor_shifts(pair, words, 5, candidates=2_000, recall=ASKED)
    truth = neighbor_shifts(pair, words, 5, candidates=2_000)
    assert shifts.is_approximate
    assert shifts.candidates == truth.candidates
    known = (truth.before[:, 0] >= 0) & (truth.after[:, 0] >= 0)
    share = found_share(truth.after[known], shifts.after[known]).mean()
    assert share >= shifts.recall.after_least >= ASKED


def test_words_that_are_no_candidates_have_exact_neighbors(pair):
    shifts = neighbor_shifts(pair, candidates=2_000, recall=ASKED)
    np.testing.assert_array_equal(shifts.after, neighbor_shifts(pair, candidates=2_000).after)
    assert shifts.recall.exact == "words that are no candidates are asked about"


def test_a_share_out_of_reach_gives_exact_neighbors_and_says_so(pair, exact):
    shifts = neighbor_shifts(pair, recall=0.999)  # 600 words cannot show it
    assert not shifts.is_approximate
    np.testing.assert_array_equal(shifts.after, exact.after)
    assert "did not show that it is reached" in str(shifts.recall)
    assert shifts.recall.to_dict()["exact"] in " ".join(str(shifts).split())


def test_few_words_have_exact_neighbors_and_need_no_extra(pair, exact, monkeypatch):
    monkeypatch.setattr(approximate, "WORTH", 1e13)
    monkeypatch.setitem(sys.modules, "pynndescent", None)
    shifts = neighbor_shifts(pair, recall=ASKED)
    np.testing.assert_array_equal(shifts.before, exact.before)
    assert shifts.recall.exact == "of 3,000 words among 3,000 candidates that takes less time"
    assert (shifts.ends, shifts["w3"].within) == ({}, None)
    assert verify(pair, shifts, sample=3).wrong == ()


def test_one_is_exact_and_not_mentioned(pair, exact):
    shifts = neighbor_shifts(pair, recall=1)
    assert shifts.recall is None
    assert str(shifts) == str(exact)
    assert "recall" not in shifts.to_dict()


def test_without_the_extra_the_install_command_is_told(pair, monkeypatch):
    monkeypatch.setitem(sys.modules, "pynndescent", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'driftkit\[ann\]'$"):
        neighbor_shifts(pair, recall=ASKED)


@pytest.mark.parametrize("bad", [0, 1.5, "0.9"])
def test_no_share_is_refused(pair, bad):
    with pytest.raises(OptionError, match=r"recall=.* above 0 and below 1"):
        neighbor_shifts(pair, recall=bad)


def test_what_needs_exact_neighbors_refuses_others(pair, found, tmp_path):
    with pytest.raises(OptionError, match=r"verify needs exact neighbors.*recall=0\.8"):
        verify(pair, found)
    with pytest.raises(OptionError, match="an explanation needs exact neighbors"):
        explain(pair, found)
    with pytest.raises(OptionError, match="an explanation needs exact neighbors"):
        explain(pair, [found["w3"]])
    with pytest.raises(OptionError, match="fewer neighbors needs exact"):
        found.first(3)
    assert found.first(10) is found
    with pytest.raises(OptionError, match="only neighbors by cosine can be approximate"):
        neighbor_shifts(pair, recall=ASKED, metric="dot")
    with pytest.raises(OptionError, match="only exact neighbors can be found in parts"):
        write_shifts(pair, tmp_path / "s.jsonl", recall=ASKED)
    assert list(tmp_path.iterdir()) == []


def test_it_is_said_wherever_shifts_are_shown(found):
    recall, shift = found.recall, found["w3"]
    low, high = shift.within
    assert low <= shift.overlap <= high
    assert "neighbors are approximate" in str(recall)
    assert " ".join(str(recall).split()) in " ".join(str(found).split())
    assert "approximate" in str(shift)
    document = found.to_dict()
    json.dumps(document, allow_nan=False)
    told = document["recall"]
    assert told["before_least"] == recall.before_least
    assert told["low"] <= told["mean_overlap"] <= told["high"]
    for frame in (found.to_frame(), found.neighbor_frame()):
        assert frame.attrs["recall"] == told
    frame = found.to_frame()
    kept = frame["overlap@10"].notna()
    assert (frame["overlap@10_low"] <= frame["overlap@10"])[kept].all()
    assert (frame["rbo(p=0.9)@10"] <= frame["rbo(p=0.9)@10_high"])[kept].all()
    entry = document["words"][3]["measures"]
    assert (entry["overlap@10_low"], entry["overlap@10_high"]) == (low, high)


@pytest.mark.parametrize("name", ["s.jsonl", "s.parquet", "many.parquet"])
def test_every_row_of_a_file_says_it(found, exact, tmp_path, name):
    path, partitioned = tmp_path / name, name == "many.parquet"
    if path.suffix == ".parquet":
        parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")
    write_found(found, path, partitioned=partitioned)
    if path.suffix == ".jsonl":
        rows = list(map(json.loads, path.read_text().splitlines()))
    else:
        rows = parquet.read_table(path).to_pylist()
    assert [row["word"] for row in rows] == list(found.words)
    assert {row["recall_before"] for row in rows} == {found.recall.before_least}
    assert {row["recall_after"] for row in rows} == {found.recall.after_least}
    assert (rows[3]["overlap@10_low"], rows[3]["overlap@10_high"]) == found["w3"].within
    assert (rows[500]["overlap@10_low"], rows[500]["overlap@10"]) == (None, None)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["s.jsonl", "s.parquet"])
def test_exact_neighbors_make_the_same_file_however_they_were_asked_for(
    pair, exact, tmp_path, name
):
    if name == "s.parquet":
        pytest.importorskip("pyarrow", reason="needs pyarrow")
    one, other = tmp_path / "one" / name, tmp_path / "other" / name
    one.parent.mkdir()
    other.parent.mkdir()
    write_shifts(pair, one)
    why = approximate.Recall.of_exact(ASKED, "there are few")
    write_found(replace(exact, recall=why), other)
    assert one.read_bytes() == other.read_bytes()
