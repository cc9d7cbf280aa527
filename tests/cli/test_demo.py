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
    _, links = re.split(r"^link: can what reads .* =*$", result.stdout, flags=re.M)
    direct, hot = re.split(r"^hot\.pt$", links, flags=re.M)
    assert links.lstrip().startswith("The link is broken: ")
    assert "Affine" in direct
    assert "No map: " in hot.split("Try next")[0]
    assert max(map(len, links.split("Try next")[0].splitlines())) <= 80
    commands = re.findall(r"^  driftkit (.+)$", hot, re.M)
    assert [command.split()[0] for command in commands] == [
        "link", "restore", "shifts", "audit", "inspect",
    ]  # fmt: skip
    assert f"  driftkit {commands[0].split(' --map')[0]}" in result.stdout.splitlines()
    # `link` and `restore` are run on such a folder by the README's test, on fewer words.
    shifts, inspect = (run(*commands[at].split()) for at in (2, 4))
    assert shifts.exit_code == inspect.exit_code == 0
    assert "next: driftkit audit ORIGINAL" in inspect.stdout
    quick = ("-b", "ws353", "--resamples", "100", "--candidates", "1000")
    audit = run(*commands[3].split(), *quick, "--json", "-")
    assert json.loads(audit.stdout)["rows"]["moved"] == 4392
