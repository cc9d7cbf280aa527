"""``driftkit retrieval``: search with both models, and what became of the results."""

from __future__ import annotations

from typing import Any

import click

from driftkit.cli import options, output
from driftkit.cli.group import BROKEN_RULE
from driftkit.cli.tables import read_original, read_table, require_sources
from driftkit.defaults import K

BY_MEASURES = ("lost", "gained", "inconclusive", "not measured")
BY_LINK = {f"link {status}": status for status in ("broken", "changed", "not tested")}
FAILING = (*BY_MEASURES, *BY_LINK)
"""What --fail-on takes: verdicts of a measure in the new index, then of new queries in the old."""


@click.command("retrieval", epilog=options.SOURCE_HELP)
@click.argument("original")
@click.argument("tuned")
@click.option(
    "--original-queries",
    required=True,
    metavar="SOURCE",
    help="The queries by the original model: ids and vectors.",
)
@click.option(
    "--tuned-queries", required=True, metavar="SOURCE", help="The queries by the tuned model."
)
@options.file_option(
    "--queries",
    help="The texts of the queries, to name them by: lines of JSON with _id and text (BEIR), or of "
    "an id, a tab and a text.",
)
@options.file_option(
    "--qrels",
    help="What people judged relevant: lines of 'query 0 document relevance' (TREC), or three "
    "columns under the header query-id, corpus-id, score (BEIR).",
)
@options.number_option("-k", default=K, help="Number of results whose overlap is taken.")
@click.option(
    "--by",
    "measures",
    multiple=True,
    metavar="MEASURE",
    help="A measure of the results by --qrels, such as P@5 or R(rel=2)@100; may be repeated.  "
    "[default: nDCG@10, R@100, RR@10]",
)
@options.resamples_option
@options.seed_option
@options.device_option
@click.option(
    "--fail-on",
    multiple=True,
    type=click.Choice(FAILING),
    metavar="VERDICT",
    help="Exit with 1 at this verdict of a measure, all embedded anew, or of the link, new queries "
    f"in the old index: {', '.join(FAILING)}; may be repeated.",
)
@options.pair_options
@options.json_option
@options.common_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    original: str,
    tuned: str,
    *,
    original_queries: str,
    tuned_queries: str,
    queries: str | None,
    qrels: str | None,
    measures: tuple[str, ...],
    fail_on: tuple[str, ...],
    vocab: str | None,
    original_vocab: str | None,
    base: str | None,
    unsafe_pickle: bool,
    json_to: str | None,
    **how: Any,
) -> None:
    """Search the documents of ORIGINAL and TUNED for the same queries, and compare the results.

    Each table has a row for each document. Old queries in the old index are compared with new
    queries in the new index, and with new queries in the old one: may it stay? With --qrels
    measures say what was lost or gained, and the queries that broke and were fixed are named;
    without, how many results were kept.
    """
    from driftkit import align, compare_retrieval
    from driftkit.retrieval import read_qrels, read_queries

    if qrels is None and (measures or set(fail_on) & set(BY_MEASURES)):
        raise click.UsageError(
            "--by and verdicts of measures go by judgments; add --qrels FILE, or fail on the link."
        )
    messages = output.Messages()
    texts = None if queries is None else read_queries(queries)
    judged = None if qrels is None else read_qrels(qrels)
    require_sources(original, tuned, original_queries, tuned_queries)
    shared: dict[str, Any] = {"base": base, "unsafe_pickle": unsafe_pickle}
    documents = align(
        read_original(original, messages, vocab=original_vocab, **shared),
        read_table(tuned, messages, vocab=vocab, **shared),
    )
    asked = (
        read_table(source, messages, unsafe_pickle=unsafe_pickle)
        for source in (original_queries, tuned_queries)
    )
    with messages.stage("searching") as progress:
        found = compare_retrieval(
            documents,
            align(*asked),
            judged,
            measures=measures or None,
            texts=texts,
            progress=progress,
            **how,
        )
    output.show(lambda: found, found.to_dict(), json_to)
    outcomes = {change.status for change in found["tuned"].measures}
    if outcomes & set(fail_on) or any(
        found.link.status == BY_LINK.get(verdict) for verdict in fail_on
    ):
        ctx.exit(BROKEN_RULE)
