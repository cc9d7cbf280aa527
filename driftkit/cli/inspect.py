"""``driftkit inspect``: which tensors of files look like word tables."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from driftkit.cli import options, output
from driftkit.cli.completion import files
from driftkit.cli.help import Command
from driftkit.cli.tables import with_vocab

if TYPE_CHECKING:
    from driftkit.loaders import Inspection


class _ListsFormats(Command):
    """A command whose help ends with everything that is read, registered formats too."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from driftkit.loaders.formats.registry import titles

        super().format_epilog(ctx, formatter)
        formatter.write_paragraph()
        with formatter.section("Formats, told by content"):
            formatter.write_text("; ".join(titles()))


@click.command(
    "inspect",
    cls=_ListsFormats,
    examples=(
        "inspect tuned.pt",
        "inspect model.safetensors --original glove.txt",
    ),
    epilog=options.SOURCE_HELP,
)
@click.argument("sources", shell_complete=files, nargs=-1, required=True, metavar="SOURCE...")
@click.option(
    "--original",
    metavar="ORIGINAL",
    shell_complete=files,
    help="Say which tables equal those of this source.",
)
@options.vocab_option
@options.base_option
@options.unsafe_option
@options.json_option
@options.common_options
def command(
    sources: tuple[str, ...], *, vocab: str | None, json_to: str | None, **asked: Any
) -> None:
    """List what each SOURCE holds: tensors, shapes, types, the vocabulary found, and problems.

    Nothing is read whole. The output ends with the exact command that audits each table. The JSON
    of several sources is a list.
    """
    from rich.console import Group

    from driftkit.errors import DriftkitError

    messages = output.Messages()
    typed = tuple(options.repeated("vocab", "original", "json_to"))
    found, failures = [], []
    for source in sources:
        try:
            with messages.stage(f"reading {source}") as progress:
                look = partial(_inspect, source, progress=progress, **asked)
                made = with_vocab(look, vocab, messages, several=len(sources) > 1)
            found.append(replace(made, options=typed))
        except DriftkitError as failure:  # the other sources are shown all the same
            failures.append(failure)
    if found:
        documents = [inspection.to_dict() for inspection in found]
        document = documents if len(sources) > 1 else documents[0]
        output.show(lambda: Group(*found), document, json_to)
    for earlier in failures[:-1]:
        output.say(f"Error: {earlier}")
    if failures:
        raise failures[-1]


def _inspect(source: str, vocab: str | None, **asked: Any) -> Inspection:
    from driftkit import inspect

    return inspect(source, vocab=vocab, **asked)
