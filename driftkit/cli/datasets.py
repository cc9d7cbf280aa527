"""``driftkit datasets``: benchmarks known by name, and their files."""

from __future__ import annotations

import click

from driftkit.cli import completion, options, output
from driftkit.cli.help import Group


@click.group("datasets", cls=Group)
def command() -> None:
    """List benchmarks, fetch them, or show where their files belong.

    ws353, simlex999 and google come with driftkit's dependencies; every other benchmark is
    downloaded when it is first used, from one pinned commit, and its bytes are checked. Files are
    kept in the folder that DRIFTKIT_DATA_DIR names, or else in the user's cache folder.
    """


@command.command(
    "list",
    examples=("datasets list",),
    short_help="List every benchmark and whether its file is here.",
)
@options.json_option
@options.common_options
def list_(json_to: str | None) -> None:
    """List every benchmark: task, items, authors, license, and whether its file is here."""
    from driftkit.datasets import REGISTRY
    from driftkit.report.benchmarks import datasets_document, datasets_view

    known = tuple(REGISTRY.values())
    output.show(lambda: datasets_view(known), datasets_document(known), json_to)


@command.command(
    "fetch",
    examples=("datasets fetch men rw",),
    short_help="Download benchmarks, check them, print their paths.",
)
@click.argument("names", shell_complete=completion.benchmarks, nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="Fetch every benchmark.")
@options.offline_option
@options.common_options
def fetch(names: tuple[str, ...], everything: bool) -> None:
    """Download each benchmark NAME that is not here, check its bytes, and print its path."""
    from driftkit.datasets import REGISTRY, look_up

    if not names and not everything:
        raise click.UsageError(
            "name a benchmark, or give --all; `driftkit datasets list` shows them."
        )
    chosen = [look_up(name) for name in (REGISTRY if everything else names)]
    for dataset in chosen:
        if dataset.has_file or not everything:
            output.say(str(dataset.fetch()), err=False, cut=False)


@command.command(
    "path",
    examples=("datasets path ws353",),
    short_help="Print where the files of benchmarks belong.",
)
@click.argument(
    "names", shell_complete=completion.benchmarks, nargs=-1, required=True, metavar="NAME..."
)
@options.common_options
def path(names: tuple[str, ...]) -> None:
    """Print where the file of each benchmark NAME lies, or belongs if it is not here yet."""
    from driftkit.datasets import look_up

    for dataset in [look_up(name) for name in names]:
        output.say(str(dataset.path), err=False, cut=False)
        if not dataset.is_here:
            command = f"driftkit datasets fetch {dataset.name}"
            output.say(f"{dataset.name} is not there yet: run `{command}`.")
