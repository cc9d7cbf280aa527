import gzip

import numpy as np

from driftkit import Embeddings, load, register_format
from driftkit.loaders.formats import registry


def test_a_table_goes_to_another_format_and_back(run, saved, tmp_path):
    original = load(saved / "original.npy")
    result = run("convert", saved / "original.npy", tmp_path / "t.safetensors")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "3,000 words x 50, safetensors" in result.stderr
    assert run("convert", tmp_path / "t.safetensors", tmp_path / "t.txt", "-q").stderr == ""
    back = load(tmp_path / "t.txt")
    assert back.words == original.words
    assert np.array_equal(back.matrix, original.matrix)


def test_limit_words_and_problems(run, tmp_path):
    source, words = tmp_path / "v.txt.gz", tmp_path / "words.txt"
    source.write_bytes(gzip.compress(b"a 1 2\n\n\n" + b"\n" * 20 + b"b 3 4\nc 5 6\n"))
    words.write_text("c\nzoo\n")
    result = run("convert", source, tmp_path / "t.bin", "--words-from", words)
    assert load(tmp_path / "t.bin").words == ("c",)
    assert "blank line at 2: skipped" in result.stderr
    assert "... and 13 more" in result.stderr
    run("convert", source, tmp_path / "out", "--to", "driftkit", "--limit", "2")
    assert load(tmp_path / "out").words == ("a", "b")


def test_what_cannot_be_written_is_told_first(run, tmp_path):
    result = run("convert", tmp_path / "none.txt", tmp_path / "t.xyz")
    assert result.exit_code == 2
    assert "the ending '.xyz' does not name a format" in result.stderr
    assert run("convert", tmp_path / "none.txt", tmp_path / "t.bin").exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_registered_format_is_converted_scored_and_audited(run, saved, tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_REGISTERED", [])
    table = load(saved / "original.npy")
    path = tmp_path / "t.rows"
    path.write_bytes(b"rows:" + table.matrix.tobytes())
    register_format(
        "rows",
        "bare rows",
        lambda head: head.startswith(b"rows:"),
        lambda request: Embeddings(
            table.words,
            np.frombuffer(request.path.read_bytes()[5:], np.float32).reshape(-1, table.dimensions),
        ),
    )
    assert run("convert", path, tmp_path / "t.npy", "-q", "--limit", "5").exit_code == 0
    assert load(tmp_path / "t.npy").words == table.words[:5]
    assert run("score", path, "-b", "ws353").exit_code == 0
    audited = run("audit", saved / "original.npy", path, "-b", "ws353", "--resamples", "100")
    assert audited.exit_code == 0, audited.stderr
