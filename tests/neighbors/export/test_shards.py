import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from driftkit import Embeddings, align
from driftkit.errors import OptionError, OutputError, SourceError
from driftkit.neighbors.export import Shard, merge_shards, rows, shards, write_shifts
from driftkit.neighbors.export import part as block
from driftkit.neighbors.export import write as stream

K = 3


def contents(path):
    """The bytes of a file, or of all files of a folder."""
    if path.is_file():
        return path.read_bytes()
    return {each.name: each.read_bytes() for each in path.iterdir()}


def shards_of(pair, path, count, **how):
    for number in range(1, count + 1):
        write_shifts(pair, path, k=K, shard=Shard(number, count), **how)
    return sorted(path.parent.glob(f"{path.name}.*.shard"))


@pytest.fixture
def three(pair, tmp_path):
    return shards_of(pair, tmp_path / "s.jsonl", 3, part=25)


@pytest.mark.parametrize(
    ("name", "partitioned"), [("s.jsonl", False), ("s.parquet", False), ("s.parquet", True)]
)
@pytest.mark.parametrize(("count", "part"), [(1, 7), (2, 120), (7, 11)])
def test_merged_shards_are_what_one_process_writes(
    pair, tmp_path, monkeypatch, name, partitioned, count, part
):
    if name == "s.parquet":
        pytest.importorskip("pyarrow", reason="needs pyarrow")
    monkeypatch.setattr(rows, "TOGETHER", 50)  # words in a row group
    whole, merged = tmp_path / "whole" / name, tmp_path / name
    whole.parent.mkdir()
    write_shifts(pair, whole, k=K, partitioned=partitioned)
    made = shards_of(pair, tmp_path / name, count, part=part)
    assert merge_shards(made[::-1], merged, partitioned=partitioned) == 120
    assert contents(merged) == contents(whole)


def test_a_partitioned_folder_is_read_as_one_table(pair, tmp_path, monkeypatch):
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")
    monkeypatch.setattr(rows, "TOGETHER", 50)
    write_shifts(pair, tmp_path / "one.parquet", k=K)
    folder = tmp_path / "many.parquet"
    for _ in range(2):  # an older folder of ours is replaced
        write_shifts(pair, folder, k=K, partitioned=True, part=30)
    assert parquet.read_table(folder).equals(parquet.read_table(tmp_path / "one.parquet"))
    assert len(list(folder.glob("part-*.parquet"))) == 3


def test_only_a_partitioned_folder_is_replaced(pair, tmp_path):
    pytest.importorskip("pyarrow", reason="needs pyarrow")
    other = tmp_path / "other.parquet"
    other.mkdir()
    with pytest.raises(OutputError, match="it is a folder of other things; name a new folder"):
        write_shifts(pair, other, k=K, partitioned=True)
    with pytest.raises(OutputError, match="it is a folder; name a file"):
        write_shifts(pair, other, k=K)
    with pytest.raises(OptionError, match=r"only Parquet is partitioned: name it s\.parquet"):
        write_shifts(pair, tmp_path / "s.jsonl", k=K, partitioned=True)
    assert list(tmp_path.iterdir()) == [other]


def test_a_shard_goes_on_where_it_was_stopped_and_is_not_made_twice(pair, tmp_path, monkeypatch):
    path, shard, real, calls = tmp_path / "s.jsonl", Shard(2, 2), block.neighbor_shifts, []

    def stopped_in_the_third(*args, **how):
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*args, **how)

    monkeypatch.setattr(block, "neighbor_shifts", stopped_in_the_third)
    with pytest.raises(KeyboardInterrupt):
        write_shifts(pair, path, k=K, shard=shard, part=20)
    assert not shard.place(path).exists()
    with pytest.raises(SourceError, match="there is no such folder"):
        merge_shards([shard.place(path)], path)
    assert write_shifts(pair, path, k=K, shard=shard, part=20) == 40
    assert write_shifts(pair, path, k=K, shard=shard) == 60
    assert len(calls) == 4
    assert write_shifts(pair, path, k=K + 1, shard=shard) == 0  # another question replaces it
    assert [each.name for each in tmp_path.iterdir()] == ["s.jsonl.2-of-2.shard"]


def test_a_damaged_shard_is_made_again(three, pair, tmp_path):
    (tmp_path / "s.jsonl.2-of-3.shard" / "000000000040-000000000065.jsonl").write_bytes(b"")
    assert write_shifts(pair, tmp_path / "s.jsonl", k=K, shard=Shard(2, 3)) == 0
    assert merge_shards(three, tmp_path / "s.jsonl") == 120


def test_all_shards_are_needed_once(three, tmp_path):
    target = tmp_path / "s.jsonl"
    for given, said in (
        (three[:1], r"shards 2/3, 3/3 are missing; run `driftkit shifts` with --shard 2/3"),
        (three[1:], r"shard 1/3 is missing"),
        ([*three, three[1]], r"shard 2/3 is given twice"),
    ):
        with pytest.raises(OptionError, match=said):
            merge_shards(given, target)
    with pytest.raises(OptionError, match=r"shards of a file that ends in \.jsonl"):
        merge_shards(three, tmp_path / "s.parquet")
    assert not target.exists()


def longer(pair):
    original = Embeddings(pair.original.words, pair.original.matrix * 2)
    return align(original, pair.tuned)


def turned(pair):
    return align(pair.original, Embeddings(pair.tuned.words, pair.tuned.matrix[:, ::-1]))


@pytest.mark.parametrize(
    ("changed", "how", "said"),
    [
        (longer, {}, "the original table differs"),
        (turned, {}, "the tuned table differs"),
        (None, {"k": K + 1}, "k differs"),
        (None, {"metric": "dot"}, "the metric differs"),
        (None, {"candidates": 50}, "the candidates differs"),
        (None, {"words": [f"w{i}" for i in range(80)]}, "the words asked about, their number"),
    ],
)
def test_shards_of_two_questions_are_not_joined(three, pair, tmp_path, changed, how, said):
    other = changed(pair) if changed else pair
    write_shifts(other, tmp_path / "t.jsonl", shard=Shard(2, 3), **{"k": K, **how})
    mixed = [three[0], tmp_path / "t.jsonl.2-of-3.shard", three[2]]
    with pytest.raises(OptionError, match=f"do not belong together: {said}"):
        merge_shards(mixed, tmp_path / "s.jsonl")


def test_shards_of_two_divisions_or_versions_are_not_joined(three, pair, tmp_path, monkeypatch):
    write_shifts(pair, tmp_path / "t.jsonl", k=K, shard=Shard(2, 4))
    with pytest.raises(OptionError, match="is one of 3 shards and .* one of 4"):
        merge_shards([*three, tmp_path / "t.jsonl.2-of-4.shard"], tmp_path / "s.jsonl")
    real = stream.Question.of
    later = lambda *args: replace(real(*args), driftkit="9.9")  # noqa: E731
    monkeypatch.setattr(stream.Question, "of", later)
    write_shifts(pair, tmp_path / "t.jsonl", k=K, shard=Shard(2, 3))
    with pytest.raises(OptionError, match="the version of driftkit differs"):
        merge_shards([three[0], tmp_path / "t.jsonl.2-of-3.shard", three[2]], tmp_path / "s.jsonl")


def cut(folder):
    file = next(folder.glob("0*"))
    file.write_bytes(file.read_bytes()[:-9])


def lose(folder):
    next(folder.glob("0*")).unlink()


def garble(folder):
    (folder / shards.MANIFEST).write_text("{")


def edit(**changes):
    def change(folder):
        manifest = json.loads((folder / shards.MANIFEST).read_text())
        (folder / shards.MANIFEST).write_text(json.dumps(manifest | changes))

    return change


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (cut, "half written, or was changed since"),
        (lose, "half written, or was changed since"),
        (shutil.rmtree, "there is no such folder"),
        (garble, "is no shard; give the folders"),
        (edit(schema="driftkit.shard/9"), "written by another version of driftkit"),
        (edit(question={}), "has a damaged"),
        (edit(parts=[]), "has a damaged"),
        (edit(shard=1), "has a damaged"),
        (edit(of="many"), "has a damaged"),
        (edit(parts=[{"name": "../x", "start": 40, "stop": 80, "sha256": ""}]), "has a damaged"),
    ],
)
def test_a_shard_that_was_harmed_is_refused(three, tmp_path, harm, said):
    harm(three[1])
    with pytest.raises(SourceError, match=said):
        merge_shards(three, tmp_path / "s.jsonl")
    assert not (tmp_path / "s.jsonl").exists()


@pytest.mark.parametrize("text", ["", "0/3", "4/3", "1/0", "a/b", "1", "1/3/5", "-1/3", "1/2e3"])
def test_a_shard_is_written_as_3_8(text):
    with pytest.raises(OptionError, match="write one such as 3/8"):
        Shard.parse(text)


def test_no_shard_is_empty(pair, tmp_path):
    with pytest.raises(OptionError, match="120 words are asked about; ask for at most as many"):
        write_shifts(pair, tmp_path / "s.jsonl", shard=Shard(1, 121))
    edges = [Shard(number, 7).bounds(120) for number in range(1, 8)]
    assert np.diff([0, *(stop for _, stop in edges)]).min() >= 17


def test_what_stands_in_the_way_is_kept(pair, tmp_path):
    place = tmp_path / "s.jsonl.1-of-2.shard"
    place.mkdir()
    with pytest.raises(OutputError, match="something else is there; move it away"):
        write_shifts(pair, tmp_path / "s.jsonl", shard=Shard(1, 2))
    assert list(tmp_path.iterdir()) == [place]
