"""Profiles, several tables, reports, settings, and what stops a check: every exit code."""

from check_cases.baselines import as_written, other_engine
from check_cases.case import Case

CASES = [
    # Nothing broken: 0.
    Case("default", "check original.npy gentle.npy", 0),
    Case("strict", "check original.npy gentle.npy --profile strict", 0),
    Case("lenient-warnings", "check original.npy tuned.npy --profile lenient", 0),
    Case("profile-and-rules",
         "check original.npy gentle.npy --profile default -r 'moved <= 10%'", 0),
    Case("default-against-a-baseline",
         "check original.npy gentle.npy --profile default --baseline accepted.json", 0,
         accepted=as_written),
    Case("strict-against-a-baseline",
         "check original.npy gentle.npy --profile strict --baseline accepted.json", 0,
         accepted=as_written),
    Case("lenient-against-a-baseline",
         "check original.npy tuned.npy --profile lenient --baseline accepted.json", 1,
         accepted=as_written),
    Case("made-with-another-numpy",
         "check original.npy gentle.npy --baseline accepted.json -r 'moved = baseline'", 0,
         accepted=other_engine),
    Case("repaired-rows", "check original.npy repaired.txt -r 'moved >= 0'", 0),
    Case("show-rules", "check --show-rules", 0),
    Case("show-rules-strict", "check --show-rules --profile strict --baseline accepted.json", 0),
    Case("show-rules-lenient", "check --show-rules --profile lenient", 0),
    Case("show-rules-own", "check --show-rules -r 'moved<=10%' --inconclusive fail", 0),
    # A rule is broken, and nothing else: 1.
    Case("default-fails", "check original.npy hot.npy", 1),
    Case("strict-fails", "check original.npy tuned.npy --profile strict", 1),
    Case("lenient-fails", "check original.npy hot.npy --profile lenient", 1),
    Case("hot-against-a-baseline", "check original.npy hot.npy --baseline accepted.json", 1,
         accepted=as_written),
    Case("base-table-exported-unnoticed", "check original.npy same.npy", 1),
    Case("clipped-numbers", "check original.npy clipped.npy", 1),
    Case("several-tables", "check original.npy gentle.npy hot.npy tuned.npy -r 'lost == 0'", 1),
    Case("several-tables-pass", "check original.npy gentle.npy tuned.npy -r 'moved <= 10%'", 0),
    Case("reports", "check original.npy hot.npy -r 'moved <= 5%' -r 'warn displaced = 0' -q "
         "--markdown check.md --junit check.xml", 1, leaves=("check.md", "check.xml")),
    Case("json", "check original.npy tuned.npy -r 'moved <= 5%' --json -", 1),
    Case("github", "check original.npy hot.npy -r 'moved <= 5%'", 1,
         environment={"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": "summary.md"},
         leaves=("summary.md",)),
    # Settings of a file and of the environment.
    Case("settings-own-file", "check original.npy tuned.npy", 1,
         files={"driftkit.toml": 'rules = ["moved <= 20"]\n[check]\ninconclusive = "fail"\n'}),
    Case("settings-pyproject", "check original.npy tuned.npy", 0,
         files={"pyproject.toml": '[tool.driftkit.check]\nrules = ["moved <= 10%"]\n'}),
    Case("settings-environment", "check original.npy tuned.npy -r 'moved <= 10%'", 0,
         environment={"DRIFTKIT_CHECK_PROFILE": "lenient"}),
    # What stops a check: a bug is 2 like any other trouble, Ctrl-C is 130.
    Case("bug", "check original.npy gentle.npy", 2, stops=ZeroDivisionError("division by zero")),
    Case("out-of-memory", "check original.npy gentle.npy", 2, stops=MemoryError()),
    Case("disk-full", "check original.npy gentle.npy", 2,
         stops=OSError(28, "No space left on device", "check.xml")),
    Case("interrupted", "check original.npy gentle.npy", 130, stops=KeyboardInterrupt()),
]  # fmt: skip
