"""Every way a baseline can be wrong, and what `driftkit baseline` says."""

import json
from collections.abc import Callable
from typing import Any

from check_cases.case import ACCEPTED, Case, Document

CHECK = f"check original.npy gentle.npy --baseline {ACCEPTED}"
UPDATE = f"baseline update original.npy tuned.npy -o {ACCEPTED}"


def as_written(text: str) -> str:
    return text


def edited(*path: str, to: Any) -> Callable[[str], str]:
    """Return a harm to the baseline: another value at the end of a path."""
    return lambda text: _harmed(text, path, lambda inside, last: inside.update({last: to}))


def without(*path: str) -> Callable[[str], str]:
    """Return a harm to the baseline: nothing at the end of a path."""
    return lambda text: _harmed(text, path, lambda inside, last: inside.pop(last))


def _harmed(text: str, path: tuple[str, ...], harm: Callable[[Document, str], object]) -> str:
    document = inside = json.loads(text)
    for step in path[:-1]:
        inside = inside[step]
    harm(inside, path[-1])
    return json.dumps(document)


def text(given: str) -> Callable[[str], str]:
    return lambda _: given


def wrong(name: str, harm: Callable[[str], str] | None, options: str = "") -> Case:
    return Case(f"baseline-{name}", f"{CHECK}{options}", 2, accepted=harm)


other_engine = edited("engines", "numpy", to="1.26.4")

CASES = [
    wrong("missing", None),
    wrong("empty", text("")),
    wrong("not-json", text("{'figures': {}}")),
    wrong("not-text", text("\udcff")),
    wrong("not-a-document", text("[]")),
    wrong("of-a-later-schema", edited("schema", to="driftkit.baseline/2")),
    wrong("an-audit", edited("schema", to="driftkit.audit/1")),
    wrong("without-figures", without("figures")),
    wrong("figure-unknown", edited("figures", "movd", to=3)),
    wrong("figure-no-number", edited("figures", "moved", to="many")),
    wrong("figure-cut-off", edited("figures", "spearman[ws353]", to=[0.1, 0.2])),
    wrong("without-a-digest", without("original", "sha256")),
    wrong("without-settings", without("settings")),
    wrong("without-engines", without("engines")),
    wrong("without-benchmarks", without("benchmarks")),
    wrong("foreign-original", edited("original", "sha256", to="0" * 64)),
    wrong("of-an-older-driftkit", edited("driftkit", to="0.0.9")),
    wrong("of-a-newer-driftkit", edited("driftkit", to="99.0.0")),
    wrong("other-k", as_written, " -k 5"),
    wrong("other-seed", as_written, " --seed 5"),
    wrong("other-resamples", as_written, " --resamples 300"),
    wrong("other-candidates", as_written, " --candidates 300"),
    wrong("other-benchmark-file", edited("benchmarks", "spearman[ws353]", "n_total", to=352)),
    wrong("other-gold-answers",
          edited("benchmarks", "spearman[ws353]", "items_sha256", to="0" * 64)),
    wrong("outdated-without-a-figure", without("figures", "overlap@10 mean[moved]")),
    wrong("without-the-benchmark-of-a-rule", as_written,
          " -b ws353 -b family.txt -r 'change[*] >= baseline - margin'"),
    wrong("and-previous", as_written, " --previous tuned.npy"),
    wrong("no-rule-uses", as_written, " -r 'moved <= 10%'"),
    Case("baseline-a-rule-needs", "check original.npy gentle.npy -r 'moved <= baseline'", 2),
    Case("previous-missing", "check original.npy gentle.npy --previous missing.npy", 2),
    Case("baseline-a-folder", "check original.npy gentle.npy --baseline .", 2),
    # No pass either: the baseline has no figure to compare with.
    Case("baseline-could-not-measure-a-benchmark",
         f"{CHECK} -r 'change[*] >= baseline - margin'", 1,
         accepted=edited("figures", "spearman[ws353]", to=[None, None, None])),
    Case("baseline-could-not-measure-a-figure",
         f"{CHECK} -r 'overlap mean[moved] >= baseline'", 1,
         accepted=edited("figures", "overlap@10 mean[moved]", to=None)),
    Case("baseline-answered-other-items",
         f"check original.npy short.npy --baseline {ACCEPTED} -r 'change[*] >= baseline - margin'",
         1, accepted=as_written),
    # The commands.
    Case("baseline-write", f"baseline write original.npy gentle.npy -o {ACCEPTED}", 0),
    Case("baseline-write-over-another", f"baseline write original.npy gentle.npy -o {ACCEPTED}", 2,
         accepted=as_written),
    Case("baseline-write-nowhere",
         "baseline write original.npy gentle.npy -o nowhere/accepted.json", 2),
    Case("baseline-write-rule-unreadable",
         "baseline write original.npy gentle.npy -r 'movd <= 1'", 2),
    Case("baseline-show", f"baseline show -o {ACCEPTED}", 0, accepted=as_written),
    Case("baseline-show-missing", "baseline show", 2),
    Case("baseline-update", UPDATE, 0, accepted=as_written),
    Case("baseline-update-nothing-changed",
         f"baseline update original.npy gentle.npy -o {ACCEPTED}", 0, accepted=as_written),
    Case("baseline-update-missing", UPDATE, 2),
    Case("baseline-update-unreadable", UPDATE, 0, accepted=text("{")),
    Case("baseline-update-in-ci", UPDATE, 2, accepted=as_written, environment={"CI": "true"}),
    Case("baseline-update-in-ci-forced", f"{UPDATE} --force", 0, accepted=as_written,
         environment={"CI": "true"}),
]  # fmt: skip
