"""Each case of `tests/check_cases` as a user sees it, compared whole with its golden file."""

import re
import shlex
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import get_args

import pytest
from check_cases import baselines, refusals, rules, verdicts
from check_cases.case import ACCEPTED, Case
from check_cases.sentences import sentences
from check_cases.tables import write_tables
from click.testing import CliRunner

import driftkit.cli
import driftkit.gate
from driftkit.cli.group import BROKEN_RULE, FAILED, INTERRUPTED, OK
from driftkit.drift.groups import GROUPS
from driftkit.gate.outcome import Outcome
from driftkit.gate.profiles import PROFILES, Action
from driftkit.gate.reports.terminal import SIGNS
from driftkit.gate.rules import Level, Operator, Reference, Unit, parse_rule
from driftkit.gate.subjects import BAND, COUNTS, STATISTICS, Kind
from driftkit.report.document import ENGINES

CASES: list[Case] = [*verdicts.CASES, *rules.CASES, *baselines.CASES, *refusals.CASES]
GOLDEN = Path(__file__).parent / "golden"
PACKAGE = Path(driftkit.__file__).parent
SPEAKING = [
    *sorted((PACKAGE / "gate").glob("*.py")),
    *(PACKAGE / "cli" / f"{name}.py" for name in ("baseline", "check", "judging", "settings")),
]
"""The files whose every sentence must be in a golden file."""

NOT_FROM_HERE = {
    "is one string; give a list of rules": "the command line always gives a list",
    "benchmark of this audit": "the command measures every benchmark that a rule names",
    "Add it to the audit's benchmarks.": "as above",
    "was not measured; audit with measures=": "and every other measure",
    "write a depth; this audit has": "at the depth of the lists, where a rule gives none",
}
"""Sentences that no command line leads to, and why."""


@pytest.fixture(scope="session")
def tables(glove, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    write_tables(glove, folder)
    return folder


@pytest.fixture(scope="session")
def accepted(tables, tmp_path_factory):
    """The text of the baseline of gentle.npy."""
    with pytest.MonkeyPatch.context() as patch:
        enter(patch, tables, tmp_path_factory.mktemp("accepted"))
        written = invoke(f"baseline write original.npy gentle.npy -o {ACCEPTED}")
        assert written.exit_code == OK, written.output
        return Path(ACCEPTED).read_text("utf-8")


def enter(patch, tables, folder):
    """Work in a folder that holds the tables, and let nothing in from outside."""
    for file in tables.iterdir():
        (folder / file.name).symlink_to(file)
    patch.chdir(folder)
    for name in ("CI", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "FORCE_COLOR"):
        patch.delenv(name, raising=False)
    patch.setenv("COLUMNS", "80")
    for command in ("CHECK", "BASELINE_WRITE", "BASELINE_UPDATE"):
        patch.setenv(f"DRIFTKIT_{command}_BENCHMARKS", "ws353")
        patch.setenv(f"DRIFTKIT_{command}_RESAMPLES", "200")


def invoke(command):
    return CliRunner().invoke(driftkit.cli.main, shlex.split(command))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case, request, tables, tmp_path, monkeypatch, golden):
    enter(monkeypatch, tables, tmp_path)
    for name, text in case.files.items():
        Path(name).write_text(text, encoding="utf-8")
    if case.accepted is not None:
        text = case.accepted(request.getfixturevalue("accepted"))
        Path(ACCEPTED).write_text(text, encoding="utf-8", errors="surrogateescape")
    for name, value in case.environment.items():
        monkeypatch.setenv(name, value)
    if case.stops is not None:
        monkeypatch.setattr(driftkit.gate, "check", stopping(case.stops))
    result = invoke(case.command)
    assert result.exit_code == case.code, result.output
    golden(as_seen(case, result, tmp_path), f"{case.name}.txt")


def stopping(error):
    def stop(*_, **__):
        raise error

    return stop


def as_seen(case, result, folder):
    """Everything a user gets, without what differs from machine to machine."""
    parts = [f"$ driftkit {case.command}", result.stdout]
    if result.stderr:
        parts += ["--- standard error", result.stderr]
    for name in case.leaves:
        parts += [f"--- {name}", Path(name).read_text("utf-8")]
    parts.append(f"--- exit code {result.exit_code}")
    text = "\n".join(part.rstrip("\n") for part in parts if part)
    text = text.replace(str(folder.resolve()), "FOLDER").replace(str(folder), "FOLDER")
    for name in ("driftkit", *ENGINES):
        text = re.sub(rf"(?<![\d.]){re.escape(version(name))}(?![\d.]*\d)", f"<{name}>", text)
    text = re.sub(r"\b\d(\.\d+)?e-(0[6-9]|[1-9]\d)\b", "<rounding>", text)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def test_every_case_has_a_name_and_a_golden_file_of_its_own():
    names = Counter(case.name for case in CASES)
    assert max(names.values()) == 1
    assert {path.name for path in GOLDEN.iterdir()} == {f"{name}.txt" for name in names}


def test_every_exit_code_has_a_case():
    assert {case.code for case in CASES} == {OK, BROKEN_RULE, FAILED, INTERRUPTED}


@pytest.fixture(scope="module")
def seen():
    """All golden files in one text, lines joined as they were before the terminal broke them."""
    return " ".join(" ".join(path.read_text("utf-8").split()) for path in GOLDEN.iterdir())


@pytest.mark.parametrize("path", SPEAKING, ids=lambda path: path.stem)
def test_every_sentence_of_the_gate_is_in_a_golden_file(path, seen):
    missing = {
        said
        for said, pattern in sentences(path)
        if not pattern.search(seen) and not any(part in said for part in NOT_FROM_HERE)
    }
    assert not missing


def test_every_outcome_and_what_it_leads_to_is_in_a_golden_file():
    rows = "\n".join(path.read_text("utf-8") for path in GOLDEN.iterdir()).splitlines()
    for outcome in get_args(Outcome):
        leads_to = {"pass": ["pass"], "fail": ["warn", "fail"]}.get(outcome, get_args(Action))
        for action in leads_to:
            assert any(
                row.startswith(f"{SIGNS[action]} ") and row.endswith(f" {outcome}") for row in rows
            ), (outcome, action)


def rules_of(command):
    words = shlex.split(command)
    return [words[at + 1] for at, word in enumerate(words) if word == "-r"]


@pytest.fixture(scope="module")
def parsed():
    """Every rule of a case that reaches a verdict."""
    found = []
    for case in CASES:
        if case.code in (OK, BROKEN_RULE):
            found += [parse_rule(text) for text in rules_of(case.command)]
    return found


def test_every_form_of_a_rule_has_a_case(parsed):
    bounds = [rule.bound for rule in parsed]
    subjects = [subject for rule in parsed for subject in rule.subjects]
    assert {rule.level for rule in parsed} == {*get_args(Level)}
    assert {rule.operator for rule in parsed} == {*get_args(Operator)}
    assert {(each.reference, each.amount.unit) for each in bounds if each.amount.number} == {
        (reference, unit) for reference in (None, *get_args(Reference)) for unit in get_args(Unit)
    }
    assert {None, *get_args(Reference)} <= {
        each.reference for each in bounds if not each.amount.number
    }
    assert {each.tolerance.unit for each in bounds if each.tolerance} == {*get_args(Unit)}
    assert {each.kind for each in subjects} == {*get_args(Kind)}
    assert {each.measure for each in subjects if each.kind == "count"} == {*COUNTS}
    assert {(each.of, each.on == "*") for each in subjects if each.kind == "benchmark"} >= {
        ("", False), ("", True), ("tuned", False), ("original", False),
    }  # fmt: skip
    assert {each.of for each in subjects if each.kind == "group"} == {
        *STATISTICS, "", "original", "tuned",
    }  # fmt: skip
    groups = {each.on or "all" for each in subjects if each.kind == "group"}
    assert {each for each in groups if not each.startswith(BAND)} == {*GROUPS}
    assert any(each.startswith(BAND) for each in groups)
    assert {"@" in str(each) for each in subjects if each.kind in ("group", "word")} == {
        True, False,
    }  # fmt: skip
    assert {min(len(rule.words), 2) for rule in parsed} == {0, 1, 2}
    assert any(" " in word for rule in parsed for word in rule.words)


def test_every_profile_has_a_case_with_and_without_a_baseline():
    commands = [case.command for case in CASES]
    for profile in PROFILES:
        assert any(f"--profile {profile}" in command for command in commands)
        assert any(
            f"--profile {profile}" in command and "--baseline" in command for command in commands
        )
