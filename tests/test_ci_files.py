"""Files to copy into a project: they follow the schemas of their services, and they run.

The schemas of GitHub's actions and workflows and of GitLab CI are those that check-jsonschema
carries (from SchemaStore and GitLab).
"""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click import Context
from click.testing import CliRunner

from driftkit.cli import main

ROOT = Path(__file__).parent.parent
CI = ROOT / "docs" / "ci"
BIN = Path(sys.executable).parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.github-actions", ROOT / "action.yml"),
        ("vendor.github-workflows", CI / "github-workflow.yml"),
        ("vendor.gitlab-ci", CI / "gitlab-ci.yml"),
        ("vendor.github-workflows", CI / "golden-github-workflow.yml"),
        ("vendor.gitlab-ci", CI / "golden-gitlab-ci.yml"),
    ],
)
def test_files_follow_their_schema(schema, file, tmp_path):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    done = subprocess.run([*command, str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    broken = tmp_path / file.name
    broken.write_text(file.read_text("utf-8").replace("runs", "rums").replace("script:", "scrip:"))
    assert subprocess.run([*command, str(broken)], capture_output=True, check=False).returncode == 1


def _parses(words):
    assert words[0] == "driftkit"
    command, (name, *arguments) = main, words[1:]
    parent = Context(main, **main.context_settings)
    command = main.get_command(parent, name)
    if name == "baseline":
        command, arguments = command.commands[arguments[0]], arguments[1:]
    assert command.make_context(name, list(arguments), parent=parent).params


def test_commands_of_the_gitlab_job_exist():
    job = yaml.safe_load((CI / "gitlab-ci.yml").read_text("utf-8"))["vectors"]
    _parses(job["script"][1].split())


def test_both_jobs_verify_golden_vectors_by_one_command_that_exists():
    workflow = yaml.safe_load((CI / "golden-github-workflow.yml").read_text("utf-8"))
    steps = [each["run"] for each in workflow["jobs"]["verify"]["steps"] if "run" in each]
    job = yaml.safe_load((CI / "golden-gitlab-ci.yml").read_text("utf-8"))["golden-vectors"]
    assert steps == job["script"]
    _parses(steps[1].split())


def test_the_workflow_gives_the_action_what_it_takes():
    workflow = yaml.safe_load((CI / "github-workflow.yml").read_text("utf-8"))
    (step,) = (
        each for each in workflow["jobs"]["check"]["steps"] if "driftkit@" in each.get("uses", "")
    )
    assert set(step["with"]) <= set(ACTION["inputs"])
    needed = {name for name, each in ACTION["inputs"].items() if each["required"]}
    assert needed <= set(step["with"])


@pytest.fixture
def folder(saved, tmp_path):
    for file in saved.iterdir():
        (tmp_path / file.name).symlink_to(file)
    return tmp_path


def _environment(**more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
    return {**kept, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **more}


def _run_action(folder, **inputs):
    """Run the script of the composite action as its runner would."""
    (step,) = (each for each in ACTION["runs"]["steps"] if each.get("id") == "check")
    values = {name: each.get("default", "") for name, each in ACTION["inputs"].items()} | inputs
    variables = {
        name: values[expression.removeprefix("${{ inputs.").removesuffix(" }}")]
        for name, expression in step["env"].items()
    }
    (folder / "step.sh").write_text(step["run"])
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "step.sh"],
        cwd=folder,
        env=_environment(
            GITHUB_ACTIONS="true",
            GITHUB_OUTPUT=str(folder / "output"),
            GITHUB_STEP_SUMMARY=str(folder / "summary.md"),
            **variables,
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    output = folder / "output"
    return done, dict(
        line.split("=") for line in output.read_text().split()
    ) if output.exists() else {}


QUICK = "-b\nws353\n--resamples\n100"


@pytest.mark.slow
def test_the_action_passes_fails_and_breaks_with_the_right_code(folder):
    done, output = _run_action(
        folder,
        original="original.npy",
        tuned="tuned.pt::embedding.weight\nsame.pt::embedding.weight\n",
        rules="moved <= 10%\nwarn moved >= 1\n",
        arguments=QUICK,
    )
    assert done.returncode == 0, done.stderr
    assert output == {"state": "warn", "json": "driftkit-check.json"}
    assert len(json.loads((folder / "driftkit-check.json").read_text())["checks"]) == 2
    assert (folder / "driftkit-junit.xml").is_file()
    assert "::warning title=driftkit check::" in done.stdout
    assert (folder / "summary.md").read_text("utf-8").startswith("### driftkit check")

    (folder / "output").unlink()
    done, output = _run_action(
        folder,
        original="original.npy",
        tuned="$(touch ran).pt\n",
        arguments=QUICK,
    )
    assert (done.returncode, output) == (2, {})
    assert "$(touch ran).pt" in done.stderr
    assert not (folder / "ran").exists()

    done, output = _run_action(
        folder, original="original.npy", tuned="same.pt::embedding.weight", profile="lenient",
        arguments=QUICK,
    )  # fmt: skip
    assert (done.returncode, output["state"]) == (1, "fail")


def test_every_expression_of_the_action_is_an_input():
    """No input is pasted into a script, where it could run as code."""
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step["run"]
        for expression in step["env"].values():
            assert expression.removeprefix("${{ inputs.").removesuffix(" }}") in ACTION["inputs"]


MAKE = ["make", "-f", str(CI / "driftkit.mk"), "ORIGINAL=original.npy",
        "CANDIDATE=gentle.pt::embedding.weight"]  # fmt: skip


def test_a_make_target_fails_with_the_sentence_of_the_command(folder):
    done = subprocess.run(
        [*MAKE, "vectors-check"], cwd=folder, env=_environment(CI=""), capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "make it with `driftkit baseline write`" in done.stderr


def test_the_commands_of_the_make_targets_work(folder, monkeypatch):
    """What make would run is run in this process, where torch has been imported already."""
    monkeypatch.chdir(folder)
    monkeypatch.delenv("CI", raising=False)

    def run(line, **variables):
        name, *arguments = shlex.split(line)
        assert name == "driftkit"
        return CliRunner().invoke(main, [*arguments, *QUICK.split()], env=variables)

    def recipe(target):
        return subprocess.check_output(
            [*MAKE, "--no-print-directory", "--dry-run", target], cwd=folder, text=True
        )

    candidate = "original.npy gentle.pt::embedding.weight"
    assert run(f"driftkit baseline write {candidate}").exit_code == 0
    assert "Updated driftkit-baseline.json." in run(recipe("vectors-accept")).output
    refused = run(recipe("vectors-accept"), CI="true")
    assert (refused.exit_code, "CI is set" in refused.stderr) == (2, True)
    assert "and driftkit-baseline.json" in run(recipe("vectors-check")).stdout
    assert (folder / "driftkit-junit.xml").is_file()
