"""``driftkit score``: benchmarks of one or more tables."""

from __future__ import annotations

from typing import Any

import click

from driftkit.cli import options, output
from driftkit.cli.completion import files
from driftkit.cli.help import Command
from driftkit.cli.tables import (
    Composer,
    benchmarks_named,
    gather_words,
    read_table,
    require_no_model_options,
    spelled,
)


@click.command(
    "score",
    cls=Command,
    examples=(
        "score glove.txt -b ws353 -b simlex999",
        "score original.npy hot.pt staged.pt",
        "score models/minilm --encode -b sick",
    ),
    epilog=options.SOURCE_HELP,
)
@click.argument("sources", shell_complete=files, nargs=-1, required=True, metavar="SOURCE...")
@options.benchmark_option
@options.spelling_options
@click.option(
    "--encode",
    is_flag=True,
    help="Let a SOURCE that is a model encode the words and sentences of the benchmarks.",
)
@options.model_options
@options.engine_device_option
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
    encode: bool,
    pooling: str | None,
    prompt: str | None,
    batch_size: int,
    device: str,
    no_cache: bool,
    **reading: Any,
) -> None:
    """Score each SOURCE on benchmarks: similarity, analogies and others.

    Items with a word the table lacks are left out and counted. Scores of two tables that lack
    different words are not comparable; `driftkit audit` compares them on what both can answer.
    With --encode a model's folder or hf:REPO is no table but an encoder, which lacks no word.
    """
    from driftkit import Scores, score
    from driftkit.encoders import is_model, open_encoder

    messages = output.Messages()
    reading["words"] = gather_words((), words_from) if words_from else None
    composer = Composer(benchmarks, (), messages) if compose else None
    spelling = {"case": case, "normalize": normalize, "phrase_separator": phrase_separator}
    asked = spelled(benchmarks_named(benchmarks), **spelling)
    if not encode:
        require_no_model_options("--encode")
    options: dict[str, Any] = {
        "pooling": pooling,
        "prompt": prompt,
        "batch_size": batch_size,
        "device": device,
        "dimensions": reading["dimensions"],
    }
    scores = Scores(())
    for source in sources:
        if encode and is_model(source):
            encoder = open_encoder(source, cache=not no_cache, **options)
            with messages.stage(f"scoring {source}") as progress:
                scores += score(encoder, asked if benchmarks else None, progress=progress)
            continue
        table = read_table(source, messages, several=len(sources) > 1, **reading)
        table = composer(table) if composer else table
        with messages.stage(f"scoring {source}") as progress:
            scores += score(table, asked, progress=progress)
    document = scores.to_dict()
    if composer:
        composer.require_pieces()
        document["composed"] = composer.reports
    output.show(lambda: scores, document, json_to)
