"""How often `creeping` sees a fall where there is none, and how soon it sees one.

Recipes that do not change are drawn week by week and asked about after every week. Then recipes
that lose a tenth of the margin a week, after some weeks without a loss. The weeks scatter as in
`runs.py`: normal, skewed, heavy-tailed, or they are the weeks that `retrains.py` kept, dealt in
another order. Two simpler questions are asked beside it, both at 5 % each week: whether a straight
line through all weeks falls, and whether this week is below the band of the first five.

    python -m benchmarks.validity.falls --folder retrains --report falls.md
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from scipy.special import stdtr

from benchmarks.validity.retrains import publish
from benchmarks.validity.runs import DRAWS, SCATTER, Draw, weeks
from driftkit.evaluators.significance import LEVEL
from driftkit.gate.against import prediction
from driftkit.gate.creeping import WIDTH, creeping

YEAR, YEARS = 52, 156
BEFORE = 5  # weeks without a loss
FALLING = 25
A_WEEK = 0.1  # margins
IN_TIME = 10  # weeks after which the loss is a margin
SCATTERS = (0.2, 0.33, 0.65)  # margins: ws353, SimLex-999, the analogies

First = Callable[[np.ndarray], np.ndarray]
"""Return the week, from 1, in which each of some series, (s, n), is first said to fall, or inf."""


def evidence(series: np.ndarray) -> np.ndarray:
    """Return what `creeping` has after the last week of each series, all at once."""
    n = series.shape[1]
    starts = np.arange(n)
    weights = 1 / ((starts + 1.0) * (starts + 2.0))
    ramps = np.maximum(np.arange(n) - starts[:, None], 0.0)
    ramps -= ramps.mean(axis=1, keepdims=True)
    y = series.mean(axis=1, keepdims=True) - series
    a, b, w = np.square(y).sum(axis=1, keepdims=True), y @ ramps.T, np.square(ramps).sum(axis=1)
    narrow = w + WIDTH**-2
    rest = a - np.square(b) / narrow
    t = stdtr(n - 1, b * np.sqrt((n - 1) / (rest * narrow)))
    ratio = 2 * t * (a / rest) ** ((n - 1) / 2) / np.sqrt(1 + WIDTH**2 * w)
    return ratio @ weights + 1 / (n + 1)


def first_of(
    says: Callable[[np.ndarray], np.ndarray], series: np.ndarray, begin: int
) -> np.ndarray:
    """Ask week by week, of all weeks so far."""
    found = np.full(len(series), np.inf)
    for n in range(begin, series.shape[1] + 1):
        found[np.isinf(found) & says(series[:, :n])] = n
    return found


def always_valid(of: int) -> First:
    """Ask as the product does, where `of` rules share the risk."""
    return lambda series: first_of(lambda seen: evidence(seen) >= of / (1 - LEVEL), series, 3)


def by_line(series: np.ndarray) -> np.ndarray:
    def says(seen: np.ndarray) -> np.ndarray:
        n = seen.shape[1]
        y, x = seen - seen.mean(axis=1, keepdims=True), np.arange(n) - (n - 1) / 2
        r = y @ x / np.sqrt(np.square(y).sum(axis=1) * (x @ x))
        return stdtr(n - 2, r * np.sqrt((n - 2) / (1 - r * r))) < 1 - LEVEL

    return first_of(says, series, BEFORE + 1)


def by_band(series: np.ndarray) -> np.ndarray:
    first = series[:, :BEFORE]
    far = [prediction(list(values), 2 * LEVEL - 1) for values in first]
    edge = first.mean(axis=1) - far
    return first_of(lambda seen: seen[:, -1] < edge, series, BEFORE + 1)


QUESTIONS: dict[str, First] = {
    "creeping": always_valid(1),
    "creeping, one of 3 rules": always_valid(3),
    "a line, every week": by_line,
    "the band of the first five": by_band,
}


def drawn(draw: Draw, times: int, n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng([seed, n])
    return np.array([draw(n, rng) for _ in range(times)])


def false_alarms(draws: dict[str, Draw], times: int) -> Iterator[str]:
    yield "| asked | scatter | weeks | false alarms |"
    yield "|---|---|--:|--:|"
    for question, first in QUESTIONS.items():
        for at, (name, draw) in enumerate(draws.items()):
            for n in (YEAR, YEARS) if name in DRAWS else (YEAR,):
                share = np.mean(first(drawn(draw, times, n, at)) < math.inf)
                yield f"| {question} | {name} | {n} | {share:.1%} |"


def caught(draws: dict[str, Draw], times: int) -> Iterator[str]:
    yield "| asked | scatter | of margins | seen before it is a margin | median week |"
    yield "|---|---|--:|--:|--:|"
    fall = A_WEEK * np.maximum(np.arange(1, BEFORE + FALLING + 1) - BEFORE, 0)
    for question, first in QUESTIONS.items():
        for at, (name, draw) in enumerate(draws.items()):
            for wide in SCATTERS:
                series = drawn(draw, times, len(fall), at) * wide / SCATTER - fall
                found = first(series) - BEFORE
                right = found[found > 0]  # an earlier one was no sight of this fall
                median = float(np.median(right))
                said = f"{median:.0f}" if median < math.inf else f"over {FALLING}"
                seen = f"{np.mean(right < IN_TIME):.0%}"
                yield f"| {question} | {name} | {wide} | {seen} | {said} |"


def require_alike() -> None:
    """The evidence of all series at once is that of the product."""
    series = drawn(DRAWS["normal"], 3, 12, 0) - A_WEEK * np.arange(12)
    one_by_one = [creeping(values).evidence for values in series]
    np.testing.assert_allclose(evidence(series), one_by_one, rtol=1e-6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="what retrains.py kept")
    parser.add_argument("--times", type=int, default=1000)
    parser.add_argument("--report", type=Path)
    asked = parser.parse_args()
    require_alike()
    real = dict(weeks(asked.folder)) if asked.folder else {}
    lines = [*false_alarms(DRAWS | real, asked.times), "", *caught(DRAWS, asked.times)]
    publish("\n".join(lines) + "\n", asked.report)


if __name__ == "__main__":
    main()
