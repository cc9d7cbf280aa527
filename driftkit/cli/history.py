"""``driftkit history``: run after run."""

from __future__ import annotations

import click

from driftkit.cli import completion, options, output
from driftkit.cli.help import Command
from driftkit.defaults import RUNS_COMPARED


@click.command(
    "history",
    cls=Command,
    examples=(
        "history audits --html history.html",
        "history audits -r 'change[*] >= baseline - margin'",
        "history week-1.json week-2.json --order given",
        "history audits --baseline accepted.json --json -",
    ),
    short_help="Show what each rule came to in one run after the other, and what stands out.",
)
@click.argument("audits", nargs=-1, required=True, shell_complete=completion.files)
@options.rules_option
@options.profile_option
@options.undecided_options
@options.file_option(
    "--baseline", help="Compare every run with this baseline, not with the runs before it."
)
@options.number_option(
    "--keep", default=RUNS_COMPARED, help="Compare with the N accepted runs before, at most."
)
@click.option(
    "--order",
    type=click.Choice(["time", "given"]),
    default="time",
    show_default=True,
    help="By the times in the audits, or as the files are given.",
)
@options.output_option(
    "--html",
    "html_to",
    stdout=False,
    help="Write control charts as one HTML file that opens from disk, offline.",
)
@options.json_option
@options.common_options
def command(
    audits: tuple[str, ...],
    *,
    rules: tuple[str, ...],
    profile: str | None,
    inconclusive: str | None,
    not_measured: str | None,
    baseline: str | None,
    keep: int,
    order: str,
    html_to: str | None,
    json_to: str | None,
) -> None:
    """Show what each rule came to in the runs whose AUDITS are given: files or folders of them.

    These are what `driftkit audit --json` wrote. Each run is judged as `driftkit check` would have
    judged it with a baseline of the runs before it.
    """
    from driftkit import history
    from driftkit.report.page.render import require_libraries

    if html_to is not None:
        require_libraries()
    found = history(
        audits,
        rules,
        profile=profile,
        inconclusive=inconclusive,
        not_measured=not_measured,
        baseline=baseline,
        keep=keep,
        order=order,
    )
    if html_to is not None:
        with output.Messages().stage("report"):
            found.to_html(html_to)
    output.show(lambda: found, found.to_dict(), json_to)
