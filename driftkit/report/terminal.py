"""A whole audit as people read it in a terminal; nothing here computes a value."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType

from driftkit.display import Text, counted, section, table, unwrapped
from driftkit.findings import Findings
from driftkit.neighbors import Shift
from driftkit.report.benchmarks import broken_view, null_view
from driftkit.report.drift import bands_view, drift_view
from driftkit.report.words import one_line_each, side_by_side

VERDICT_STYLE = {
    "do not ship": "bold red",
    "ship with care": "bold cyan",
    "undecided": "bold yellow",
    "safe to ship": "bold green",
    "unchanged": "bold yellow",
}

STATUS_STYLE = {"kept": "green", "changed": "cyan", "broken": "red", "not tested": "yellow"}


def audit_view(
    findings: Findings,
    top: int,
    words: Sequence[str] = (),
    *,
    bands: bool = False,
    explain: bool = False,
    link: str | None = "dk.link(pair)",
) -> RenderableType:
    """The whole picture: verdict, benchmarks, drift, and chosen words or the most shifted ones.

    `link` is what asks whether a map mends a link that is not kept, if anything does.
    """
    noun = findings.noun
    parts = [_head(findings), _questions(findings)]
    if link is not None and findings.finding("link").status != "kept":
        said = "A map may mend the link; this fits one, or says why none helps:"
        parts += [Text(""), Text(said), unwrapped(f"  {link}")]
    if findings.scores:
        parts.append(section("What the benchmarks say", findings.scores))
    if (broken := broken_view(findings.scores)) is not None:
        parts.append(broken)
    if findings.null is not None and findings.scores:
        parts.append(null_view(findings, findings.null))
    parts.append(drift_view(findings))
    if bands:
        parts.append(bands_view(findings))
    if words:
        shown = side_by_side(findings, findings.shifts_of(words))
        parts.append(section(f"{noun}s asked about".capitalize(), shown))
    elif top:
        moved, unmoved = _most_shifted(findings, top)
        if moved:
            shown = side_by_side(findings, moved)
            parts.append(section(f"Moved {noun}s that kept the fewest neighbors", shown))
        if unmoved:
            shown = one_line_each(findings, unmoved)
            parts.append(
                section(f"{noun}s that did not move but lost neighbors".capitalize(), shown)
            )
    if explain:
        parts.append(findings.explain(top))
    return Group(*parts)


def _most_shifted(findings: Findings, top: int) -> tuple[list[Shift], list[Shift]]:
    """Return the moved, and the unmoved, words that are shown unasked."""
    return findings.most_shifted(top, moved=True), findings.most_shifted(2 * top, moved=False)


def shown_words(findings: Findings, top: int) -> list[Shift]:
    """Return the words that `audit_view` shows if none are asked about."""
    moved, unmoved = _most_shifted(findings, top)
    return [*moved, *unmoved]


def _head(findings: Findings) -> RenderableType:
    pair = findings.pair
    return Group(
        Text(f"{pair.tuned.source.name} against {pair.original.source.name}", "bold"),
        Text(findings.headline, VERDICT_STYLE[findings.verdict]),
        Text(compared(findings), "dim"),
        *(Text(note, "yellow") for note in reading_notes(findings)),
    )


def compared(findings: Findings) -> str:
    """Say what was compared: how many rows, and what counts as moved."""
    pair, noun = findings.pair, findings.noun
    counts = [
        counted(len(pair), f"shared {noun}"),
        f"{int(pair.moved.sum()):,} moved",
        f"{len(pair.added):,} added",
        f"{len(pair.removed):,} removed",
        f"{int(pair.zero.sum()):,} with a zero row",
    ]
    return f"{', '.join(counts)}. Moved means {pair.tolerance}."


def reading_notes(findings: Findings) -> list[str]:
    """Say of each table that was repaired as it was read how often, and the first time how."""
    notes = []
    for side in (findings.pair.original, findings.pair.tuned):
        if side.problems:
            first, count = side.problems[0], len(side.problems)
            many = counted(count, "note")
            said = f"{many} from reading it, such as {first.kind}: {first.detail}."
            notes.append(f"{side.source.name}: {said}")
    return notes


def _questions(findings: Findings) -> RenderableType:
    """The six questions, a line each."""
    made = table("question", "status")
    made.add_column("answer", overflow="fold")
    for each in findings.findings:
        status = Text(each.status, STATUS_STYLE[each.status])
        made.add_row(each.question, status, each.sentence)
    return Group(Text(""), made)
