"""Patches: applied and undone, in memory and in the users' own files, of real libraries."""

import json
import signal
import subprocess
import sys
import threading
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import driftkit as dk
from driftkit.errors import OptionError, SourceError
from driftkit.patches import Patch, apply_patch, read_patch, undo_patch

WORDS = [f"w{row}" for row in range(40)]
DTYPES = [torch.float32, torch.float16, torch.bfloat16, torch.float64]


@pytest.fixture
def tuned():
    return torch.from_numpy(np.random.default_rng(0).normal(size=(40, 6)).astype("f4"))


def tensors(tuned, dtype=torch.float32):
    """A model around a table; the numbers of the table are those that float32 holds."""
    return {
        "a.weight": torch.arange(12.0).reshape(3, 4),
        "emb.weight": tuned.to(dtype),
        "out.bias": torch.ones(5, dtype=torch.int64),
    }


@pytest.fixture
def saved(tmp_path, tuned):
    """Save the model with its words beside it; the kind of file is its ending."""
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS))

    def save(name, dtype=torch.float32, **more):
        path = tmp_path / name
        if path.suffix == ".safetensors":
            save_file(tensors(tuned, dtype), path, metadata={"note": "mine"})
        else:
            torch.save({"model": tensors(tuned, dtype), "epoch": 3, **more}, path)
        return path

    return save


def patch_of(path, by=0.125):
    """Move three rows by as much."""
    table = dk.load(path)
    matrix = np.array(table.matrix)
    matrix[[3, 5, 39]] += np.float32(by)
    return Patch.between(table, dk.Embeddings(table.words, matrix), original=table)


def test_a_patch_is_what_differs_and_both_ways_are_exact(tuned):
    table = dk.Embeddings(WORDS, tuned)
    other = np.array(table.matrix)
    other[7, 2], other[9] = -other[7, 2], 0.0
    restored = dk.Embeddings(WORDS, other)
    patch = Patch.between(table, restored, original=table)
    assert patch.names == ("w7", "w9")
    assert patch.apply(table).sha256 == restored.sha256
    assert patch.undo(restored).sha256 == table.sha256
    assert len(Patch.between(table, table, original=table)) == 0


def test_zero_and_minus_zero_are_two_files(tuned):
    zeros, minus = dk.Embeddings(["a"], [[0.0, 1.0]]), dk.Embeddings(["a"], [[-0.0, 1.0]])
    patch = Patch.between(zeros, minus, original=zeros)
    assert patch.names == ("a",)
    assert patch.apply(zeros).sha256 == minus.sha256


def test_a_patch_is_saved_and_read(tmp_path, saved):
    patch = patch_of(saved("m.safetensors"))
    patch.save(tmp_path / "p.safetensors")
    again = read_patch(tmp_path / "p.safetensors")
    assert again.names == patch.names
    assert again.hashes == patch.hashes
    assert np.array_equal(again.before, patch.before)
    assert np.array_equal(again.after, patch.after)


def test_other_files_are_no_patches(tmp_path, saved):
    with pytest.raises(SourceError, match="is no patch"):
        read_patch(saved("m.safetensors"))
    with pytest.raises(SourceError, match="cannot be read as a patch"):
        read_patch(saved("m.pt"))
    patch = patch_of(saved("m.safetensors"))
    broken = Patch(patch.names[:2], patch.before, patch.after, patch.hashes)
    broken.save(tmp_path / "p.safetensors")
    with pytest.raises(SourceError, match="damaged patch"):
        read_patch(tmp_path / "p.safetensors")


def test_a_patch_with_one_bit_turned_is_not_read(tmp_path, saved):
    """Wherever it lies among names, numbers and digests."""
    patch_of(saved("m.safetensors")).save(tmp_path / "p")
    whole = (tmp_path / "p").read_bytes()
    start = 8 + int.from_bytes(whole[:8], "little")
    hashes = [whole.find(side) + len(side) + 3 for side in (b"sha256_tuned", b"sha256_restored")]
    for at in [*hashes, *range(start, len(whole))]:
        (tmp_path / "p").write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(SourceError):
            read_patch(tmp_path / "p")


@pytest.mark.skipif(sys.platform == "win32", reason="modes are of POSIX")
def test_others_may_read_a_patch_as_they_may_any_new_file(tmp_path, saved):
    patch_of(saved("m.safetensors")).save(tmp_path / "p")
    (tmp_path / "plain").touch()
    assert (tmp_path / "p").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["m.safetensors", "m.pt"])
def test_apply_changes_one_tensor_and_undo_gives_the_bytes_back(saved, tuned, name, dtype):
    path = saved(name, dtype)
    before, patch = path.read_bytes(), patch_of(path)
    applied = apply_patch(patch, path)
    after = path.read_bytes()
    assert len(after) == len(before)
    restored = dk.load(path)
    expected = torch.from_numpy(patch.after).to(dtype).float().numpy()
    assert np.array_equal(restored.rows(patch.names), [3, 5, 39])
    assert np.array_equal(restored.matrix[[3, 5, 39]], expected)
    assert applied.rounding == np.abs(expected - patch.after).max()
    untouched = np.setdiff1d(np.arange(40), [3, 5, 39])
    assert np.array_equal(restored.matrix[untouched], tuned.to(dtype).float().numpy()[untouched])
    differ = np.flatnonzero(np.frombuffer(before, "u1") != np.frombuffer(after, "u1"))
    width = patch.after.shape[1] * tuned.to(dtype).element_size()
    checksums = 8 if name == "m.pt" else 0
    assert 0 < len(differ) <= 3 * width + checksums
    undo_patch(patch, path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["m.safetensors", "m.pt"])
def test_what_else_the_file_holds_is_read_as_before(saved, name):
    path = saved(name)
    apply_patch(patch_of(path), path)
    if name == "m.pt":
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
        loaded = torch.load(path)
        assert loaded["epoch"] == 3
        loaded = loaded["model"]
    else:
        from safetensors import safe_open

        with safe_open(path, "pt") as file:
            assert file.metadata() == {"note": "mine"}
            loaded = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    assert torch.equal(loaded["a.weight"], torch.arange(12.0).reshape(3, 4))
    assert torch.equal(loaded["out.bias"], torch.ones(5, dtype=torch.int64))


def test_a_view_of_a_larger_storage_is_found(tmp_path, tuned):
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS))
    whole = torch.cat([torch.zeros(2, 6), tuned])
    torch.save({"emb": whole[2:]}, tmp_path / "m.pt")
    before, patch = (tmp_path / "m.pt").read_bytes(), patch_of(tmp_path / "m.pt")
    apply_patch(patch, tmp_path / "m.pt")
    assert torch.equal(torch.load(tmp_path / "m.pt")["emb"][3], torch.from_numpy(patch.after[0]))
    undo_patch(patch, tmp_path / "m.pt")
    assert (tmp_path / "m.pt").read_bytes() == before


def test_parts_of_one_storage_are_replaced_where_they_do_not_overlap(tmp_path, tuned):
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS))
    path = tmp_path / "m.pt"
    both = torch.cat([torch.zeros(2, 6), tuned])
    torch.save({"head": both[:2], "emb": both[2:]}, path)
    before, patch = path.read_bytes(), patch_of(path)
    apply_patch(patch, path)
    assert torch.equal(torch.load(path)["head"], torch.zeros(2, 6))
    assert torch.equal(torch.load(path)["emb"][3], torch.from_numpy(patch.after[0]))
    undo_patch(patch, path)
    assert path.read_bytes() == before
    for head in (both[1:3], both[:, 0], both[-1]):
        torch.save({"head": head, "emb": both[2:]}, path)
        refuses(path, patch, "is tied")


def test_an_archive_as_python_writes_it_keeps_its_checksums(tmp_path, saved):
    """Without the descriptors that torch puts behind each record."""
    with zipfile.ZipFile(saved("m.pt")) as old, zipfile.ZipFile(tmp_path / "n.pt", "w") as new:
        for info in old.infolist():
            new.writestr(info.filename, old.read(info))
    before, patch = (tmp_path / "n.pt").read_bytes(), patch_of(tmp_path / "n.pt")
    apply_patch(patch, tmp_path / "n.pt")
    with zipfile.ZipFile(tmp_path / "n.pt") as archive:
        assert archive.testzip() is None
    undo_patch(patch, tmp_path / "n.pt")
    assert (tmp_path / "n.pt").read_bytes() == before


def test_padding_past_the_words_stays(tmp_path, tuned):
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS))
    save_file({"emb": torch.cat([tuned, torch.zeros(3, 6)])}, tmp_path / "m.safetensors")
    before, patch = (tmp_path / "m.safetensors").read_bytes(), patch_of(tmp_path / "m.safetensors")
    apply_patch(patch, tmp_path / "m.safetensors")
    assert dk.load(tmp_path / "m.safetensors")["w39"].tolist() == patch.after[2].tolist()
    undo_patch(patch, tmp_path / "m.safetensors")
    assert (tmp_path / "m.safetensors").read_bytes() == before


# What is refused leaves the file as it is.


def refuses(path, patch, sentence, act=apply_patch, **more):
    before = path.read_bytes()
    with pytest.raises(OptionError, match=sentence):
        act(patch, path, **more)
    assert path.read_bytes() == before


def test_a_patch_for_another_table_is_refused(tmp_path, saved, tuned):
    patch = patch_of(saved("m.safetensors"))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "vocab.txt").write_text("\n".join(WORDS))
    path = tmp_path / "other" / "m.safetensors"
    save_file({"emb": tuned + 1}, path)
    refuses(path, patch, "for another table")
    refuses(path, patch, "for another table", undo_patch)
    save_file({"emb": tuned[:, :5].contiguous()}, path)
    refuses(path, patch, "for another table")
    refuses(saved("n.safetensors"), patch, "for another table", vocab=WORDS[::-1])
    with pytest.raises(OptionError, match="for another table"):
        patch.apply(dk.Embeddings(WORDS, tuned + 1))
    with pytest.raises(OptionError, match="for another table"):
        patch.undo(dk.Embeddings(WORDS, tuned))


@pytest.mark.parametrize("name", ["m.safetensors", "m.pt"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_patch_that_does_not_make_what_it_was_made_for_is_refused(saved, name, dtype):
    path = saved(name, dtype)
    patch = patch_of(path)
    for wrong in (replace(patch, after=patch.after * 2), replace(patch, before=patch.before * 2)):
        refuses(path, wrong, "patch is damaged")
    if dtype == torch.float32:
        apply_patch(patch, path)
        refuses(path, replace(patch, before=patch.before * 2), "patch is damaged", undo_patch)


def test_what_the_type_of_the_file_cannot_hold_is_told_and_not_written(saved):
    path = saved("m.pt", torch.float16)
    patch, before = patch_of(path, by=1e-6), path.stat()
    for act in (apply_patch, apply_patch, undo_patch):
        done = act(patch, path)
        assert (done.rows, done.same) == (0, 3)
        assert "nothing was written, since the patch changes 3 rows by less than float16" in (
            done.sentence
        )
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    table = dk.load(path)
    matrix = np.array(table.matrix)
    matrix[3] += np.float32(1e-6)
    matrix[5] += 1
    some = Patch.between(table, dk.Embeddings(table.words, matrix), original=table)
    assert "1 row written" in apply_patch(some, path).sentence
    assert "left 1 row as before" in undo_and_apply(some, path).sentence


def undo_and_apply(patch, path):
    undo_patch(patch, path)
    return apply_patch(patch, path)


def test_an_empty_patch_writes_nothing(saved):
    path = saved("m.pt")
    table = dk.load(path)
    empty, before = Patch.between(table, table, original=table), path.stat().st_ino
    for act in (apply_patch, undo_patch):
        assert "nothing was written, since the patch changes no row" in act(empty, path).sentence
    assert path.stat().st_ino == before


@pytest.mark.skipif(sys.platform == "win32", reason="links are of POSIX")
def test_links_are_followed_or_told(tmp_path, saved):
    path = saved("m.pt")
    (tmp_path / "other.pt").hardlink_to(path)
    before, patch = path.read_bytes(), patch_of(path)
    assert "the file had 1 other hard link, now to the old one" in apply_patch(patch, path).sentence
    assert (tmp_path / "other.pt").read_bytes() == before
    (tmp_path / "soft.pt").symlink_to("m.pt")
    assert "hard link" not in undo_patch(patch, tmp_path / "soft.pt").sentence
    assert path.read_bytes() == before
    (tmp_path / "gone.pt").symlink_to("nowhere.pt")
    with pytest.raises(SourceError, match="is a link to 'nowhere.pt', which does not exist"):
        apply_patch(patch, tmp_path / "gone.pt")


def test_twice_is_told(saved):
    path = saved("m.pt")
    patch = patch_of(path)
    refuses(path, patch, "no patch to undo", undo_patch)
    apply_patch(patch, path)
    refuses(path, patch, "has this patch already")
    with path.open("r+b") as file:  # somebody trained on
        table = dk.load(path)
        at = path.read_bytes().find(table.matrix[0].tobytes())
        file.seek(at)
        file.write(np.float32(9).tobytes())
    refuses(path, patch, "for another table", undo_patch)


@pytest.mark.filterwarnings("ignore:torch.quantize:UserWarning")
def test_files_that_are_not_rewritten_are_named(tmp_path, saved, tuned):
    patch = patch_of(saved("m.pt"))
    torch.save({"emb": tuned}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    refuses(tmp_path / "old.pt", patch, "before 1.6")
    torch.save({"emb.weight": tuned, "head.weight": tuned}, tmp_path / "tied.pt")
    refuses(tmp_path / "tied.pt", patch, "is tied")
    torch.save({"emb": tuned.T.contiguous().T}, tmp_path / "columns.pt")
    refuses(tmp_path / "columns.pt", patch, "does not lie row by row")
    small = torch.quantize_per_tensor(tuned, 0.1, 0, torch.qint8)
    torch.save({"emb": small}, tmp_path / "small.pt")
    table = dk.load(tmp_path / "small.pt")
    own = Patch.between(table, dk.Embeddings(WORDS, table.matrix * 2), original=table)
    refuses(tmp_path / "small.pt", own, "quantized")
    np.save(tmp_path / "m.npy", tuned.numpy())
    refuses(tmp_path / "m.npy", patch, "npy")


@pytest.mark.parametrize("name", ["m.safetensors", "m.pt"])
def test_a_table_that_is_stored_twice_is_replaced_where_it_is_named(tmp_path, saved, tuned, name):
    patch, path = patch_of(saved("m.pt")), tmp_path / name
    both = {"emb.weight": tuned, "head.weight": tuned.clone(), "other.weight": tuned + 1}
    save_file(both, path) if name == "m.safetensors" else torch.save(both, path)
    refuses(path, patch, "is stored twice, as emb.weight and as head.weight, of which one")
    applied = apply_patch(patch, f"{path}::head.weight")
    assert applied.copies == ("emb.weight",)
    assert applied.sentence.endswith("; emb.weight, which had the same numbers, keeps them")
    assert dk.load(f"{path}::emb.weight").sha256 == patch.hashes["tuned"]
    assert dk.load(f"{path}::head.weight").sha256 == patch.hashes["restored"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs locks of POSIX")
def test_of_several_that_apply_at_once_one_does_and_the_others_say_why(saved):
    path = saved("m.pt")
    patch, said = patch_of(path), []

    def apply():
        try:
            said.append(apply_patch(patch, path).sentence)
        except OptionError as error:
            said.append(str(error))

    for _ in range(5):
        said.clear()
        threads = [threading.Thread(target=apply) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert sum("3 rows written" in each for each in said) == 1
        why = ("is writing it", "has this patch already", "3 rows written")
        assert all(any(each in sentence for each in why) for sentence in said), said
        undo_patch(patch, path)


def test_finer_numbers_than_undo_gives_back_are_refused(tmp_path, tuned):
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS))
    torch.save({"emb": tuned.double() / 3}, tmp_path / "m.pt")
    refuses(tmp_path / "m.pt", patch_of(tmp_path / "m.pt"), "finer than float32")


def test_numbers_too_large_for_the_type_are_refused(saved):
    path = saved("m.pt", torch.float16)
    refuses(path, patch_of(path, by=1e6), "too narrow")


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.parametrize("name", ["m.safetensors", "m.pt"])
def test_a_kill_in_the_middle_leaves_the_old_file_whole(tmp_path, saved, name):
    path = saved(name)
    patch_of(path).save(tmp_path / "p")
    before = path.read_bytes()
    program = (
        "import os, signal, sys\n"
        "from driftkit.patches import apply_patch, read_patch\n"
        "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"  # all written, not renamed
        "apply_patch(read_patch(sys.argv[1]), sys.argv[2])"
    )
    killed = subprocess.run([sys.executable, "-c", program, tmp_path / "p", path], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_bytes() == before
    apply_patch(read_patch(tmp_path / "p"), path)  # and nothing holds the next run up
    assert path.read_bytes() != before
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted([name, "p", "vocab.txt"])


def test_names_are_kept_as_json(tmp_path):
    words = ["\n", "é", '"', "日本"]
    table = dk.Embeddings(words, np.eye(4))
    patch = Patch.between(table, dk.Embeddings(words, -np.eye(4)), original=table)
    patch.save(tmp_path / "p")
    assert read_patch(tmp_path / "p").names == tuple(words)
    assert json.dumps(patch.to_dict())
