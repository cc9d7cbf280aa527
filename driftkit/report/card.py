"""An audit as a section of a model card, and as what the Hugging Face Hub reads of one.

The Hub reads scores in two places. Files in ``.eval_results/`` are the newer one: each entry names
a data set of the Hub that is registered as a benchmark, and a task of it. The older one, the
``model-index`` of the card's metadata, takes any name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

from driftkit.display import counted, interval, joined, number, signed
from driftkit.errors import OptionError, UnknownNameError
from driftkit.escaping import printable, to_json
from driftkit.evaluators import ScoreChange
from driftkit.findings import Findings
from driftkit.markdown import cells, code, prose
from driftkit.provenance import Source
from driftkit.report.not_looked_at import not_looked_at

DIGITS = 4
"""Of a score: more would differ from one processor to the next."""

_HUB_TASK = re.compile(r"([\w.-]+/[\w.-]+):([\w.-]+)", re.ASCII)


def card_section(findings: Findings) -> str:
    """Return the section in Markdown: what was compared, the verdict, and what it rests on."""
    return "\n".join(_section(findings)) + "\n"


def front_matter(findings: Findings, name: str) -> str:
    """Return the metadata of a card of that name, the scores of the tuned table."""
    require_name(name)
    return f"---\n{to_yaml({'model-index': model_index(findings, name)})}---\n"


def require_name(name: str) -> None:
    """Refuse a name of a model that a card could not show as it is."""
    if not name.strip() or printable(name) != name:
        raise OptionError(
            f"{name!r} was given as the name of the model; give one that can be read, of "
            "visible characters and at most 200 letters without a blank."
        )


def model_index(findings: Findings, name: str) -> list[dict[str, Any]]:
    """Return the ``model-index`` of a model of that name: each score that could be measured."""
    results = [
        {
            "task": {"type": "feature-extraction"},
            "dataset": {"name": change.name, "type": change.name},
            "metrics": [
                {
                    "type": change.measure,
                    "value": _value(change),
                    "name": f"{change.measure} ({number(change.original, 3)} before fine-tuning)",
                }
            ],
        }
        for change in findings.scores
        if _is_measured(change)
    ]
    return [{"name": name, "results": results}]


def eval_results(findings: Findings, datasets: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the entries of a file in ``.eval_results/``: benchmarks by what the Hub calls them.

    The notes of each say what was measured on how many items, and the change from the original.
    """
    changes: dict[str, list[ScoreChange]] = {}
    for change in findings.scores:
        changes.setdefault(change.name, []).append(change)
    return [_entry(name, place, changes) for name, place in datasets.items()]


def hub_task(name: str, place: str) -> tuple[str, str]:
    """Return the data set of the Hub and its task that a benchmark is said to be."""
    known = _HUB_TASK.fullmatch(place)
    if known is None:
        raise OptionError(
            f"{name} is given as {place!r} on the Hub; write the data set and its task as "
            "OWNER/NAME:TASK, as the eval.yaml of the data set names the task."
        )
    return known[1], known[2]


def _entry(name: str, place: str, changes: Mapping[str, list[ScoreChange]]) -> dict[str, Any]:
    dataset, task = hub_task(name, place)
    if name not in changes:
        raise UnknownNameError("benchmark", name, changes)
    if len(changes[name]) > 1:
        measures = joined(change.measure for change in changes[name])
        raise OptionError(f"{name} was scored by {measures}; audit the one that {place} takes.")
    (change,) = changes[name]
    if not _is_measured(change):
        raise OptionError(f"{name} has no score for {place}: {change.reason}.")
    between = interval(change.ci_low, change.ci_high)
    return {
        "dataset": {"id": dataset, "task_id": task},
        "value": _value(change),
        "notes": (
            f"{change.measure} on {change.n_used:,} of {change.n_total:,} items; "
            f"{number(change.original, 3)} before fine-tuning, change {signed(change.delta)} "
            f"(95 % interval {between}): {change.status}; driftkit {version('driftkit')}"
        ),
    }


def to_yaml(value: Any) -> str:
    """Write lists and objects of texts and numbers as YAML; texts are quoted as in JSON.

    Examples
    --------
    >>> print(to_yaml([{"dataset": {"id": "owner/name"}, "value": 0.5}]), end="")
    - dataset:
        id: "owner/name"
      value: 0.5
    """
    return "".join(f"{line}\n" for line in _yaml(value))


def _yaml(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            first, *rest = _yaml(each)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
        return
    for key, each in value.items():
        if isinstance(each, dict | list) and each:
            yield f"{key}:"
            yield from (f"  {line}" for line in _yaml(each))
        else:
            yield f"{key}: {to_json(printable(each) if isinstance(each, str) else each)}"


def _is_measured(change: ScoreChange) -> bool:
    return change.tuned == change.tuned


def _value(change: ScoreChange) -> float:
    return round(change.tuned, DIGITS)


def _section(findings: Findings) -> Iterator[str]:
    pair, noun, settings = findings.pair, findings.noun, findings.settings
    sources = (pair.original.source, pair.tuned.source)
    original, tuned = map(_public_name, sources)

    def said(text: str) -> str:
        for source in sources:
            text = text.replace(source.name, _public_name(source))
        return prose(text)

    verdict, _, reasons = findings.headline.partition(": ")
    yield from ("## What fine-tuning changed", "")
    yield (
        f"{code(tuned)} was compared with {code(original)}, which it was tuned from: "
        f"{counted(len(pair), f'shared {noun}')}, {int(pair.moved.sum()):,} moved, "
        f"{len(pair.added):,} added, {len(pair.removed):,} removed."
    )
    yield from ("", f"**{verdict}:** {said(reasons)}", "")
    yield from ("| question | status | answer |", "|---|---|---|")
    for finding in findings.findings:
        yield cells(finding.question, finding.status, said(finding.sentence))
    if findings.scores:
        yield from ("", "### Benchmarks", "")
        yield "| benchmark | measure | items | before | after | change | 95 % interval | verdict |"
        yield "|---|---|--:|--:|--:|--:|--:|---|"
        yield from map(_row, findings.scores)
        margins = {change.measure: change.margin for change in findings.scores}
        least = ", ".join(f"{margin:g} ({measure})" for measure, margin in margins.items())
        yield from ("", prose(f"A change counts if it is at least {least}."))
    yield from ("", "### What was not looked at", "")
    yield from (f"- {said(sentence)}" for sentence in not_looked_at(findings))
    yield from ("", "<details><summary>How it was measured</summary>", "")
    yield (
        f"driftkit {version('driftkit')}; {counted(settings.k, 'neighbor')} among "
        f"{counted(len(findings.shifts.candidates), 'candidate')}; {settings.resamples:,} "
        f"resamples, seed {settings.seed}. Moved means {prose(pair.tolerance)}."
    )
    yield ""
    for source in sources:
        yield f"- {code(_public_name(source))}, sha256 {source.sha256() or 'not known'}"
    yield from ("", "</details>")


def _public_name(source: Source) -> str:
    """Name a table without its folders, which are nobody's business once a card is published."""
    folder = "" if source.path is None else f"{source.path.parent}{os.sep}"
    return source.name.removeprefix(folder)


def _row(change: ScoreChange) -> str:
    return cells(
        code(change.name),
        code(change.measure),
        f"{change.n_used:,} of {change.n_total:,}",
        number(change.original, 3),
        number(change.tuned, 3),
        signed(change.delta),
        interval(change.ci_low, change.ci_high),
        change.status,
    )
