"""``driftkit score``: benchmarks of one or more tables."""

from __future__ import annotations

import click

from driftkit.cli import options


@click.command("score", epilog=options.SOURCE_HELP)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@options.benchmark_option
@options.compose_option
@options.limit_option
@options.words_options
@options.vocab_option
@options.unsafe_option
@options.json_option
@options.quiet_option
def command(
    sources: tuple[str, ...],
    *,
    benchmarks: tuple[str, ...],
    compose: str | None,
    limit: int | None,
    words_from: str | None,
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

    show = options.Progress(quiet)
    words = options.gather_words((), words_from) if words_from else None
    composing = options.Composing(benchmarks, (), show) if compose else None
    scores = Scores(())
    for name in sources:
        with show.stage(f"reading {name}") as progress:
            table = load(
                name,
                vocab=vocab,
                limit=limit,
                words=words,
                unsafe_pickle=unsafe_pickle,
                progress=progress,
            )
        if composing is not None:
            table = composing(table)
        with show.stage(f"scoring {name}") as progress:
            scores += score(table, benchmarks or None, progress=progress)
    document = scores.to_dict()
    if composing is not None:
        composing.require_pieces()
        document["composed"] = composing.reports
    options.give(lambda: scores, document, json_to)
