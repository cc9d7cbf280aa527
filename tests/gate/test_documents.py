"""What an audit wrote says the same to rules as the audit itself."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import driftkit as dk
from driftkit.errors import SourceError
from driftkit.gate.documents import audits_of, read_audits
from driftkit.gate.run import run_of

AUDITS = ["gentle", "harmed", "same", "fewer"]


def document_of(audit, **changes):
    return json.loads(json.dumps(audit.to_dict() | changes, allow_nan=False))


@pytest.mark.parametrize("name", AUDITS)
def test_a_document_has_every_value_of_its_audit(audits, name):
    audit = getattr(audits, name)
    (written,) = audits_of(document_of(audit), "a.json")
    bands = ["rank 1-1000", "rank 1001-2000", "rank 1001-3000"]
    expected = run_of(audit, bands=bands)
    # Where numbers were cut off is told by the rows alone.
    plain = {subject: replace(fact, detail="") for subject, fact in expected.facts.items()}
    found = {
        subject: replace(fact, detail="")
        for subject, fact in written.run.facts.items()
        if subject.kind != "word"
    }
    assert repr(sorted(found.items())) == repr(sorted(plain.items()))
    assert written.run.document == expected.document
    assert (written.time, written.verdict) == (audit.time, audit.verdict)
