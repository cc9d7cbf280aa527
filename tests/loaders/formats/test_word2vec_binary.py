import numpy as np
import pytest
from gensim.models import KeyedVectors
from gensim.test.utils import datapath

from driftkit.errors import SourceError
from driftkit.loaders import load


def binary(words, matrix, newline=b"\n", n=None):
    matrix = np.asarray(matrix, "<f4")
    head = b"%d %d\n" % (len(words) if n is None else n, matrix.shape[1])
    return head + b"".join(
        w + b" " + r.tobytes() + newline for w, r in zip(words, matrix, strict=True)
    )


def test_gensims_own_vectors():
    path = datapath("euclidean_vectors.bin")
    theirs = KeyedVectors.load_word2vec_format(path, binary=True)
    ours = load(path)
    assert list(ours.words) == theirs.index_to_key
    assert np.array_equal(ours.matrix, theirs.vectors)
    assert ours.matrix.shape == (2747, 10)
    assert ours.source.format == "word2vec-binary"
    assert ours.problems == ()
    war, conflict = ours["war"].astype(float), ours["conflict"].astype(float)
    cosine = war @ conflict / np.linalg.norm(war) / np.linalg.norm(conflict)
    assert cosine == pytest.approx(0.93305397, abs=1e-7)


@pytest.mark.parametrize("newline", [b"\n", b""])
def test_both_dialects_and_awkward_bytes(tmp_path, newline):
    # A float may hold any byte, a space and a newline among them.
    rows = np.frombuffer(np.float32([0.1, -3.5]).tobytes() + b"    \n\n\n\n", "<f4").reshape(2, 2)
    path = tmp_path / "v.bin"
    path.write_bytes(binary([b"a", "\u00e9".encode()], rows, newline))
    calls = []
    table = load(path, progress=lambda done, total: calls.append((done, total)))
    assert table.words == ("a", "\u00e9")
    assert np.array_equal(table.matrix, rows)
    assert calls[-1] == (path.stat().st_size, path.stat().st_size)


def test_zeros_invalid_utf8_and_trailing_bytes(tmp_path):
    path = tmp_path / "v.bin"
    path.write_bytes(binary([b"a\xff", b"b"], np.zeros((2, 3))) + b"more")
    table = load(path)
    assert table.words == ("a\\xff", "b")
    assert [(p.kind, p.where, p.detail) for p in table.problems] == [
        ("invalid UTF-8", 0, "kept as 'a\\\\xff'"),
        ("header", None, "5 bytes follow the 2 vectors it promises; not read"),
    ]


@pytest.mark.parametrize(
    "phrase", ["New York", "vitamin c", "New Age", "San Jos\u00e9", "New York City"]
)
@pytest.mark.parametrize("newline", [b"\n", b""])
@pytest.mark.parametrize("asked", [None, "first"])
def test_a_word_with_a_space_is_refused_and_named(tmp_path, phrase, newline, asked):
    rows = np.random.default_rng(7).normal(size=(20, 50))
    words = [b"w%d" % row for row in range(20)]
    words[8] = phrase.encode()
    path = tmp_path / "v.bin"
    path.write_bytes(binary(words, rows, newline))
    with pytest.raises(SourceError, match="seems to hold a space") as caught:
        load(path, words=asked and [phrase.split()[0]])
    assert repr(phrase)[1:9] in str(caught.value)


def test_words_that_are_not_utf8_are_not_taken_for_phrases(tmp_path):
    rows = np.random.default_rng(7).normal(size=(200, 50)) * 1e-19
    path = tmp_path / "v.bin"
    path.write_bytes(binary([b"caf\xe9%d" % row for row in range(200)], rows, b""))
    table = load(path)
    assert len(table.problems) == 200
    assert np.array_equal(table.matrix, rows.astype("f4"))


def test_truncated(tmp_path):
    path = tmp_path / "v.bin"
    content = binary([b"a" * 40, b"b" * 40], np.full((2, 3), 0.1))
    path.write_bytes(content[:-10])
    with pytest.raises(SourceError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: it ends inside vector 2 of the 2 its header promises; the file is probably "
        "truncated, so copy or download it again."
    )


def test_a_header_that_claims_terabytes_takes_no_memory(tmp_path):
    path = tmp_path / "v.bin"
    path.write_bytes(binary([b"a"], np.full((1, 3), 0.1), n=10**11))
    with pytest.raises(SourceError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: its header promises 100,000,000,000 vectors of 3, at least 1,300,000,000,000 "
        "bytes, and 15 follow; the file is truncated or its header wrong, so copy or download it "
        "again."
    )


@pytest.mark.parametrize(("kind", "size"), [("float64", 8), ("float16", 2)])
@pytest.mark.parametrize("d", [3, 50])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_numbers_of_other_widths_are_named(tmp_path, kind, size, d, end):
    rows = np.random.default_rng(0).normal(size=(30, d)).astype(kind)
    path = tmp_path / "t.bin"
    body = b"".join(b"w%d %s%s" % (i, row.tobytes(), end) for i, row in enumerate(rows))
    path.write_bytes(b"30 %d\n%s" % (d, body))
    with pytest.raises(SourceError, match=f"its numbers take {size} bytes each, as {kind} does"):
        load(path)


def test_words_with_control_characters_are_no_sign_of_another_width(tmp_path):
    rows = np.random.default_rng(0).normal(size=(30, 3)).astype("<f4")
    path = tmp_path / "t.bin"
    body = b"".join(b"w\x01%d %s\n" % (i, row.tobytes()) for i, row in enumerate(rows))
    path.write_bytes(b"30 3\n" + body)
    assert load(path).words[0] == "w\x01" + "0"
