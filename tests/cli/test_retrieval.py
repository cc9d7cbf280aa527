import json
import sys

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


def test_two_encoders_encode_documents_and_queries(run, tmp_path, monkeypatch):
    """A model of transformers whose words were all moved, as a folder; the texts are BEIR's."""
    transformers = pytest.importorskip(
        "transformers", reason="transformers (extra encoders) is not installed"
    )
    import torch

    monkeypatch.setenv("DRIFTKIT_DATA_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    words = [f"w{i}" for i in range(150)]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    (tmp_path / "vocab.txt").write_text("\n".join(vocabulary))
    with torch.random.fork_rng():
        for seed in (0, 1):
            torch.manual_seed(seed)
            config = transformers.BertConfig(
                vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=1,
                num_attention_heads=2, intermediate_size=16, max_position_embeddings=16,
                initializer_range=0.5,
            )  # fmt: skip
            transformers.BertModel(config).save_pretrained(f"model{seed}")
            transformers.BertTokenizer("vocab.txt").save_pretrained(f"model{seed}")

    def write(name, kind, texts):
        lines = (json.dumps({"_id": f"{kind}{i}", "text": text}) for i, text in enumerate(texts))
        (tmp_path / name).write_text("\n".join(lines))

    write("corpus.jsonl", "d", [f"{word} w0 w1" for word in words])
    write("queries.jsonl", "q", [f"{word} w0" for word in words[:20]])
    ask = ("--items", "corpus.jsonl", "--queries", "queries.jsonl", "--pooling", "mean")
    same = run("retrieval", "model0", "model0", *ask, "-k", "5")
    assert same.exit_code == 0, same.stderr
    assert "New queries, old index (kept): no vector changed" in same.stdout
    other = run("retrieval", "model0", "model1", *ask, "-k", "5", "--fail-on", "link broken")
    assert other.exit_code == 1
    assert " w0': 0% kept; first d" in other.stdout  # a query by its text
    first = run("retrieval", "model0", "model0", *ask, "--query-prompt", "w7 ", "--json", "-")
    pairs = [
        dk.align(*[dk.encode("model0", file, pooling="mean", prompt=prompt)] * 2)
        for file, prompt in (("corpus.jsonl", None), ("queries.jsonl", "w7 "))
    ]
    expected = dk.compare_retrieval(*pairs, texts="queries.jsonl").to_dict()
    assert json.loads(first.stdout) == json.loads(json.dumps(expected))


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "queries are needed by both models: --original-queries SOURCE and --tuned-queries"),
        (("--tuned-queries", "q-new"), "queries are needed by both models"),
        (("--items", "queries.jsonl"), "--items are the documents; add --queries FILE."),
        (("--prompt", "a"), "--prompt is for encoders, and without --items ORIGINAL and TUNED"),
        (
            ("--items", "queries.jsonl", "--tuned-queries", "q-new"),
            "--tuned-queries is for tables, and with --items ORIGINAL and TUNED are encoders",
        ),
    ],
)
def test_options_of_tables_and_of_encoders_do_not_go_together(run, folder, arguments, why):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        result = run("retrieval", "d-old", "d-new", *arguments)
    assert result.exit_code == 2
    assert why in result.stderr


def test_what_cannot_be_decided_is_refused(compare):
    for arguments in (("--fail-on", "lost"), ("--by", "RR")):
        result = compare("new", *arguments)
        assert result.exit_code == 2
        assert "add --qrels FILE, or fail on the link" in result.stderr
    result = compare("new", "--qrels", "queries.jsonl")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: queries.jsonl, line 1: ")
    assert compare("new", "--json", "qrels.txt", "--qrels", "qrels.txt").exit_code == 2


def test_what_is_misspelt_or_missing_is_told_before_the_long_work(compare, monkeypatch):
    monkeypatch.setattr(dk, "load", None)
    result = compare("new", "--qrels", "qrels.txt", "--by", "ndcg@10")
    assert result.exit_code == 2
    assert "unknown measure of retrieval 'ndcg'" in result.stderr
    monkeypatch.setitem(sys.modules, "ir_measures", None)
    result = compare("new", "--qrels", "qrels.txt")
    assert result.exit_code == 2
    assert result.stderr.endswith("pip install 'driftkit[retrieval]'\n")
