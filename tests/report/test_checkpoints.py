import numpy as np
import pytest

import driftkit as dk
from driftkit.datasets import SimilarityBenchmark
from driftkit.display import to_text
from driftkit.errors import AlignmentError, OptionError
from driftkit.report.checkpoints import checkpoint_frame, checkpoint_view


def test_one_row_for_each_checkpoint(pair):
    ask = {"benchmarks": ["ws353"], "resamples": 200, "candidates": 300}
    memo = {}
    audits = [
        dk.audit(each, memo=memo, **ask) for each in (pair, dk.align(pair.original, pair.original))
    ]
    frame = checkpoint_frame(audits)
    assert list(frame.checkpoint) == ["after", "before"]
    assert list(frame.moved) == [150, 0]
    assert frame["overlap@10, all"].iloc[1] == 1
    assert frame["ws353, spearman"].iloc[0] == audits[0].scores["ws353"].delta
    text = to_text(checkpoint_view(audits), width=200)
    assert "Checkpoints side by side" in text
    assert "overlap@10, moved" in text


def test_two_measures_of_one_benchmark_get_a_row_each(pair):
    asked = [
        dk.evaluators.Similarity("ws353"),
        dk.evaluators.Similarity("ws353", measure="pearson"),
    ]
    (found,) = [dk.audit(pair, asked, resamples=100, candidates=300, measures=["overlap@3"])]
    (row,) = checkpoint_frame([found]).to_dict("records")
    assert [row["ws353, spearman"], row["ws353, pearson"]] == [each.delta for each in found.scores]
    assert row["overlap@10, all"] == found.summaries()[0].mean


def test_the_trajectory_is_drawn_in_the_order_given(steps):
    pytest.importorskip("altair", reason="the extra report is not installed")
    drawn = str(dk.compare_audits(steps).plot.trajectory().to_dict())
    assert drawn.index("unchanged") < drawn.index(steps[1].verdict)


def test_one_report_holds_all_checkpoints(steps, tmp_path):
    for name in ("altair", "jinja2", "vl_convert"):
        pytest.importorskip(name, reason="the extra report is not installed")
    dk.compare_audits(steps).to_html(tmp_path / "all.html", words=20)
    page = (tmp_path / "all.html").read_text("utf-8")
    for each in steps:
        assert each.headline.split(":")[0] in page


ASK = {"benchmarks": [], "k": 3, "candidates": 300}


@pytest.fixture(scope="module")
def steps():
    """Audits of an original against itself, and against it after some rows were turned."""
    rng = np.random.default_rng(2)
    words = [f"w{row}" for row in range(60)]
    before = dk.Embeddings(words, rng.normal(size=(60, 5)))
    after = before.matrix.copy()
    after[:9] = rng.normal(size=(9, 5))
    return [
        dk.audit(dk.align(before, each), **ASK) for each in (before, dk.Embeddings(words, after))
    ]


def test_checkpoints_side_by_side_begin_with_what_they_advise(steps):
    compared = dk.compare_audits(iter(steps))
    assert isinstance(compared, dk.ComparedAudits)
    assert (len(compared), list(compared)) == (2, steps)
    assert compared.to_frame().equals(checkpoint_frame(steps))
    assert compared.to_dict() == {
        "schema": "driftkit.audits/1",
        "audits": [each.to_dict() for each in steps],
    }
    lines = to_text(compared, 1000).splitlines()
    assert [lines[1], lines[3]] == [each.headline for each in steps]
    asked = lines[5:12]
    for line, *answers in zip(asked[1:], *(each.findings for each in steps), strict=True):
        statuses = (each.status for each in answers)
        assert line.split() == " ".join([answers[0].question, *statuses]).split()


def test_checkpoints_of_one_name_are_numbered(steps):
    twice = dk.compare_audits([steps[1], steps[1]])
    assert list(twice.to_frame().checkpoint) == ["1. memory", "2. memory"]
    shown = to_text(twice, 1000).splitlines()
    assert [shown[0], shown[2]] == ["1. memory", "2. memory"]
    heads = [line for line in shown if line.split()[-4:] == ["1.", "memory", "2.", "memory"]]
    assert len(heads) == 2


def test_audits_that_differ_by_more_than_the_checkpoint_are_refused(steps):
    pair = steps[1].pair
    other = dk.align(dk.Embeddings(pair.words, pair.original.matrix + 1), pair.tuned)
    with pytest.raises(AlignmentError, match="where their original is the same table"):
        dk.compare_audits([steps[0], dk.audit(other, **ASK)])
    again = dk.Embeddings(pair.words, pair.original.matrix)
    same = dk.audit(dk.align(again, pair.tuned), **ASK)
    assert len(dk.compare_audits([steps[0], same])) == 2
    with pytest.raises(OptionError, match=r"and k is 3 for memory but 2 for memory"):
        dk.compare_audits([steps[0], dk.audit(pair, **ASK | {"k": 2})])
    pairs = [(f"w{row}", f"w{row + 1}") for row in range(40)]
    toy = SimilarityBenchmark("toy", tuple(pairs), np.arange(40.0))
    asked = dk.audit(pair, **ASK | {"benchmarks": [toy]})
    with pytest.raises(OptionError, match=r"benchmarks is \[\] for memory but \['toy, spearman'\]"):
        dk.compare_audits([*steps, asked])


@pytest.mark.parametrize("given", [[], None, "audits", [1], "one"])
def test_anything_but_audits_is_refused(steps, given):
    with pytest.raises(
        OptionError, match=r"takes a list of audits, .* call dk\.compare_audits\(\["
    ):
        dk.compare_audits(steps[0] if given == "one" else given)
