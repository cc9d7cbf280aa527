"""`driftkit lock` and `driftkit verify` of a model, which encodes its golden items."""

from pathlib import Path

from click.testing import CliRunner

from driftkit.cli import main


def _run(*arguments):
    return CliRunner().invoke(main, arguments)


def test_an_encoder_encodes_its_items(bert, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("items.txt").write_text("green tea\nblack coffee\ntea is good\ncoffee is bad\n")
    model = (str(bert), "--items", "items.txt", "--pooling")
    assert _run("lock", *model, "mean", "-o", "embed.lock").exit_code == 0
    assert b"tea" not in Path("embed.lock").read_bytes().split(b"vectors")[0]
    assert _run("verify", model[0], "embed.lock", *model[1:], "mean").exit_code == 0
    result = _run("verify", model[0], "embed.lock", *model[1:], "cls")
    assert result.exit_code == 1
    words = " ".join(result.stdout.split())
    assert "Shown by a rerun: the texts with mean pooling give the locked directions" in words
    assert "pooling: 'mean' in the lock, 'cls' now." in words
    assert _run("verify", model[0], "embed.lock", "--pooling", "mean").exit_code == 0
    result = _run("lock", model[0], "-o", "other.lock")
    assert result.exit_code == 2
    assert "is a model; give its golden items with --items FILE" in result.stderr


def test_a_threshold_of_two_encoders(bert, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("tea", "coffee", "green", "black", "is", "good", "bad")
    Path("items.txt").write_text("".join(f"{one} {two}\n" for one in words for two in words))
    arguments = (str(bert), str(bert), "0.9", "--items", "items.txt", "--pooling", "mean")
    result = _run("threshold", *arguments)
    assert result.exit_code == 0, result.stderr
    assert "0.9 becomes 0.9000 (0.9000 to 0.9000): it passes" in " ".join(result.stdout.split())
    result = _run("threshold", "a.npy", "b.npy", "0.9", "--prompt", "query: ")
    assert result.exit_code == 2
    assert "--prompt is for models that encode; it needs --items FILE." in result.stderr
