"""How often rules on several runs are wrong: one run against a baseline of n, and n runs against n.

Recipes without a difference are drawn in pairs, and recipes of which one lost one margin, or two.
Their runs scatter as the direct weeks of `retrains.py` do: either the weeks themselves, drawn
without replacement from the folder that script keeps, or drawn from a normal, a skewed or a
heavy-tailed distribution as wide as the weeks of SimLex-999 (a third of the margin).

    python -m benchmarks.validity.runs --folder retrains --pairs 1000 --report runs.md
"""

from __future__ import annotations

import argparse
import pickle
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from scipy.stats import binom

from benchmarks.validity import retrains
from driftkit.evaluators.significance import LEVEL
from driftkit.gate.against import KEPT_LEVEL, prediction
from driftkit.gate.apply import decide
from driftkit.gate.exact import MeanDifference, difference_of_groups, difference_of_pairs
from driftkit.gate.facts import Fact

SIZES = (3, 5, 10)
LOSSES = (0, 1, 2)  # margins
STATED = (1 - LEVEL) / 2
SCATTER = 0.33  # margins

Draw = Callable[[int, np.random.Generator], np.ndarray]
"""Draw the values of some runs of one recipe, in margins."""

DRAWS: dict[str, Draw] = {
    "normal": lambda n, rng: SCATTER * rng.normal(size=n),
    "skewed": lambda n, rng: SCATTER * (1 - rng.exponential(size=n)),
    "heavy-tailed": lambda n, rng: SCATTER * rng.standard_t(5, size=n) / np.sqrt(5 / 3),
}


def _of_weeks(values: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    return rng.choice(values, n, replace=False)


def weeks(folder: Path) -> Iterator[tuple[str, Draw]]:
    """Yield each benchmark and the drawing of its weeks."""
    sys.modules["__main__"].Week = retrains.Week  # as which the script there kept them
    kept = [pickle.loads(path.read_bytes()) for path in sorted(folder.glob("direct-week-*.pickle"))]
    for subject, fact in kept[0].facts.items():
        if subject.kind == "benchmark" and fact.uncertain and not subject.of:
            values = np.array([week.facts[subject].value for week in kept]) / fact.margin
            yield f"weeks, {subject}", partial(_of_weeks, values)


def one_more(values: np.ndarray, loss: float) -> str:
    """Decide the last run against those before, by a rule that allows a fall of one margin."""
    *accepted, now = values
    half, kept = (prediction(accepted, level) for level in (LEVEL, KEPT_LEVEL))
    away = now - loss - float(np.mean(accepted))
    fact = Fact(away, away - half, away + half, uncertain=True, unchanged=0.0, kept=kept)
    return decide(fact, ">=", -1.0)


def recipes(compare: Callable[..., MeanDifference], values: np.ndarray, loss: float) -> str:
    """Decide the second half of the runs against the first, by the same rule."""
    theirs, ours = np.split(values, 2)
    found = compare(ours - loss, theirs)
    fact = Fact(found.value, found.low, found.high, uncertain=True, unchanged=0.0)
    return decide(fact, ">=", -1.0)


KINDS = {
    "one more run": (one_more, lambda n: n + 1),
    "recipes, in pairs": (partial(recipes, difference_of_pairs), lambda n: 2 * n),
    "recipes, in groups": (partial(recipes, difference_of_groups), lambda n: 2 * n),
}


def rows(draws: dict[str, Draw], pairs: int) -> Iterator[str]:
    """Yield the lines of the table, in percent of pairs."""
    yield "| compared | runs | scatter | loss | failed | warned | passed |"
    yield "|---|--:|---|--:|--:|--:|--:|"
    for kind, (judge, count) in KINDS.items():
        for n in SIZES:
            for name, draw in draws.items():
                drawn = np.random.default_rng([n, len(kind), len(name)])
                runs = [draw(count(n), drawn) for _ in range(pairs)]
                for loss in LOSSES:
                    found = Counter(judge(values, loss) for values in runs)
                    shares = (found[each] / pairs for each in ("fail", "inconclusive", "pass"))
                    cells = " | ".join(f"{share:.1%}" for share in shares)
                    of = "none" if loss == 0 else f"{loss} margin{'s' if loss > 1 else ''}"
                    yield f"| {kind} | {n} | {name} | {of} | {cells} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="what retrains.py kept")
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--report", type=Path)
    asked = parser.parse_args()
    draws = DRAWS | dict(weeks(asked.folder) if asked.folder else ())
    lines = list(rows(draws, asked.pairs))
    most = binom(asked.pairs, STATED).ppf(0.999) / asked.pairs
    lines.append(f"\nStated: {STATED:.1%} fail without a loss; {asked.pairs:,} pairs of that rate "
                 f"give no more than {most:.1%} in 999 of 1,000 cases.")  # fmt: skip
    retrains.publish("\n".join(lines) + "\n", asked.report)


if __name__ == "__main__":
    main()
