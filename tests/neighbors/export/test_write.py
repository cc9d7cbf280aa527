import json

import numpy as np
import pytest

from driftkit import Embeddings, align, load, neighbor_shifts
from driftkit.atomic import locked
from driftkit.errors import MissingExtraError, OptionError, OutputError, SourceError
from driftkit.neighbors.export import Shard, write_shifts
from driftkit.neighbors.export import part as block
from driftkit.neighbors.export import write as stream
from driftkit.neighbors.export.rows import words_together
from driftkit.provenance import Rounding, Source


def interrupted(*_, **__):
    raise KeyboardInterrupt


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_line_a_word(pair, tmp_path):
    path, calls = tmp_path / "shifts.jsonl", []
    assert write_shifts(pair, path, k=3, part=50, progress=lambda *c: calls.append(c)) == 0
    rows = lines(path)
    assert [row["word"] for row in rows] == list(pair.words)
    for row, shift in zip(rows, neighbor_shifts(pair, k=3), strict=True):
        assert list(zip(row["after"], row["after_cosine"], strict=True)) == list(shift.after)
        assert row["overlap@3"] is None or row["overlap@3"] == shift.overlap
    assert calls == sorted(calls)
    assert calls[-1] == (120, 120)
    assert [each.name for each in tmp_path.iterdir()] == ["shifts.jsonl"]


def test_parquet_holds_the_same(pair, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")
    words = ["w30", "w3", "w7"]
    for name in ("s.parquet", "s.jsonl"):
        write_shifts(pair, tmp_path / name, words, k=3, part=2)
    assert parquet.read_table(tmp_path / "s.parquet").to_pylist() == lines(tmp_path / "s.jsonl")


def test_another_added_word_is_another_question(pair, tmp_path, monkeypatch):
    path = tmp_path / "shifts.jsonl"
    monkeypatch.setattr(stream, "write_joined", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_shifts(pair, path, k=3)
    monkeypatch.undo()
    changed = pair.tuned.matrix.copy()
    changed[0] = 2  # the row of <pad>
    other = align(pair.original, Embeddings(pair.tuned.words, changed))
    assert write_shifts(other, path, k=3) == 0
    assert "<pad>" in path.read_text(encoding="utf-8")


def test_goes_on_where_it_was_stopped(pair, tmp_path, monkeypatch):
    path, asked = tmp_path / "shifts.jsonl", []
    real = block.neighbor_shifts

    def stopped_in_the_third(pair, words, *args, **how):
        asked.append(len(words))
        if len(asked) == 3:
            raise KeyboardInterrupt
        return real(pair, words, *args, **how)

    monkeypatch.setattr(block, "neighbor_shifts", stopped_in_the_third)
    with pytest.raises(KeyboardInterrupt):
        write_shifts(pair, path, k=3, part=50)
    assert not path.exists()
    assert write_shifts(pair, path, k=3, part=50) == 100
    assert asked == [50, 50, 20, 20]
    monkeypatch.undo()
    whole = tmp_path / "whole.jsonl"
    write_shifts(pair, whole, k=3)
    assert path.read_bytes() == whole.read_bytes()


def test_goes_on_whatever_the_size_of_parts(pair, tmp_path, monkeypatch):
    path, asked, real = tmp_path / "shifts.jsonl", [], block.neighbor_shifts
    stopped(monkeypatch, pair, path, k=3, part=50)
    folder = next(tmp_path.glob(".*.parts"))
    (folder / f"{40:012}-{90:012}.jsonl").write_text("of a run that cut otherwise")

    def counted(pair, words, *args, **how):
        asked.append(len(words))
        return real(pair, words, *args, **how)

    monkeypatch.setattr(block, "neighbor_shifts", counted)
    assert write_shifts(pair, path, k=3, part=30) == 50
    assert asked == [30, 30, 10]
    write_shifts(pair, tmp_path / "whole.jsonl", k=3)
    assert path.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_another_question_starts_anew(pair, tmp_path, monkeypatch):
    path = tmp_path / "shifts.jsonl"
    real = stream.write_joined
    monkeypatch.setattr(stream, "write_joined", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_shifts(pair, path, k=3)
    monkeypatch.setattr(stream, "write_joined", real)
    assert write_shifts(pair, path, k=4) == 0
    assert "overlap@4" in lines(path)[0]


def test_candidates_in_an_array_are_told_by_every_one(pair, tmp_path, monkeypatch):
    path, many = tmp_path / "shifts.jsonl", np.array([*pair.words] * 10)
    fewer = many.copy()
    fewer[3:-3] = many[0]
    assert str(many) == str(fewer)  # of a long array numpy prints the ends
    monkeypatch.setattr(stream, "write_joined", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_shifts(pair, path, k=3, candidates=many)
    monkeypatch.undo()
    assert write_shifts(pair, path, k=3, candidates=fewer) == 0
    assert {*np.concatenate([row["before"] for row in lines(path)])} <= {*fewer}


def test_refuses_other_endings_and_folders_that_are_not_there(pair, tmp_path, monkeypatch):
    with pytest.raises(OptionError, match=r"end in \.jsonl or \.parquet"):
        write_shifts(pair, tmp_path / "shifts.csv")
    with pytest.raises(OptionError, match="does not exist"):
        write_shifts(pair, tmp_path / "none" / "shifts.jsonl")
    with pytest.raises(OptionError, match="part=0"):
        write_shifts(pair, tmp_path / "shifts.jsonl", part=0)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtraError, match="pyarrow"):
        write_shifts(pair, tmp_path / "shifts.parquet")


@pytest.mark.parametrize(
    ("memory", "k", "words"),
    [(None, 10, 32_768), (None, 1000, 3_906), (200_000_000, 1000, 1_562), (1, 1000, 256)],
)
def test_deep_lists_are_written_in_smaller_parts(memory, k, words):
    assert words_together(k, memory) == words


def stopped(monkeypatch, pair, path, **how):
    """A run that was killed when its first part was done."""
    real, calls = block.neighbor_shifts, []

    def second_fails(*args, **options):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(block, "neighbor_shifts", second_fails)
        with pytest.raises(KeyboardInterrupt):
            write_shifts(pair, path, **how)


def other_pair(pair, **changed):
    """The same names, with other vectors or another rounding."""
    sides = []
    for table, matrix in ((pair.original, pair.before), (pair.tuned, pair.after)):
        source = Source(rounding=changed.get("rounding", table.source.rounding))
        sides.append(Embeddings(pair.words, matrix * changed.get("scale", 1), source=source))
    return align(*sides)


@pytest.mark.parametrize(
    "change",
    [
        {"scale": np.float32(2)},
        {"rounding": Rounding(0.0, 100.0, "coarse")},  # the same bytes, of which none has moved
    ],
)
def test_parts_of_other_tables_are_never_mixed_in(pair, tmp_path, monkeypatch, change):
    path = tmp_path / "shifts.jsonl"
    stopped(monkeypatch, pair, path, k=3, part=50)
    other = other_pair(pair, **change)
    assert write_shifts(other, path, k=3, part=50) == 0
    whole = tmp_path / "whole.jsonl"
    write_shifts(other, whole, k=3, part=50)
    assert path.read_bytes() == whole.read_bytes()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["shifts.jsonl", "whole.jsonl"]


def test_a_second_run_into_the_same_file_is_refused(pair, tmp_path, monkeypatch):
    path = tmp_path / "shifts.jsonl"
    stopped(monkeypatch, pair, path, k=3, part=50)
    with locked(path), pytest.raises(OutputError, match=r"another run \(pid \d+ on \w+\)"):
        write_shifts(pair, path, k=4, part=50)
    assert write_shifts(pair, path, k=3, part=50) == 50  # whose parts the refused run left alone


def test_a_full_disk_names_the_file_and_leaves_no_empty_folder(pair, tmp_path, monkeypatch):
    path = tmp_path / "shifts.jsonl"
    path.write_text("old")
    full = OSError(28, "No space left on device")
    monkeypatch.setattr(block, "write_rows", lambda *_: (_ for _ in ()).throw(full))
    with pytest.raises(OutputError, match=f"{path}: No space left on device"):
        write_shifts(pair, path, k=3)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_longest_name_is_written_in_parts_too(pair, tmp_path, monkeypatch):
    path = tmp_path / ("n" * 249 + ".jsonl")
    stopped(monkeypatch, pair, path, k=3, part=50)
    assert write_shifts(pair, path, k=3, part=50) == 50
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("shard", [None, Shard(1, 1)])
def test_tables_that_are_written_to_meanwhile_give_no_file(pair, tmp_path, monkeypatch, shard):
    source, target = tmp_path / "tuned.npy", tmp_path / "out"
    np.save(source, pair.tuned.matrix)
    target.mkdir()
    mapped = align(pair.original, load(source, vocab=pair.tuned.words))
    real = block.neighbor_shifts

    def then_written_to(*args, **how):
        shifts = real(*args, **how)
        np.lib.format.open_memmap(source, mode="r+")[:] = pair.tuned.matrix[::-1]
        return shifts

    monkeypatch.setattr(block, "neighbor_shifts", then_written_to)
    with pytest.raises(SourceError, match=r"tuned\.npy: was changed while it was read"):
        write_shifts(mapped, target / "s.jsonl", k=3, part=50, shard=shard)
    assert list(target.iterdir()) == []


def test_tables_that_are_replaced_meanwhile_are_read_to_the_end(pair, tmp_path, monkeypatch):
    pair.tuned.save(tmp_path / "tuned")
    mapped = align(pair.original, load(tmp_path / "tuned"))
    stopped(monkeypatch, mapped, tmp_path / "s.jsonl", k=3, part=50)
    Embeddings(pair.tuned.words, pair.tuned.matrix[::-1]).save(tmp_path / "tuned")
    assert write_shifts(mapped, tmp_path / "s.jsonl", k=3, part=50) == 50
    write_shifts(pair, tmp_path / "whole.jsonl", k=3)
    assert (tmp_path / "s.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


@pytest.mark.parametrize("name", ["s.jsonl", "s.parquet"])
@pytest.mark.parametrize(
    "harm",
    [
        lambda data: b"",
        lambda data: data[:100],
        lambda data: data[:-1],
        lambda data: data + b"{",
        lambda data: bytes(len(data)),  # as a system that lost power may leave it
        lambda data: data[:300] + bytes(20) + data[320:],
    ],
)
def test_a_damaged_part_is_done_again(pair, tmp_path, monkeypatch, name, harm):
    if name == "s.parquet":
        pytest.importorskip("pyarrow", reason="needs pyarrow")
    stopped(monkeypatch, pair, tmp_path / name, k=3, part=50)
    (part,) = tmp_path.glob(f".*.parts/0*.{name[2:]}")
    part.write_bytes(harm(part.read_bytes()))
    assert write_shifts(pair, tmp_path / name, k=3, part=30) == 0
    (tmp_path / "whole").mkdir()
    write_shifts(pair, tmp_path / "whole" / name, k=3)
    assert (tmp_path / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.parametrize("given", [{"words": "w1"}, {"candidates": "w1"}])
def test_one_string_is_no_list_of_words(pair, tmp_path, given):
    with pytest.raises(OptionError, match="is one string; give a list of words"):
        write_shifts(pair, tmp_path / "s.jsonl", k=3, **given)
    assert list(tmp_path.iterdir()) == []
