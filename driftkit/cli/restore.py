"""``driftkit restore``: as much of a tuning as a budget allows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from driftkit.cli import options, output
from driftkit.cli.completion import files
from driftkit.cli.group import BROKEN_RULE
from driftkit.cli.help import Command
from driftkit.cli.tables import benchmarks_named, read_lines, read_original, read_table
from driftkit.defaults import CANDIDATES

METHODS = click.Choice(
    ["interpolate", "gains", "paid", "rare", "directions", "ball", "norm", "propagate", "map"]
)
_CHECKPOINTS = (".pt", ".pth", ".ckpt")


@click.command(
    "restore",
    cls=Command,
    examples=(
        "restore original.npy tuned.pt --budget 'moved <= 5%' -o out.npy",
        "restore original.npy tuned.pt --interpolate 0.5 --patch back.patch",
    ),
    epilog=options.SOURCE_HELP,
)
@click.argument("original", shell_complete=files)
@click.argument("tuned", shell_complete=files)
@click.option(
    "-o",
    "--output",
    "target",
    type=options.Output(may_be_folder=True),
    metavar="FILE",
    help="Write the restored table to FILE, in the format of its ending: .safetensors, .npy, .bin, "
    ".vec, .txt, none for a driftkit folder.",
)
@click.option(
    "--patch",
    "patch_to",
    type=options.Output(),
    metavar="FILE",
    help="Write only what changed to FILE; `driftkit patch apply` puts it into a .pt or "
    ".safetensors file.",
)
@click.option(
    "--budget",
    multiple=True,
    metavar="RULE",
    help="Keep the most movement that this rule of the gate allows, such as "
    "'spearman[simlex999] >= -0.01'; may be repeated.",
)
@click.option(
    "--interpolate",
    type=float,
    metavar="A",
    help="Instead of a budget: every row keeps the share A of its movement, from 0 (the original) "
    "to 1.",
)
@click.option(
    "--method",
    type=METHODS,
    default="interpolate",
    show_default=True,
    help="The way back: see `dk.restore` in the reference.",
)
@click.option(
    "--strength", type=float, metavar="S", help="The same for another method: this one strength."
)
@click.option(
    "--task",
    metavar="COMMAND",
    allow_from_autoenv=False,
    help="What a table is worth: a command with {table} in it, whose last printed line is a "
    "number, more being better. Inside the budget the best is chosen. The command is run.",
)
@options.file_option(
    "--counts", help="How often each word was seen, for --method rare: a word and a number a line."
)
@options.benchmark_option
@options.k_option
@options.number_option(
    "--candidates",
    default=CANDIDATES,
    help="Look for neighbors among the first N words, and as many moved ones.",
)
@options.resamples_option
@options.seed_option
@options.vocab_option
@options.file_option("--original-vocab", help="The same for the original table.")
@options.base_option
@options.unsafe_option
@options.limit_option
@options.json_option
@options.common_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    original: str,
    tuned: str,
    *,
    target: str | None,
    patch_to: str | None,
    budget: tuple[str, ...],
    interpolate: float | None,
    method: str,
    strength: float | None,
    task: str | None,
    counts: str | None,
    benchmarks: tuple[str, ...],
    k: int,
    candidates: int,
    resamples: int,
    seed: int,
    vocab: str | None,
    original_vocab: str | None,
    json_to: str | None,
    **reading: Any,
) -> None:
    """Take the TUNED table back toward the ORIGINAL one, no farther than a budget asks.

    Every strength of the method is measured, and the one inside the budget that keeps the most
    movement, or that the task says is best, is chosen. Where none is, nothing is written and the
    exit code is 1.
    """
    from driftkit import align, restore
    from driftkit.display import counted
    from driftkit.loaders.convert import format_of, write
    from driftkit.patches.files import refusal

    if target is not None and Path(target).suffix in _CHECKPOINTS:
        raise click.UsageError(
            f"-o {target} would be a table alone, and no checkpoint; write --patch FILE, and put "
            f"it into a copy of {tuned} with `driftkit patch apply`."
        )
    kind = None if target is None else format_of(target)
    if interpolate is not None:
        if strength is not None or method != "interpolate":
            raise click.UsageError("--interpolate is a method and its strength; give it alone.")
        strength = interpolate
    seen = None if counts is None else _counts(counts)
    messages = output.Messages()
    pair = align(
        read_original(original, messages, vocab=original_vocab, **reading),
        read_table(tuned, messages, vocab=vocab, **reading),
    )
    with messages.stage("restoring") as progress:
        found = restore(
            pair,
            list(budget) or None,
            method=method,
            strength=strength,
            task=task,
            benchmarks=benchmarks_named(benchmarks),
            counts=seen,
            k=k,
            candidates=candidates,
            resamples=resamples,
            seed=seed,
            progress=progress,
        )
    if found.table is not None and target is not None:
        write(found.table, target, kind)
        messages.say(f"{target}: {counted(len(found.table), 'word')} x {found.table.dimensions}")
    if found.patch is not None and patch_to is not None:
        found.patch.save(patch_to)
        rows = counted(len(pair.tuned), "row")
        messages.say(f"{patch_to}: {len(found.patch):,} of {rows} change")
        if refused := refusal(found.patch, tuned, vocab=vocab):
            cut = "" if reading["limit"] is None else " It was read with --limit; leave that out."
            messages.say(f"{patch_to}: `driftkit patch apply` would refuse it: {refused}{cut}")
    output.show(lambda: found, found.to_dict(), json_to)
    if not found:
        ctx.exit(BROKEN_RULE)


def _counts(path: str) -> dict[str, float]:
    """Read words and numbers, the number last on each line."""
    from driftkit.arguments import number, shown
    from driftkit.errors import OptionError

    found: dict[str, float] = {}
    for at, line in enumerate(read_lines(path), 1):
        if not line.strip():
            continue
        word, *rest = line.rsplit("\t" if "\t" in line else None, 1)
        count = number(rest[0].strip()) if rest else None
        if count is None or count < 0:
            raise OptionError(
                f"{path}, line {at:,}: {shown(line)} is not a word and how often it was seen."
            )
        if word in found:
            raise OptionError(f"{path}, line {at:,}: {shown(word)} comes twice.")
        found[word] = count
    return found
