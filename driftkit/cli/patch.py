"""``driftkit patch``: what restore wrote, put into a file of tensors, and taken out again."""

from __future__ import annotations

import click

from driftkit.cli import options
from driftkit.cli.completion import files
from driftkit.cli.help import Group
from driftkit.cli.output import Messages


@click.group("patch", cls=Group)
def command() -> None:
    """Put a patch of `driftkit restore` into a .pt or .safetensors file, or take it out again."""


@command.command(
    "apply",
    examples=("patch apply tuned.pt back.patch",),
    short_help="Replace the one tensor that the patch is for.",
)
@click.argument("source", shell_complete=files, metavar="FILE")
@click.argument("patch", shell_complete=files)
@options.vocab_option
@options.common_options
def apply(source: str, patch: str, *, vocab: str | None) -> None:
    """Write PATCH into FILE (or FILE::KEY): one tensor is replaced, every other byte stays.

    The file is replaced whole, in one step. A patch for another table is refused.
    """
    from driftkit.patches import apply_patch, read_patch

    Messages().say(apply_patch(read_patch(patch), source, vocab=vocab).sentence)


@command.command(
    "undo",
    examples=("patch undo tuned.pt back.patch",),
    short_help="Give the file back the bytes it had.",
)
@click.argument("source", shell_complete=files, metavar="FILE")
@click.argument("patch", shell_complete=files)
@options.vocab_option
@options.common_options
def undo(source: str, patch: str, *, vocab: str | None) -> None:
    """Take PATCH out of FILE (or FILE::KEY), which then has the bytes that it had before."""
    from driftkit.patches import read_patch, undo_patch

    Messages().say(undo_patch(read_patch(patch), source, vocab=vocab).sentence)
