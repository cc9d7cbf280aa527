"""``driftkit audit``: the whole picture."""

from __future__ import annotations

from typing import Any

import click

from driftkit.cli import judging, options
from driftkit.cli.group import BROKEN_RULE
from driftkit.defaults import CANDIDATES, RESAMPLES


@click.command("audit", epilog=options.SOURCE_HELP)
@click.argument("original")
@click.argument("tuned", nargs=-1, required=True)
@options.pair_options
@options.limit_option
@options.compose_option
@options.benchmark_option
@options.k_option
@judging.measure_option
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
@click.option(
    "--candidates",
    type=click.IntRange(1),
    default=CANDIDATES,
    show_default=True,
    help="Seek neighbors among this many of the first words, and as many moved ones.",
)
@click.option("--top", type=click.IntRange(0), default=6, show_default=True, help="Words to show.")
@click.option("-w", "--words", "words", multiple=True, help="Show this word; may be repeated.")
@options.words_options
@click.option(
    "--resamples",
    type=click.IntRange(100),
    default=RESAMPLES,
    show_default=True,
    help="Bootstrap resamples behind each interval.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option(
    "--fail-on",
    multiple=True,
    type=click.Choice(["lost", "gained", "inconclusive", "not measured"]),
    help="Exit with 1 when a benchmark has this verdict; may be repeated.",
)
@options.json_option
@options.quiet_option
@click.pass_context
def command(
    ctx: click.Context,
    original: str,
    tuned: tuple[str, ...],
    *,
    vocab: str | None,
    original_vocab: str | None,
    unsafe_pickle: bool,
    limit: int | None,
    compose: str | None,
    benchmarks: tuple[str, ...],
    k: int,
    measures: tuple[str, ...],
    null: bool,
    bands: bool,
    explain: bool,
    candidates: int,
    top: int,
    words: tuple[str, ...],
    words_from: str | None,
    resamples: int,
    seed: int,
    fail_on: tuple[str, ...],
    json_to: str | None,
    quiet: bool,
) -> None:
    """Audit TUNED tables against the ORIGINAL one they were fine-tuned from.

    Says which words moved, what general knowledge was lost, retained or gained, and whose
    neighbors changed, with one sentence at the head. Several TUNED tables are audited in
    turn, sharing all work on the original, and then shown side by side.
    """
    from rich.console import Group
    from rich.text import Text

    from driftkit import audit, load
    from driftkit.measures.requested import requested_measures
    from driftkit.report.checkpoints import checkpoint_view
    from driftkit.report.terminal import audit_view

    requested_measures(measures, k)  # a wrong name is told before the long work
    asked = options.gather_words(words, words_from)
    show = options.Progress(quiet)
    with show.stage(f"reading {original}") as progress:
        table = load(
            original,
            vocab=original_vocab,
            limit=limit,
            unsafe_pickle=unsafe_pickle,
            progress=progress,
        )
    composing = options.Composing(benchmarks, asked, show) if compose else None
    table = table if composing is None else composing(table)
    memo: dict[Any, Any] = {}
    audits = []
    for name in tuned:
        pair = options.read_pair(
            table,
            name,
            vocab=vocab,
            unsafe_pickle=unsafe_pickle,
            show=show,
            limit=limit,
            composing=composing,
        )
        if composing is not None:
            composing.require_pieces()
        pair.rows(asked)  # an unknown word is told before the long work
        with show.stage("") as drawn:
            audits.append(
                audit(
                    pair,
                    benchmarks=benchmarks or None,
                    k=k,
                    candidates=candidates,
                    resamples=resamples,
                    seed=seed,
                    measures=measures,
                    null=null,
                    memo=memo,
                    progress=show.draw if drawn else None,
                )
            )
    documents = []
    if json_to is not None:
        documents = [each.to_dict(explain=explain) for each in audits]
    options.give(
        lambda: Group(
            *(
                part
                for each in audits
                for part in (
                    audit_view(each, top, asked, bands=bands, explain=explain),
                    Text(""),
                )
            ),
            *([checkpoint_view(audits)] if len(audits) > 1 else []),
        ),
        documents[0]
        if len(documents) == 1
        else {"schema": "driftkit.audits/1", "audits": documents},
        json_to,
    )
    if any(each.status(*fail_on) for each in audits):
        ctx.exit(BROKEN_RULE)
