import json
import re

import pytest


@pytest.mark.slow
def test_the_demo_trains_audits_and_leaves_what_the_commands_it_names_need(
    glove, run, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    result = run("demo")
    assert result.exit_code == 0, result.stderr
    stages = result.stderr.splitlines()
    assert [line.split()[0] for line in stages].count("Training") == 4
    assert [line.split()[0] for line in stages].count("Auditing") == 3
    scores = dict(re.findall(r"^(frozen|hot|direct|staged) .* (0\.\d{3})\s*$", result.stdout, re.M))
    assert float(scores["frozen"]) > float(scores["hot"])
    verdicts = re.findall(
        r"^(Do not ship|Ship with care|Safe to ship|Undecided):", result.stdout, re.M
    )
    assert verdicts[0] == "Do not ship"
    assert verdicts[2] == "Safe to ship"
    commands = re.findall(r"^  driftkit (.+)$", result.stdout, re.M)
    assert len(commands) == 3
    shifts, _, inspect = (run(*command.split()) for command in (commands[0], "--help", commands[2]))
    assert shifts.exit_code == inspect.exit_code == 0
    assert "next: driftkit audit ORIGINAL" in inspect.stdout
    quick = ("-b", "ws353", "--resamples", "100", "--candidates", "1000")
    audit = run(*commands[1].split(), *quick, "--json", "-")
    assert json.loads(audit.stdout)["rows"]["moved"] == 4392
