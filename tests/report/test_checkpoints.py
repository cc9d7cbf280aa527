import driftkit as dk
from driftkit.display import to_text
from driftkit.report.checkpoints import checkpoint_frame, checkpoint_view


def test_a_row_a_checkpoint(pair):
    ask = {"benchmarks": ["ws353"], "resamples": 200, "candidates": 300}
    memo = {}
    audits = [
        dk.audit(each, memo=memo, **ask) for each in (pair, dk.align(pair.original, pair.original))
    ]
    frame = checkpoint_frame(audits)
    assert list(frame.checkpoint) == ["after", "before"]
    assert list(frame.moved) == [150, 0]
    assert frame["overlap@10, all"].iloc[1] == 1
    assert frame["ws353"].iloc[0] == audits[0].scores["ws353"].delta
    text = to_text(checkpoint_view(audits), width=200)
    assert "Checkpoints side by side" in text
    assert "overlap@10, moved" in text
