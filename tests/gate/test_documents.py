"""What an audit wrote says the same to rules as the audit itself."""

import json
from dataclasses import replace

import jsonschema
import numpy as np
import pytest

import driftkit as dk
from driftkit.errors import SourceError
from driftkit.gate import baseline_of, check_document, write_baseline
from driftkit.gate.documents import audits_of, read_audits
from driftkit.gate.run import run_of
from driftkit.report.document import audit_schema, several_document

BANDS = ["rank 1-1000", "rank 1001-2000", "rank 1001-3000"]


def document_of(audit):
    return json.loads(json.dumps(audit.to_dict(), allow_nan=False))


def comparable(facts):
    """Facts in order; where numbers were cut off is told by the rows alone."""
    return repr(sorted((subject, replace(fact, detail="")) for subject, fact in facts.items()))


@pytest.mark.parametrize("name", ["gentle", "harmed", "same", "fewer"])
def test_a_document_has_every_value_of_its_audit(audits, name):
    audit = getattr(audits, name)
    (written,) = audits_of(document_of(audit), "a.json")
    expected = run_of(audit, bands=BANDS)
    found = {subject: fact for subject, fact in written.run.facts.items() if subject.kind != "word"}
    assert comparable(found) == comparable(expected.facts)
    assert written.run.document == expected.document
    assert (written.time, written.verdict) == (audit.time, audit.verdict)


def test_so_do_measures_that_were_asked_for_and_words_that_are_listed(pair):
    measures = [
        "jaccard@5",
        "mutual_change",
        "displacement(center=1)",
        "hubness_skewness",
        "isoscore",
    ]
    audit = dk.audit(pair, [], measures=measures)
    (written,) = audits_of(document_of(audit), "a.json")
    expected = run_of(audit, [shift.word for shift in audit.most_shifted(50, moved=True)], BANDS)
    unlisted = written.run.facts.keys() - expected.facts.keys()
    assert {subject.kind for subject in unlisted} <= {"word"}  # unmoved words that lost neighbors
    found = {each: written.run.facts[each] for each in written.run.facts.keys() - unlisted}
    assert comparable(found) == comparable(expected.facts)


def test_words_that_were_asked_for_have_theirs(audits):
    audit = audits.harmed
    rare = [audit.pair.words[-1], audit.pair.words[0]]
    document = json.loads(json.dumps(audit.to_dict(words=[*rare, "<pad>"])))
    jsonschema.Draft202012Validator(audit_schema()).validate(document)
    (written,) = audits_of(document, "a.json")
    expected = run_of(audit, rare).facts
    assert comparable({each: written.run.facts[each] for each in expected}) == comparable(expected)


def test_tables_of_two_widths_say_why_they_are_not_measured():
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(60)]
    tables = (dk.Embeddings(words, rng.normal(size=(60, d))) for d in (4, 6))
    audit = dk.audit(dk.align(*tables), [], k=2)
    (written,) = audits_of(document_of(audit), "a.json")
    found = {subject: fact for subject, fact in written.run.facts.items() if subject.kind != "word"}
    assert comparable(found) == comparable(run_of(audit).facts)


def test_several_audits_of_one_file(audits, tmp_path):
    both = several_document([document_of(audits.gentle), document_of(audits.harmed)])
    path = tmp_path / "both.json"
    path.write_text(json.dumps(both))
    assert [each.run.name for each in read_audits(path)] == ["gentle.pt", "harmed.pt"]


def without(*keys):
    def change(document):
        inside = document
        for key in keys[:-1]:
            inside = inside[key]
        del inside[keys[-1]]

    return change


def with_value(value, *keys):
    def change(document):
        inside = document
        for key in keys[:-1]:
            inside = inside[key]
        inside[keys[-1]] = value

    return change


WRONG = {
    "another schema": (with_value("driftkit.scores/1", "schema"), "is no audit: it has the schema"),
    "no schema": (without("schema"), "is no audit: it has no schema"),
    "older": (
        without("sources", "tuned", "content_sha256"),
        "did not keep which words and vectors it compared; audit the tables again",
    ),
    "older items": (without("benchmarks", 0, "items_sha256"), "did not keep which items it asked"),
    "no rows": (without("rows"), "is damaged"),
    "no counts": (with_value([], "rows"), "is damaged"),
    "a word for a number": (with_value("many", "benchmarks", 0, "delta"), "is damaged"),
    "true for a number": (with_value(True, "drift", "cka", "all", "value"), "is damaged"),
    "no time": (with_value("yesterday", "time"), "is damaged"),
    "no zone": (with_value("2026-11-23T06:00:00", "time"), "names no zone"),
    "an unknown measure": (
        with_value("nothing", "benchmarks", 0, "measure"),
        "cannot be judged here",
    ),
    "several of none": (with_value("driftkit.audits/1", "schema"), "is no list of audits"),
}


@pytest.mark.parametrize(("change", "said"), WRONG.values(), ids=WRONG)
def test_what_is_no_whole_audit_is_refused_in_one_sentence(audits, change, said):
    document = document_of(audits.gentle)
    change(document)
    with pytest.raises(SourceError, match=f"^weeks/a.json: .*{said}.*\\.$"):
        audits_of(document, "weeks/a.json")


def test_checks_and_baselines_say_what_to_keep_instead(audits, tmp_path):
    path = tmp_path / "b.json"
    write_baseline(baseline_of(audits.gentle), path)
    with pytest.raises(SourceError, match="is a baseline; give it as --baseline"):
        read_audits(path)
    path.write_text(json.dumps(check_document([dk.check(audits.gentle)])))
    with pytest.raises(SourceError, match="not what was measured; keep what"):
        read_audits(path)
