"""``driftkit card``: an audit for a model card of the Hugging Face Hub."""

from __future__ import annotations

from typing import Any

import click

from driftkit.cli import options, output
from driftkit.cli.completion import files
from driftkit.cli.help import Command
from driftkit.cli.tables import audits


@click.command(
    "card",
    cls=Command,
    examples=(
        "card original.npy tuned.pt",
        "card original.npy tuned.pt --name my-model",
    ),
    epilog=options.SOURCE_HELP,
)
@click.argument("original", shell_complete=files)
@click.argument("tuned", shell_complete=files)
@options.audit_options
@options.limit_option
@click.option(
    "--name",
    metavar="NAME",
    help="Begin with metadata for the top of a card: a model-index of this name, with the scores.",
)
@options.output_option(
    "--eval-results",
    help="Write the scores to FILE as well, as the Hub reads them in the folder .eval_results of a "
    "model.",
)
@click.option(
    "--hub-dataset",
    "hub_datasets",
    multiple=True,
    metavar="BENCHMARK=OWNER/NAME:TASK",
    help="A data set of the Hub that is registered as a benchmark, and its task, for a benchmark "
    "of --eval-results; may be repeated.",
)
@options.common_options
def command(
    original: str,
    tuned: str,
    *,
    name: str | None,
    eval_results: str | None,
    hub_datasets: tuple[str, ...],
    **audit_options: Any,
) -> None:
    """Print what fine-tuning changed as a section of a model card.

    It holds, in Markdown, what was compared, the verdict and its reasons, the benchmarks with their
    differences and intervals, and what was not looked at.
    """
    from driftkit.report.card import hub_task, require_name, to_yaml

    if bool(hub_datasets) != bool(eval_results):
        raise click.UsageError(
            "--eval-results FILE and --hub-dataset BENCHMARK=OWNER/NAME:TASK need each other: the "
            "Hub lists a score only under a data set that is registered there as a benchmark."
        )
    if name is not None:
        require_name(name)
    datasets = dict(map(_named, hub_datasets))
    for benchmark, place in datasets.items():  # before the long work
        hub_task(benchmark, place)
    messages = output.Messages()
    (audit,) = audits(original, [tuned], messages, **audit_options)
    if eval_results is not None:
        output.write_text(eval_results, to_yaml(audit.to_eval_results(datasets)))
        others = [change.name for change in audit.scores if change.name not in datasets]
        if others:
            left_out = ", ".join(others)
            messages.say(f"{eval_results} leaves out {left_out}: no --hub-dataset names it.")
    if eval_results != "-":
        output.write_text("-", audit.to_card(name))


def _named(given: str) -> tuple[str, str]:
    benchmark, sign, place = given.rpartition("=")
    if not sign:
        raise click.BadParameter(
            f"{given!r} names no benchmark; write BENCHMARK=OWNER/NAME:TASK.",
            param_hint="--hub-dataset",
        )
    return benchmark, place
