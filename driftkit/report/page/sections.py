"""What a page says of one audit, part by part; every sentence of a result is its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import numpy as np

from driftkit.display import argument, counted, interval, joined, number, signed, to_text
from driftkit.drift.groups import GROUPS
from driftkit.embeddings import Embeddings
from driftkit.escaping import printable
from driftkit.evaluators import ScoreChange
from driftkit.evaluators.comparison.result import BROKEN
from driftkit.explain.directions import Direction
from driftkit.findings import Findings
from driftkit.links import Link
from driftkit.maps import Map
from driftkit.neighbors.overlap import chance_overlap
from driftkit.questions.finding import Finding, Question
from driftkit.report.benchmarks import asked_words, outcome
from driftkit.report.drift import drift_cells, drift_notes
from driftkit.report.not_looked_at import not_looked_at
from driftkit.report.page.listed import NAMED
from driftkit.report.page.strings import Strings
from driftkit.report.terminal import compared, reading_notes
from driftkit.thresholds import TranslatedThreshold

ASKS: Mapping[Question, str] = {
    "input": "Are these the two tables that were meant?",
    "vocabulary": "Is every name still there, and did new ones crowd in?",
    "knowledge": "What general knowledge was lost?",
    "neighbors": "Did {noun}s keep their company?",
    "link": "Does what reads the original vectors still work?",
    "numbers": "Are the numbers of the tuned table sound?",
}

_DETAIL: Mapping[Question, tuple[str, str]] = {
    "knowledge": ("benchmarks", "the benchmarks"),
    "neighbors": ("words", "the {noun}s one by one"),
    "link": ("link", "the link"),
}

ASIDE = 40  # letters of the text behind an id where ids are named in a row

Part = dict[str, Any]


class Said:
    """The parts of one audit; names in them lead to the listed words.

    Parameters
    ----------
    findings : Findings
    directions : sequence of Direction
        The main directions of its drift.
    strings : Strings
        The names of the page, of which the first `listed` are those of its words.
    listed : int
    """

    def __init__(
        self, findings: Findings, directions: Sequence[Direction], strings: Strings, listed: int
    ) -> None:
        self.findings, self.directions = findings, directions
        self.strings, self.listed = strings, listed

    def head(self) -> Part:
        """Return verdict, headline, the six answers, and what was compared."""
        found = self.findings
        verdict, _, decided = found.headline.partition(": ")
        tables = (found.pair.original, found.pair.tuned)
        return {
            "name": found.pair.tuned.source.name,
            "verdict": found.verdict,
            "said": verdict,
            "decided": decided[:1].upper() + decided[1:],
            "compared": compared(found),
            "notes": reading_notes(found),
            "tables": [
                {"side": side, **_table(table)}
                for side, table in zip(("original", "tuned"), tables, strict=True)
            ],
            "questions": [self._question(finding) for finding in found.findings],
            "shifted": [
                (f"Moved {found.noun}s that kept the fewest neighbors", self._shifted(moved=True)),
                (
                    f"{found.noun.capitalize()}s that did not move but lost neighbors",
                    self._shifted(moved=False),
                ),
            ],
            "unseen": not_looked_at(found),
            "steps": list(next_steps(found)),
        }

    def _shifted(self, *, moved: bool) -> list[tuple[str, str | None]]:
        return self._names(shift.word for shift in self.findings.most_shifted(NAMED, moved=moved))

    def _question(self, finding: Finding) -> Part:
        noun = self.findings.noun
        detail = _DETAIL.get(finding.question)
        return {
            "question": finding.question,
            "asks": ASKS[finding.question].format(noun=noun),
            "status": finding.status,
            "sentence": f"{finding.sentence[:1].upper()}{finding.sentence[1:]}.",
            "evidence": list(evidence(finding.evidence)),
            "detail": detail and (detail[0], detail[1].format(noun=noun)),
        }

    def benchmarks(self) -> Part:
        """Return a row for each benchmark, with its split and the items that broke."""
        scores = self.findings.scores
        notes = [f"{note[:1].upper()}{note[1:]}." for note in scores.notes]
        return {
            "rows": [self._benchmark(change) for change in scores],
            "remarks": [*(scores.remarks() if scores else ()), *notes],
        }

    def _benchmark(self, change: ScoreChange) -> Part:
        broken = change.items.broken(change.n_used)
        null = None
        if self.findings.null is not None:
            names = [(each.name, each.measure) for each in self.findings.null.scores]
            at = names.index((change.name, change.measure))
            null = signed(self.findings.null.scores[at].delta)
        return {
            "name": change.name,
            "measure": change.measure,
            "status": change.status,
            "before": number(change.original, 3),
            "after": number(change.tuned, 3),
            "delta": signed(change.delta),
            "interval": interval(change.ci_low, change.ci_high),
            "used": f"{change.n_used:,}",
            "total": f"{change.n_total:,}",
            "changeable": f"{change.items_changeable:,}",
            "p": number(change.p_holm, 3),
            "margin": f"{change.margin:g}",
            "null": null,
            "reason": change.reason,
            "split": [
                {
                    "moved": part.of["moved"],
                    "n": f"{part.n:,}",
                    "before": number(part.original, 3),
                    "after": number(part.tuned, 3),
                    "delta": signed(part.delta),
                }
                for part in change.split
            ],
            "broken": len(broken),
            "items": [
                {"asked": self.linked(asked_words(item["words"])), "outcome": outcome(item)}
                for item in broken[:BROKEN]
            ],
        }

    def drift(self) -> Part:
        """Return the measures over all, moved and unmoved words, and how chance would do."""
        found = self.findings
        null = None if found.null is None else drift_cells(found.null)
        rows = []
        for name, groups in drift_cells(found).items():
            cells = [number(groups[group], 3) for group in GROUPS]
            beside = None
            if null is not None and not name.endswith(", original"):
                beside = [number(null[name][group], 3) for group in GROUPS]
            rows.append({"measure": name, "cells": cells, "null": beside})
        return {"groups": GROUPS, "rows": rows, "notes": drift_notes(found)}

    def chance(self) -> list[str]:
        """Say what chance alone would give."""
        found, k = self.findings, self.findings.shifts.k
        c = len(found.shifts.candidates)
        said = [
            f"Two lists of {k} neighbors drawn at random from {c - 1:,} candidates share "
            f"{chance_overlap(k, c):.2g} of them on average."
        ]
        many = counted(len(found.scores), "benchmark")
        for change in found.scores:
            if not np.isnan(change.ci_low):
                holds = "holds" if change.ci_low <= 0 <= change.ci_high else "leaves out"
                said.append(
                    f"{change.name} changed by {signed(change.delta)}; the 95 % interval over its "
                    f"items, {interval(change.ci_low, change.ci_high)}, {holds} zero "
                    f"(p {_p(change.p_holm)}, adjusted for {many})."
                )
        if found.null is None:
            said.append(
                f"Random moves of the same size were not audited; --null (null=True) would tell "
                f"what they do to the same {found.noun}s."
            )
        else:
            own, random = found.finding("neighbors").evidence, "overlap_moved_if_random"
            kept = (own["overlap_moved"], own.get(random))
            if None not in kept:
                said.append(
                    f"Moved {found.noun}s kept {kept[0]:.1%} of their neighbors beyond chance; "
                    f"moved as far in random directions they would keep {kept[1]:.1%}."
                )
        return said

    def ways(self) -> list[Part]:
        """Return the main directions of the drift, with the words at their ends."""
        return [
            {
                "share": f"{each.share:.0%}",
                "width": round(100 * each.share, 1),
                "away": self._names(each.away),
                "toward": self._names(each.toward),
            }
            for each in self.directions
        ]

    def link(self, found: Link | None, thresholds: Sequence[TranslatedThreshold]) -> Part | None:
        """Return the link, its threshold table and what the map restores; None if not asked for."""
        if found is None:
            return None
        evidence = found.map.evidence
        return {
            "status": found.status,
            "headline": found.headline,
            "crossings": [
                [each.group, each.way, f"{each.n:,}"]
                + [number(value, 3) for value in (each.at_1, each.original_at_1, each.mrr)]
                for each in found.crossings
            ],
            "map": to_text(found.map, 100_000).split("\n"),
            "mends": isinstance(found.map, Map),
            "trials": []
            if evidence is None
            else [
                [
                    f"{trial.name}, of random moves" if trial is evidence.chance else trial.name,
                    f"{trial.parameters:,}",
                    f"{trial.undone:.1%}",
                    "-" if np.isnan(trial.turned) else f"{trial.turned:.1%}",
                ]
                for trial in (*evidence.trials, *filter(None, [evidence.chance]))
            ],
            "thresholds": [
                [
                    f"{each.original:g}",
                    f"{each.tuned:.3f}",
                    f"{each.low:.3f} to {each.high:.3f}",
                    f"{each.passed:,}",
                    f"{each.untranslated:,}",
                    f"{each.kept / each.passed:.0%}",
                ]
                for each in thresholds
            ],
        }

    def linked(self, parts: Sequence[str]) -> list[tuple[str, str | None]]:
        """Return each part, every other one a word, with the address of a word that is listed."""
        return [self._name(part) if at % 2 == 0 else (part, None) for at, part in enumerate(parts)]

    def _names(self, names: Iterable[str]) -> list[tuple[str, str | None]]:
        return [self._name(name) for name in names]

    def _name(self, name: str) -> tuple[str, str | None]:
        place = self.strings.find(name)
        is_listed = place is not None and place < self.listed
        shown = self.strings.shown[place] if place is not None else printable(name)
        address = f"#word={quote(shown, safe='')}" if is_listed else None
        if text := " ".join(self.findings.texts.get(name, "").split()):
            shown += f" {printable(text if len(text) <= ASIDE else f'{text[:ASIDE]}…')}"
        return shown, address


def next_steps(found: Findings) -> Iterator[tuple[str, str | None]]:
    """Yield what to do next, each with the command that does it, if one does."""
    status = {finding.question: finding.status for finding in found.findings}
    worst = [question for question, each in status.items() if each in ("broken", "changed")]
    tables = f"{_typed(found.pair.original, 'ORIGINAL')} {_typed(found.pair.tuned, 'TUNED')}"
    if found.verdict == "do not ship":
        yield "Do not put this table in the place of the original.", None
    elif found.verdict == "ship with care":
        yield (
            f"Ship it only where you need not rely on what changed: {joined(worst)}."
            if worst
            else "Ship it only where what was not looked at does not matter.",
            None,
        )
    elif found.verdict == "undecided":
        yield "Decide nothing yet: answer first what could not be tested.", None
    elif found.verdict == "unchanged":
        yield "Find out whether the right file was exported, or whether training ran at all.", None
    else:
        yield (
            "It may ship. Keep this verdict for the next one to be checked against.",
            f"driftkit baseline write {tables}",
        )
    if status["input"] in ("broken", "changed"):
        yield "See what each file holds, and how it was read.", f"driftkit inspect {tables}"
    if "not tested" in (status["knowledge"], status["neighbors"]):
        yield (
            "Ask rated pairs or analogies of your own, or more of them.",
            f"driftkit audit {tables} -b FILE",
        )
    lost = found.status("lost")
    if lost or status["neighbors"] in ("broken", "changed"):
        rule = (
            f"{lost[0].measure}[{lost[0].name}] >= -{lost[0].margin:g}"
            if lost
            else f"{found.shifts.measures[0]} >= 0.9"
        )
        yield (
            "Go back toward the original, only as far as a rule of yours asks.",
            f"driftkit restore {tables} -o mended.npy --budget {argument(rule)}",
        )
    if status["link"] != "kept":
        yield (
            "A map may mend the link; this fits one, or says why none helps.",
            f"driftkit link {tables}",
        )


def _typed(table: Embeddings, unknown: str) -> str:
    """Return a table as a command names it; `unknown` if it was in memory, or a model made it."""
    source = table.source
    is_read_alone = source.path is not None and source.fingerprint is None
    return argument(source.name) if is_read_alone else unknown


def evidence(values: Mapping[str, Any]) -> Iterator[Part]:
    """Yield the values an answer rests on: single ones, and tables of those that are alike."""
    single = {name: value for name, value in values.items() if not _is_table(value)}
    if single:
        yield {"single": [(_label(name), _cell(value)) for name, value in single.items()]}
    for name, value in values.items():
        if _is_table(value):
            keyed = isinstance(value, Mapping)
            rows = list(value.values()) if keyed else list(value)
            columns = list(dict.fromkeys(column for row in rows for column in row))
            yield {
                "title": _label(name),
                "columns": [*([""] if keyed else []), *map(_label, columns)],
                "rows": [
                    [*([key] if keyed else []), *(_cell(row.get(column)) for column in columns)]
                    for key, row in zip(value if keyed else rows, rows, strict=True)
                ],
            }


def _is_table(value: Any) -> bool:
    rows = value.values() if isinstance(value, Mapping) else value
    is_many = isinstance(value, Mapping | list | tuple) and len(value) > 0
    return is_many and all(isinstance(row, Mapping) for row in rows)


def _label(name: str) -> str:
    return name.replace("_", " ")


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        return number(float(value), 3)
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return ", ".join(f"{_label(str(name))} {_cell(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_cell, value)) or "none"
    return str(value)


def _table(table: Embeddings) -> Part:
    source = table.source
    return {
        "name": source.name,
        "key": source.key,
        "format": source.format,
        "rows": f"{len(table):,}",
        "d": f"{table.dimensions:,}",
        "dtype": source.dtype,
        "sha256": source.sha256(),
    }


def _p(value: float) -> str:
    return "below 0.001" if value < 0.001 else number(value, 3)
