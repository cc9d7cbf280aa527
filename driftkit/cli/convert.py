"""``driftkit convert``: any table that can be read, in a format other tools read."""

from __future__ import annotations

from typing import Any

import click

from driftkit.cli import options
from driftkit.cli.completion import files
from driftkit.cli.help import Command
from driftkit.cli.output import Messages
from driftkit.cli.tables import gather_words, read_table


@click.command(
    "convert",
    cls=Command,
    examples=(
        "convert tuned.pt tuned.bin",
        "convert glove.txt first.npy --limit 50000",
    ),
    epilog=options.SOURCE_HELP,
)
@click.argument("source", shell_complete=files)
@click.argument("dest", type=options.Output(may_be_folder=True))
@click.option(
    "--to",
    "kind",
    metavar="FORMAT",
    help="safetensors, npy, word2vec-binary, word2vec-text, glove-text or driftkit.  [default: "
    "what the ending of DEST means: .safetensors, .npy, .bin, .vec, .txt, none for a driftkit "
    "folder]",
)
@options.limit_option
@options.dimensions_option
@options.words_options
@options.vocab_option
@options.base_option
@options.unsafe_option
@options.common_options
def command(
    source: str, dest: str, *, kind: str | None, words_from: str | None, **reading: Any
) -> None:
    """Write the table SOURCE as DEST, whole or not at all.

    Numbers become float32 and keep every bit, in text too. Words of .safetensors go inside it, as
    JSON in the tensor _extra_state; words of DEST.npy go beside it as DEST.vocab.txt, and other
    words are never put in their place. What had to be skipped or repaired is listed on stderr.
    """
    from driftkit.atomic import place
    from driftkit.display import counted
    from driftkit.loaders.convert import format_of, write

    target = format_of(dest, kind)
    place(dest, is_folder=target == "driftkit")  # told before the table is read
    words = gather_words((), words_from) if words_from else None
    messages = Messages()
    table = read_table(source, messages, words=words, **reading)
    with messages.stage(f"writing {dest}") as progress:
        write(table, dest, target, progress=progress)
    for problem in table.problems[:10]:
        messages.say(str(problem))
    if len(table.problems) > 10:
        messages.say(f"... and {len(table.problems) - 10:,} more")
    messages.say(f"{dest}: {counted(len(table), 'word')} x {table.dimensions}, {target}")
