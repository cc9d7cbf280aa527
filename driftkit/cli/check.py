"""``driftkit check``: the gate."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from driftkit.cli import completion, options, output
from driftkit.cli.group import BROKEN_RULE
from driftkit.cli.help import Variadic
from driftkit.cli.tables import audits

if TYPE_CHECKING:
    from driftkit.gate import Policy, Verdict


@click.command(
    "check",
    cls=Variadic,
    spread=("--runs", "--against"),
    examples=(
        "check original.npy tuned.pt",
        "check original.npy tuned.pt -r 'moved <= 5%' -r 'link != broken'",
        "check original.npy tuned.pt --profile strict --junit out.xml",
        "check original.npy --runs new-*.pt --against old-*.pt",
        "check --show-rules --profile lenient",
    ),
    epilog=options.SOURCE_HELP,
)
@click.argument("original", shell_complete=completion.files, required=False)
@click.argument("tuned", shell_complete=completion.files, nargs=-1)
@options.profile_option
@options.rules_option
@options.file_option("--baseline", help="Compare with this baseline as well.")
@click.option(
    "--previous",
    metavar="SOURCE",
    shell_complete=completion.files,
    help="Compare with the previous release as well: a table tuned from the same original.",
)
@click.option(
    "--runs",
    multiple=True,
    metavar="RUN...",
    shell_complete=completion.files,
    help="Runs of one recipe with other seeds; rules on a baseline compare their mean with that of "
    "the runs --against, all others are applied to each of them.",
)
@click.option(
    "--against",
    multiple=True,
    metavar="RUN...",
    shell_complete=completion.files,
    help="Runs of the recipe to compare with; where names pair, as by seed, so do runs.",
)
@options.undecided_options
@click.option("--show-rules", is_flag=True, help="Print the rules in force and stop.")
@options.audit_options
@options.output_option(
    "--audit",
    "audit_to",
    stdout=False,
    help="Write what was measured to FILE, as `driftkit audit --json` does.",
)
@options.json_option
@options.output_option("--junit", help="Write JUnit XML to FILE, or with - to standard output.")
@options.output_option("--markdown", help="Write Markdown to FILE, or with - to standard output.")
@click.option(
    "--github/--no-github",
    default=None,
    help="Annotate the run and write its step summary.  [default: in GitHub Actions]",
)
@options.common_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    original: str | None,
    tuned: tuple[str, ...],
    *,
    rules: tuple[str, ...],
    profile: str | None,
    baseline: str | None,
    previous: str | None,
    runs: tuple[str, ...],
    against: tuple[str, ...],
    inconclusive: str | None,
    not_measured: str | None,
    show_rules: bool,
    audit_to: str | None,
    json_to: str | None,
    junit: str | None,
    markdown: str | None,
    github: bool | None,
    **audit_options: Any,
) -> None:
    """Check TUNED tables against the ORIGINAL one and exit with 1 when a rule is broken.

    Without rules the profile "default" is used; --show-rules prints what is in force. Exit codes:
    0 passed (perhaps with warnings), 1 a rule is broken, 2 anything else, 130 interrupted.
    """
    from driftkit.gate import check, check_document, check_runs, make_policy, read_baseline
    from driftkit.gate.reports.junit import junit_xml
    from driftkit.gate.reports.markdown import markdown as to_markdown
    from driftkit.gate.reports.terminal import verdict_view

    if baseline is not None and previous is not None:
        raise click.UsageError("give --baseline or --previous, not both.")
    deciding: dict[str, Any] = {"inconclusive": inconclusive, "not_measured": not_measured}
    deciding["profile"] = profile
    if runs or against:
        if not (runs and against) or tuned or baseline is not None or previous is not None:
            raise click.UsageError(
                "two recipes are ORIGINAL --runs RUN... --against RUN..., without other tables, "
                "--baseline and --previous."
            )
        tuned = (*runs, *against)
    compares = baseline is not None or previous is not None or bool(runs)
    policy = make_policy(rules, baseline=compares, **deciding)
    if show_rules:
        for line in rules_text(policy):
            output.say(line, err=False)
        return
    if original is None or not tuned:
        raise click.UsageError("give the original table and one or more tuned ones.")
    stored = read_baseline(baseline) if baseline is not None else None  # before the long work
    sources = [*tuned, *([previous] if previous is not None else ())]
    found = audits(original, sources, output.Messages(), policy=policy, **audit_options)
    if runs:
        verdicts = check_runs(found[: len(runs)], found[len(runs) :], rules, **deciding)
    else:
        other = found.pop() if previous is not None else stored
        verdicts = [check(audit, rules, baseline=other, **deciding) for audit in found]
    if audit_to is not None:
        _write_audits(audit_to, [audit.to_dict(words=policy.words) for audit in found])
    for path, text in ((junit, junit_xml), (markdown, to_markdown)):
        if path is not None:
            output.write_text(path, text(verdicts))
    to_stdout = "-" in (json_to, junit, markdown)  # which then holds nothing else
    view = None if to_stdout else lambda: verdict_view(verdicts)
    output.show(view, check_document(verdicts), json_to)
    if os.environ.get("GITHUB_ACTIONS") == "true" if github is None else github:
        # GitHub reads commands from both streams.
        _tell_github(verdicts, to_stderr=to_stdout)
    if any(verdict.exit_code for verdict in verdicts):
        ctx.exit(BROKEN_RULE)


def _write_audits(path: str, documents: list[dict[str, Any]]) -> None:
    from driftkit.escaping import to_json
    from driftkit.report.document import one_or_several

    output.write_text(path, to_json(one_or_several(documents), indent=2) + "\n")


def rules_text(policy: Policy) -> list[str]:
    """Write the rules in force, each as it can be given to ``--rule``."""
    from driftkit.gate.policy import PROFILES

    profile = policy.profile
    lines = [f"# profile: {profile or 'none'}"]
    lines += [f"# {PROFILES[profile].summary}"] if profile else []
    lines += [rule.text for rule in policy.rules]
    lines.append(f"# inconclusive: {policy.inconclusive}; not measured: {policy.not_measured}")
    return lines


def _tell_github(verdicts: Sequence[Verdict], *, to_stderr: bool) -> None:
    from driftkit.gate.reports.github import step_summary, workflow_commands

    for line in workflow_commands(verdicts):
        click.echo(line, err=to_stderr)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        path = Path(summary)
        already = path.stat().st_size if path.exists() else 0
        with path.open("a", encoding="utf-8") as file:
            file.write(step_summary(verdicts, already))
