import pytest


@pytest.fixture
def shards(run, saved, tmp_path):
    ask = ["shifts", saved / "original.npy", saved / "tuned.pt::embedding.weight", "good", "bad"]
    for number in (1, 2):
        done = run(*ask, "-k", "3", "-o", tmp_path / "s.jsonl", "--shard", f"{number}/2")
        assert done.exit_code == 0, done.output
        assert done.stderr.endswith(f"{number}-of-2.shard: 1 word, 0 from a stopped run\n")
    assert run(*ask, "-k", "3", "-o", tmp_path / "whole.jsonl").exit_code == 0
    return [tmp_path / f"s.jsonl.{number}-of-2.shard" for number in (1, 2)]


def test_shards_are_joined_into_what_one_run_writes(run, shards, tmp_path):
    done = run("merge", *shards, "-o", tmp_path / "s.jsonl")
    assert done.exit_code == 0
    assert done.stdout == ""
    assert done.stderr.endswith("s.jsonl: 2 words from 2 shards\n")
    assert (tmp_path / "s.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_what_cannot_be_joined_is_one_sentence(run, shards, tmp_path):
    for args, said in (
        (["-o", tmp_path / "s.jsonl"], "Missing argument 'SHARD...'"),
        ([*shards], "Missing option '-o'"),
        ([*shards, "-o", tmp_path / "s.csv"], "end in .jsonl or .parquet"),
        ([shards[0], "-o", tmp_path / "s.jsonl"], "shard 2/2 is missing"),
        ([*shards, tmp_path, "-o", tmp_path / "s.jsonl"], "is no shard"),
    ):
        done = run("merge", *args)
        assert done.exit_code == 2
        assert said in " ".join(done.stderr.split())
        assert not (tmp_path / "s.jsonl").exists()
