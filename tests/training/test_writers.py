import math
import struct
import subprocess
import sys
import warnings

import pytest

from driftkit.training.writers import tag, to_mlflow, to_tensorboard, to_wandb

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


def test_wandb(tmp_path, monkeypatch):
    """Also where each batch is logged too: W&B's own count is then past the steps of the checks."""
    wandb = pytest.importorskip("wandb", reason="extra wandb is not installed")
    monkeypatch.setenv("WANDB_SILENT", "true")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # wandb's own
        with wandb.init(project="drift", dir=tmp_path, mode="offline") as run:
            write = to_wandb(run)
            for batch in range(5):
                run.log({"loss": 1 / (1 + batch)})
            write(2, VALUES)
            write(4, {**VALUES, "moved": 9})
    (file,) = tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    rows = [row for row in logged(file.read_bytes()) if "drift/step" in row]
    assert [(row["drift/step"], row["drift/moved"]) for row in rows] == [("2", "7"), ("4", "9")]
    assert {key for key in rows[0] if key.startswith("drift/")} == TAGS | {"drift/step"}


def logged(data):
    """Yield what was logged at each step: records of protobuf, each behind seven bytes."""
    from wandb.proto.wandb_internal_pb2 import Record

    at = 7
    while at < len(data):
        (size,) = struct.unpack_from("<H", data, at + 4)
        record = Record.FromString(data[at + 7 : at + 7 + size])
        at += 7 + size
        if record.WhichOneof("record_type") == "history":
            yield {"/".join(item.nested_key) or item.key: item.value_json
                   for item in record.history.item}  # fmt: skip


TRACKIO = """
import trackio
from driftkit.training.writers import to_trackio

run = trackio.init(project="drift", name="run", embed=False)
write = to_trackio(run)
run.log({"loss": 0.5}, step=900)
write(200, {"moved": 7, "overlap@10": 0.5, "overlap@10[moved]": float("nan")})
write(400, {"moved": 9})
trackio.finish()
for row in trackio.SQLiteStorage.get_logs("drift", "run"):
    print("logged", row.pop("step"), {key: row[key] for key in row if key != "timestamp"})
"""


def test_trackio(tmp_path, monkeypatch):
    """In a process of its own: where trackio writes is decided when it is imported."""
    pytest.importorskip("trackio", reason="extra trackio is not installed")
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", TRACKIO], capture_output=True, text=True, check=True
    )
    assert [line for line in done.stdout.splitlines() if line.startswith("logged ")] == [
        "logged 900 {'loss': 0.5}",
        "logged 200 {'drift/moved': 7.0, 'drift/overlap_at_10': 0.5}",
        "logged 400 {'drift/moved': 9.0}",
    ]


def test_tags_hold_only_what_both_tools_accept():
    assert tag("rbo(p=0.9)@10[moved]") == "drift/rbo_p_0.9__at_10.moved"
