import json

import driftkit as dk


def test_neighbors_before_and_after(run, saved, pair):
    result = run("shifts", saved / "original.npy", saved / "tuned.pt::embedding.weight", "good")
    assert result.exit_code == 0
    (shift,) = dk.neighbor_shifts(pair, ["good"])
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["good"]
    assert [line[1] for line in lines[3:13]] == [name for name, _ in shift.before]


def test_json_is_the_library_s_document(run, saved):
    tables = (saved / "original.npy", saved / "tuned.pt::embedding.weight")
    result = run("shifts", *tables, "good", "bad", "-k", "3", "--candidates", "500", "--json", "-")
    document = json.loads(result.stdout)
    assert document["schema"] == "driftkit.shifts/1"
    pair = dk.align(*map(dk.load, map(str, tables)))
    expected = dk.neighbor_shifts(pair, ["good", "bad"], 3, candidates=500)
    assert document == json.loads(json.dumps(expected.to_dict()))


def test_no_word_is_a_usage_error(run, saved):
    result = run("shifts", saved / "original.npy", saved / "tuned.pt")
    assert result.exit_code == 2
    assert "no word was given" in result.stderr
