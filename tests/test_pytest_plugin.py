"""The fixture in a pytest of its own, as a user's project would have it."""

import subprocess
import sys
from xml.etree import ElementTree

import pytest

import driftkit as dk

pytest_plugins = "pytester"

TEST = """
import pytest

QUICK = dict(benchmarks=["ws353"], resamples=100)
TABLES = ("original.npy", "gentle.pt::embedding.weight")

@pytest.mark.driftkit("moved <= 10%")
def test_passes(driftkit_check):
    assert driftkit_check(*TABLES, **QUICK).state == "pass"

@pytest.mark.driftkit("moved <= 1%")
def test_fails(driftkit_check):
    driftkit_check(*TABLES, **QUICK)

@pytest.mark.driftkit(profile="lenient")
class TestMarkers:
    @pytest.mark.driftkit("warn moved <= 1%", inconclusive="pass")
    def test_they_add_up(self, driftkit_check):
        verdict = driftkit_check(*TABLES, ["warn moved <= 2%"], **QUICK)
        assert verdict.state == "warn"
        assert verdict.policy.profile == "lenient"
        assert [rule.text for rule in verdict.policy.rules][-2:] == [
            "warn moved <= 1%", "warn moved <= 2%"]
"""


@pytest.fixture(scope="module")
def warm(pair):
    """Load everything a check loads: pytester forgets modules, and numpy bears one import."""
    audit = dk.audit(pair, benchmarks=["ws353"], resamples=100)
    repr(dk.check(audit, ["moved >= 1"]))


@pytest.fixture
def project(warm, pytester, saved, monkeypatch):
    for file in saved.iterdir():
        (pytester.path / file.name).symlink_to(file)
    monkeypatch.delenv("CI", raising=False)
    pytester.makeini("[pytest]\naddopts = --strict-markers\n")
    return pytester


def test_fixture_marker_and_report(project):
    project.makepyfile(TEST)
    result = project.runpytest("--junit-xml=out.xml")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*Failed: 1 of 1 check: moved is 150, the rule is <= 30.*",
            "*x moved*150*<= 30*-120*fail*",
        ]
    )
    assert "Traceback" not in result.stdout.str()
    lines = result.stdout.lines
    (head,) = [at for at, line in enumerate(lines) if "Failed: 1 of 1 check" in line]
    assert "test_fails" in lines[head - 1], "the sentence comes first"
    assert lines[head + 1] == "gentle.pt::embedding.weight against original.npy"
    cases = {
        case.get("name"): {each.get("name"): each.get("value") for each in case.iter("property")}
        for case in ElementTree.parse(project.path / "out.xml").iter("testcase")
    }
    assert cases["test_fails"]["driftkit.state"] == "fail"
    assert cases["test_fails"]["driftkit moved <= 1% (moved)"] == "fail: 150"
    assert cases["test_passes"]["driftkit.headline"] == "Passed: 1 check."


def test_a_warning_is_kept_with_a_test_that_passed(project):
    project.makepyfile(TEST)
    shown = project.runpytest("-rP", "-k", "add_up").stdout.str()
    assert shown.count("Passed with 2 warnings in ") == 1


def test_a_baseline_is_written_and_compared_with(project):
    project.makepyfile(
        """
        def test_vectors(driftkit_check):
            driftkit_check(
                "original.npy", NAME, ["overlap mean[moved] = baseline"],
                benchmarks=["ws353"], resamples=100,
            )
        """.replace("NAME", repr("gentle.pt::embedding.weight"))
    )
    missing = project.runpytest("--driftkit-baseline=b.json")
    missing.assert_outcomes(failed=1)
    missing.stdout.fnmatch_lines(["*baseline b.json does not exist*"])
    project.runpytest("--driftkit-baseline=b.json", "--driftkit-update").assert_outcomes(skipped=1)
    project.runpytest("--driftkit-baseline=b.json").assert_outcomes(passed=1)


def test_a_baseline_that_no_rule_uses_is_an_error(project):
    project.makepyfile(
        """
        def test_vectors(driftkit_check):
            driftkit_check("original.npy", "original.npy", ["moved = 0"], benchmarks=["ws353"])
        """
    )
    result = project.runpytest("--driftkit-baseline=b.json")
    result.stdout.fnmatch_lines(["*no rule compares with it*"])


def test_updates_are_refused_where_nobody_looks(project, monkeypatch):
    result = project.runpytest("--driftkit-update")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--driftkit-update needs --driftkit-baseline FILE*"])
    monkeypatch.setenv("CI", "true")
    result = project.runpytest("--driftkit-update", "--driftkit-baseline=b.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*CI is set*"])


def test_the_fixture_is_listed_and_described(project):
    project.runpytest("--markers").stdout.fnmatch_lines(["@pytest.mark.driftkit(*rules, *"])
    fixtures = project.runpytest("--fixtures").stdout
    fixtures.fnmatch_lines(["driftkit_check*", "*Pass a tuned table through the gate*"])


def test_it_brings_in_nothing_heavy_when_unused():
    code = (
        "import pytest, sys\n"
        "before = set(sys.modules)\n"
        "import driftkit.pytest_plugin\n"
        "print(*sorted(set(sys.modules) - before))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert set(done.stdout.split()) <= {"driftkit", "driftkit.forks", "driftkit.pytest_plugin"}
