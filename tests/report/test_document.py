import hashlib
import json

import jsonschema
import pytest

import driftkit as dk
from driftkit.report.document import audit_document, audit_schema


@pytest.fixture(scope="module")
def document(saved):
    pair = dk.align(dk.load(saved / "original.npy"), dk.load(f"{saved}/tuned.pt::embedding.weight"))
    result = dk.audit(pair, benchmarks=["ws353"], resamples=200)
    return json.loads(json.dumps(audit_document(result, top=3), allow_nan=False))


def test_the_schema_is_a_schema_and_the_document_follows_it(document):
    jsonschema.Draft202012Validator.check_schema(audit_schema())
    jsonschema.Draft202012Validator(audit_schema()).validate(document)


def test_sources_can_be_found_again(document, saved):
    original, tuned = document["sources"]["original"], document["sources"]["tuned"]
    digest = hashlib.sha256((saved / "original.npy").read_bytes()).hexdigest()
    assert original["sha256"] == digest
    assert (original["rows"], original["d"], original["format"]) == (3000, 50, "npy")
    assert (tuned["key"], tuned["rows"], tuned["dtype"]) == ("embedding.weight", 3002, "float32")


def test_a_document_that_lacks_a_key_is_caught(document):
    broken = {key: value for key, value in document.items() if key != "verdict"}
    with pytest.raises(jsonschema.ValidationError, match="verdict"):
        jsonschema.Draft202012Validator(audit_schema()).validate(broken)


def test_words_carry_every_measure_and_both_lists(document):
    word = document["words"][0]
    assert set(word["measures"]) == {
        "self_cosine", "l2", "norm_ratio", "relative_l2", "overlap@10", "rbo(p=0.9)@10",
    }  # fmt: skip
    assert len(word["before"]) == len(word["after"]) == 10
    assert (
        len(word["lost"]) == len(word["gained"]) == round(10 * (1 - word["measures"]["overlap@10"]))
    )
