"""Three years of weekly retrains by seeds that no rule was chosen on: false alarms, and power.

    python -m benchmarks.validity.year --folder retrains    trains, audits and plants, then reports
    python -m benchmarks.validity.year                      reports from `year.csv` beside this file

Weeks of three recipes are trained and audited. The rules of the default profile on a baseline then
judge each week against the weeks before it. Damage is noise in every row of a trained table, as
wide as lowers the score of that very table by so many margins. The rules on words, which such noise
breaks first, are left out of what is said about damage.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from itertools import chain, product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

import driftkit as dk
from benchmarks.validity.retrains import (
    DIRECT,
    STAGED,
    Matrix,
    Week,
    Year,
    as_run,
    at_most,
    retrained,
)
from driftkit.atomic import replacing
from driftkit.demo import BATCH, EPOCHS, HEAD_RATE, Task, ValenceModel, read_task
from driftkit.gate import Baseline, Run, make_policy
from driftkit.gate.apply import apply_rules
from driftkit.gate.creeping import creeping
from driftkit.gate.facts import NAN, Fact, Facts
from driftkit.gate.policy import PROFILES
from driftkit.gate.subjects import Subject
from driftkit.gate.verdict import worst
from driftkit.provenance import Source
from driftkit.training.schedules import SlantedTriangular
from driftkit.training.unfreezing import AtEpoch, Stage, Unfreezing, freeze_then_unfreeze

FIRST = 10_000  # the first seed of a recipe; those of `retrains.py` are lower
WEEKS = {"direct": 156, "staged": 52, "gradual": 52}
MARGINS = {"ws353": 0.02, "simlex999": 0.02, "google": 0.01}
GRADES, FEW = (0.5, 1, 1.5, 2, 3), 26  # margins planted
LEAD, CREEP, PER_WEEK = 5, 15, 0.1  # weeks before a creeping loss, weeks of it, margins a week
WIDTHS = {"ws353": 0.25, "simlex999": 0.42, "google": 0.085}  # of noise that takes one margin
NEAR, STEPS, DRAWS = 0.03, 12, 20
SIZES = (1, 3, 5, 10)
RESULTS = Path(__file__).parent / "year.csv"
N = {"ws353": 348, "simlex999": 995, "google": 17_533}  # items answered
ROWS = 52_161  # of the tables
SUBJECTS = {
    str(each): each
    for each in (
        Subject("benchmark", "spearman", on="ws353"),
        Subject("benchmark", "spearman", on="simlex999"),
        Subject("benchmark", "3cosadd@1", on="google"),
        Subject("group", "overlap@10", "mean", "moved"),
        Subject("group", "overlap@10", "mean", "unmoved"),
        Subject("count", "moved"),
    )
}
NAMES = {each.on: name for name, each in SUBJECTS.items() if each.kind == "benchmark"}
POLICY = make_policy(
    # Every week has the same words, so none can cover less.
    [each for each in PROFILES["default"].baseline_rules if not each.startswith("coverage")],
    baseline=True,
)


def gradual(original: dk.Embeddings, seed: int) -> Matrix:
    """Thaw the head, the body and the table one epoch after another, by slanted rates."""
    task: Task = read_task(original, seed)
    generator = torch.Generator().manual_seed(seed)
    model = ValenceModel(torch.from_numpy(np.array(original.matrix)), generator)
    layers = torch.optim.Adam([*model.hidden.parameters(), *model.out.parameters()], HEAD_RATE)
    table = torch.optim.SparseAdam(model.embedding.parameters(), DIRECT.rate)
    stages = (
        Unfreezing(
            layers,
            [
                Stage(model.out, AtEpoch(0), HEAD_RATE),
                Stage(model.hidden, AtEpoch(1), HEAD_RATE / 2.6),
            ],
        ),
        freeze_then_unfreeze(table, model.embedding, AtEpoch(2), DIRECT.rate / 2.6**2),
    )
    examples = torch.from_numpy(np.flatnonzero(~task.held_out))
    steps = EPOCHS * -(-len(examples) // BATCH)
    schedules = [SlantedTriangular(each, steps) for each in (layers, table)]
    rows, ratings = torch.from_numpy(task.rows), torch.from_numpy(task.ratings)
    for epoch in range(EPOCHS):
        for batch in examples[torch.randperm(len(examples), generator=generator)].split(BATCH):
            layers.zero_grad()
            table.zero_grad()
            predicted = model(rows[batch], train_table=epoch >= 2)
            nn.functional.mse_loss(predicted, ratings[batch]).backward()
            layers.step()
            table.step()
            for schedule in schedules:
                schedule.step()
        for stage in stages:
            stage.end_epoch()
    return model.embedding.weight.detach().numpy()


RECIPES: dict[str, Callable[[dk.Embeddings, int], Matrix]] = {
    "direct": lambda original, seed: retrained(original, DIRECT, seed),
    "staged": lambda original, seed: retrained(original, STAGED, seed),
    "gradual": gradual,
}


class Tables:
    """Tables trained by a recipe and a seed; of each the rows that moved are kept in a folder."""

    def __init__(self, folder: Path) -> None:
        self.year = Year(folder)
        self.original = self.year.original
        self.found: dict[tuple[str, float], float] = {}

    def table(self, recipe: str, seed: int) -> Matrix:
        path = self.year.folder / f"{recipe}-{seed}.npz"
        if not path.exists():
            found = RECIPES[recipe](self.original, seed)
            rows = np.flatnonzero((found != self.original.matrix).any(axis=1))
            with replacing(path) as partial, partial.open("wb") as file:
                np.savez(file, rows=rows, vectors=found[rows])
        kept = np.load(path)
        matrix = np.array(self.original.matrix)
        matrix[kept["rows"]] = kept["vectors"]
        return matrix

    def week(self, recipe: str, seed: int) -> Week:
        return self.year.week(f"{recipe} {seed}", lambda: self.embeddings(self.table(recipe, seed)))

    def embeddings(self, matrix: Matrix) -> dk.Embeddings:
        return dk.Embeddings(self.original.words, matrix, source=Source("candidate"))

    def damaged(self, seed: int, benchmark: str, margins: float) -> float:
        """Return the change of a benchmark in a direct week that lost some margins more by noise.

        The width of the noise is sought until the loss is right to `NEAR` margins.
        """
        matrix, unit = self.table("direct", seed), MARGINS[benchmark]
        widths = np.linalg.norm(matrix, axis=1, keepdims=True) / np.sqrt(matrix.shape[1])
        score, whole = partial(self.score, benchmark), self.score(benchmark, matrix)
        for draw in range(DRAWS):  # with some draws a small loss is not to be had
            rng = np.random.default_rng([seed, len(benchmark), draw])
            noise = widths * rng.standard_normal(matrix.shape, np.float32)
            scale = self.found.get((benchmark, margins), WIDTHS[benchmark] * margins**0.5)
            for _ in range(STEPS):
                now = score(matrix + np.float32(scale) * noise)
                lost = (whole - now) / unit
                if abs(lost - margins) <= NEAR:
                    self.found[benchmark, margins] = scale  # where the next week begins
                    return now - self.original_scores[benchmark]
                # The loss grows with about the square of the width: nearly Newton's step.
                scale *= np.clip(margins / lost, 0.25, 4) ** 0.5 if lost > 0 else 1.5
        raise RuntimeError(f"no noise takes {margins} margins of {benchmark} from seed {seed}.")

    def damage_path(self, seed: int, benchmark: str, margins: float) -> Path:
        return self.year.folder / f"damage-{seed}-{benchmark}-{margins:g}.txt"

    def score(self, benchmark: str, matrix: Matrix) -> float:
        return float(dk.score(self.embeddings(matrix), [benchmark]).results[0].value)

    @cached_property
    def original_scores(self) -> dict[str, float]:
        return {name: self.score(name, self.original.matrix) for name in MARGINS}


def measured(tables: Tables, part: int = 0, parts: int = 1) -> None:
    """Train and audit every week, and plant every damage; what is kept is not made again."""
    for recipe, seed in weeks()[part::parts]:
        tables.week(recipe, seed)
    for seed, benchmark, margins in list(planted()):
        path = tables.damage_path(seed, benchmark, margins)
        if seed % parts == part and not path.exists():
            value = tables.damaged(seed, benchmark, margins)
            with replacing(path) as partial_file:
                partial_file.write_text(repr(value))
            print(f"{path.stem}: {value:+.4f}", file=sys.stderr, flush=True)


def weeks() -> list[tuple[str, int]]:
    """Return the recipe and the seed of every week."""
    return [(recipe, seed) for recipe, n in WEEKS.items() for seed in range(FIRST, FIRST + n)]


def planted() -> Iterator[tuple[int, str, float]]:
    """Yield the seed, the benchmark and the margins of each damage."""
    for benchmark in MARGINS:
        for seed, margins in product(range(FIRST, FIRST + WEEKS["direct"]), GRADES):
            # A try of the analogies takes seconds, so not every grade is planted in every week.
            if benchmark != "google" or margins in (1, 2) or seed < FIRST + FEW:
                yield seed, benchmark, margins
        for seed, margins in chain.from_iterable(creeping_years()):
            if margins:
                yield seed, benchmark, margins


def creeping_years() -> Iterator[list[tuple[int, float]]]:
    """Yield years that creep: the seed of each week, and the margins lost by then."""
    year = LEAD + CREEP
    for begin in range(FIRST, FIRST + WEEKS["direct"] - year + 1, year):
        yield [(begin + n, round(PER_WEEK * max(n + 1 - LEAD, 0), 9)) for n in range(year)]


def collect(tables: Tables) -> pd.DataFrame:
    """Return a line for each value that a rule goes by, of every week and every damaged one."""
    lines = []
    for recipe, seed in weeks():
        week = tables.week(recipe, seed)
        assert week.facts is not None
        for subject, fact in week.facts.items():
            if str(subject) in SUBJECTS:
                known = (recipe, seed, str(subject), 0.0)
                lines.append((*known, fact.value, fact.low, fact.high))
    for seed, benchmark, margins in planted():
        value = float(tables.damage_path(seed, benchmark, margins).read_text())
        lines.append(("direct", seed, NAMES[benchmark], margins, value, NAN, NAN))
    columns = ["recipe", "seed", "subject", "margins", "value", "low", "high"]
    frame = pd.DataFrame(lines, columns=columns).drop_duplicates(columns[:4])
    return frame.sort_values(columns[:4], ignore_index=True)


class Study:
    """What `year.csv` holds, as runs that rules judge."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.weeks: dict[tuple[str, int], Facts] = {}
        self.damaged: dict[tuple[str, float, int], float] = {}
        for row in frame.itertuples():
            subject = SUBJECTS[row.subject]
            if row.margins:
                self.damaged[subject.on, row.margins, row.seed] = row.value
            else:
                of_items = subject.kind == "benchmark"
                facts = self.weeks.setdefault((row.recipe, row.seed), {})
                facts[subject] = Fact(
                    row.value,
                    row.low,
                    row.high,
                    n=N.get(subject.on, 1),
                    uncertain=of_items,
                    unchanged=0.0 if of_items else NAN,
                    margin=MARGINS.get(subject.on, NAN),
                    whole=ROWS if subject.kind == "count" else 1.0,
                )
                if of_items:  # what a result says of the score itself
                    facts[replace(subject, of="tuned")] = Fact(row.value)

    def run(self, recipe: str, seed: int, benchmark: str = "", margins: float = 0) -> Run:
        """Return a week, or a damaged one."""
        facts = dict(self.weeks[recipe, seed])
        if margins:
            subject = SUBJECTS[NAMES[benchmark]]
            fact, value = facts[subject], self.damaged[benchmark, margins, seed]
            away = value - fact.value
            facts[subject] = replace(fact, value=value, low=fact.low + away, high=fact.high + away)
        return as_run(f"{recipe} {seed} {benchmark} {margins:g}", facts)


def judge(now: Run, accepted: Sequence[Run]) -> dict[str, str]:
    """Return what a week's rules lead to, by what they are about."""
    found: dict[str, str] = {}
    for each in apply_rules(POLICY, now, Baseline("accepted", tuple(accepted))):
        subject = each.subject.removesuffix(" - baseline")
        found[subject] = worst((found.get(subject, "pass"), each.action))
    return found


def before(study: Study, recipe: str, seed: int, n: int) -> list[Run]:
    return [study.run(recipe, each) for each in range(seed - n, seed)]


def unharmed(study: Study) -> Iterator[str]:
    """Yield the table of false alarms."""
    yield "| weeks | runs in the baseline | judged | failed | at most | warned | passed |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for recipe, count in WEEKS.items():
        for n in SIZES:
            seeds = range(FIRST + n, FIRST + count)
            judged = [judge(study.run(recipe, seed), before(study, recipe, seed, n))
                      for seed in seeds]  # fmt: skip
            yield _line(recipe, n, [worst(each.values()) for each in judged])


def by_rule(study: Study, n: int = 5) -> Iterator[str]:
    """Yield the same for each rule, of the direct weeks."""
    yield "| of direct weeks | runs in the baseline | judged | failed | at most | warned | passed |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    seeds = range(FIRST + n, FIRST + WEEKS["direct"])
    judged = [judge(study.run("direct", seed), before(study, "direct", seed, n)) for seed in seeds]
    for subject in judged[0]:
        yield _line(f"`{subject}`", n, [each[subject] for each in judged])


def _line(of: str, n: int, actions: Sequence[str]) -> str:
    found, whole = Counter(actions), len(actions)
    failed = found["fail"]
    rates = f"{failed} | {at_most(failed, whole):.1%} | {found['warn']} | {found['pass']}"
    return f"| {of} | {n} | {whole} | {rates} |"


def power(study: Study) -> Iterator[str]:
    """Yield the table of what becomes of planted damage, by the rule on the damaged benchmark."""
    yield f"| damaged | margins | weeks | {' | '.join(f'against {n}' for n in SIZES)} |"
    yield f"|---|--:|--:|{'---|' * len(SIZES)}"
    for benchmark in MARGINS:
        for margins in GRADES:
            seeds = [s for name, k, s in study.damaged if (name, k) == (benchmark, margins)]
            cells = [
                shares([
                    judge(
                        study.run("direct", seed, benchmark, margins),
                        before(study, "direct", seed, n),
                    )[NAMES[benchmark]]
                    for seed in seeds
                    if seed >= FIRST + max(SIZES)
                ])
                for n in SIZES
            ]  # fmt: skip
            count = sum(seed >= FIRST + max(SIZES) for seed in seeds)
            yield f"| {benchmark} | {margins:g} | {count} | {' | '.join(cells)} |"


def shares(actions: Sequence[str]) -> str:
    found = Counter(actions)
    return " / ".join(f"{found[each] / len(actions):.0%}" for each in ("fail", "warn", "pass"))


def crept(study: Study) -> Iterator[str]:
    """Yield in which week of a creeping year it is first told."""
    yield "| creeping | years | asked | first warning | first failure |"
    yield "|---|--:|---|---|---|"
    for benchmark in MARGINS:
        years = [
            [study.run("direct", seed, benchmark, lost) for seed, lost in year]
            for year in creeping_years()
        ]
        for name, ask in ASKED.items():
            states = [ask(year, benchmark) for year in years]
            cells = [
                _weeks([_first(each, action) for each in states]) for action in ("warn", "fail")
            ]
            yield f"| {benchmark} | {len(years)} | {name} | {' | '.join(cells)} |"


def _of_runs(last: bool, runs: Sequence[Run], benchmark: str) -> list[str]:
    accepted = [runs[n - LEAD : n] if last else runs[:LEAD] for n in range(LEAD, len(runs))]
    return [
        judge(now, theirs)[NAMES[benchmark]]
        for now, theirs in zip(runs[LEAD:], accepted, strict=True)
    ]


def _of_all(runs: Sequence[Run], benchmark: str) -> list[str]:
    """Warn where the values of all weeks creep, as `driftkit history` tells of three rules."""
    subject = SUBJECTS[NAMES[benchmark]]
    values = [run.facts[subject].value for run in runs]
    shown = [
        creeping(values[:n], step=1 / N[benchmark]).is_shown(len(MARGINS))
        for n in range(LEAD + 1, len(values) + 1)
    ]
    return ["warn" if each else "pass" for each in shown]


ASKED: dict[str, Callable[[Sequence[Run], str], list[str]]] = {
    "rule, against the last 5": partial(_of_runs, True),
    "rule, against the first 5": partial(_of_runs, False),
    "whether all weeks creep": _of_all,
}


def _first(states: Sequence[str], action: str) -> float:
    """Return the first week, from 1, that came to this or worse."""
    hit = (n for n, each in enumerate(states, 1) if worst((each, action)) == each)
    return next(hit, math.inf)


def steady(study: Study) -> Iterator[str]:
    """Yield how often weeks without a loss are said to creep."""
    yield "| weeks | in a row | rules | said to creep |"
    yield "|---|--:|--:|--:|"
    for recipe, count in WEEKS.items():
        runs = [study.run(recipe, FIRST + n) for n in range(count)]
        told = sum("warn" in _of_all(runs, benchmark) for benchmark in MARGINS)
        yield f"| {recipe} | {count} | {len(MARGINS)} | {told} |"


def _weeks(found: Sequence[float]) -> str:
    """Write the weeks until something happened, and in how many years it never did."""
    never = sum(math.isinf(each) for each in found)
    seen = sorted(int(each) for each in found if not math.isinf(each))
    if not seen:
        return f"never within {CREEP} weeks"
    text = f"week {seen[0]} to {seen[-1]}, half by {seen[(len(seen) - 1) // 2]}"
    return text + (f", {never} never" if never else "")


def report(frame: pd.DataFrame) -> str:
    """Write what was found as Markdown."""
    study = Study(frame)
    parts = (unharmed, by_rule, power, crept, steady)
    return "\n\n".join("\n".join(part(study)) for part in parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="where to train, or go on training")
    parser.add_argument("--part", type=int, default=0, help="of so many --parts")
    parser.add_argument("--parts", type=int, default=1, help="processes that share the work")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.folder:
        tables = Tables(asked.folder)
        measured(tables, asked.part, asked.parts)
        if asked.parts > 1:
            return
        with replacing(RESULTS) as partial_file:
            collect(tables).to_csv(partial_file, index=False, float_format="%.6g")
    print(report(pd.read_csv(RESULTS)))


if __name__ == "__main__":
    main()
