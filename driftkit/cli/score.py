"""``driftkit score``: benchmarks of one or more tables."""

from __future__ import annotations

from typing import Any

import click

from driftkit.cli import options, output
from driftkit.cli.tables import Composer, benchmarks_named, gather_words, read_table, spelled


@click.command("score", epilog=options.SOURCE_HELP)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@options.benchmark_option
@options.spelling_options
@options.compose_option
@options.limit_option
@options.dimensions_option
@options.words_options
@options.vocab_option
@options.base_option
@options.unsafe_option
@options.json_option
@options.common_options
def command(
    sources: tuple[str, ...],
    *,
    benchmarks: tuple[str, ...],
    case: str | None,
    normalize: str | None,
    phrase_separator: str | None,
    compose: str | None,
    words_from: str | None,
    json_to: str | None,
    **reading: Any,
) -> None:
    """Score each SOURCE on benchmarks: similarity, analogies and others.

    Items with a word the table lacks are left out and counted. Scores of two tables that lack
    different words are not comparable; `driftkit audit` compares them on what both can answer.
    """
    from driftkit import Scores, score

    messages = output.Messages()
    reading["words"] = gather_words((), words_from) if words_from else None
    composer = Composer(benchmarks, (), messages) if compose else None
    spelling = {"case": case, "normalize": normalize, "phrase_separator": phrase_separator}
    asked = spelled(benchmarks_named(benchmarks), **spelling)
    scores = Scores(())
    for source in sources:
        table = read_table(source, messages, several=len(sources) > 1, **reading)
        table = composer(table) if composer else table
        with messages.stage(f"scoring {source}") as progress:
            scores += score(table, asked, progress=progress)
    document = scores.to_dict()
    if composer:
        composer.require_pieces()
        document["composed"] = composer.reports
    output.show(lambda: scores, document, json_to)
