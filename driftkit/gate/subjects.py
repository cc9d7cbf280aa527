"""What a rule speaks of, under the same names as everywhere else.

``moved``, ``spearman[simlex999]``, ``overlap@10 mean[moved]``, ``word[good] overlap@10``: such a
string is the left side of a rule, the key of a baseline and the name of a result.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields, replace
from typing import Literal

from driftkit.drift.groups import GROUPS, Summary
from driftkit.errors import RuleError, UnknownNameError
from driftkit.measures.measure import Measure
from driftkit.measures.registry import REGISTRY, parse_measure

Kind = Literal["count", "benchmark", "group", "word"]

COUNTS = {
    "shared": "words both tables have",
    "moved": "shared words whose row changed by more than rounding",
    "unmoved": "shared words whose row did not",
    "added": "words only the tuned table has",
    "removed": "words only the original table has",
    "zero": "shared words with a zero row in either table",
    "saturated": "shared words cut off at the tuned table's largest number",
    "displaced": "candidates that moved past their nearest original neighbor",
    "lost": "benchmarks that were lost",
    "gained": "benchmarks that were gained",
    "retained": "benchmarks that were retained",
    "inconclusive": "benchmarks that could not be settled",
    "not_measured": "benchmarks that could not be measured",
}
"""Numbers of words or of benchmarks."""

STATISTICS = tuple(
    each.name
    for each in fields(Summary)
    if each.name not in ("group", "measure", "n", "unmeasured")
)
"""How a per-word measure is summed up: mean, median, p05, p95."""

CHANGE, COVERAGE = "change", "coverage"
"""Of a benchmark, whatever it is scored by: tuned minus original; the share of items answered."""

EVERY = "*"

BAND = "rank "
"""How the names of groups by frequency start, such as ``rank 1-1000``."""

_MEASURE = r"[\w-]+(?:\([^()]*\))?(?:@\d+)?"
_SUBJECT = re.compile(
    rf"(?P<measure>{_MEASURE})(?:\s*\[(?P<on>[^\[\]]+)\])?"
    r"(?:\s+(?P<of>\w+)(?:\s*\[(?P<group>[^\[\]]+)\])?)?"
)
_WORDS = re.compile(
    rf'words?\[(?P<words>(?:"(?:[^"\\]|\\.)*"|[^"\[\]])+)\]\s*(?P<measure>{_MEASURE})'
)
_WORD = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^",\s]+)\s*(?:,|$)')


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """One thing that was measured, or a pattern that stands for several.

    Parameters
    ----------
    kind : {"count", "benchmark", "group", "word"}
    measure : str
        Name of a measure or of a count.
    of : str
        Statistic of a per-word measure, or the table (``"original"`` or ``"tuned"``) a figure
        describes; empty for a change or a figure that compares the two.
    on : str
        Benchmark, group of words, or word; empty for all words. ``"*"`` is every benchmark.
    """

    kind: Kind
    measure: str
    of: str = ""
    on: str = ""

    def __str__(self) -> str:
        of = f" {self.of}" if self.of else ""
        on = f"[{self.on}]" if self.on else ""
        if self.kind == "word":
            plain = not re.search(r'[\s,"\[\]]', self.on)
            word = self.on if plain else json.dumps(self.on, ensure_ascii=False)
            return f"word[{word}] {self.measure}"
        return self.measure + (on + of if self.kind == "benchmark" else of + on)

    def stands_for(self, other: Subject) -> bool:
        """Whether this pattern includes one thing that was measured.

        A depth that is not written means the depth that was measured.
        """
        if (self.kind, self.of) != (other.kind, other.of) or self.on not in (other.on, EVERY):
            return False
        if self.measure == other.measure:
            return True
        if self.measure == CHANGE:
            return other.measure != COVERAGE
        if self.kind != "count" and not {self.measure, other.measure} & {CHANGE, COVERAGE}:
            asked, found = parse_measure(self.measure), parse_measure(other.measure)
            if "@" not in self.measure and asked.k is not None and found.k is not None:
                asked = asked.at(found.k)
            return asked == found
        return False


def parse_subjects(text: str, rule: str) -> tuple[Subject, ...]:
    """Read the left side of a rule.

    Parameters
    ----------
    text : str
    rule : str
        The whole rule, for messages.

    Returns
    -------
    tuple of Subject
        One, or one for each protected word.

    Raises
    ------
    RuleError
        If the text does not follow the grammar.
    UnknownNameError
        If it names a measure, statistic or group nobody knows.

    Examples
    --------
    >>> [str(subject) for subject in parse_subjects("words[good,bad] overlap", "")]
    ['word[good] overlap', 'word[bad] overlap']
    """
    if match := _WORDS.fullmatch(text):
        measure = _known_measure(match["measure"])
        if measure.kind != "word":
            raise RuleError(rule, f"{measure} does not describe a word; {_of_kind('word')} do.")
        found = _split_words(match["words"], rule)
        return tuple(Subject("word", _written(match["measure"]), on=word) for word in found)
    match = _SUBJECT.fullmatch(text)
    if not match or match["measure"] in ("word", "words"):
        raise RuleError(
            rule,
            f"{text!r} is not something that is measured; write a count (moved), a benchmark "
            "(spearman[simlex999]), a statistic (overlap@10 mean[moved]), a figure of the space "
            "(cka[moved]) or a word (word[good] overlap@10).",
        )
    name, on, of, group = match["measure"], match["on"], match["of"], match["group"]
    if name in COUNTS:
        if on or of:
            raise RuleError(rule, f"{name} is a plain number ({COUNTS[name]}); write {name!r}.")
        return (Subject("count", name),)
    if name in (CHANGE, COVERAGE):
        return (_of_benchmark(name, on, of, group, rule),)
    measure = _known_measure(name)
    if measure.kind in ("word", "space"):
        return (_of_group(measure, _written(name), of, on or group, rule),)
    return (_of_benchmark(_written(name), on, of, group, rule),)


def _of_group(measure: Measure, written: str, of: str | None, on: str | None, rule: str) -> Subject:
    if on is not None and on not in GROUPS and not on.startswith(BAND):
        raise UnknownNameError("group of words", on, GROUPS)
    if measure.kind == "word" and of is None:
        raise RuleError(
            rule,
            f"{measure} is a figure of each word; say how to sum it up: "
            f"{', '.join(f'{measure} {name}' for name in STATISTICS)}.",
        )
    known = STATISTICS if measure.kind == "word" else ("original", "tuned")
    if of is not None and of not in known:
        raise UnknownNameError(f"part of {measure}", of, known)
    return Subject("group", written, of or "", "" if on in (None, "all") else str(on))


def _of_benchmark(
    name: str, on: str | None, of: str | None, group: str | None, rule: str
) -> Subject:
    if on is None or group is not None:
        raise RuleError(
            rule, f"name the benchmark in brackets after {name}: {name}[simlex999], or {name}[*]."
        )
    known = ("change", "original", "tuned") if name != COVERAGE else ()
    if of is not None and of not in known:
        raise UnknownNameError(f"part of {name}", of, known)
    return Subject("benchmark", name, "" if of in (None, "change") else str(of), on)


def _known_measure(name: str) -> Measure:
    try:
        return parse_measure(name)
    except UnknownNameError as error:
        if error.kind != "measure":
            raise
        known = [*REGISTRY, CHANGE, COVERAGE, *COUNTS, "word"]
        unknown = UnknownNameError("measure or count", error.name, known)
        if unknown.nearest is None:
            hint = (
                f"Counts are {', '.join(COUNTS)}; measures have the names that `driftkit audit "
                "--json -` gives them."
            )
            unknown = UnknownNameError(unknown.kind, unknown.name, known, hint)
        raise unknown from None


def _written(name: str) -> str:
    """Canonical name, without a depth where none was written."""
    measure = parse_measure(name)
    return str(measure if "@" in name else replace(measure, k=None))


def _of_kind(kind: str) -> str:
    return ", ".join(str(measure) for measure in REGISTRY.values() if measure.kind == kind)


def _split_words(inside: str, rule: str) -> list[str]:
    words, at = [], 0
    while at < len(inside):
        match = _WORD.match(inside, at)
        if not match:
            raise RuleError(
                rule,
                f"{inside!r} is not a list of words; separate them by commas, and quote one that "
                'holds a space, a comma or a bracket: word[good,"New York"].',
            )
        word = match[1]
        words.append(json.loads(word) if word.startswith('"') else word)
        at = match.end()
    return list(dict.fromkeys(words))
