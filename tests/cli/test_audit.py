import json
import re
import shlex
from typing import get_args

import jsonschema
import numpy as np
import pytest

from driftkit.cli.audit import FAILING
from driftkit.evaluators.comparison.verdict import Status
from driftkit.questions.verdict import ADVICE
from driftkit.report.document import audit_schema

QUICK = ("-b", "ws353", "--resamples", "200")


@pytest.fixture
def tables(saved, monkeypatch):
    monkeypatch.chdir(saved)
    return "original.npy", "tuned.pt::embedding.weight"


def test_the_whole_picture(run, tables):
    result = run("audit", *tables, *QUICK, "--top", "2")
    assert result.exit_code == 0
    assert result.stderr == ""
    first, second, *_ = result.stdout.splitlines()
    assert first == f"{tables[1]} against {tables[0]}"
    assert second.split(":")[0] in (
        "Do not ship", "Undecided", "Ship with care", "Safe to ship",
    )  # fmt: skip
    for title in ("What the benchmarks say", "How far the table moved", "Moved words that kept"):
        assert title in result.stdout


def test_a_link_that_is_not_kept_leads_on_to_the_command_that_may_mend_it(run, tables):
    typed = ("--original-vocab", "original.vocab.txt", "--limit", "2000")
    result = run("audit", *tables, *typed, *QUICK, "--seed", "3", "--top", "0")
    (line,) = re.findall(r"^  driftkit (link .+)$", result.stdout, re.MULTILINE)
    assert shlex.split(line) == ["link", *tables, *typed]
    assert run(*shlex.split(line)).stdout.startswith("The link is ")
    kept = run("audit", tables[0], "same.pt::embedding.weight", *QUICK, "--top", "0")
    assert "driftkit link" not in kept.stdout


def test_no_command_is_named_for_tables_that_it_would_not_read(run, tables):
    result = run("audit", *tables, "--items", "original.vocab.txt", *QUICK, "--top", "0")
    assert re.search(r"^link +(broken|changed)", result.stdout, re.MULTILINE)
    assert "driftkit link" not in result.stdout


def test_json_alone_on_standard_output(run, tables):
    result = run("audit", *tables, *QUICK, "--json", "-")
    document = json.loads(result.stdout)
    jsonschema.Draft202012Validator(audit_schema()).validate(document)
    assert document["rows"]["moved"] == 150


def test_json_to_a_file_beside_the_tables(run, tables, tmp_path):
    result = run("audit", *tables, *QUICK, "--json", tmp_path / "audit.json")
    assert "What the benchmarks say" in result.stdout
    assert json.loads((tmp_path / "audit.json").read_text())["schema"] == "driftkit.audit/1"


def test_several_tuned_tables(run, tables, saved):
    result = run("audit", *tables, saved / "same.pt::embedding.weight", *QUICK, "--json", "-")
    document = json.loads(result.stdout)
    assert document["schema"] == "driftkit.audits/1"
    assert [each["rows"]["moved"] for each in document["audits"]] == [150, 0]


def test_only_a_verdict_asked_about_exits_with_1(run, tables, nudged, tmp_path):
    order = np.random.default_rng(0).permutation(len(nudged.words))
    np.save(tmp_path / "permuted.npy", nudged.before[order])
    (tmp_path / "vocab.txt").write_text("\n".join(nudged.words), encoding="utf-8")
    args = ("audit", tables[0], tmp_path / "permuted.npy", "-b", "simlex999", "-b", "ws353")
    assert run(*args).exit_code == 0
    assert run(*args, "--fail-on", "lost").exit_code == 1
    assert run(*args, "--fail-on", "gained").exit_code == 0
    assert run(*args, "--fail-on", "broken").exit_code == 2
    assert run(*args, "--fail-on", "do not ship").exit_code == 1


def test_any_bad_verdict_can_be_asked_about():
    outcomes = {*get_args(Status)} - {"retained"}
    assert {*FAILING} == ({*ADVICE} - {"safe to ship"}) | outcomes


def test_asked_words_are_shown_whether_candidates_or_not(run, tables, nudged):
    rare = nudged.words[-1]
    result = run(
        "audit", *tables, *QUICK, "--candidates", "50", "--words", "the", "-w", rare, "-k", "3"
    )
    assert "Words asked about" in result.stdout
    assert "row 3,000, self_cosine" in result.stdout


def test_an_unknown_word_is_told_at_once(run, tables):
    result = run("audit", *tables, "--words", "goood")
    assert result.exit_code == 2
    assert "unknown word 'goood': did you mean 'good'?" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        (("missing.npy",), "missing.npy"),
        (("tuned.pt::no.such",), "Known: embedding.weight, head.weight"),
        (("tuned.pt", "--vocab", "original.vocab.txt"), "3,000"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(run, saved, break_it, sentence):
    args = [saved / arg if not arg.startswith("-") else arg for arg in break_it]
    result = run("audit", saved / "original.npy", *args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_an_unknown_benchmark_names_the_nearest(run, tables):
    result = run("audit", *tables, "-b", "ws35")
    assert result.exit_code == 2
    assert "did you mean 'ws353'" in result.stderr


def test_everything_that_can_be_asked_for(run, tables):
    asked = ("-m", "jaccard@20", "--measure", "largest_hub", "--null", "--bands", "--explain")
    result = run("audit", *tables, *QUICK, "--top", "1", *asked, "--json", "-")
    document = json.loads(result.stdout)
    jsonschema.Draft202012Validator(audit_schema()).validate(document)
    assert {"jaccard@20", "largest_hub@10"} <= set(document["drift"])
    assert document["drift"]["jaccard@20"]["moved"]["null"] < 0.5
    assert document["explanation"]["directions"]
    text = run("audit", *tables, *QUICK, "--top", "1", *asked).stdout
    for shown in (
        "jaccard@20, mean", "largest_hub@10, tuned", "  null", "By row",
        "What random moves of the same size would have done", "Words that moved together",
        "Directions in which words moved",
    ):  # fmt: skip
        assert shown in text


def test_a_wrong_measure_is_told_at_once(run):
    result = run("audit", "no-such.npy", "nor-this.npy", "-m", "jacard@5")
    assert result.exit_code == 2
    assert "did you mean 'jaccard'?" in result.stderr


def test_a_sentence_about_the_original_names_its_own_option(run, tmp_path):
    np.savetxt(tmp_path / "n.txt", np.eye(3) + 0.5)
    (tmp_path / "w.txt").write_text("a\nb\nc\n")
    for command in ("audit", "shifts"):
        words = ["a"] if command == "shifts" else []
        arguments = [command, tmp_path / "n.txt", tmp_path / "n.txt", *words]
        result = run(*arguments, "--vocab", tmp_path / "w.txt")
        assert (result.exit_code, "name it: --original-vocab FILE" in result.stderr) == (2, True)


def test_memory_for_lists_changes_nothing_but_how_many_are_made_at_once(run, tables, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    documents = [
        run("audit", *tables, *QUICK, *memory, "--json", "-").stdout
        for memory in ((), ("--memory", "200KB"))
    ]
    assert documents[0] == documents[1]
    assert "not a size" in run("audit", *tables, "--memory", "0MB").stderr


def test_one_html_file_holds_all_checkpoints(run, tables, tmp_path):
    path = tmp_path / "audit.html"
    both = (*tables, "gentle.pt", "--original-vocab", "original.vocab.txt")
    result = run("audit", *both, *QUICK, "--top", "0", "--link", "--html", str(path))
    assert result.exit_code == 0, result.output
    page = path.read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert "2 checkpoints" in page
    assert page.count("What a map restores") == 2
    assert "Cut-offs on the cosine" in page


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--link"], "--link is for the report; give --html FILE too."),
        (["--html", "-"], "- is standard output, which this is not written to."),
        (["--html", "none/audit.html"], "the folder none does not exist"),
        (["--html", "a.out", "--json", "a.out"], "both go to a.out"),
        (["--html", "original.npy"], "original.npy"),
    ],
)
def test_a_report_that_cannot_be_written_is_refused_before_the_work(run, tables, options, said):
    result = run("audit", *tables, *options)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""
