"""A check as JUnit XML, which every CI system can show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from driftkit.escaping import harmless, printable
from driftkit.gate.verdict import Result, Verdict


def junit_xml(verdicts: Sequence[Verdict]) -> str:
    """Return the report: a test suite for each table, a test case for each result.

    An undecided result that was allowed is skipped, lest it be taken for a test that passed.
    """
    total = sum(len(verdict.results) for verdict in verdicts)
    failed = sum(len(verdict.acting("fail")) for verdict in verdicts)
    about = {"name": "driftkit check", "tests": total, "failures": failed, "errors": 0}
    root = _element(None, "testsuites", about)
    for verdict in verdicts:
        about = {
            "name": f"{verdict.tuned} against {verdict.original}",
            "tests": len(verdict.results),
            "failures": len(verdict.acting("fail")),
            "errors": 0,
            "skipped": sum(map(_is_skipped, verdict.results)),
        }
        suite = _element(root, "testsuite", about)
        properties = _element(suite, "properties")
        sources = verdict.about["sources"]
        for name, value in (
            ("state", verdict.state),
            ("headline", verdict.headline),
            ("audit", verdict.audit),
            ("profile", verdict.policy.profile or ""),
            ("baseline", verdict.compared_with),
            ("original.sha256", sources["original"]["sha256"]),
            ("tuned.sha256", sources["tuned"]["sha256"]),
            ("driftkit", verdict.about["driftkit"]),
        ):
            _element(properties, "property", {"name": name, "value": value})
        for result in verdict.results:
            _case(suite, result)
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'


def _case(suite: ElementTree.Element, result: Result) -> None:
    about = {"name": f"{result.rule} ({result.subject})", "classname": "driftkit.check"}
    case = _element(suite, "testcase", about)
    said = (
        f"{result.outcome}: {result.subject} is {result.value_text}, the rule is "
        f"{result.bound_text}, slack {result.slack_text}"
    )
    because = "; ".join(part for part in (result.detail, result.reason) if part)
    if result.action == "fail":
        _element(case, "failure", {"type": result.outcome, "message": said}, because)
    elif _is_skipped(result):
        _element(case, "skipped", {"type": result.outcome, "message": said}, because)
    elif result.action == "warn":
        _element(case, "system-out", text="; ".join(filter(None, [f"warning: {said}", because])))


def _is_skipped(result: Result) -> bool:
    return result.action == "pass" and result.outcome != "pass"


def _element(
    parent: ElementTree.Element | None,
    tag: str,
    attributes: Mapping[str, object] | None = None,
    text: str = "",
) -> ElementTree.Element:
    # What is not printable XML cannot hold, not even escaped: one such character, and the whole
    # report cannot be read.
    shown = {name: harmless(printable(str(value))) for name, value in (attributes or {}).items()}
    made = ElementTree.Element(tag, shown)
    made.text = harmless(printable(text)) or None
    if parent is not None:
        parent.append(made)
    return made
