import json

import numpy as np
import pytest

import driftkit as dk
from driftkit.explain.explanation import explain


def test_neighbors_before_and_after(run, saved, pair):
    result = run("shifts", saved / "original.npy", saved / "tuned.pt::embedding.weight", "good")
    assert result.exit_code == 0
    (shift,) = dk.neighbor_shifts(pair, ["good"])
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["good"]
    assert [line[1] for line in lines[3:13]] == [name for name, _ in shift.before]
    (told,) = explain(pair, [shift])
    assert " ".join(result.stdout.split()).endswith(str(told))


def test_json_is_the_library_s_document(run, saved):
    tables = (saved / "original.npy", saved / "tuned.pt::embedding.weight")
    result = run("shifts", *tables, "good", "bad", "-k", "3", "--candidates", "500", "--json", "-")
    document = json.loads(result.stdout)
    assert document["schema"] == "driftkit.shifts/1"
    pair = dk.align(*map(dk.load, map(str, tables)))
    expected = dk.neighbor_shifts(pair, ["good", "bad"], 3, candidates=500)
    told = explain(pair, expected)
    for entry, each in zip(document["words"], told, strict=True):
        assert (entry.pop("cause"), entry.pop("own")) == (each.cause, each.own)
        assert entry.pop("neighbors") == each.neighbors
    assert document == json.loads(json.dumps(expected.to_dict()))


def test_an_added_word_may_be_a_neighbor(run, tmp_path):
    words, x = ["good", "fine", "film"], [[1, 0], [1, 0.1], [0, 1]]
    dk.Embeddings(words, x).save(tmp_path / "original")
    dk.Embeddings(["goods", *words], [[1, 0.01], *x]).save(tmp_path / "tuned")
    ask = ["shifts", tmp_path / "original", tmp_path / "tuned"]
    result = run(*ask, "good", "-k", "1", "--verify")
    assert "lost fine; gained goods" in result.stdout
    assert "(a new word came)" in " ".join(result.stdout.split())
    document = json.loads(run(*ask, "good", "-k", "1", "--json", "-").stdout)
    assert document["candidates"] == 4
    (entry,) = document["words"]
    assert (entry["cause"], entry["after"][0]["added"]) == ("a new word came", True)
    matching = run(*ask, "good", "-k", "1", "--candidates-matching", "f.*", "--json", "-").stdout
    assert json.loads(matching)["words"][0]["gained"] == []
    assert run(*ask, "good", "--candidates-matching", "goods").exit_code == 2
    assert run(*ask, "--all", "-o", tmp_path / "all.jsonl", "-k", "1", "--verify").exit_code == 0
    first = json.loads((tmp_path / "all.jsonl").read_text().splitlines()[0])
    assert (first["word"], first["after"], first["overlap@1"]) == ("good", ["goods"], 0)


def test_no_word_is_a_usage_error(run, saved):
    result = run("shifts", saved / "original.npy", saved / "tuned.pt")
    assert result.exit_code == 2
    assert "no word was given" in result.stderr


def test_every_word_into_a_file(run, saved, tmp_path):
    tables = (saved / "original.npy", saved / "tuned.pt::embedding.weight")
    out = tmp_path / "shifts.jsonl"
    result = run("shifts", *tables, "--all", "-o", out, "-k", "3", "--verify", "--memory", "1GB")
    assert result.exit_code == 0
    assert "verified: 100 words" in result.stderr
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [row["word"] for row in rows] == list(dk.load(str(tables[0])).words)
    assert result.stdout == ""


def test_candidates_that_every_option_allows(run, saved, pair, tmp_path):
    tables = (saved / "original.npy", saved / "tuned.pt::embedding.weight")
    listed = tmp_path / "frequency.txt"
    listed.write_text("the 100\nof 90\nnothere 80\n, 70\n" + " 1\n".join(pair.words[:999:5]))
    ask = ["shifts", *tables, "good", "-k", "2", "--json", "-"]
    document = json.loads(
        run(*ask, "--candidates-from", listed, "--candidates-matching", "[a-z]+").stdout
    )
    (entry,) = document["words"]
    words = {line.split()[0] for line in listed.read_text().splitlines()}
    assert {each["word"] for each in entry["before"]} <= words
    assert all(each["word"].isalpha() for each in entry["before"])
    moved = json.loads(run(*ask, "--candidates-moved").stdout)
    assert moved["candidates"] == int(pair.moved.sum())


def test_usage_errors(run, saved, tmp_path):
    tables = (saved / "original.npy", saved / "tuned.pt::embedding.weight")
    for args, message in (
        (["--all", "good"], "leave out the words that are named"),
        (["--all"], "--all writes to a file"),
        (["good", "--candidates-matching", "("], "not a regular expression"),
        (["good", "--candidates-matching", "no such word"], "no shared word is left"),
        (["good", "--memory", "much"], "not a size"),
        (["good", "--verify", "--metric", "dot"], "--verify checks cosines"),
        (["good", "-o", tmp_path / "x.csv"], "end in .jsonl or .parquet"),
        (["good", "-o", tmp_path], "it is a folder; name a file"),
        (["good", "--shard", "1/2"], "--shard is for a file of many words"),
        (["good", "--workers", "2"], "--workers is for a file of many words"),
        (["good", "--partitioned"], "--partitioned is for a file of many words"),
        (["good", "-o", tmp_path / "x.jsonl", "--shard", "3/2"], "write one such as 3/8"),
        (["good", "-o", tmp_path / "x.jsonl", "--shard", "1/2"], "1 word is asked about"),
        (["good", "-o", tmp_path / "x.jsonl", "--workers", "2", "--scheduler", "a:1"], "give one"),
        (["good", "-o", tmp_path / "x.jsonl", "--scheduler", "there"], "write its address"),
    ):
        result = run("shifts", *tables, *args)
        assert result.exit_code == 2
        assert message in " ".join(result.stderr.split())


def test_a_wrong_neighbor_is_an_error(run, saved, monkeypatch):
    from driftkit.neighbors.search.verify import Verification

    monkeypatch.setattr(
        "driftkit.neighbors.search.verify.verify", lambda *_, **__: Verification(1, ("good",))
    )
    result = run("shifts", saved / "original.npy", saved / "tuned.pt", "good", "--verify")
    assert result.exit_code == 2
    assert "'good'; please report it" in result.stderr


def test_a_vocabulary_cannot_steer_the_terminal(run, tmp_path):
    table = tmp_path / "esc.txt"
    table.write_text("\x1b]0;title\x07 1 0\n\x1b[31mred 0.9 0.1\nplain 0 1\n", encoding="utf-8")
    for words in (["plain"], ["gone"], ["\x1b[31mred"]):
        result = run("shifts", table, table, *words, "-k", "2")
        assert "\x1b" not in result.output
        assert "\\x1b[31mred" in result.output


@pytest.fixture
def several(tmp_path):
    """Two tables of 2,000 words in clouds, some of which moved."""
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(40, 8))[rng.integers(0, 40, 2_000)] + rng.normal(size=(2_000, 8)) / 2
    words = [f"w{i}" for i in range(2_000)]
    dk.Embeddings(words, matrix).save(tmp_path / "original")
    matrix[:100] += rng.normal(size=(100, 8))
    dk.Embeddings(words, matrix).save(tmp_path / "tuned")
    return tmp_path / "original", tmp_path / "tuned"


def test_where_exact_neighbors_take_less_time_they_are_exact_and_it_says_so(run, several, tmp_path):
    one, other = tmp_path / "one.jsonl", tmp_path / "other.jsonl"
    result = run("shifts", *several, "--all", "-o", one, "--recall", ".8")
    assert "neighbors are exact, though recall 0.8 was asked for: of 2,000" in result.stderr
    assert run("shifts", *several, "--all", "-o", other, "--recall", "1").exit_code == 0
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--recall", "0"], "0 is not a share"),
        (["--recall", "1.5"], "1.5 is not a share"),
        (["--recall", "nan"], "nan is not a share"),
        (["--recall", ".9", "--verify"], "--verify needs exact neighbors"),
        (["--recall", ".9", "--shard", "1/2"], "--shard needs exact neighbors"),
        (["--recall", ".9", "--workers", "2"], "--workers needs exact neighbors"),
        (["--recall", ".9", "--metric", "dot"], "leave --metric at cosine"),
    ],
)
def test_what_a_share_of_the_neighbors_cannot_do_is_refused(run, several, tmp_path, given, said):
    result = run("shifts", *several, "--all", "-o", tmp_path / "s.jsonl", *given)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert not (tmp_path / "s.jsonl").exists()


def test_a_share_of_the_neighbors_is_for_a_file(run, several):
    result = run("shifts", *several, "w1", "--recall", ".9")
    assert result.exit_code == 2
    assert "--recall is for a file of many words: add -o FILE" in result.stderr
