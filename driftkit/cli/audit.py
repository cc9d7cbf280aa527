"""``driftkit audit``: the whole picture."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from driftkit.cli import options, output
from driftkit.cli.completion import files
from driftkit.cli.group import BROKEN_RULE
from driftkit.cli.help import Command
from driftkit.cli.tables import Composer, audits, gather_words

if TYPE_CHECKING:
    from driftkit.audits import Audit
    from driftkit.thresholds import TranslatedThreshold

FAILING = (
    "do not ship", "undecided", "ship with care", "unchanged",
    "lost", "gained", "inconclusive", "not tested", "not measured",
)  # fmt: skip
"""What --fail-on takes: verdicts of an audit, then those of a benchmark."""

CUT_OFFS, CUT_OFF_ITEMS = (0.5, 0.6, 0.7, 0.8, 0.9), 2_000
"""Cosines that a report carries over to the tuned table, by all pairs of so many items."""


@click.command(
    "audit",
    cls=Command,
    examples=(
        "audit original.npy tuned.pt",
        "audit original.npy hot.pt staged.pt --top 2",
        "audit original.npy tuned.pt -w good -w bad --explain",
        'audit original.npy tuned.pt --fail-on "do not ship" --json out.json',
        "audit before.parquet after.parquet -b none",
    ),
    epilog=options.SOURCE_HELP,
)
@click.argument("original", shell_complete=files)
@click.argument("tuned", shell_complete=files, nargs=-1, required=True)
@options.audit_options
@options.limit_option
@options.compose_option
@click.option(
    "--null",
    is_flag=True,
    help="Audit random moves of the same size as well, to compare every value with.",
)
@click.option("--bands", is_flag=True, help="Show the values by rank of the words, too.")
@click.option(
    "--explain",
    is_flag=True,
    help="Tell why neighbors changed, in which directions words moved, and which moved together.",
)
@options.number_option("--top", default=6, least=0, help="Number of words to show.")
@click.option(
    "-w", "--words", multiple=True, metavar="WORD", help="Show this word; may be repeated."
)
@options.words_options
@options.texts_option
@click.option(
    "--fail-on",
    multiple=True,
    type=click.Choice(FAILING),
    metavar="VERDICT",
    help=f"Exit with 1 at this verdict of the audit or a benchmark: {', '.join(FAILING)}; may be "
    "repeated.",
)
@options.output_option(
    "--html",
    "html_to",
    stdout=False,
    help="Write a report as one HTML file that opens from disk, offline.",
)
@click.option(
    "--link",
    "with_link",
    is_flag=True,
    help="Show in the report whether what reads the original can read the tuned table, as "
    "`driftkit link` does, with cut-offs carried over.",
)
@options.json_option
@options.common_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    original: str,
    tuned: tuple[str, ...],
    *,
    compose: str | None,
    bands: bool,
    explain: bool,
    top: int,
    words: tuple[str, ...],
    words_from: str | None,
    fail_on: tuple[str, ...],
    html_to: str | None,
    with_link: bool,
    json_to: str | None,
    **audit_options: Any,
) -> None:
    """Audit TUNED tables against the ORIGINAL one they were fine-tuned from.

    Says which words moved, what general knowledge was lost, retained or gained, and whose
    neighbors changed, and begins with one sentence that sums it up. Several TUNED tables are
    audited one after the other, sharing all work on the original, and then shown side by side.
    """
    from rich.console import Group

    from driftkit.display import Text
    from driftkit.report.checkpoints import checkpoint_view
    from driftkit.report.document import one_or_several
    from driftkit.report.terminal import audit_view

    if with_link and html_to is None:
        raise click.UsageError("--link is for the report; give --html FILE too.")
    if html_to is not None:
        from driftkit.report.page.render import require_libraries

        require_libraries()  # before the long work
    asked = gather_words(words, words_from)
    messages = output.Messages()
    composer = Composer(audit_options["benchmarks"], asked, messages) if compose else None
    found = audits(original, tuned, messages, words=asked, composer=composer, **audit_options)
    if html_to is not None:
        _write_page(found, html_to, messages, with_link=with_link)
    documents = []
    if json_to is not None:
        documents = [each.to_dict(explain=explain, words=asked) for each in found]

    def view() -> Group:
        asking = _asking_for_the_link(original, tuned)
        views = (
            audit_view(each, top, asked, bands=bands, explain=explain, link=link)
            for each, link in zip(found, asking, strict=True)
        )
        parts = [part for each in views for part in (each, Text(""))]
        return Group(*parts, *([checkpoint_view(found)] if len(found) > 1 else []))

    output.show(view, one_or_several(documents), json_to)
    if any(each.verdict in fail_on or each.status(*fail_on) for each in found):
        ctx.exit(BROKEN_RULE)


def _write_page(
    found: Sequence[Audit], html_to: str, messages: output.Messages, *, with_link: bool
) -> None:
    """Write the report of the audits, with the link of each if that is asked for."""
    from driftkit import link
    from driftkit.report.page.build import write_page

    links, thresholds = None, None
    if with_link:
        with messages.stage("link"):
            links = [link(each.pair, seed=each.settings.seed) for each in found]
            thresholds = [_carried_over(each) for each in found]
    with messages.stage("report"):
        write_page(html_to, found, links=links, thresholds=thresholds)


def _carried_over(found: Audit) -> list[TranslatedThreshold]:
    """Carry over those cut-offs that enough pairs pass."""
    from driftkit import translate_threshold
    from driftkit.errors import AlignmentError, OptionError

    carried = []
    for cut in CUT_OFFS:
        with suppress(AlignmentError, OptionError):  # too few items, or pairs on one side
            carried.append(
                translate_threshold(
                    found.pair, cut, candidates=CUT_OFF_ITEMS, seed=found.settings.seed
                )
            )
    return carried


def _asking_for_the_link(original: str, tuned: tuple[str, ...]) -> list[str | None]:
    """Return the `driftkit link` for each table, read in the same way; None where it reads none."""
    from driftkit.cli.link import command as link
    from driftkit.display import argument

    ctx = click.get_current_context()
    if ctx.params["items"] or ctx.params["compose"]:
        return [None] * len(tuned)
    taken = {param.name for param in link.params} - {"json_to", "seed"}
    others = {param.name or "" for param in ctx.command.params} - taken
    typed = options.repeated(*others)
    return [
        " ".join(["driftkit link", argument(original), argument(each), *typed]) for each in tuned
    ]
