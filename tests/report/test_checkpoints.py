import driftkit as dk
from driftkit.display import to_text
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
