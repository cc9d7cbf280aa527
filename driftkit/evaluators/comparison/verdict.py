"""When a property counts as lost, gained or retained."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from driftkit.errors import OptionError, UnknownNameError
from driftkit.evaluators.significance import Interval
from driftkit.measures.measure import Measure
from driftkit.measures.registry import REGISTRY, parse_measure

Status = Literal["retained", "lost", "gained", "inconclusive", "not tested", "not measured"]

FEWEST_ITEMS = 10  # below this a bootstrap has too few distinct resamples, whatever the measure

LEAST_CHANGEABLE = 0.01
"""Share of the items in which a word must have moved: if fewer broke, and all of them, an accuracy
would not even fall by the margin of analogies, the smallest there is."""

LEAST_COVERAGE = 1 / 3
"""Share of the items that both tables must answer. With fewer, those left out outnumber those asked
two to one: the benchmark was hardly put, and its frequent words speak for all of it."""


def benchmark_measure(name: str) -> Measure:
    """Return the measure of benchmarks that has this name, or raise `UnknownNameError`."""
    known = [each.name for each in REGISTRY.values() if each.kind not in ("word", "space")]
    if name.split("@")[0].split("(")[0] not in known:
        raise UnknownNameError(
            "measure of benchmarks",
            name,
            known,
            "Register a measure of your own first, with driftkit.measures.register_measure.",
        )
    return parse_measure(name)


def margin_of(measure: str, margins: Mapping[str, float] | None = None) -> float:
    """Return the smallest change of a measure, such as ``"3cosadd@1"``, that counts.

    `margins` replace what measures declare, by their name with or without its depth. A measure that
    declares none has a hundredth of its range.

    >>> margin_of("spearman"), margin_of("kendall"), margin_of("3cosadd@1", {"3cosadd": 0.05})
    (0.02, 0.02, 0.05)
    """
    declared, margins = benchmark_measure(measure), margins or {}
    for name in (measure, declared.name):
        if name in margins:
            return margins[name]
    if declared.margin is not None:
        return declared.margin
    if math.isinf(declared.high - declared.low):
        raise OptionError(
            f"{measure} has no margin, and its range has no end, so no change of it is large or "
            f"small; declare Measure(..., margin=...), or give margins={{{measure!r}: ...}}."
        )
    return (declared.high - declared.low) / 100


def fewest_items(measure: str) -> int:
    """Return how many items must be answered for a verdict.

    >>> fewest_items("spearman"), fewest_items("3cosadd@1"), fewest_items("purity")
    (10, 100, 50)
    """
    declared = benchmark_measure(measure)
    if declared.fewest_items is not None:
        return declared.fewest_items
    width = declared.high - declared.low
    # With fewer, a single item outweighs the margin.
    needed = 0 if math.isinf(width) else round(width / margin_of(measure))
    return max(FEWEST_ITEMS, needed)


def fewest_changeable(n: int) -> int:
    """Return in how many of n items a word must have moved for a status.

    >>> fewest_changeable(353), fewest_changeable(19_544)
    (10, 196)
    """
    return min(n, max(FEWEST_ITEMS, math.ceil(LEAST_CHANGEABLE * n)))


def agreed(every: Status, own: Status) -> Status:
    """Return the status of a benchmark, of which the rivals of answers changed some items.

    `every` counts all items; `own` leaves out those whose own words stayed. An answer that became
    right because its rival left is no knowledge gained and hides no loss; one that became wrong
    because a rival came is lost.

    >>> agreed("gained", "retained"), agreed("retained", "lost"), agreed("lost", "retained")
    ('retained', 'lost', 'lost')
    """
    both = {every, own}
    if "lost" in both:
        return "lost"
    if len(both) == 1:
        return every
    return "retained" if both == {"gained", "retained"} else "inconclusive"


def check_margins(margins: Mapping[str, float] | None) -> None:
    """Raise for a margin that is not above zero, or not of a measure of benchmarks."""
    for measure, margin in (margins or {}).items():
        benchmark_measure(measure)
        if not 0 < margin < math.inf:
            raise OptionError(f"margin {measure}={margin} cannot be used; give a number above 0.")


def status_of(
    delta: float, bounds: Interval, margin: float, *, higher_is_better: bool | None = True
) -> Status:
    """Decide by the interval of the difference `delta` (tuned - original) and a margin above zero.

    *Lost*: the interval lies below zero and the estimate is at or below ``-margin``. *Gained*: the
    mirror image. *Retained*: the whole interval lies inside ``(-margin, margin)``. *Not measured*:
    a value is NaN. Anything else is *inconclusive*, and so is a change where neither direction is
    better (None).

    >>> status_of(-0.07, Interval(-0.12, -0.02, 0.004), 0.02)
    'lost'
    >>> status_of(0.001, Interval(-0.004, 0.006, 0.7), 0.02)
    'retained'
    """
    if any(math.isnan(value) for value in (delta, bounds.low, bounds.high)):
        return "not measured"
    fell = bounds.high < 0 and delta <= -margin
    rose = bounds.low > 0 and delta >= margin
    if fell or rose:
        if higher_is_better is None:
            return "inconclusive"
        return "lost" if fell == higher_is_better else "gained"
    return "retained" if -margin < bounds.low and bounds.high < margin else "inconclusive"
