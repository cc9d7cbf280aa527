"""Files to copy into a project: they follow the schemas of their services, and they run.

The schemas of GitHub's actions and workflows and of GitLab CI are those that check-jsonschema
carries (from SchemaStore and GitLab).
"""

import json
import os
import re
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
    _parses(job["script"][2].split())


def test_both_jobs_verify_golden_vectors_by_one_command_that_exists():
    workflow = yaml.safe_load((CI / "golden-github-workflow.yml").read_text("utf-8"))
    steps = [each["run"] for each in workflow["jobs"]["verify"]["steps"] if "run" in each]
    job = yaml.safe_load((CI / "golden-gitlab-ci.yml").read_text("utf-8"))["golden-vectors"]
    assert steps == job["script"]
    _parses(steps[2].split())


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


STEPS = {each["name"]: each for each in ACTION["runs"]["steps"]}
SHELLS = {
    "bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"],
    "python": [sys.executable],
}  # as the runner starts them
EXPRESSION = re.compile(r"\$\{\{ (.*) \}\}")


def _run_step(name, folder, *, known=None, environment=None, **inputs):
    """Run the script of one step of the action as its runner would, and read what it put out."""
    step = STEPS[name]
    values = {f"inputs.{name}": each.get("default", "") for name, each in ACTION["inputs"].items()}
    values |= {f"inputs.{name}": value for name, value in inputs.items()} | (known or {})
    variables = {
        name: values[EXPRESSION.fullmatch(expression)[1]]
        for name, expression in step["env"].items()
    }
    output = folder / "output"
    output.write_text("")
    (folder / "step").write_text(step["run"])
    done = subprocess.run(
        [*SHELLS[step["shell"]], "step"],
        cwd=folder,
        env=_environment(
            GITHUB_ACTIONS="true",
            GITHUB_ACTION_PATH=str(ROOT),
            GITHUB_OUTPUT=str(output),
            GITHUB_STEP_SUMMARY=str(folder / "summary.md"),
            **(environment or {}),
            **variables,
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    return done, dict(line.split("=", 1) for line in output.read_text().splitlines())


QUICK = "-b\nws353\n--resamples\n100"


@pytest.mark.slow
def test_the_action_passes_fails_and_breaks_with_the_right_code(folder):
    done, output = _run_step(
        "Check",
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

    assert (folder / "driftkit.md").is_file()
    done, output = _run_step(
        "Check",
        folder,
        original="original.npy",
        tuned="$(touch ran).pt\n",
        arguments=QUICK,
    )
    assert (done.returncode, output) == (2, {})
    assert "$(touch ran).pt" in done.stderr
    assert not (folder / "ran").exists()

    done, output = _run_step(
        "Check",
        folder,
        original="original.npy",
        tuned="same.pt::embedding.weight",
        profile="lenient",
        arguments=QUICK,
    )
    assert (done.returncode, output["state"]) == (1, "fail")


def test_the_check_takes_lines_as_people_write_them_and_clears_old_reports(folder):
    """Of driftkit only the arguments are looked at; what it does with them is tested above."""
    (folder / "bin").mkdir()
    (folder / "bin" / "driftkit").write_text('#!/bin/sh\nprintf "<%s>\\n" "$@"\nexit 2\n')
    (folder / "bin" / "driftkit").chmod(0o755)
    (folder / "-x").write_text("green")
    (folder / "driftkit.md").write_text("green")
    done, output = _run_step(
        "Check",
        folder,
        environment={"PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"},
        original="original.npy",
        tuned="my runs/a.pt\r\n \t\r\nb.pt\r\n",
        rules="moved <= 10%\n   \n\nwarn moved >= 1",
        arguments="-b\r\nws353",
        junit="-x",
    )
    assert (done.returncode, output) == (2, {})
    given = re.findall("<(.*)>", done.stdout)
    assert given[given.index("--rule") :] == [
        "--rule", "moved <= 10%", "--rule", "warn moved >= 1", "-b", "ws353",
        "--", "original.npy", "my runs/a.pt", "b.pt",
    ]  # fmt: skip
    assert not (folder / "-x").exists()
    assert not (folder / "driftkit.md").exists()


def test_no_expression_is_pasted_into_a_script():
    """Pasted into one, it could run as code."""
    outputs = {f"steps.{each['id']}.outputs" for each in STEPS.values() if "id" in each}
    for step in STEPS.values():
        assert "${{" not in step.get("run", "")
        for expression in step.get("env", {}).values():
            of, _, name = EXPRESSION.fullmatch(expression)[1].rpartition(".")
            assert of in {"inputs", "github", *outputs}
            assert of != "inputs" or name in ACTION["inputs"]


# --- what is installed ----------------------------------------------------------------------------


def test_the_small_torch_is_installed_and_what_is_downloaded_is_cached(folder):
    """Of pip and uv, which would ask the network, only the arguments are looked at."""
    (folder / "bin").mkdir()
    for name, answer in {"python": "", "uv": "$@"}.items():
        stand_in = folder / "bin" / name
        stand_in.write_text(f"#!/bin/sh\necho {answer}\n")
        stand_in.chmod(0o755)
    path = {"PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}

    def installed(**inputs):
        done, _ = _run_step("Install driftkit", folder, environment=path, **inputs)
        return done.stdout.split()

    python = str(folder / "bin" / "python")
    asked = ["pip", "install", "--quiet", "--python", python, "--torch-backend"]
    pinned = ["-c", f"{ROOT}/constraints.txt"]
    assert installed() == [*asked, "cpu", *pinned, str(ROOT)]
    other = {"torch-backend": "cu130", "package": "driftkit==0.1.0"}
    assert installed(**other) == [*asked, "cu130", *pinned, "driftkit==0.1.0"]

    def cached(**inputs):
        done, output = _run_step("Find the cache", folder, environment=path, **inputs)
        assert (done.returncode, output["folder"]) == (0, "cache dir")  # as `uv` was asked
        return output["key"]

    assert cached() == cached() != cached(**other)
    assert STEPS["Cache what is downloaded"]["with"]["path"] == "${{ steps.uv.outputs.folder }}"


@pytest.mark.parametrize("name", ["gitlab-ci.yml", "golden-gitlab-ci.yml"])
def test_gitlab_jobs_install_the_small_torch_and_cache(name):
    (job,) = yaml.safe_load((CI / name).read_text("utf-8")).values()
    assert job["variables"]["UV_TORCH_BACKEND"] == ACTION["inputs"]["torch-backend"]["default"]
    (path,) = job["cache"]["paths"]
    assert job["variables"]["UV_CACHE_DIR"] == f"$CI_PROJECT_DIR/{path}"


# --- the comment on a pull request ----------------------------------------------------------------


class PullRequest:
    """One pull request, its comments, and the last step of the action run on it."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "bin").mkdir()
        gh = folder / "bin" / "gh"
        gh.write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT}/tests/fake_gh.py "$@"\n')
        gh.chmod(0o755)
        self.event = {"pull_request": {"number": 7, "head": {"sha": "0123456789abcdef"}}}
        self.store = folder / "github.json"
        self.set(comments=[], calls=[], may_write=True)

    def set(self, **state):
        known = json.loads(self.store.read_text("utf-8")) if self.store.exists() else {}
        self.store.write_text(json.dumps({**known, **state}), "utf-8")

    def get(self, name):
        return json.loads(self.store.read_text("utf-8"))[name]

    def bodies(self):
        return [each["body"] for each in self.get("comments")]

    def run(self, report="### all well", state="pass", token="t", path=None, **inputs):
        (self.folder / "event.json").write_text(json.dumps(self.event))
        if report is not None:
            (self.folder / "driftkit.md").write_text(report, "utf-8")
        environment = {
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_REPOSITORY": "owner/vectors",
            "GITHUB_RUN_ID": "99",
            "GITHUB_EVENT_PATH": str(self.folder / "event.json"),
            "FAKE_GH": str(self.store),
            "PATH": path or f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        }
        known = {"github.token": token, "steps.check.outputs.state": state}
        done, _ = _run_step(
            "Comment on the pull request",
            self.folder, known=known, environment=environment, **inputs,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, ""), "a comment must not decide anything"
        return done.stdout


@pytest.fixture
def pull_request(tmp_path):
    return PullRequest(tmp_path)


def test_one_comment_is_written_and_then_edited_in_place(pull_request):
    said = pull_request.run("### `a.pt` failed, of größe 3", "fail")
    assert said == "The comment: https://github.example/owner/vectors/pull/7#0\n"
    (body,) = pull_request.bodies()
    marker, first, *_, last = body.splitlines()
    assert re.fullmatch("<!-- driftkit comment [0-9a-f]{16} -->", marker)
    assert first == "### `a.pt` failed, of größe 3"
    run = "https://github.example/owner/vectors/actions/runs/99"
    assert last == f"driftkit check, commit 0123456789, [the run]({run})"
    assert all(call.endswith(" on github.example") for call in pull_request.get("calls"))

    pull_request.run("### passed")
    (edited,) = pull_request.bodies()
    assert edited.startswith(f"{marker}\n### passed\n")
    pull_request.run("### another", comment="other tables")
    assert len(pull_request.bodies()) == 2, "each name has a comment of its own"


def test_it_is_found_among_hundreds_and_no_persons_comment_is_touched(pull_request):
    pull_request.run("### first")
    (ours,) = pull_request.get("comments")
    talk = [{"id": at, "body": "hm", "user": {"type": "User"}} for at in range(1000, 1250)]
    talk[3]["user"] = None  # an account that is gone
    quote = {"id": 5, "body": ours["body"], "user": {"type": "User"}}
    pull_request.set(comments=[quote, *talk, ours])
    pull_request.run("### second")
    *others, last = pull_request.bodies()
    assert last.splitlines()[1] == "### second"
    assert not any("second" in each for each in others)


def test_a_check_that_could_not_be_made_leaves_no_comment_that_says_it_passed(pull_request):
    pull_request.run("### passed")
    pull_request.run(None, state="")  # the report of the run before lies there still
    (body,) = pull_request.bodies()
    assert "the check could not be made" in body
    assert "passed" not in body


@pytest.mark.parametrize("why", ["a fork", "no token", "no gh"])
def test_where_nothing_can_be_written_the_run_says_so_and_goes_on(why, pull_request):
    pull_request.set(may_write=why != "a fork")
    (pull_request.folder / "empty").mkdir()
    said = pull_request.run(
        token="" if why == "no token" else "t",
        path=str(pull_request.folder / "empty") if why == "no gh" else None,
    )
    reasons = {
        "a fork": "gh: Resource not accessible by integration (HTTP 403)",
        "no token": "gh: Requires authentication (HTTP 401)",
        "no gh": "No such file or directory: 'gh'",
    }
    assert said.startswith("::notice title=driftkit::No comment was written (")
    assert said.count("\n") == 1
    assert reasons[why] in said
    assert '"permissions: pull-requests: write"' in said
    assert pull_request.bodies() == []


def test_outside_a_pull_request_nothing_is_asked(pull_request):
    pull_request.event = {"ref": "refs/heads/main"}
    assert "not of a pull request" in pull_request.run()
    assert pull_request.get("calls") == []


def test_a_report_that_is_too_long_is_cut_between_lines(pull_request):
    rows = "\n".join(f"| row {at} |" for at in range(10_000))
    pull_request.run(f"### failed\n<details><summary>kept</summary>\n\n{rows}\n\n</details>\n")
    (body,) = pull_request.bodies()
    assert "|\n\n</details>\n\nThe rest stands in the summary of the run.\n" in body
    pull_request.run(f"### failed\n\n{rows}")
    assert "|\n\nThe rest stands in the summary of the run.\n" in pull_request.bodies()[0]


def test_the_comment_is_written_after_a_check_that_failed():
    assert STEPS["Comment on the pull request"]["if"].startswith("${{ !cancelled() &&")
    assert list(STEPS)[-1] == "Comment on the pull request"
    workflow = yaml.safe_load((CI / "github-workflow.yml").read_text("utf-8"))
    assert workflow["permissions"]["pull-requests"] == "write"


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
