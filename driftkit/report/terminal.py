"""What people read in a terminal.

Every function returns something rich can print; nothing here computes a figure or prints one.
Signs carry the meaning and color only repeats it: ``-`` lost, ``+`` gained, ``=`` kept.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from driftkit.auditing import Audit
    from driftkit.demo import Recipe, Task
    from driftkit.evaluators import ScoreChange, Scores
    from driftkit.loaders import Inspection
    from driftkit.neighbors import NeighborShifts
    from driftkit.neighbors.shifts import Shift

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
WIDEST_WORD = 15
SHOWN = 3
"""Neighbors named where a word gets one line."""


def to_text(view: Audit | RenderableType, width: int = 100) -> str:
    """Render a view, or an audit, as plain text without color."""
    from driftkit.auditing import Audit

    out = io.StringIO()
    shown = audit_view(view, top=5) if isinstance(view, Audit) else view
    console = Console(file=out, width=width, color_system=None, highlight=False, markup=False)
    console.print(shown)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def audit_view(audit: Audit, top: int, words: Sequence[str] = ()) -> RenderableType:
    """The whole picture: verdict, rows, benchmarks, drift, words.

    Parameters
    ----------
    audit : Audit
    top : int
        How many of the most shifted words to show.
    words : sequence of str, optional
        Words to show instead of the most shifted ones.
    """
    parts: list[RenderableType] = [_head(audit), _benchmarks(audit), _drift(audit)]
    if words:
        parts.append(_section("Words asked about", _blocks(audit, audit.shifts_of(words))))
    elif top:
        moved = audit.most_shifted(top, moved=True)
        if moved:
            parts.append(
                _section("Moved words that kept the fewest neighbors", _blocks(audit, moved))
            )
        unmoved = audit.most_shifted(2 * top, moved=False)
        if unmoved:
            parts.append(
                _section(
                    "Words that never moved and lost neighbors all the same",
                    _unmoved(audit, unmoved),
                )
            )
    return Group(*parts)


def shifts_view(shifts: NeighborShifts) -> RenderableType:
    """Neighbors of each word before and after, side by side."""
    share, ranked = shifts.measures
    return Columns(
        [
            _block(shift, f"{share} {_number(shift.overlap)}, {ranked} {_number(shift.rbo)}")
            for shift in shifts
        ],
        padding=(0, 3),
    )


def scores_view(scores: Scores) -> RenderableType:
    """Benchmarks of one or more tables."""
    table = _table()
    several = len({score.source for score in scores}) > 1
    columns = ["source"] if several else []
    for name in [*columns, "benchmark", "measure"]:
        table.add_column(name, overflow="fold")
    for name in ("score", "used", "of", "OOV words"):
        table.add_column(name, justify="right")
    for score in scores:
        name = score.benchmark if score.category is None else f"  {score.category}"
        cells = [
            name,
            score.measure,
            _number(score.value, 4),
            f"{score.n_used:,}",
            f"{score.n_total:,}",
            f"{len(score.oov):,}",
        ]
        table.add_row(*([score.source] if several else []), *cells)
    return Group(table, *_reasons((s.benchmark, s.reason) for s in scores if s.category is None))


def inspection_view(inspection: Inspection) -> RenderableType:
    """Tensors of a file that look like word tables, and the command to run next."""
    parts: list[RenderableType] = [Text(f"{inspection.source}: {inspection.format}", "bold")]
    if inspection.words is not None:
        parts.append(Text(f"vocabulary: {inspection.vocabulary}, {inspection.words:,} words"))
    if inspection.tables:
        table = _table("tensor", "type", "vocabulary", right=("rows", "d", "zero rows"))
        fits = {True: "fits", False: "does not fit", None: "none found"}
        for info in inspection.tables:
            rows, d = info.shape
            table.add_row(
                info.key or "-",
                info.dtype,
                fits[info.fits],
                f"{rows:,}",
                str(d),
                f"{info.zero_share:.1%}",
            )
        parts.append(table)
    parts += [Text(f"problem: {problem}", "yellow") for problem in inspection.problems]
    if inspection.tables:
        parts.append(Text(f"next: {inspection.command()}", "bold"))
    return Group(*parts)


def demo_view(task: Task, correlations: Sequence[tuple[Recipe, float]]) -> RenderableType:
    """How well each recipe does the demo's task."""
    held_out = int(task.held_out.sum())
    table = _table("recipe", "what it does", right=("held-out r",))
    for recipe, correlation in correlations:
        table.add_row(recipe.name, recipe.summary, _number(correlation, 3))
    return _section(
        f"Predicting the valence of {held_out:,} held-out words "
        f"after training on {len(task.rows) - held_out:,}",
        table,
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
    for table in (pair.original, pair.tuned):
        if table.problems:
            first = table.problems[0]
            lines.append(
                Text(
                    f"{table.source.name}: {len(table.problems):,} rows needed repair, such as "
                    f"{first.kind}: {first.detail}.",
                    "yellow",
                )
            )
    return Group(*lines)


def _benchmarks(audit: Audit) -> RenderableType:
    table = _table("", "benchmark", "measure", right=("n", "before", "after", "change"))
    table.add_column("95 % interval", justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for change in audit.scores:
        sign, style = STATUS_STYLE[change.status]
        table.add_row(
            Text(sign, style),
            change.name,
            change.measure,
            f"{change.n_used:,}",
            _number(change.original, 3),
            _number(change.tuned, 3),
            _signed(change.delta),
            _interval(change.ci_low, change.ci_high),
            Text(change.status, style),
        )
    margins = {change.measure: change.margin for change in audit.scores}
    note = "A change counts from " + ", ".join(f"{v:g} ({k})" for k, v in margins.items()) + " on."
    return _section(
        "What the benchmarks say",
        table,
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
        *_reasons((change.name, change.reason) for change in audit.scores),
    )


def _split(changes: Iterable[ScoreChange]) -> RenderableType:
    table = _table("by words of an item that moved")
    for group in ("none", "some", "all"):
        table.add_column(group, justify="right", no_wrap=True)
    for change in changes:
        table.add_row(
            change.name, *(f"{_signed(part.delta)} (n {part.n:,})" for part in change.split)
        )
    return table


def _drift(audit: Audit) -> RenderableType:
    table = _table("measure", right=("all", "moved", "unmoved"))
    summaries: dict[str, dict[str, str]] = {}
    for row in audit.summaries():
        summaries.setdefault(f"{row.measure}, mean", {})[row.group] = _number(row.mean, 3)
    for figure in audit.space:
        name = figure.measure if figure.of == "pair" else f"{figure.measure}, {figure.of}"
        summaries.setdefault(name, {})[figure.group] = _number(figure.value, 3)
    for name, groups in summaries.items():
        table.add_row(name, *(groups[group] for group in ("all", "moved", "unmoved")))
    shifts = audit.shifts
    note = f"Neighbors: {len(shifts.words):,} words among {len(shifts.candidates):,} candidates."
    return _section("How far it moved", table, Text(note, "dim"))


def _blocks(audit: Audit, shifts: Iterable[Shift]) -> RenderableType:
    blocks = []
    for shift in shifts:
        row = audit.pair.index[shift.word]
        rank = int(audit.pair.original_rows[row]) + 1
        cosine = _number(float(audit.words.self_cosine[row]))
        blocks.append(_block(shift, f"rank {rank:,}, self_cosine {cosine}"))
    return Columns(blocks, padding=(0, 3))


def _block(shift: Shift, caption: str) -> Table:
    """One word: neighbors before on the left, after on the right."""
    table = Table(box=None, padding=(0, 1, 0, 0), show_edge=False)
    table.title = _caption(shift.word, caption)
    table.title_justify = "left"
    table.title_style = ""
    for side in ("before", "after"):
        table.add_column("", width=1)
        table.add_column(side, width=WIDEST_WORD, no_wrap=True, overflow="ellipsis")
    lost, gained = set(shift.lost), set(shift.gained)
    for rank in range(max(len(shift.before), len(shift.after))):
        row: list[Text] = []
        for neighbors, changed, sign, style in (
            (shift.before, lost, "-", "red"),
            (shift.after, gained, "+", "cyan"),
        ):
            name = neighbors[rank][0] if rank < len(neighbors) else ""
            if name in changed:
                row += [Text(sign, style), Text(name, style)]
            else:
                row += [Text("=" if name else ""), Text(name)]
        table.add_row(*row)
    if shift.reason:
        table.caption = Text(shift.reason, "yellow")
    return table


def _unmoved(audit: Audit, shifts: Iterable[Shift]) -> RenderableType:
    table = _table("word", right=("rank", "kept"))
    table.add_column("lost", overflow="fold")
    table.add_column("gained", overflow="fold")
    for shift in shifts:
        table.add_row(
            shift.word,
            f"{int(audit.pair.original_rows[audit.pair.index[shift.word]]) + 1:,}",
            f"{len(shift.kept)}/{len(shift.before)}",
            Text(_tagged("-", shift.lost), "red"),
            Text(_tagged("+", shift.gained), "cyan"),
        )
    return table


def _tagged(sign: str, words: Sequence[str]) -> str:
    """Name the first few words, each with its sign, and count the rest."""
    rest = len(words) - SHOWN
    more = f" ({rest} more)" if rest > 0 else ""
    return " ".join(f"{sign}{word}" for word in words[:SHOWN]) + more


def _caption(word: str, caption: str) -> Text:
    return Text.assemble((word, "bold"), "\n", (caption, "dim"))


def _section(title: str, *parts: RenderableType) -> RenderableType:
    return Group(Text(""), Text(title, "bold"), *parts)


def _table(*left: str, right: Sequence[str] = ()) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False)
    for name in left:
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    for name in right:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _reasons(pairs: Iterable[tuple[str, str | None]]) -> list[RenderableType]:
    lines = dict.fromkeys(f"{name}: {reason}" for name, reason in pairs if reason)
    return [Text(f"Not measured: {line}.", "yellow") for line in lines]


def _number(value: float, digits: int = 2) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def _signed(value: float) -> str:
    """Write a change with its sign; one that rounds to zero has none."""
    if math.isnan(value):
        return "-"
    text = f"{value:+.3f}"
    return "0.000" if float(text) == 0 else text


def _interval(low: float, high: float) -> str:
    return "-" if math.isnan(low) else f"{_signed(low)} to {_signed(high)}"
