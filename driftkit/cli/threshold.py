"""``driftkit threshold``: cut-offs on the cosine, carried over to the tuned table."""

from __future__ import annotations

from typing import Any

import click

from driftkit.cli import options, output
from driftkit.cli.completion import files
from driftkit.cli.help import Command
from driftkit.cli.tables import Encoding, read_original, read_table, require_sources


@click.command(
    "threshold",
    cls=Command,
    examples=("threshold original.npy tuned.pt 0.7 0.8",),
    epilog=options.SOURCE_HELP,
)
@click.argument("original", shell_complete=files)
@click.argument("tuned", shell_complete=files)
@click.argument("thresholds", nargs=-1, required=True, type=float, metavar="THRESHOLD...")
@click.option(
    "--pairs",
    type=click.Choice(["all", "nearest"]),
    default="all",
    show_default=True,
    help="What passes: each two items, as in a search for duplicates, or each item with its "
    "nearest other one, as in a cache.",
)
@options.number_option(
    "--candidates",
    default=10_000,
    help="Look at no more than N items, drawn at random, and at all of their pairs.",
)
@options.number_option("--seed", default=0, least=0, help="Seed of the draw and of the halves.")
@options.pair_options
@options.encoder_options
@options.limit_option
@options.json_option
@options.common_options
def command(
    original: str,
    tuned: str,
    thresholds: tuple[float, ...],
    *,
    json_to: str | None,
    vocab: str | None,
    original_vocab: str | None,
    base: str | None,
    unsafe_pickle: bool,
    limit: int | None,
    dimensions: int | None,
    original_dimensions: int | None,
    items: str | None,
    pooling: str | None,
    prompt: str | None,
    batch_size: int,
    device: str,
    no_cache: bool,
    **settings: Any,
) -> None:
    """Find the TUNED cosine that passes as many pairs as each THRESHOLD does in the ORIGINAL.

    The same share may be other pairs, so how many of them still pass is told too. Each threshold
    is checked on items that it was not made from.
    """
    from driftkit import align, translate_threshold
    from driftkit.thresholds import threshold_document, thresholds_view

    messages = output.Messages()
    use = {"pooling": pooling, "prompt": prompt, "batch_size": batch_size, "device": device}
    encoding = Encoding.of(items, messages, **use, cache=not no_cache)
    require_sources(original, tuned, encoding=encoding)
    reading: dict[str, Any] = {"base": base, "unsafe_pickle": unsafe_pickle, "limit": limit}
    reading["encoding"] = encoding
    width = original_dimensions or dimensions
    table = read_original(original, messages, vocab=original_vocab, dimensions=width, **reading)
    other = read_table(tuned, messages, vocab=vocab, dimensions=dimensions, **reading)
    pair = align(table, other)
    found = []
    for threshold in thresholds:
        with messages.stage(f"counting pairs at {threshold:g}") as progress:
            found.append(translate_threshold(pair, threshold, progress=progress, **settings))
    output.show(
        lambda: thresholds_view(original, tuned, found),
        threshold_document(original, tuned, found),
        json_to,
    )
