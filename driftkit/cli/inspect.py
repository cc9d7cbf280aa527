"""``driftkit inspect``: which tensors of a file look like word tables."""

from __future__ import annotations

import click

from driftkit.cli import options, output


@click.command("inspect", epilog=options.SOURCE_HELP)
@click.argument("source")
@click.option("--original", metavar="ORIGINAL", help="Say which tables equal those of this source.")
@options.vocab_option
@options.unsafe_option
@options.json_option
@options.common_options
def command(
    source: str,
    *,
    original: str | None,
    vocab: str | None,
    unsafe_pickle: bool,
    json_to: str | None,
) -> None:
    """List what SOURCE holds: tensors, shapes, types, the vocabulary found, and problems.

    Nothing is read whole. Ends with the exact command that audits it.
    """
    from driftkit import inspect

    inspection = inspect(source, vocab=vocab, original=original, unsafe_pickle=unsafe_pickle)
    output.show(lambda: inspection, inspection.to_dict(), json_to)
