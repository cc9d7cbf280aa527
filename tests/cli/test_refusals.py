"""Whatever is wrong with what a check or a baseline is given: exit code 2, and one sentence."""

import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from driftkit.cli import main

BOTH = "check original.npy gentle.npy"
AGAINST = f"{BOTH} --baseline accepted.json"

RULES = {
    # What cannot be read.
    "": "write SUBJECT, then one of >= > <= < = !=, then a bound: moved <= 10%.",
    "moved": "write SUBJECT, then one of",
    ">= 3": "write SUBJECT, then one of",
    "moved <=": "'' is not a bound; write a number (0.6), a percentage (10%), -margin, or original",
    "moved <= many": "'many' is not a bound",
    "moved <= basline": "'basline' is not a bound",
    "spearman[ws353] >= original 0.02": "'original 0.02' is not a bound",
    "moved = 3 +- -1": "the tolerance -1 is negative; give 0 or more.",
    "moved >= 3 +- 1": "a tolerance goes with =; leave it out after >=.",
    "moved <= -margin": "only benchmarks have a margin; give a number or a percentage for moved.",
    "spearman[ws353] tuned >= -margin": "a margin bounds a change, and spearman[ws353] tuned is a "
    "score; write original - margin or baseline - margin, or leave out 'tuned'.",
    "moved >= original": "moved compares the two tables, so the original alone has no value to",
    "cka >= original": "cka compares the two tables, so one table alone has no value; give a",
    "movd <= 3": "unknown measure, count or question 'movd': did you mean 'moved'?",
    "qqq <= 3": "counts are shared, moved, unmoved, added, removed, zero, saturated, displaced, ",
    "overlp@10 mean >= 0.6": "did you mean 'overlap'?",
    "jacard mean >= 0.6": "did you mean 'jaccard'?",
    "overlap avg >= 0.6": "unknown part of overlap@10 'avg': Known: mean, median, p05, p95, min.",
    "overlap mean[mowed] >= 0.6": "unknown group of words 'mowed': did you mean 'moved'?",
    "rbo(q=0.9) mean >= 0.6": "unknown parameter of rbo 'q': Known: p.",
    "spearman[ws353] delta >= 0": "part of spearman 'delta': Known: change, original, tuned.",
    "? >= 0.6": "'?' does not name anything that is measured; write a question (link), a count ",
    "overlap@0 mean >= 0.6": "the depth must be 1 or more.",
    "overlap >= 0.6": "overlap@10 is measured for each word; say how to sum it up: overlap@10 mean",
    "spearman >= -0.02": "name the benchmark in brackets after spearman: spearman[simlex999], or",
    "moved[all] <= 3": "moved is a plain number (shared words whose row changed by more than",
    "word[good] cka >= 0.6": "cka is not measured for single words; these are: self_cosine, l2,",
    "words[good,,bad] overlap >= 0.6": "'good,,bad' is not a list of words; separate them by comma",
    "moved <= inf": "'inf' is not a bound",
    "moved <= 1e999": "'1e999' is not a bound",
    "moved = 3 +- 1e999": "'1e999' is not a bound",
    "moved <= -5": "moved is always 0 or more, so a bound of -5 decides nothing.",
    "moved <= 140%": "moved is always from 0 to 100 percent, so a bound of 140% decides nothing.",
    "coverage[ws353] >= 1.5": "coverage[ws353] is always from 0 to 1, so a bound of 1.5 decides",
    "spearman[ws353] >= -300%": "spearman[ws353] is always from -200 to 200 percent, so a bound",
    "spearman[ws353] tuned >= 2": "spearman[ws353] tuned is always from -1 to 1, so a bound of 2",
    "overlap mean >= 60": "overlap mean is always from 0 to 1, so a bound of 60 decides nothing.",
    # What was not measured.
    "3cosadd[ws353] >= 0": "was not measured; this audit has spearman[ws353].",
    "overlap mean[rank 1-1000] >= 0.6": "this audit has them of all, moved, unmoved.",
    "mean_cosine <= 0.6": "mean_cosine describes one table; write mean_cosine tuned or mean_cosine",
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_refused(rule, in_tables):
    error = refused([*shlex.split(BOTH), "-r", rule])
    assert error.startswith(f"Error: rule {rule!r}: ")
    assert RULES[rule] in error


COMMANDS = {
    # Usage.
    "check": "give the original table and one or more tuned ones.",
    "check original.npy": "give the original table and one or more tuned ones.",
    "chek original.npy gentle.npy": "no command 'chek': did you mean 'check'?",
    f"{BOTH} --profil strict": "No such option",
    f"{BOTH} -k ten": "'ten' is not a whole number, 1 or more.",
    f"{BOTH} --inconclusive ignore": "'ignore' is not one of 'fail', 'warn', 'pass'",
    f"{BOTH} --profile strickt": "unknown profile 'strickt': did you mean 'strict'?",
    f"{BOTH} --plugin nowhere.py": "plugin 'nowhere.py': there is no such file",
    # Told before the tables are read.
    "check no.npy nor.npy -m jacard": "unknown measure 'jacard': did you mean 'jaccard'?",
    "check no.npy nor.npy -m spearman": "spearman is how a benchmark is scored",
    "check no.npy nor.npy -b ws35": "did you mean 'ws353'?",
    "check no.npy nor.npy --baseline no.json": "baseline no.json does not exist",
    # Rules that no audit of these tables can answer.
    f"{BOTH} -r 'spearman[simlx999] >= 0'": "did you mean 'simlex999'?",
    f"{BOTH} -r 'word[goood] overlap > 0'": "unknown protected word 'goood': did you mean 'good'?",
    "check frequent.npy faded.npy -r 'overlap mean[rank 5-7] >= 0.6'": "of all, moved, unmoved, "
    "rank 1-1000, rank 1001-1200.",
    # Tables, benchmarks and files to write.
    "check original.npy missing.npy": "missing.npy: no such file; did you mean 'original.npy'?",
    "check missing.npy gentle.npy": "missing.npy: no such file",
    "check original.npy broken.npy": "it may be damaged or of another format",
    "check original.npy overflowed.npy": "593 of 713 rows hold NaN or infinity",
    "check original.npy wordless.npy": "no words were found for its 713 rows",
    "check original.npy gentle.npy --dimensions 51": "has 50 dimensions, and the first 51 were",
    "check original.npy strangers.txt": "share no word",
    f"{BOTH} -b notes.txt": "notes.txt, line 1: 'no benchmark' cannot be read.",
    f"{BOTH} -r 'moved >= 0' --junit nowhere/check.xml": "the folder nowhere does not exist.",
    # Baselines and previous releases.
    f"{AGAINST} --previous tuned.npy": "give --baseline or --previous, not both.",
    f"{AGAINST} -r 'moved <= 10%'": "a baseline was given and no rule compares with it",
    f"{BOTH} -r 'moved <= baseline'": "compares with a baseline and none was given",
    f"{BOTH} --previous missing.npy": "missing.npy: no such file",
    f"{BOTH} --baseline .": "baseline . is a folder; one file is needed.",
    f"{AGAINST} -k 5": "was made with k 10 and this check uses k 5; use the same, or",
    f"{AGAINST} --seed 5": "was made with seed 0 and this check uses seed 5",
    f"{AGAINST} --resamples 300": "was made with resamples 200 and this check uses resamples 300",
    f"{AGAINST} --candidates 300": "with candidates 60000 and this check uses candidates 300",
    f"{AGAINST} -b ws353 -b family.txt -r 'change[*] >= baseline - margin'": "is outdated: it has "
    "no 3cosadd@1[family], which rule 'change[*] >= baseline - margin' needs.",
    "baseline write original.npy gentle.npy -o accepted.json": "exists already; replace it with "
    "`driftkit baseline update`, add runs with `driftkit baseline add`, or name another file",
    "baseline write original.npy gentle.npy -o nowhere/b.json": "the folder nowhere does not exist",
    "baseline write original.npy gentle.npy -r 'movd <= 1'": "did you mean 'moved'?",
    "baseline update original.npy tuned.npy -o new.json": "baseline new.json does not exist; make "
    "it with `driftkit baseline write`.",
    "baseline add original.npy tuned.npy -o new.json": "baseline new.json does not exist",
    "baseline add original.npy gentle.npy -o accepted.json -b ws353": "gentle.npy is the same "
    "table as gentle.npy, which is in the baseline, and a run counts once",
    "baseline write original.npy tuned.npy tuned.npy -o new.json -b ws353": "is the same table as",
    "baseline add original.npy tuned.npy -o accepted.json --keep 0": "--keep",
    "baseline show": "baseline driftkit-baseline.json does not exist",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_refused(command, in_tables):
    Path("broken.npy").write_text("no numbers\n")
    Path("notes.txt").write_text("no benchmark\n")
    assert COMMANDS[command] in refused(shlex.split(command))


@pytest.mark.parametrize("verb", ["add", "update"])
def test_a_baseline_is_not_updated_where_nobody_looks(verb, in_tables, monkeypatch):
    monkeypatch.setenv("CI", "true")
    error = refused(shlex.split(f"baseline {verb} original.npy tuned.npy -o accepted.json"))
    assert "the variable CI is set, and a job that updates its own baseline checks nothing" in error


ITEMS = ("benchmarks", "spearman[ws353]")
GONE = object()

HARM = {
    # Where, what stands there instead, and the sentence.
    "of a later schema": (("schema",), "driftkit.baseline/3", "its schema is 'driftkit.baseline/3"),
    "an audit": (("schema",), "driftkit.audit/1", "its schema is 'driftkit.audit/1', not"),
    "without values": (("figures",), GONE, "is damaged: it has no 'figures'. Restore the file"),
    "without settings": (("settings",), GONE, "is damaged: it has no 'settings'"),
    "without engines": (("engines",), GONE, "is damaged: it has no 'engines'"),
    "without benchmarks": (("benchmarks",), GONE, "is damaged: it has no 'benchmarks'"),
    "without a digest": (("original", "sha256"), GONE, "it has no 'original.sha256'"),
    "an unknown name": (
        ("figures", "movd"),
        3,
        "'movd', and measure, count or question 'movd' is not known here",
    ),
    "no number": (("figures", "moved"), "many", "'moved': \"many\" is not a name that rules know"),
    "cut off": (("figures", "spearman[ws353]"), [0.1, 0.2], "[number, low, high] or null"),
    "foreign": (("original", "sha256"), "0" * 64, "is foreign: it was made against original.npy"),
    "older": (("driftkit",), "0.0.9", "is outdated: driftkit 0.0.9 wrote it and this is"),
    "newer": (("driftkit",), "99.0.0", "is outdated: driftkit 99.0.0 wrote it"),
    "other items": ((*ITEMS, "n_total"), 352, "is measured on other items now."),
    "other answers": ((*ITEMS, "items_sha256"), "0" * 64, "is measured on other items now."),
    "lacking a value": (("figures", "overlap@10 mean[moved]"), GONE, "it has no overlap@10 mean["),
}


@pytest.mark.parametrize("harm", HARM)
def test_a_baseline_is_refused(harm, in_tables):
    (*path, last), value, sentence = HARM[harm]
    document = json.loads(Path("accepted.json").read_text("utf-8"))
    inside = document if [*path, last][0] in document else document["runs"][0]
    for step in path:
        inside = inside[step]
    if value is GONE:
        del inside[last]
    else:
        inside[last] = value
    assert sentence in refused_baseline(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is not JSON from line 1, column 1 on. Restore the file"),
        (b"{'figures': {}}", "is not JSON from line 1, column 2 on."),
        (b"\xff", "is not UTF-8 text (byte 0)."),
        (b"[]", "its schema is None, not 'driftkit.baseline/2'. Write it again"),
    ],
)
def test_a_file_that_is_no_baseline_is_refused(content, sentence, in_tables):
    assert sentence in refused_baseline(content)


SETTINGS = {
    'profle = "strict"': "did you mean 'profile'?",
    "[chek]\nk = 5": "did you mean 'check'?",
    "[check]\nrule = []": "did you mean 'rules'?",
    'rules = "moved <= 3"': 'rules = "moved <= 3" must be a list.',
    'rules = ["movd <= 3"]': "rule 'movd <= 3': unknown measure, count or question 'movd'",
    "k = [5]": "k = [5] must be one value.",
    "k = true": "k = true must be a whole number.",
    'quiet = "yes"': 'quiet = "yes" must be true or false.',
    "rules = [": "is not valid TOML",
    "unsafe-pickle = true": "unsafe-pickle would run code, which no settings file may do; give "
    "--unsafe-pickle on the command line.",
    'plugins = ["mine.py"]': "plugins would run code",
    '[check]\nplugin = "mine.py"': "plugin would run code",
    '[shifts]\nscheduler = "tcp://10.0.0.1:1"': "scheduler would run code",
}


@pytest.mark.parametrize("text", SETTINGS)
def test_settings_are_refused(text, in_tables):
    Path("driftkit.toml").write_text(text)
    assert SETTINGS[text] in refused(shlex.split(BOTH))


def test_settings_in_two_files_are_refused(in_tables):
    Path("driftkit.toml").write_text("k = 5\n")
    Path("pyproject.toml").write_text("[tool.driftkit]\nk = 5\n")
    assert "hold settings; keep one of them." in refused(shlex.split(BOTH))


def refused_baseline(content):
    Path("accepted.json").unlink()
    Path("accepted.json").write_bytes(content)
    error = refused(shlex.split(AGAINST))
    assert error.startswith("Error: baseline accepted.json ")
    return error


def refused(arguments):
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    (error,) = (line for line in result.stderr.splitlines() if line.startswith("Error: "))
    return error
