import json
import math

import jsonschema
import pytest

import driftkit as dk
from driftkit.gate import check_document
from driftkit.gate.verdict import worst

RULES = ["moved <= 4%", "overlap mean[moved] >= 0.6", "warn displaced == 0", "added <= 5"]


@pytest.fixture(scope="module")
def verdict(audits):
    return dk.check(audits.harmed, RULES)


def test_states_and_exit_codes(audits):
    for rules, state, code in (
        (["moved <= 3000"], "pass", 0),
        (["warn moved <= 3"], "warn", 0),
        (["moved <= 3"], "fail", 1),
        (["moved <= 3", "warn moved <= 3"], "fail", 1),
    ):
        found = dk.check(audits.harmed, rules)
        assert (found.state, found.exit_code) == (state, code)


def test_the_headline_names_what_broke(verdict, audits):
    assert verdict.headline.startswith("Failed: 2 of 4 checks: ")
    assert "moved is 150, the rule is <= 120" in verdict.headline
    assert dk.check(audits.harmed, ["added <= 5"]).headline == "Passed: 1 check."
    warned = dk.check(audits.harmed, ["warn added == 0", "moved = 150"])
    assert warned.headline == "Passed with 1 warning in 2 checks: added is 2, the rule is = 0."


def test_the_headline_stays_short(audits):
    rules = [f"moved <= {bound}" for bound in range(1, 20)]
    assert dk.check(audits.harmed, rules).headline.endswith("; and 14 more.")


def test_failures_come_first_and_the_worst_of_them(verdict):
    actions = [result.action for result in verdict.acting("fail", "warn", "pass")]
    assert actions == ["fail", "fail", "warn", "pass"]
    first, second, *_ = verdict.acting("fail")
    assert first.slack / abs(first.bound) <= second.slack / abs(second.bound)


def test_what_was_not_measured_comes_first_of_all(audits):
    found = dk.check(audits.same, ["moved >= 1", "overlap mean[moved] >= 0.5"])
    assert [each.outcome for each in found.acting("fail")] == ["not measured", "fail"]
    assert found.acting("fail")[0].sentence == (
        "overlap@10 mean[moved] not measured (there are no moved words)"
    )


def test_the_document_is_plain_and_says_everything(verdict, audits):
    document = check_document([verdict, dk.check(audits.gentle, RULES)])
    text = json.dumps(document, allow_nan=False)
    assert json.loads(text) == document
    assert document["schema"] == "driftkit.check/1"
    assert (document["state"], document["exit_code"]) == ("fail", 1)
    first, second = document["checks"]
    assert (first["tuned"], first["state"]) == ("harmed.pt", "fail")
    assert first["sources"]["tuned"]["rows"] == 3_002
    assert [rule["level"] for rule in document["rules"]] == ["fail", "fail", "warn", "fail"]
    assert first["results"][0] == {
        "rule": "moved <= 4%", "subject": "moved", "value": 150, "low": None, "high": None,
        "operator": "<=", "bound": 120.0, "tolerance": 0.0, "slack": -30.0, "reference": None,
        "outcome": "fail", "action": "fail", "decided_by": "value", "n": 3000, "runs": 0,
            "detail": "",
        "reason": None,
    }  # fmt: skip
    assert second["words"][0].keys() == {"word", "lost"}


def test_the_document_follows_its_schema(verdict, audits):
    from driftkit.report.document import check_schema

    schema = check_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(check_document([verdict]))
    validator.validate(check_document([dk.check(audits.same, baseline=audits.gentle)]))
    broken = check_document([verdict])
    del broken["checks"][0]["results"]
    with pytest.raises(jsonschema.ValidationError, match="results"):
        validator.validate(broken)


def test_frame_text_and_notebook(verdict):
    frame = verdict.to_frame()
    assert list(frame["subject"]) == [result.subject for result in verdict.results]
    headline, *table = repr(verdict).splitlines()
    assert headline.startswith("Failed: 2 of 4 checks: ")
    assert any(line.split() == ["x", "moved", "150", "<=", "120", "-30", "fail"] for line in table)
    html = verdict._repr_html_()
    assert ">Failed: 2 of 4 checks" in html
    assert "&lt;= 120" in html


def test_the_worst_of_several(audits):
    passed, failed = (dk.check(audits.harmed, [f"moved <= {n}"]) for n in (200, 3))
    warned = dk.check(audits.harmed, ["warn moved <= 3"])
    assert worst(each.state for each in [passed]) == "pass"
    assert worst(each.state for each in [passed, warned]) == "warn"
    assert worst(each.state for each in [passed, warned, failed]) == "fail"


def test_numbers_that_are_not_known_are_none(audits):
    (result,) = dk.check(audits.same, ["overlap mean[moved] >= 0.5"]).results
    assert math.isnan(result.value)
    assert result.to_dict()["value"] is None
