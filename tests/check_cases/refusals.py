"""Everything but a baseline that can be wrong with what is given: exit code 2, one sentence."""

from check_cases.case import Case

BOTH = "check original.npy gentle.npy"


def rule(name: str, text: str) -> Case:
    return Case(f"rule-{name}", f"{BOTH} -r '{text}'", 2)


CASES = [
    # A rule that cannot be read.
    rule("empty", ""),
    rule("without-a-bound", "moved"),
    rule("without-a-subject", ">= 3"),
    rule("bound-missing", "moved <="),
    rule("bound-unreadable", "moved <= many"),
    rule("bound-misspelt", "moved <= basline"),
    rule("bound-distance-unsigned", "spearman[ws353] >= original 0.02"),
    rule("tolerance-negative", "moved = 3 +- -1"),
    rule("tolerance-with-at-least", "moved >= 3 +- 1"),
    rule("margin-of-a-count", "moved <= -margin"),
    rule("margin-of-a-level", "spearman[ws353] tuned >= -margin"),
    rule("original-of-a-count", "moved >= original"),
    rule("original-of-a-comparison", "cka >= original"),
    rule("unknown-count", "movd <= 3"),
    rule("unknown-and-like-nothing", "qqq <= 3"),
    rule("unknown-measure", "overlp@10 mean >= 0.6"),
    rule("unknown-further-measure", "jacard mean >= 0.6"),
    rule("unknown-statistic", "overlap avg >= 0.6"),
    rule("unknown-group", "overlap mean[mowed] >= 0.6"),
    rule("unknown-parameter", "rbo(q=0.9) mean >= 0.6"),
    rule("unknown-part-of-a-benchmark", "spearman[ws353] delta >= 0"),
    rule("unreadable-subject", "? >= 0.6"),
    rule("depth-zero", "overlap@0 mean >= 0.6"),
    rule("statistic-missing", "overlap >= 0.6"),
    rule("benchmark-missing", "spearman >= -0.02"),
    rule("count-of-a-group", "moved[all] <= 3"),
    rule("word-and-a-measure-of-the-space", "word[good] cka >= 0.6"),
    rule("words-not-a-list", "words[good,,bad] overlap >= 0.6"),
    # A rule on something that was not measured.
    rule("unknown-benchmark", "spearman[simlx999] >= 0"),
    rule("benchmark-scored-otherwise", "3cosadd[ws353] >= 0"),
    rule("no-bands-of-few-words", "overlap mean[rank 1-1000] >= 0.6"),
    Case("rule-unknown-band", "check frequent.npy faded.npy -r 'overlap mean[rank 5-7] >= 0.6'", 2),
    rule("table-of-the-space-missing", "mean_cosine <= 0.6"),
    rule("unknown-word", "word[goood] overlap > 0"),
    # Options and settings.
    Case("tables-missing", "check", 2),
    Case("tuned-missing", "check original.npy", 2),
    Case("option-unknown", f"{BOTH} --profil strict", 2),
    Case("measure-unknown", f"{BOTH} -m jacard", 2),
    Case("measure-of-a-benchmark", f"{BOTH} -m spearman", 2),
    Case("profile-unknown", f"{BOTH} --profile strickt", 2),
    Case("action-unknown", f"{BOTH} --inconclusive ignore", 2),
    Case("number-unreadable", f"{BOTH} -k ten", 2),
    Case("command-unknown", "chek original.npy gentle.npy", 2),
    Case("settings-key-unknown", BOTH, 2, files={"driftkit.toml": 'profle = "strict"\n'}),
    Case("settings-table-unknown", BOTH, 2, files={"driftkit.toml": "[chek]\nk = 5\n"}),
    Case("settings-key-of-a-table-unknown", BOTH, 2,
         files={"driftkit.toml": "[check]\nrule = []\n"}),
    Case("settings-no-list", BOTH, 2, files={"driftkit.toml": 'rules = "moved <= 3"\n'}),
    Case("settings-a-list", BOTH, 2, files={"driftkit.toml": "k = [5]\n"}),
    Case("settings-no-flag", BOTH, 2, files={"driftkit.toml": 'quiet = "yes"\n'}),
    Case("settings-a-flag", BOTH, 2, files={"driftkit.toml": "k = true\n"}),
    Case("settings-rule-unreadable", BOTH, 2, files={"driftkit.toml": 'rules = ["movd <= 3"]\n'}),
    Case("settings-not-toml", BOTH, 2, files={"driftkit.toml": "rules = [\n"}),
    Case("settings-twice", BOTH, 2,
         files={"driftkit.toml": "k = 5\n", "pyproject.toml": "[tool.driftkit]\nk = 5\n"}),
    # Tables and benchmarks.
    Case("table-missing", "check original.npy missing.npy", 2),
    Case("original-missing", "check missing.npy gentle.npy", 2),
    Case("table-broken", "check original.npy broken.npy", 2, files={"broken.npy": "no numbers\n"}),
    Case("table-overflowed", "check original.npy overflowed.npy", 2),
    Case("table-without-words", "check original.npy wordless.npy", 2),
    Case("table-of-another-dimension", "check original.npy narrow.txt", 2),
    Case("table-of-other-words", "check original.npy strangers.txt", 2),
    Case("benchmark-unknown", f"{BOTH} -b ws35", 2),
    Case("benchmark-unreadable", f"{BOTH} -b notes.txt", 2, files={"notes.txt": "no benchmark\n"}),
    Case("report-nowhere", f"{BOTH} -r 'moved >= 0' --junit nowhere/check.xml", 2),
]  # fmt: skip
