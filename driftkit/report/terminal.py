"""What people read in a terminal.

Every function returns something rich can print; nothing here computes a figure or prints one.
Signs carry the meaning and color only repeats it: ``-`` lost, ``+`` gained, ``=`` kept.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.text import Text

from driftkit.report.broken import broken_view
from driftkit.report.drift import bands_view, drift_view, null_benchmarks_view
from driftkit.report.explained import explained_view
from driftkit.report.tables import interval, number, reasons, section, signed, table
from driftkit.report.words import one_line_each, side_by_side_in

if TYPE_CHECKING:
    from driftkit.audits import Audit
    from driftkit.demo import Recipe, Task
    from driftkit.evaluators import ScoreChange, Scores
    from driftkit.loaders import Inspection

STATUS_STYLE = {
    "lost": ("-", "bold red"),
    "gained": ("+", "bold cyan"),
    "retained": ("=", "green"),
    "inconclusive": ("?", "yellow"),
    "not measured": ("?", "yellow"),
}
VERDICT_STYLE = {
    "do not ship": "bold red",
    "ship with care": "bold cyan",
    "undecided": "bold yellow",
    "safe to ship": "bold green",
}


def to_text(view: Audit | RenderableType, width: int = 100) -> str:
    """Render a view, or an audit, as plain text without color."""
    from driftkit.audits import Audit

    out = io.StringIO()
    shown = audit_view(view, top=5) if isinstance(view, Audit) else view
    console = Console(
        file=out,
        width=width,
        color_system=None,
        highlight=False,
        markup=False,
        force_jupyter=False,  # in a notebook rich would display the text instead of writing it
    )
    console.print(shown)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def audit_view(
    audit: Audit,
    top: int,
    words: Sequence[str] = (),
    *,
    bands: bool = False,
    explain: bool = False,
) -> RenderableType:
    """The whole picture: verdict, rows, benchmarks, drift, words.

    Parameters
    ----------
    audit : Audit
    top : int
        How many of the most shifted words to show.
    words : sequence of str, optional
        Words to show instead of the most shifted ones.
    bands : bool
        Whether to show the figures by rank of the words, too.
    explain : bool
        Whether to tell why neighbors changed and where words moved to.
    """
    parts: list[RenderableType] = [_head(audit), _benchmarks(audit)]
    if (broken := broken_view(audit.scores)) is not None:
        parts.append(broken)
    if audit.null is not None:
        parts.append(null_benchmarks_view(audit, audit.null))
    parts.append(drift_view(audit))
    if bands:
        parts.append(bands_view(audit))
    if words:
        parts.append(section("Words asked about", side_by_side_in(audit, audit.shifts_of(words))))
    elif top:
        moved = audit.most_shifted(top, moved=True)
        if moved:
            parts.append(
                section("Moved words that kept the fewest neighbors", side_by_side_in(audit, moved))
            )
        unmoved = audit.most_shifted(2 * top, moved=False)
        if unmoved:
            parts.append(
                section(
                    "Words that never moved and lost neighbors all the same",
                    one_line_each(audit, unmoved),
                )
            )
    if explain:
        parts.append(explained_view(audit.explain(top)))
    return Group(*parts)


def scores_view(scores: Scores) -> RenderableType:
    """Benchmarks of one or more tables."""
    made = table()
    several = len({score.source for score in scores}) > 1
    columns = ["source"] if several else []
    for name in [*columns, "benchmark", "measure"]:
        made.add_column(name, overflow="fold")
    for name in ("score", "used", "of", "OOV words"):
        made.add_column(name, justify="right")
    for score in scores:
        name = score.benchmark if score.category is None else f"  {score.category}"
        cells = [
            name,
            score.measure,
            number(score.value, 4),
            f"{score.n_used:,}",
            f"{score.n_total:,}",
            f"{len(score.oov):,}",
        ]
        made.add_row(*([score.source] if several else []), *cells)
    return Group(made, *reasons((s.benchmark, s.reason) for s in scores if s.category is None))


def inspection_view(inspection: Inspection) -> RenderableType:
    """Tensors of a file that look like word tables; `Inspection.command` says what to run next."""
    parts: list[RenderableType] = [Text(f"{inspection.source}: {inspection.format}", "bold")]
    if inspection.words is not None:
        parts.append(Text(f"vocabulary: {inspection.vocabulary}, {inspection.words:,} words"))
    if inspection.tables:
        made = table("tensor", "type", "vocabulary", right=("rows", "d", "zero rows"))
        fits = {True: "fits", False: "does not fit", None: "none found"}
        for info in inspection.tables:
            rows, d = info.shape
            made.add_row(
                info.key or "-",
                info.dtype,
                fits[info.fits],
                f"{rows:,}",
                str(d),
                f"{info.zero_share:.1%}",
            )
        parts.append(made)
        parts += [
            Text(f"{info.key or 'the table'} holds the same numbers as {info.equals}")
            for info in inspection.tables
            if info.equals
        ]
        if inspection.original is not None:
            found = {True: "equals", False: "differs from", None: "shares no word looked at with"}
            parts += [
                Text(f"{info.key or 'the table'} {found[info.equals_original]} the original")
                for info in inspection.tables
            ]
    if inspection.others:
        others = f"{inspection.others:,} further matrices do not look like word tables"
        parts.append(Text(others, "dim"))
    parts += [Text(f"problem: {problem}", "yellow") for problem in inspection.problems]
    return Group(*parts)


def demo_view(task: Task, correlations: Sequence[tuple[Recipe, float]]) -> RenderableType:
    """How well each recipe does the demo's task."""
    held_out = int(task.held_out.sum())
    made = table("recipe", "what it does", right=("r",))
    for recipe, correlation in correlations:
        made.add_row(recipe.name, recipe.summary, number(correlation, 3))
    return section(
        f"Predicting the valence of {held_out:,} held-out words "
        f"after training on {len(task.rows) - held_out:,}",
        made,
        Text(
            "Every training word is its own row, so tuning the table cannot help words held out; "
            "what it does to the table is what the audits below show.",
            "dim",
        ),
    )


def _head(audit: Audit) -> RenderableType:
    pair = audit.pair
    names = f"{pair.tuned.source.name} against {pair.original.source.name}"
    rows = [
        f"{len(pair):,} shared words",
        f"{int(pair.moved.sum()):,} moved",
        f"{len(pair.added):,} added",
        f"{len(pair.removed):,} removed",
        f"{int(pair.zero.sum()):,} with a zero row",
    ]
    lines: list[RenderableType] = [
        Text(names, "bold"),
        Text(audit.headline, VERDICT_STYLE[audit.verdict]),
        Text(", ".join(rows) + f". Moved means {pair.tolerance}.", "dim"),
    ]
    for side in (pair.original, pair.tuned):
        if side.problems:
            first = side.problems[0]
            lines.append(
                Text(
                    f"{side.source.name}: {len(side.problems):,} notes from reading it, such as "
                    f"{first.kind}: {first.detail}.",
                    "yellow",
                )
            )
    return Group(*lines)


def _benchmarks(audit: Audit) -> RenderableType:
    made = table("benchmark", "measure", right=("n", "before", "after", "change"))
    made.add_column("95 % interval", justify="right", no_wrap=True)
    made.add_column("verdict", no_wrap=True)
    for change in audit.scores:
        sign, style = STATUS_STYLE[change.status]
        made.add_row(
            change.name,
            change.measure,
            f"{change.n_used:,}",
            number(change.original, 3),
            number(change.tuned, 3),
            signed(change.delta),
            interval(change.ci_low, change.ci_high),
            Text(f"{sign} {change.status}", style),
        )
    margins = {change.measure: change.margin for change in audit.scores}
    note = "A change counts from " + ", ".join(f"{v:g} ({k})" for k, v in margins.items()) + " on."
    return section(
        "What the benchmarks say",
        made,
        _split(audit.scores),
        Text(note, "dim"),
        *(
            Text(
                f"{change.name}: {change.n_used:,} of {change.n_total:,} items answered; "
                f"{len(change.oov):,} words are not in both tables.",
                "dim",
            )
            for change in audit.scores
            if change.n_used < change.n_total
        ),
        *reasons((change.name, change.reason) for change in audit.scores),
    )


def _split(changes: Iterable[ScoreChange]) -> RenderableType:
    made = table("moved words")
    for group in ("none", "some", "all"):
        made.add_column(group, justify="right", no_wrap=True)
    for change in changes:
        made.add_row(
            change.name, *(f"{signed(part.delta)} (n {part.n:,})" for part in change.split)
        )
    return made
