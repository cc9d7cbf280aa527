import json
import shlex


def test_the_command_it_ends_with_runs(run, saved):
    result = run("inspect", saved / "tuned.pt")
    assert result.exit_code == 0
    document = json.loads(run("inspect", saved / "tuned.pt", "--json", "-").stdout)
    assert document["tables"][0]["key"] == "embedding.weight"
    command = shlex.split(document["tables"][0]["command"])
    assert command[:3] == ["driftkit", "audit", "ORIGINAL"]
    audited = run(
        "audit", saved / "original.npy", *command[3:], "-b", "ws353", "--resamples", "100"
    )
    assert audited.exit_code == 0


def test_a_file_without_a_table_says_so(run, tmp_path):
    import torch

    torch.save({"bias": torch.ones(3)}, tmp_path / "head.pt")
    result = run("inspect", tmp_path / "head.pt")
    assert "problem:" in result.stdout
    assert "next:" not in result.stdout
