import json
import shlex

import numpy as np
from safetensors.numpy import save_file

from driftkit import inspect


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


def test_several_files_each_with_a_next_line_that_is_never_wrapped(run, saved, tmp_path):
    deep = tmp_path / ("a folder " * 20)
    deep.mkdir()
    (deep / "v.txt").write_text("a 1 2\n")
    result = run("inspect", "-q", deep / "v.txt", saved / "tuned.pt")
    lines = result.stdout.splitlines()
    assert [line for line in lines if line.startswith("next: ")] == [
        f"next: driftkit audit ORIGINAL {shlex.quote(str(deep / 'v.txt'))}",
        f"next: {inspect(saved / 'tuned.pt').command()}",
    ]
    assert result.stderr == ""
    documents = json.loads(run("inspect", deep / "v.txt", saved / "tuned.pt", "--json", "-").stdout)
    assert [document["format"] for document in documents] == ["glove-text", "torch"]


def test_a_file_that_cannot_be_read_does_not_hide_the_others(run, saved, tmp_path):
    result = run("inspect", tmp_path / "gone.pt", saved / "tuned.pt", tmp_path / "lost.pt")
    assert result.exit_code == 2
    assert "next: driftkit audit ORIGINAL" in result.stdout
    errors = result.stderr.splitlines()
    assert [line.partition(": no such file")[0] for line in errors] == [
        f"Error: {tmp_path / 'gone.pt'}", f"Error: {tmp_path / 'lost.pt'}",
    ]  # fmt: skip


def test_the_command_has_the_plugin_and_is_quoted(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text("")
    (tmp_path / "-x$HOME.txt").write_text("a 1 2\n")
    result = run("inspect", "--plugin", "./mine.py", "--", "-x$HOME.txt")
    last = result.stdout.splitlines()[-1]
    assert last == "next: driftkit audit ORIGINAL './-x$HOME.txt' --plugin ./mine.py"
    result = run("inspect", "--unsafe-pickle", "./-x$HOME.txt", "--json", "-")
    assert json.loads(result.stdout)["tables"][0]["command"].endswith(" --unsafe-pickle")


def test_a_vocabulary_that_would_go_unused(run, tmp_path, monkeypatch):
    """Typed for one table with words of its own it is an error; of several it is for the others."""
    text, numbers = tmp_path / "own.txt", tmp_path / "numbers.txt"
    text.write_text("good 1.5 2\nbad 3.5 4\n")
    numbers.write_text("1.5 2.0\n3.5 4.0\n")
    (vocab := tmp_path / "other.txt").write_text("a\nb\n")
    alone = run("inspect", text, "--vocab", vocab)
    assert (alone.exit_code, alone.stdout) == (2, "")
    assert "has words of its own, such as 'good', so no vocabulary is needed" in alone.stderr
    both = run("inspect", text, numbers, "--vocab", vocab)
    assert both.exit_code == 0
    assert f"{text}: has words of its own, so {vocab} is not used for it." in both.stderr
    assert "'good', 'bad'" in both.stdout
    assert "'a', 'b'" in both.stdout
    (tmp_path / "driftkit.toml").write_text('vocab = "other.txt"\n')
    monkeypatch.chdir(tmp_path)
    by_settings = run("inspect", text)
    (tmp_path / "driftkit.toml").unlink()
    assert (by_settings.exit_code, "is not used for it" in by_settings.stderr) == (0, True)
    audit = ("audit", "--original-vocab", vocab, numbers)
    assert "has words of its own" in run(*audit, text, "--vocab", vocab).stderr


def test_the_base_of_an_adapter_is_an_option_and_a_setting(run, tmp_path, monkeypatch):
    layer = "base_model.model.emb."
    a, b = np.ones((1, 3), np.float32), np.ones((2, 1), np.float32)
    folder = tmp_path / "adapter"
    folder.mkdir()
    save_file(
        {layer + "lora_embedding_A": a, layer + "lora_embedding_B": b},
        folder / "adapter_model.safetensors",
    )
    settings = {"peft_type": "LORA", "r": 1, "lora_alpha": 2}
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    (folder / "vocab.txt").write_text("a\nb\nc")
    save_file({"emb.weight": np.zeros((3, 2), np.float32)}, tmp_path / "base.safetensors")
    monkeypatch.chdir(tmp_path)
    refused = run("inspect", "adapter")
    assert refused.exit_code == 2
    assert "--base SOURCE" in refused.stderr
    shown = run("inspect", "adapter", "--base", "base.safetensors").stdout
    assert "next: driftkit audit ORIGINAL adapter::emb.weight --base base.safetensors" in shown
    assert run("convert", "adapter", "merged.txt", "--base", "base.safetensors").exit_code == 0
    assert (tmp_path / "merged.txt").read_text() == "a 2.0 2.0\nb 2.0 2.0\nc 2.0 2.0\n"
    (tmp_path / "driftkit.toml").write_text('base = "base.safetensors"\n')
    inner = tmp_path / "inner"
    inner.mkdir()
    monkeypatch.chdir(inner)
    assert "emb.weight" in run("inspect", "../adapter").stdout
