"""What a rule is about, under the names used everywhere else.

``moved``, ``spearman[simlex999]``, ``overlap@10 mean[moved]``, ``word[good] overlap@10``: such a
name is the left side of a rule, a key of a baseline and the subject of a result.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Literal

from driftkit.arguments import shown
from driftkit.drift.groups import GROUPS
from driftkit.errors import RuleError, UnknownNameError
from driftkit.measures.measure import Measure
from driftkit.measures.registry import REGISTRY, parse_measure
from driftkit.questions.finding import QUESTIONS

Kind = Literal["question", "count", "benchmark", "group", "word"]

COUNTS = {
    "shared": "words both tables have",
    "moved": "shared words whose row changed by more than rounding",
    "unmoved": "shared words whose row did not",
    "added": "words only the tuned table has",
    "removed": "words only the original table has",
    "zero": "shared words with a zero row in either table",
    "saturated": "shared words with numbers cut off at the largest one of the tuned table",
    "displaced": "words farther from their old place than their nearest neighbor was",
    "lost": "benchmarks that were lost",
    "gained": "benchmarks that were gained",
    "retained": "benchmarks that were retained",
    "inconclusive": "benchmarks that could not be settled",
    "not_tested": "benchmarks that could not have shown a change",
    "not_measured": "benchmarks that could not be measured",
}

STATISTICS = ("mean", "median", "p05", "p95", "min")
"""How a per-word measure is summed up: mean, median, 5th and 95th percentile, least value."""

CHANGE, COVERAGE = "change", "coverage"
"""Of any benchmark: its score in the tuned table minus that in the original; the share of its items
that were answered."""

EVERY = "*"

BAND = "rank "
"""How the names of groups by frequency start, such as ``rank 1-1000``."""

_MEASURE = r"[\w-]+(?:\([^()]*\))?(?:@[0-9]+)?"
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

    `of` is a statistic of a per-word measure or the one table that is described, empty for a
    change; `on` is a benchmark (``"*"`` is every one), a group or a word, empty for all words.
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
        """Whether this pattern includes what was measured, at any depth if it names none."""
        if (self.kind, self.of) != (other.kind, other.of) or self.on not in (other.on, EVERY):
            return False
        return self.measures_like(other)

    def measures_like(self, other: Subject) -> bool:
        """Whether the two name the same measure, whatever it is taken of and summed up over."""
        if self.measure == other.measure:
            return True
        if self.measure == CHANGE:
            return other.measure != COVERAGE
        if self.kind in ("question", "count") or {self.measure, other.measure} & {CHANGE, COVERAGE}:
            return False
        asked, found = parse_measure(self.measure), parse_measure(other.measure)
        if "@" not in self.measure and asked.k is not None and found.k is not None:
            asked = asked.at(found.k)
        return asked == found


def parse_subjects(text: str, rule: str) -> tuple[Subject, ...]:
    """Read the left side of a rule: one subject, or one for each protected word.

    The whole rule is for messages. A text that does not follow the grammar is a RuleError, one that
    names an unknown measure, statistic or group an UnknownNameError.

    Examples
    --------
    >>> [str(subject) for subject in parse_subjects("words[good,bad] overlap", "")]
    ['word[good] overlap', 'word[bad] overlap']
    """
    if match := _WORDS.fullmatch(text):
        measure = _known_measure(match["measure"])
        if measure.kind != "word":
            known = ", ".join(str(each) for each in REGISTRY.values() if each.kind == "word")
            why = f"{measure} is not measured for single words; these are: {known}."
            raise RuleError(rule, why)
        written = _without_default_depth(measure, match["measure"])
        return tuple(Subject("word", written, on=word) for word in _split(match["words"], rule))
    match = _SUBJECT.fullmatch(text)
    if not match or match["measure"] in ("word", "words"):
        raise RuleError(
            rule,
            f"{shown(text)} does not name anything that is measured; write a question (link), a "
            "count (moved), a benchmark (spearman[simlex999]), a statistic (overlap@10 "
            "mean[moved]), a measure of the whole space (cka[moved]) or a word (word[good] "
            "overlap@10).",
        )
    name, on, of, group = (match[part] or "" for part in ("measure", "on", "of", "group"))
    if name in QUESTIONS:
        if on or of:
            raise RuleError(rule, f"{name} is one of the six questions; write {name!r} alone.")
        return (Subject("question", name),)
    if name in COUNTS:
        if on or of:
            why = f"{name} is a plain number ({COUNTS[name]}); write {name!r} alone."
            raise RuleError(rule, why)
        return (Subject("count", name),)
    if name in (CHANGE, COVERAGE):
        return (_of_benchmark(name, on, of, group, rule),)
    measure = _known_measure(name)
    written = _without_default_depth(measure, name)
    if measure.kind in ("word", "space"):
        return (_of_group(measure, written, of, on or group, rule),)
    return (_of_benchmark(written, on, of, group, rule),)


def _of_group(measure: Measure, written: str, of: str, on: str, rule: str) -> Subject:
    if on and on not in GROUPS and not on.startswith(BAND):
        raise UnknownNameError("group of words", on, GROUPS)
    if measure.kind == "word" and not of:
        ways = ", ".join(f"{measure} {name}" for name in STATISTICS)
        raise RuleError(rule, f"{measure} is measured for each word; say how to sum it up: {ways}.")
    known = STATISTICS if measure.kind == "word" else ("original", "tuned")
    if of and of not in known:
        raise UnknownNameError(f"part of {measure}", of, known)
    return Subject("group", written, of, "" if on == "all" else on)


def _of_benchmark(name: str, on: str, of: str, group: str, rule: str) -> Subject:
    if not on or group:
        why = f"name the benchmark in brackets after {name}: {name}[simlex999], or {name}[*]."
        raise RuleError(rule, why)
    known = ("change", "original", "tuned") if name != COVERAGE else ()
    if of and of not in known:
        raise UnknownNameError(f"part of {name}", of, known)
    return Subject("benchmark", name, "" if of == "change" else of, on)


def _known_measure(name: str) -> Measure:
    try:
        return parse_measure(name)
    except UnknownNameError as error:
        if error.kind != "measure":
            raise
        known = [*REGISTRY, CHANGE, COVERAGE, *COUNTS, *QUESTIONS, "word"]
        unknown = UnknownNameError("measure, count or question", error.name, known)
        if unknown.nearest is None:
            hint = (
                f"Questions are {', '.join(QUESTIONS)}; counts are {', '.join(COUNTS)}; measures "
                "have the names that `driftkit audit --json -` gives them."
            )
            unknown = UnknownNameError(unknown.kind, unknown.name, known, hint)
        raise unknown from None


def _without_default_depth(measure: Measure, written: str) -> str:
    """Canonical name, without a depth where none was written."""
    return str(measure if "@" in written else replace(measure, k=None))


def _split(inside: str, rule: str) -> list[str]:
    """Words of a list, each once."""
    words: list[str] = []
    at = 0
    while at < len(inside):
        match = _WORD.match(inside, at)
        word = _unquoted(match[1]) if match else None
        if match is None or word is None:
            raise RuleError(
                rule,
                f"{shown(inside)} is not a list of words; separate them by commas, and quote one "
                'that holds a space, a comma or a bracket: word[good,"New York"].',
            )
        words.append(word)
        at = match.end()
    return list(dict.fromkeys(words))


def _unquoted(written: str) -> str | None:
    """Return a word without its quotes and escapes, those of JSON; None where they are none."""
    if not written.startswith('"'):
        return written
    try:
        word: str = json.loads(written)
    except ValueError:
        return None
    return word
