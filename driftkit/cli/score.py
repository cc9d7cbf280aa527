"""``driftkit score``: benchmarks of one or more tables."""

from __future__ import annotations

import click

from driftkit.cli import options


@click.command("score", epilog=options.SOURCE_HELP)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@options.benchmark_option
@options.vocab_option
@options.unsafe_option
@options.json_option
@options.quiet_option
def command(
    sources: tuple[str, ...],
    *,
    benchmarks: tuple[str, ...],
    vocab: str | None,
    unsafe_pickle: bool,
    json_to: str | None,
    quiet: bool,
) -> None:
    """Score each SOURCE on word-similarity and analogy benchmarks.

    Items with a word the table lacks are left out and counted. Scores of two tables that lack
    different words are not comparable; `driftkit audit` compares them on what both can answer.
    """
    from driftkit import Scores, load, score
    from driftkit.report.terminal import scores_view

    show = options.Progress(quiet)
    scores = Scores(())
    for name in sources:
        with show.stage(f"reading {name}") as progress:
            table = load(name, vocab=vocab, unsafe_pickle=unsafe_pickle, progress=progress)
        with show.stage(f"scoring {name}") as progress:
            scores += score(table, benchmarks or None, progress=progress)
    options.give(lambda: scores_view(scores), scores.to_dict(), json_to)
