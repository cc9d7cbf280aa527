import math
import warnings

import pytest

from driftkit.training.writers import tag, to_mlflow, to_tensorboard

VALUES = {
    "moved": 7,
    "overlap@10": 0.5,
    "overlap@10[moved]": math.nan,
    "overlap@10[unmoved]": 1,
    "spearman[ws353]": 0.25,
}
TAGS = {
    *("drift/moved", "drift/overlap_at_10", "drift/overlap_at_10.unmoved"),
    "drift/spearman.ws353",
}


def test_tensorboard(tmp_path):
    pytest.importorskip("tensorboard", reason="extra tensorboard is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tensorboard's own, about its dependencies
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
        from torch.utils.tensorboard import SummaryWriter

        with SummaryWriter(tmp_path) as writer:
            write = to_tensorboard(writer)
            write(200, VALUES)
            write(400, {**VALUES, "moved": 9})
        events = EventAccumulator(str(tmp_path)).Reload()
        assert set(events.Tags()["scalars"]) == TAGS
        assert [(e.step, e.value) for e in events.Scalars("drift/moved")] == [(200, 7), (400, 9)]


def test_mlflow(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow", reason="extra mlflow is not installed")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # the store that needs no database
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # mlflow's own, about its file store
        client = mlflow.MlflowClient(tracking_uri=f"file://{tmp_path}")
        experiment = client.create_experiment("drift")
        run = client.create_run(experiment).info.run_id
        write = to_mlflow(client, run)
        write(200, VALUES)
        write(400, {**VALUES, "moved": 9})
        history = client.get_metric_history(run, "drift/moved")
        assert [(m.step, m.value) for m in history] == [(200, 7), (400, 9)]
        assert set(client.get_run(run).data.metrics) == TAGS


def test_tags_hold_only_what_both_tools_accept():
    assert tag("rbo(p=0.9)@10[moved]") == "drift/rbo_p_0.9__at_10.moved"
