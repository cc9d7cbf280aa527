import json

import numpy as np
import pytest

import driftkit as dk
from driftkit import Embeddings


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Documents and queries as ids and vectors, by a model and by one whose space was turned."""
    here = tmp_path_factory.mktemp("retrieval")
    rng = np.random.default_rng(0)
    turn, _ = np.linalg.qr(rng.normal(size=(16, 16)))
    documents = rng.normal(size=(300, 16))
    queries = documents[:110] + rng.normal(0, 0.3, (110, 16))
    for name, x in (("d", documents), ("q", queries)):
        names = [f"{name}{i}" for i in range(len(x))]
        Embeddings(names, x).save(here / f"{name}-old")
        Embeddings(names, x @ turn).save(here / f"{name}-new")
    (here / "qrels.txt").write_text("".join(f"q{i} 0 d{i} 1\n" for i in range(110)))
    asked = (json.dumps({"_id": f"q{i}", "text": f"about {i}"}) for i in range(110))
    (here / "queries.jsonl").write_text("\n".join(asked))
    return here


@pytest.fixture
def compare(run, folder, monkeypatch):
    monkeypatch.chdir(folder)

    def compared(new="new", *arguments):
        queries = ("--original-queries", "q-old", "--tuned-queries", f"q-{new}")
        return run("retrieval", "d-old", f"d-{new}", *queries, *arguments)

    return compared


def test_without_judgments_results_are_compared(compare):
    result = compare()
    assert result.exit_code == 0
    assert "New queries, new index (kept): queries kept 100%" in result.stdout
    assert "New queries, old index (broken)" in result.stdout


def test_json_is_the_library_s_document(compare):
    pytest.importorskip("ir_measures", reason="ir-measures (extra retrieval) is not installed")
    options = ("--qrels", "qrels.txt", "--queries", "queries.jsonl", "--by", "RR", "--by", "P@1")
    result = compare("new", *options, "--json", "-")
    assert result.exit_code == 0, result.stderr
    pairs = [dk.align(*(dk.load(f"{each}-{age}") for age in ("old", "new"))) for each in "dq"]
    expected = dk.compare_retrieval(
        *pairs, "qrels.txt", measures=["RR", "P@1"], texts="queries.jsonl"
    )
    assert json.loads(result.stdout) == json.loads(json.dumps(expected.to_dict()))
    assert expected.to_dict()["searches"][1]["measures"][0]["broken"][0]["text"].startswith("about")


def test_fail_on_the_link_is_of_the_old_index(compare):
    assert compare("new", "--fail-on", "link broken").exit_code == 1
    assert compare("new", "--fail-on", "link changed").exit_code == 0
    assert compare("old", "--fail-on", "link broken").exit_code == 0


def test_fail_on_a_measure_is_of_the_new_index(compare):
    pytest.importorskip("ir_measures", reason="ir-measures (extra retrieval) is not installed")
    judged = ("--qrels", "qrels.txt", "--fail-on")
    assert compare("new", *judged, "lost").exit_code == 0
    assert compare("new", *judged, "lost", "--fail-on", "link broken").exit_code == 1
    assert compare("new", *judged, "not measured").exit_code == 0


def test_what_cannot_be_decided_is_refused(compare):
    for arguments in (("--fail-on", "lost"), ("--by", "RR")):
        result = compare("new", *arguments)
        assert result.exit_code == 2
        assert "add --qrels FILE, or fail on the link" in result.stderr
    result = compare("new", "--qrels", "queries.jsonl")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: queries.jsonl, line 1: ")
    assert compare("new", "--json", "qrels.txt", "--qrels", "qrels.txt").exit_code == 2
