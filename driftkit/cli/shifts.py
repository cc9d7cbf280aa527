"""``driftkit shifts``: nearest neighbors of words, before and after."""

from __future__ import annotations

import click

from driftkit.cli import options


@click.command("shifts", epilog=options.SOURCE_HELP)
@click.argument("original")
@click.argument("tuned")
@click.argument("words", nargs=-1, metavar="[WORD]...")
@options.words_options
@options.k_option
@click.option(
    "--candidates",
    type=click.IntRange(1),
    help="Seek neighbors among so many of the first shared words.  [default: all]",
)
@options.pair_options
@options.limit_option
@options.json_option
@options.quiet_option
def command(
    original: str,
    tuned: str,
    words: tuple[str, ...],
    *,
    words_from: str | None,
    k: int,
    candidates: int | None,
    vocab: str | None,
    original_vocab: str | None,
    unsafe_pickle: bool,
    limit: int | None,
    json_to: str | None,
    quiet: bool,
) -> None:
    """Show the neighbors of each WORD in the ORIGINAL and in the TUNED table.

    A lost neighbor is marked -, a gained one +, a kept one =. Words come as arguments, from a
    file, or from standard input (-).
    """
    from driftkit import load, neighbor_shifts
    from driftkit.report.words import side_by_side

    asked = options.gather_words(words, words_from)
    if not asked:
        raise click.UsageError("no word was given: name some, or use --words-from FILE or -.")
    show = options.Progress(quiet)
    with show.stage(f"reading {original}") as progress:
        table = load(
            original,
            vocab=original_vocab,
            limit=limit,
            unsafe_pickle=unsafe_pickle,
            progress=progress,
        )
    pair = options.read_pair(
        table, tuned, vocab=vocab, unsafe_pickle=unsafe_pickle, show=show, limit=limit
    )
    with show.stage("neighbors") as progress:
        shifts = neighbor_shifts(pair, asked, k, candidates=candidates, progress=progress)
    options.give(lambda: side_by_side(shifts), shifts.to_dict(), json_to)
