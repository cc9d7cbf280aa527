from pathlib import Path
from xml.etree import ElementTree

import xmlschema

from driftkit.gate.reports.junit import junit_xml

# Our own, of what CI servers document that they read; see its head.
SCHEMA = xmlschema.XMLSchema(Path(__file__).with_name("junit.xsd"))


def test_it_follows_the_schema_and_counts_are_right(verdicts):
    text = junit_xml(verdicts)
    SCHEMA.validate(text)
    root = ElementTree.fromstring(text)
    assert root.tag == "testsuites"
    assert [suite.get("name") for suite in root] == [
        "harmed.pt against original.npy", "same.pt against original.npy",
    ]  # fmt: skip
    for suite, verdict in zip(root, verdicts, strict=True):
        assert int(suite.get("tests")) == len(suite.findall("testcase")) == len(verdict.results)
        assert int(suite.get("failures")) == len(suite.findall("testcase/failure"))
        assert int(suite.get("failures")) == len(verdict.acting("fail"))
        assert int(suite.get("skipped")) == len(suite.findall("testcase/skipped"))
    assert int(root.get("failures")) == sum(int(suite.get("failures")) for suite in root)


def test_failures_warnings_and_what_was_allowed_are_told_apart(verdicts):
    cases = {
        (suite.get("name").partition(" ")[0], case.get("name")): [child.tag for child in case]
        for suite in ElementTree.fromstring(junit_xml(verdicts))
        for case in suite.findall("testcase")
    }
    assert cases["harmed.pt", "moved <= 4% (moved)"] == ["failure"]
    assert cases["harmed.pt", "warn displaced == 0 (displaced)"] == ["system-out"]
    assert cases["harmed.pt", "added <= 5 (added)"] == []
    assert cases["same.pt", "overlap mean[moved] >= 0.6 (overlap@10 mean[moved])"] == ["skipped"]


def test_a_failure_says_the_value_and_the_bound(verdicts):
    failure = ElementTree.fromstring(junit_xml(verdicts)).find("testsuite/testcase/failure")
    assert failure.get("message") == "fail: moved is 150, the rule is <= 120, slack -30"


def test_hostile_text_stays_text(hostile):
    text = junit_xml([hostile])
    SCHEMA.validate(text)
    text.encode("utf-8")
    case = ElementTree.fromstring(text).find("testsuite/testcase")
    assert case.get("name").startswith(
        r"a\x00b\x1b[31m|`</failure><!--\ud800\uffff\r\n::error::50%"
    )


def test_golden(worked, golden):
    golden(junit_xml([worked]), "junit.xml")
