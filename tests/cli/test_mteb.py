import json

import pytest


@pytest.fixture
def folders(tmp_path):
    for side, score in (("before", 0.5), ("after", 0.25)):
        (tmp_path / side).mkdir()
        for task in ("STS12", "SciFact"):
            entry = {"hf_subset": "default", "main_score": score, "languages": ["eng-Latn"]}
            result = {"task_name": task, "dataset_revision": "a", "mteb_version": "2.26.24"}
            text = json.dumps(result | {"scores": {"test": [entry]}})
            (tmp_path / side / f"{task}.json").write_text(text)
    return tmp_path / "before", tmp_path / "after"


def test_screen_and_json(run, folders):
    result = run("mteb", *folders)
    assert result.exit_code == 0
    assert "2 tasks compared, 0 not: 0 rose, 2 fell" in " ".join(result.stdout.split())
    assert "no task has an interval" in " ".join(result.stdout.split())
    document = json.loads(run("mteb", *folders, "--json", "-").stdout)
    assert (document["schema"], document["fell"]) == ("driftkit.mteb/1", 2)
    assert document["tasks"][0] == {
        "task": "STS12", "original": 0.5, "tuned": 0.25, "delta": -0.25, "parts": 1,
    }  # fmt: skip


def test_a_folder_that_is_none(run, folders, tmp_path):
    result = run("mteb", folders[0], tmp_path / "gone")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {tmp_path}/gone: is no folder; give that of a model's")
