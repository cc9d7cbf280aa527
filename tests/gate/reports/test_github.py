import re

import pytest

import driftkit as dk
from driftkit.gate.reports.github import SUMMARY_LIMIT, step_summary, workflow_commands

COMMAND = re.compile(r"::(error|warning|notice) title=([^:,\r\n]*)::([^\r\n]*)")


def test_one_summary_and_the_worst(verdicts):
    lines = workflow_commands(verdicts[:1])
    kinds = [COMMAND.fullmatch(line)[1] for line in lines]
    assert kinds == ["error", "error", "error", "warning", "warning"]
    assert lines[0].startswith("::error title=driftkit check::Failed: 2 of 6 checks: ")
    assert lines[1] == (
        "::error title=driftkit%3A overlap mean[moved] >= 0.6::harmed.pt: overlap@10 mean[moved] "
        f"is {verdicts[0].results[1].value:.6g}, the rule is >= 0.6"
    )


def test_never_more_than_six(audits):
    verdict = dk.check(audits["harmed.pt"], [f"moved <= {bound}" for bound in range(1, 30)])
    assert len(workflow_commands([verdict])) == 6
    assert len(workflow_commands([verdict] * 4)) == 6


def test_several_tables_are_named(verdicts):
    first = workflow_commands(verdicts)[0]
    assert first == (
        "::error title=driftkit check::1 of 2 tables failed. harmed.pt: fail; same.pt: pass."
    )


def test_a_pass_is_a_notice(audits):
    assert workflow_commands([dk.check(audits["harmed.pt"], ["moved = 150"])]) == [
        "::notice title=driftkit check::Passed: 1 check."
    ]


def test_hostile_text_stays_one_command(hostile):
    for line in workflow_commands([hostile]):
        assert COMMAND.fullmatch(line.replace("\x1b", ""))
        assert "50%25" in line or "title=driftkit check" in line


@pytest.mark.parametrize("already", [0, 500_000, SUMMARY_LIMIT - 700])
def test_a_step_summary_stays_below_one_mebibyte(audits, already):
    verdict = dk.check(audits["harmed.pt"], [f"moved <= {bound}" for bound in range(1, 100)])
    text = step_summary([verdict] * 200, already)
    assert already + len(text.encode()) <= SUMMARY_LIMIT < 2**20
    assert re.search(r"\n\d+ lines were left out", text)


def test_a_summary_that_is_full_already_gets_nothing_more(verdicts):
    assert step_summary(verdicts, SUMMARY_LIMIT).strip() == ""


def test_golden(worked, golden):
    golden("\n".join(workflow_commands([worked])) + "\n", "github.txt")
