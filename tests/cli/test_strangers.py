"""Words, names of files, keys, benchmarks and settings of strangers, through every command.

Nothing that is printed or written as a report holds a character that nobody sees, or a line that a
runner of builds obeys, but the annotations that `check` writes on purpose.
"""

import io
import json
import re
import sys
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from safetensors.numpy import save_file
from static_html import require_static
from strangers import HONEST, WORDS, require_harmless

import driftkit as dk
from driftkit.cli import COMMANDS, main
from driftkit.escaping import printable

TABLE = list(
    dict.fromkeys(
        word.encode(errors="backslashreplace").decode()  # as a table spells half a pair
        for word in [*WORDS, *HONEST]
        if word.strip()
    )
)
TUNED = "::error::tuned \u202e#\u200b.npy"
MORE = "::error::more \u202e#.npy"
BENCHMARK = "::error::##\u200b=1+1 <b>@a.txt"
SECTIONS = "##[group] sections.txt"
PATCHED = "::error::m\u202e.safetensors"
KEY = "::error::key\u202e\n##vso[a.b]c"
LOOKS = {
    "narrow": {"COLUMNS": "40", "NO_COLOR": "1"},
    "colored": {"COLUMNS": "80", "FORCE_COLOR": "1"},
    "wide": {"COLUMNS": "140"},
}
PAIR = ["original.npy", TUNED]
QUICK = ["-b", BENCHMARK, "--resamples", "100"]

SHOWN = {
    "audit": ["audit", *PAIR, *QUICK, "--null", "--bands", "--explain", "--json", "out.json"],
    "audit words": [
        "audit",
        *PAIR,
        *QUICK,
        "-b",
        SECTIONS,
        *(part for word in TABLE for part in ("-w", word)),
    ],
    "audit html": ["audit", *PAIR, *QUICK, "--html", "::error::h\u202e.html", "--link"],
    "audit two": ["audit", *PAIR, TUNED, *QUICK],
    "audit json": ["audit", *PAIR, *QUICK, "--explain", "--json", "-"],
    "shifts": ["shifts", *PAIR, "--verify", "--json", "out.json", "--", *TABLE],
    "shifts json": ["shifts", *PAIR, "--json", "-", "--", *TABLE],
    "score": ["score", *PAIR, *QUICK[:2], "--json", "out.json", "-v"],
    "score json": ["score", *PAIR, *QUICK[:2], "-b", SECTIONS, "--json", "-"],
    "inspect": ["inspect", *PAIR, "keys.safetensors", "--json", "out.json"],
    "inspect json": ["inspect", *PAIR, "keys.safetensors", "--original", TUNED, "--json", "-"],
    "convert": ["convert", TUNED, "::error::out\u202e"],
    "shifts all": ["shifts", *PAIR, "--all", "-o", "::error::x\u202e.jsonl"],
    "merge": ["merge", "::error::m\u202e.jsonl.1-of-1.shard", "-o", "::error::m\u202e.jsonl"],
    "card": ["card", *PAIR, *QUICK, "--name", "::error::a##[b]: c"],
    "card for the Hub": [
        *("card", *PAIR, *QUICK, "-b", SECTIONS, "--eval-results", "::error::e\u202e.yaml"),
        *("--hub-dataset", f"{Path(BENCHMARK).stem}=owner/name:task"),
    ],
    "baseline": ["baseline", "write", *PAIR, *QUICK, "-o", "::error::b\u200b.json"],
    "baseline show": ["baseline", "show", "-o", "accepted.json", "--json", "out.json"],
    "baseline add": [
        *("baseline", "add", "original.npy", MORE, *QUICK, "--keep", "1", "-o", "accepted.json"),
    ],
    "baseline update": ["baseline", "update", *PAIR, *QUICK, "--seed", "1", "-o", "accepted.json"],
    "history": [
        *("history", "::error::1.json", "2\u202e.json", "-r", "moved <= 0", "--json", "out.json"),
        *("-r", "change[*] >= baseline - margin", "--html", "::error::h\u202e.html"),
    ],
    "history json": ["history", "::error::1.json", "2\u202e.json", "--json", "-"],
    "datasets": ["datasets", "list", "--json", "out.json"],
    "datasets json": ["datasets", "list", "--json", "-"],
    "datasets path": ["datasets", "path", "ws353"],
    "retrieval": [
        *("retrieval", *PAIR, "-k", "1", "--json", "out.json"),
        *("--original-queries", "original.npy", "--tuned-queries", TUNED),
    ],
    "link": ["link", *PAIR, "--json", "out.json"],
    "threshold": ["threshold", *PAIR, "0.01", "--json", "out.json"],
    "restore": [
        *("restore", *PAIR, *QUICK, "--budget", "warn spearman[*] >= -0.5"),
        *("--budget", "moved >= 0"),
        *("--patch", "::error::p\u202e", "-o", "::error::r\u202e", "--json", "out.json"),
    ],
    "restore task": ["restore", *PAIR, "--task", "printf 1 {table}\u202e"],
    "restore json": ["restore", *PAIR, "--interpolate", "0.5", "--json", "-"],
    "patch": ["patch", "apply", PATCHED, "::error::nothing\u202e"],
    "lock": ["lock", TUNED, "-o", "::error::a\u202e.lock"],
    "verify": ["verify", "original.npy", "accepted.lock", "--json", "out.json"],
    "mteb": ["mteb", "::error::before", "after\u202e", "--json", "out.json"],
    "mteb json": ["mteb", "::error::before", "after\u202e", "--json", "-"],
    "rules": ["check", "--show-rules", "-r", "words[::error::x,\u202e] overlap >= 0"],
}
CHECK = [
    "check", *PAIR, *QUICK, "-r", "moved <= 0", "-r", "warn moved <= 0",
    "-r", "warn change[*] >= 0", "-r", "warn words[::add-mask::e,caf\u202eabc] overlap >= 1",
]  # fmt: skip
REPORTS = ["--junit", "out.xml", "--markdown", "out.md", "--json", "out.json"]

REFUSED = {
    "a command": ["::error::x\n##[group]\u202e"],
    "an option": ["audit", *PAIR, "--::error::x\n##[group]\u202e"],
    "a value": ["audit", *PAIR, "-k", "\n::error::x\u202e"],
    "a choice": ["audit", *PAIR, "--fail-on", "\n::error::x\u202e"],
    "a file": ["audit", "original.npy", "no\n::error::x\u202e.npy"],
    "a word": ["shifts", *PAIR, "--", "no\n::error::x\u202e"],
    "a pattern": ["shifts", *PAIR, "a", "--candidates-matching", "(\n::error::x\u202e"],
    "a benchmark": ["audit", *PAIR, "-b", "\n::error::x\u202e"],
    "lines of a benchmark": ["score", *PAIR, "-b", "broken.txt"],
    "a measure": ["audit", *PAIR, "-m", "\n::error::x\u202e"],
    "a rule": ["check", *PAIR, "-r", "\n::error::x\u202e <= 3"],
    "a rule's subject": ["check", *PAIR, "-r", "spearman[\n::error::x\u202e] >= 3"],
    "a profile": ["check", *PAIR, "--profile", "\n::error::x\u202e"],
    "a plugin": ["audit", *PAIR, "--plugin", "\n::error::x\u202e.py"],
    "a plugin's error": ["audit", *PAIR, "--plugin", "failing.py"],
    "a key": ["inspect", "original.npy::\n::error::x\u202e"],
    "a key not there": ["audit", *PAIR[:1], "keys.safetensors::\n::error::x\u202e"],
    "keys to choose from": ["audit", *PAIR[:1], "keys.safetensors"],
    "words that do not fit": ["audit", *PAIR, "--vocab", "few.txt"],
    "a baseline": ["baseline", "show", "-o", "strange.json"],
    "results of other versions": ["mteb", "::error::before", "other\u200b"],
    "a patch": ["patch", "apply", PATCHED, "few.txt"],
    "a patch of another": ["patch", "undo", TUNED, "::error::nothing\u202e"],
    "a task": ["restore", *PAIR, "--task", "\n::error::x\u202e {table}"],
    "a place": ["convert", TUNED, "no\n::error::x\u202e/out.npy"],
    "a format": ["convert", TUNED, "out", "--to", "\n::error::x\u202e"],
    "a word no text holds": ["convert", TUNED, "out.vec"],
    "a dataset": ["datasets", "fetch", "\n::error::x\u202e"],
    "verbose": ["audit", "original.npy", "no\n::error::x\u202e.npy", "--verbose"],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with tables of such words, and whatever else a stranger names."""
    folder = tmp_path_factory.mktemp("strange")
    rng = np.random.default_rng(0)
    before = rng.normal(size=(len(TABLE), 8)).astype(np.float32)
    after = before.copy()
    after[::2] += rng.normal(size=after[::2].shape).astype(np.float32)
    for name, rows in (("original.npy", before), (TUNED, after), (MORE, after[:, ::-1])):
        np.save(folder / name, rows)
        (folder / name).with_suffix(".vocab.json").write_text(json.dumps(TABLE))
    words = [word for word in TABLE if not re.search(r"[\s\ud800-\udfff]|^[#:]", word)]
    lines = (f"{a}\t{b}\t{rate}\n" for rate, (a, b) in enumerate(pairwise(words)))
    (folder / BENCHMARK).write_text("".join(lines), "utf-8")
    sections = "".join(f": {word}\na\t{word}\tcafé\t日本語\n" for word in words[:40])
    (folder / SECTIONS).write_text(sections.replace("a\t", "naïve\t"), "utf-8")
    (folder / "broken.txt").write_text("a b\n::error::x\u202e\u200b c\n", "utf-8")
    save_file({KEY: before, f"{KEY}2": after}, folder / "keys.safetensors")
    save_file({KEY: before}, folder / PATCHED)
    (folder / PATCHED).with_suffix(".vocab.json").write_text(json.dumps(TABLE))
    table = dk.Embeddings(TABLE, before)
    dk.Patch.between(table, table, table).save(folder / "::error::nothing\u202e")
    for name, version in (
        ("::error::before", "2"),
        ("after\u202e", "2"),
        ("other\u200b", WORDS[11]),
    ):
        (folder / name).mkdir()
        for at, word in enumerate(TABLE):
            entry = {"hf_subset": word, "main_score": 0.5, "mteb_version": version}
            known = {"task_name": word, "dataset_revision": word, "scores": {word: [entry]}}
            (folder / name / f"{at}.json").write_text(json.dumps(known))
        (folder / name / "::error::x\u202e.json").write_text("[]")
    (folder / "few.txt").write_text("::error::x\n", "utf-8")
    (folder / "strange.json").write_text('{"schema": "\\n::error::x\u202e"}', "utf-8")
    (folder / "failing.py").write_text("raise ValueError('\\n::error::x\u202e')")
    return folder


@pytest.fixture(params=LOOKS)
def see(request, made, tmp_path, monkeypatch, run):
    """Run a command in a copy of the folder, as in GitHub Actions, and look at all it printed."""
    for file in made.iterdir():
        (tmp_path / file.name).symlink_to(file)
    monkeypatch.chdir(tmp_path)
    for name in ("CI", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in LOOKS[request.param].items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")

    def look(command, code, ours=None):
        result = run(*command)
        assert result.exit_code == code, result.output[-2000:]
        assert "did not expect" not in result.stderr
        for stream in (result.stdout, result.stderr):
            require_harmless(stream, ours)
        return result

    return look


@pytest.mark.parametrize("name", SHOWN)
def test_what_is_shown(name, see):
    if name.startswith("baseline "):
        see(["baseline", "write", *PAIR, *QUICK, "-o", "accepted.json"], 0)
    if name.startswith("history"):
        for tuned, file in ((TUNED, "::error::1.json"), (MORE, "2\u202e.json")):
            see(["audit", "original.npy", tuned, *QUICK, "--json", file], 0)
    if name == "merge":
        see(["shifts", *PAIR, "--shard", "1/1", "-o", SHOWN[name][-1], "--", *TABLE], 0)
    if name == "verify":
        see(["lock", TUNED, "-o", "accepted.lock"], 0)
    result = see(SHOWN[name], 1 if name == "verify" else 0)
    for text in (result.stdout if SHOWN[name][-1] == "-" else "", _read("out.json")):
        if text:
            require_harmless(text)
            assert json.loads(text)


def test_a_check_and_its_reports(see):
    annotations = re.compile(r"::(error|warning) title=[^:,\r\n]*::[^\r\n]*")
    for more in (REPORTS, ["--no-github", "--json", "-"]):
        result = see([*CHECK, *more], 1, annotations)
    assert json.loads(result.stdout)
    assert result.stderr == ""
    for file in ("out.json", "out.md", "out.xml", "summary.md"):
        require_harmless(_read(file).replace("\ufe0f", ""))  # our own warning sign has one
    suite = ElementTree.fromstring(_read("out.xml"))[0]
    assert printable(TUNED) in suite.get("name")
    assert any("\\u202e" in case.get("name") for case in suite.iter("testcase"))


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_told_in_one_line(name, see):
    result = see(REFUSED[name], 2)
    (error,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert result.stdout == "" or name == "verbose"
    assert result.stderr.splitlines()[-1] == error


def test_every_command_is_tried():
    tried = {command[0] for command in (*SHOWN.values(), CHECK)}
    assert tried == set(COMMANDS) - {"demo"}  # which shows our own words only


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
@pytest.mark.parametrize("more", [[], ["--json", "-"]])
def test_what_an_encoding_lacks_is_shown_too(encoding, more, made, monkeypatch):
    monkeypatch.chdir(made)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding))
    with pytest.raises(SystemExit) as ended:
        main(["shifts", *PAIR, *more, "--", "日本語", "caf\u200bé", "café", "👩‍💻"])
    assert ended.value.code == 0
    shown = sys.stdout.buffer.getvalue().decode(encoding)
    require_harmless(shown)
    if more:
        assert "日本語" in [each["word"] for each in json.loads(shown)["words"]]
    else:
        assert r"\u65e5\u672c\u8a9e" in shown


def test_a_notebook_shows_words_as_text(made, monkeypatch):
    monkeypatch.chdir(made)
    pair = dk.align(dk.load("original.npy"), dk.load(TUNED))
    audit = dk.audit(pair, [BENCHMARK], k=5, resamples=100)
    shown = [audit, audit.explain(5), audit.scores, audit.shifts_of(TABLE), dk.inspect(TUNED)]
    shown += [pair, pair.tuned, dk.score(pair.tuned, [BENCHMARK]), dk.check(audit, ["moved <= 0"])]
    shown += [audit.summaries()[0], dk.inspect("keys.safetensors")]
    for each in shown:
        require_static(each._repr_html_())
        require_harmless(repr(each))
        assert not re.search("[\u202e\u200b\x00\ud800]", each._repr_html_())


def _read(file):
    return Path(file).read_text("utf-8") if Path(file).exists() else ""
