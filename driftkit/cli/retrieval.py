"""``driftkit retrieval``: search with both models, and what became of the results."""

from __future__ import annotations

from typing import Any

import click

from driftkit.cli import options, output
from driftkit.cli.completion import files
from driftkit.cli.group import BROKEN_RULE
from driftkit.cli.help import Command
from driftkit.cli.tables import read_original, read_table, require_sources
from driftkit.defaults import K

BY_MEASURES = ("lost", "gained", "inconclusive", "not measured")
BY_LINK = ("link broken", "link changed", "link not tested")
FAILING = (*BY_MEASURES, *BY_LINK)
"""What --fail-on takes: verdicts of a measure in the new index, then of new queries in the old."""


@click.command(
    "retrieval",
    cls=Command,
    examples=("retrieval old new --items corpus.jsonl --queries queries.jsonl",),
    epilog=options.SOURCE_HELP,
)
@click.argument("original", shell_complete=files)
@click.argument("tuned", shell_complete=files)
@click.option(
    "--original-queries",
    metavar="SOURCE",
    shell_complete=files,
    help="The queries by the original model: ids and vectors.",
)
@click.option(
    "--tuned-queries",
    metavar="SOURCE",
    shell_complete=files,
    help="The queries by the tuned model.",
)
@options.file_option(
    "--items",
    help="ORIGINAL and TUNED are encoders: encode these documents, ids and texts in a .jsonl, "
    ".json, .csv, .tsv or .parquet file, and --queries.",
)
@options.file_option(
    "--queries",
    help="The ids and texts of the queries, as BEIR's queries.jsonl has them: what encoders "
    "encode, and what queries are named by.",
)
@click.option(
    "--pooling",
    type=click.Choice(["mean", "cls", "last"]),
    help="How the vectors of tokens become one, for a model of transformers, which does not "
    "say it.",
)
@click.option("--prompt", metavar="TEXT", help="What encoders read before every document.")
@click.option("--query-prompt", metavar="TEXT", help="What encoders read before every query.")
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
    original_queries: str | None,
    tuned_queries: str | None,
    items: str | None,
    queries: str | None,
    pooling: str | None,
    prompt: str | None,
    query_prompt: str | None,
    qrels: str | None,
    measures: tuple[str, ...],
    fail_on: tuple[str, ...],
    json_to: str | None,
    unsafe_pickle: bool,
    vocab: str | None,
    original_vocab: str | None,
    base: str | None,
    dimensions: int | None,
    original_dimensions: int | None,
    device: str,
    **how: Any,
) -> None:
    """Search the documents of ORIGINAL and TUNED for the same queries, and compare the results.

    ORIGINAL and TUNED are tables with a row for each document, or encoders with --items. Old
    queries in the old index are compared with new queries in the new index, and with new queries
    in the old one: may it stay? With --qrels measures say what was lost or gained, and the queries
    that broke and were fixed are named; without, how many results were kept.
    """
    from driftkit import align, compare_retrieval
    from driftkit.encoders import read_items
    from driftkit.encoders.quiet import device_named
    from driftkit.retrieval import read_qrels
    from driftkit.retrieval.measures import parse_all, require_library

    if qrels is None and (measures or set(fail_on) & set(BY_MEASURES)):
        raise click.UsageError(
            "--by and verdicts of measures go by judgments; add --qrels FILE, or fail on the link."
        )
    if qrels is not None:
        parse_all(measures or None)
        require_library()
    of_encoders = {"--pooling": pooling, "--prompt": prompt, "--query-prompt": query_prompt}
    of_tables = {
        "--original-queries": original_queries,
        "--tuned-queries": tuned_queries,
        "--vocab": vocab,
        "--original-vocab": original_vocab,
        "--base": base,
    }
    if items is None:
        _refuse(of_encoders, "encoders, and without --items ORIGINAL and TUNED are tables")
    else:
        _refuse(of_tables, "tables, and with --items ORIGINAL and TUNED are encoders")
    messages = output.Messages()
    asked = None if queries is None else read_items(queries)
    judged = None if qrels is None else read_qrels(qrels)
    if items is not None:
        if asked is None:
            raise click.UsageError("--items are the documents; add --queries FILE.")
        models = ((original, original_dimensions or dimensions), (tuned, dimensions))
        documents, both = (
            align(
                *(
                    _encoded(
                        model,
                        given,
                        messages,
                        prompt=first,
                        pooling=pooling,
                        dimensions=width,
                        device=device,
                    )
                    for model, width in models
                )
            )
            for given, first in ((read_items(items), prompt), (asked, query_prompt))
        )
    elif original_queries is None or tuned_queries is None:
        raise click.UsageError(
            "queries are needed by both models: --original-queries SOURCE and --tuned-queries "
            "SOURCE, or for encoders --items FILE and --queries FILE."
        )
    else:
        require_sources(original, tuned, original_queries, tuned_queries)
        old: dict[str, Any] = {"unsafe_pickle": unsafe_pickle}
        new = {**old, "dimensions": dimensions}
        old["dimensions"] = original_dimensions or dimensions
        documents = align(
            read_original(original, messages, vocab=original_vocab, base=base, **old),
            read_table(tuned, messages, vocab=vocab, base=base, **new),
        )
        both = align(
            read_table(original_queries, messages, **old),
            read_table(tuned_queries, messages, **new),
        )
    with messages.stage("searching") as progress:
        found = compare_retrieval(
            documents,
            both,
            judged,
            measures=measures or None,
            texts=asked,
            device=device_named(device),
            progress=progress,
            **how,
        )
    output.show(lambda: found, found.to_dict(), json_to)
    outcomes = {change.status for change in found["tuned"].measures}
    link = f"link {found.link.status}"
    if not outcomes.isdisjoint(fail_on) or link in fail_on:
        ctx.exit(BROKEN_RULE)


def _refuse(given: dict[str, Any], what: str) -> None:
    """Refuse an option that would go unused."""
    for name, value in given.items():
        if value is not None:
            raise click.UsageError(f"{name} is for {what}; leave it out.")


def _encoded(model: str, items: Any, messages: output.Messages, **options: Any) -> Any:
    """Return the table of what a model makes of items."""
    from driftkit import encode

    with messages.stage(f"encoding with {model}") as progress:
        return encode(model, items, progress=progress, **options)
