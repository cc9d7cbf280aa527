"""``driftkit inspect``: which tensors of files look like word tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from driftkit.cli import options, output


@click.command("inspect", epilog=options.SOURCE_HELP)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--original", metavar="ORIGINAL", help="Say which tables equal those of this source.")
@options.vocab_option
@options.base_option
@options.unsafe_option
@options.json_option
@options.common_options
def command(sources: tuple[str, ...], *, json_to: str | None, **asked: Any) -> None:
    """List what each SOURCE holds: tensors, shapes, types, the vocabulary found, and problems.

    Nothing is read whole. The output ends with the exact command that audits each table. The JSON
    of several sources is a list.
    """
    from rich.console import Group

    from driftkit import inspect
    from driftkit.errors import DriftkitError

    messages = output.Messages()
    typed = tuple(options.repeated("vocab", "original", "json_to"))
    found, failures = [], []
    for source in sources:
        try:
            with messages.stage(f"reading {source}") as progress:
                found.append(replace(inspect(source, progress=progress, **asked), options=typed))
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
