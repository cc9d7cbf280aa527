import hashlib

import numpy as np

import driftkit as dk
from driftkit.gate.fingerprint import content_sha256, describe_table, items_sha256


def test_the_digest_is_that_of_words_and_little_endian_rows():
    table = dk.Embeddings(["a", "ß"], [[1.0, 2.0], [3.0, -4.0]])
    expected = hashlib.sha256("a\nß\n".encode() + np.array([[1, 2], [3, -4]], "<f4").tobytes())
    assert content_sha256(table) == expected.hexdigest()


def test_the_file_format_does_not_matter_and_everything_else_does(saved, tmp_path):
    original = dk.load(saved / "original.npy")
    same = dk.load(f"{saved}/same.pt::embedding.weight")
    assert content_sha256(original) == content_sha256(same)
    changed = np.array(original.matrix)
    changed[-1, -1] += 1e-6
    assert content_sha256(dk.Embeddings(original.words, changed)) != content_sha256(original)
    renamed = [*original.words[:-1], "renamed"]
    assert content_sha256(dk.Embeddings(renamed, original.matrix)) != content_sha256(original)


def test_items_depend_on_the_benchmark_and_not_on_the_tables(audits):
    ours, theirs = audits.harmed.scores["ws353"], audits.gentle.scores["ws353"]
    assert items_sha256(ours) == items_sha256(theirs)
    assert items_sha256(ours) != items_sha256(audits.harmed.scores["simlex999"])
    assert items_sha256(ours) != items_sha256(audits.fewer.scores["ws353"])


def test_gold_answers_count(tmp_path, audits):
    pair = audits.gentle.pair
    digests = set()
    for gold in ("1.0", "2.0"):
        rows = [f"{word}\tgood\t{i}" for i, word in enumerate(pair.words[:20])]
        (tmp_path / "mine.txt").write_text("\n".join([*rows, f"year\ttime\t{gold}"]))
        audit = dk.audit(pair, benchmarks=[tmp_path / "mine.txt"], resamples=100)
        digests.add(items_sha256(audit.scores["mine"]))
    assert len(digests) == 2


def test_a_table_in_memory_has_a_digest_too():
    described = describe_table(dk.Embeddings(["a"], [[1.0]]))
    assert described["rows"] == described["d"] == 1
    assert len(described["sha256"]) == 64
