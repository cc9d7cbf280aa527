"""Real workers of a real `distributed.LocalCluster`, one of which is killed."""

import os
import signal
from multiprocessing import forkserver, set_forkserver_preload

import numpy as np
import pytest

from driftkit import Embeddings, align, load
from driftkit.errors import MissingExtraError, OptionError, SourceError
from driftkit.neighbors.export import Opening, Shard, cluster, merge_shards, team, write_shifts

distributed = pytest.importorskip("distributed", reason="needs distributed (extra dask)")
dask = pytest.importorskip("dask")

pytestmark = [
    pytest.mark.slow,
    # Dask leaves sockets of killed workers to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

WORDS, PART, K = 1_000, 20, 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two tables on disk, of which every tenth row moved, and what one process writes of them."""
    folder = tmp_path_factory.mktemp("cluster")
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(WORDS)]
    before = rng.normal(size=(WORDS, 16)).astype(np.float32)
    after = before.copy()
    after[::10] += rng.normal(size=(WORDS // 10, 16))
    Embeddings(words, before).save(folder / "original")
    Embeddings([*words, "new"], np.vstack([after, before[:1]])).save(folder / "tuned")
    Embeddings(words, before).save(folder / "other")
    write_shifts(pair_in(folder), folder / "one.jsonl", k=K)
    return folder


def pair_in(folder, tuned="tuned"):
    return align(load(folder / "original"), load(folder / tuned))


@pytest.fixture(scope="module")
def workers(folder):
    """One worker or more, made from a process that has imported what they need."""
    set_forkserver_preload(["distributed", "driftkit.neighbors.export", "driftkit.loaders"])
    forkserver.ensure_running()
    how = {
        "distributed.worker.multiprocessing-method": "forkserver",
        "distributed.comm.timeouts.connect": "60s",
    }
    with (
        dask.config.set(how),
        distributed.LocalCluster(
            n_workers=1,
            threads_per_worker=1,
            memory_limit=0,
            dashboard_address=None,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
            silence_logs=50,
            local_directory=folder,
            env={"DRIFTKIT_DATA_DIR": str(folder / "data")},
        ) as made,
    ):
        yield made


@pytest.fixture
def ours(folder, workers):
    opening = Opening(folder / "original", folder / "tuned")
    with team(opening, scheduler=workers.scheduler_address) as made:
        yield made


def same(path, folder):
    return path.read_bytes() == (folder / "one.jsonl").read_bytes()


@pytest.mark.parametrize("count", [1, 2, 4])
def test_workers_write_what_one_process_writes(folder, workers, ours, tmp_path, count):
    workers.scale(count)
    ours.client.wait_for_workers(count, timeout=60)
    calls = []
    write_shifts(
        pair_in(folder), tmp_path / "s.jsonl", k=K, part=PART, team=ours,
        progress=lambda *call: calls.append(call),
    )  # fmt: skip
    assert same(tmp_path / "s.jsonl", folder)
    assert calls == [(done, WORDS) for done in range(PART, WORDS + 1, PART)]
    assert [each.name for each in tmp_path.iterdir()] == ["s.jsonl"]


def test_a_killed_worker_costs_time_only(folder, ours, tmp_path):
    killed = []

    def kill_one(done, _):
        if not killed:
            killed.append(min(ours.client.run(os.getpid).values()))
            os.kill(killed[0], signal.SIGKILL)

    write_shifts(
        pair_in(folder), tmp_path / "s.jsonl", k=K, part=PART, team=ours, progress=kill_one
    )
    assert killed
    assert killed[0] not in ours.client.run(os.getpid).values()
    assert same(tmp_path / "s.jsonl", folder)


def test_a_client_that_was_interrupted_goes_on(folder, ours, tmp_path):
    def interrupt(done, _):
        if done >= 3 * PART:
            raise KeyboardInterrupt

    ask = {"k": K, "part": PART, "team": ours}
    with pytest.raises(KeyboardInterrupt):
        write_shifts(pair_in(folder), tmp_path / "s.jsonl", progress=interrupt, **ask)
    assert not (tmp_path / "s.jsonl").exists()
    assert 3 * PART <= write_shifts(pair_in(folder), tmp_path / "s.jsonl", **ask) <= WORDS
    assert same(tmp_path / "s.jsonl", folder)


def test_workers_make_shards_and_take_lists_of_words(folder, ours, tmp_path):
    pair = pair_in(folder)
    words, among = pair.words[5:105], [*pair.words[::3], "new"]
    ask = {"words": words, "k": K, "candidates": among}
    write_shifts(pair, tmp_path / "one.jsonl", **ask)
    for number in (1, 2):
        write_shifts(pair, tmp_path / "s.jsonl", shard=Shard(number, 2), part=9, team=ours, **ask)
    made = list(tmp_path.glob("*.shard"))
    assert all(each.name != cluster.ASKED for shard in made for each in shard.iterdir())
    merge_shards(made, tmp_path / "s.jsonl")
    assert (tmp_path / "s.jsonl").read_bytes() == (tmp_path / "one.jsonl").read_bytes()


def test_the_command_takes_a_scheduler(folder, workers, tmp_path, monkeypatch):
    from click.testing import CliRunner

    from driftkit.cli import main

    monkeypatch.chdir(folder)  # workers stand elsewhere
    ask = ["shifts", "original", "tuned", "--all", "-k", str(K), "-o", str(tmp_path / "s.jsonl")]
    done = CliRunner().invoke(main, [*ask, "--scheduler", workers.scheduler_address])
    assert done.exit_code == 0, done.output
    assert same(tmp_path / "s.jsonl", folder)


def test_processes_of_this_machine(folder, workers, tmp_path):
    with team(Opening(folder / "original", folder / "tuned"), workers=1) as made:
        write_shifts(pair_in(folder), tmp_path / "s.jsonl", k=K, team=made)
    assert same(tmp_path / "s.jsonl", folder)


def test_workers_open_tables_by_url(folder, workers, tmp_path):
    pair = pair_in(folder)
    np.save(tmp_path / "tuned.npy", pair.tuned.matrix)
    (tmp_path / "words.txt").write_text("\n".join(pair.tuned.words))
    by_url = (f"file://{tmp_path}/tuned.npy", {}, {"vocab": str(tmp_path / "words.txt")})
    with team(Opening(folder / "original", *by_url), scheduler=workers.scheduler_address) as some:
        write_shifts(pair, tmp_path / "s.jsonl", k=K + 1, team=some)  # a worker keeps what it knows
    write_shifts(pair, tmp_path / "one.jsonl", k=K + 1)
    assert (tmp_path / "s.jsonl").read_bytes() == (tmp_path / "one.jsonl").read_bytes()
    assert list((folder / "data" / "remote").rglob("tuned.npy"))


def test_workers_that_read_another_table_are_refused(folder, ours, tmp_path):
    other = pair_in(folder, "other")
    with pytest.raises(SourceError, match="has read something else than this process: the tuned"):
        write_shifts(other, tmp_path / "s.jsonl", k=K, team=ours)
    assert list(tmp_path.iterdir()) == []


def test_workers_that_do_not_find_a_table_say_so(folder, workers, tmp_path):
    opening = Opening(folder / "original", folder / "gone")
    with (
        team(opening, scheduler=workers.scheduler_address) as lost,
        pytest.raises(SourceError, match=r"a worker: .*gone: .*\(on "),
    ):
        write_shifts(pair_in(folder), tmp_path / "s.jsonl", k=K, team=lost)


def test_one_of_workers_and_scheduler_is_given(folder, monkeypatch):
    opening = Opening(folder / "original", folder / "tuned")
    for given, said in (
        ({}, "give one of them"),
        ({"workers": 1, "scheduler": "tcp://a:1"}, "give one of them"),
        ({"workers": 0}, "workers=0 was given"),
        ({"scheduler": "here"}, "write its address, such as tcp"),
        ({"scheduler": "http://127.0.0.1:8"}, "write its address, such as tcp"),
        ({"scheduler": "inproc://1:2"}, "write its address, such as tcp"),
    ):
        with pytest.raises(OptionError, match=said), team(opening, **given):
            pass
    monkeypatch.setattr(cluster, "ANSWER", 0.2)
    for address in ("[::1]:1", "tls://127.0.0.1:1"):
        with (
            pytest.raises(OptionError, match="cannot be reached"),
            team(opening, scheduler=address),
        ):
            pass
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=r"driftkit\[dask\]"), team(opening, workers=1):
        pass
