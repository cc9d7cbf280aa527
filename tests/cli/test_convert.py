import gzip

import numpy as np

from driftkit import load


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
