"""``driftkit shifts``: nearest neighbors of words, before and after."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from driftkit.cli import options
from driftkit.cli.completion import files
from driftkit.cli.help import Command
from driftkit.cli.output import Messages, show
from driftkit.cli.tables import Encoding, gather_words, read_original, read_table, read_texts

if TYPE_CHECKING:
    from driftkit.neighbors import NeighborShifts
    from driftkit.neighbors.export import Shard
    from driftkit.pair import Pair

SAMPLE = 100  # words that --verify checks


def _shard(ctx: click.Context, option: click.Parameter, value: str | None) -> Shard | None:
    """Read the number of a shard such as 3/8."""
    if value is None:
        return None
    from driftkit.errors import OptionError
    from driftkit.neighbors.export import Shard

    try:
        return Shard.parse(value)
    except OptionError as error:
        raise click.BadParameter(str(error), ctx, option) from None


def _recall(ctx: click.Context, option: click.Parameter, value: float | None) -> float | None:
    """Refuse what is no share."""
    if value is not None and not 0 < value <= 1:
        message = f"{value:g} is not a share; write one above 0 and below 1, or 1 for exact ones."
        raise click.BadParameter(message, ctx, option)
    return None if value == 1 else value


@click.command(
    "shifts",
    cls=Command,
    examples=(
        "shifts original.npy tuned.pt good bad film",
        "shifts original.npy tuned.pt --words-from words.txt -k 20",
        "shifts original.npy tuned.pt --all -o shifts.parquet",
    ),
    epilog=options.SOURCE_HELP,
)
@click.argument("original", shell_complete=files)
@click.argument("tuned", shell_complete=files)
@click.argument("words", nargs=-1, metavar="[WORD]...")
@options.words_options
@options.texts_option
@click.option("--all", "every", is_flag=True, help="Take every shared word; needs -o.")
@click.option(
    "-o",
    "--output",
    type=options.Output(may_be_folder=True),
    metavar="FILE",
    help="Write one row for each word to FILE.jsonl or FILE.parquet. A run that was stopped "
    "continues where it was, if the tables and options are the same.",
)
@click.option(
    "--partitioned",
    is_flag=True,
    help="Make FILE.parquet a folder of Parquet files, as Dask and Spark do.",
)
@click.option(
    "--shard",
    metavar="I/N",
    callback=_shard,
    help="Do only shard I of N and write it beside FILE; `driftkit merge` joins all N.",
)
@options.number_option(
    "--workers", help="Share the work of -o among N processes on this machine (extra dask)."
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Share the work of -o among the workers of a Dask scheduler, such as "
    "tcp://10.0.0.1:8786. They open the tables themselves, by the same paths (extra dask).",
)
@options.k_option
@options.number_option(
    "--candidates",
    help="Look for neighbors among the first N shared words and, in TUNED, the first N "
    "added ones.  [default: all]",
)
@options.file_option(
    "--candidates-from",
    help="Look for neighbors among the words of FILE. The first word of each line counts, so a "
    "frequency list will do.",
)
@click.option(
    "--candidates-matching",
    metavar="REGEX",
    help="Look for neighbors among words that match from beginning to end.",
)
@click.option(
    "--candidates-moved", is_flag=True, help="Look for neighbors only among the words that moved."
)
@click.option(
    "--recall",
    type=float,
    metavar="SHARE",
    callback=_recall,
    help="Be content with this share of the true neighbors, such as .95, where that takes less "
    "time: for -o, by cosine (extra ann). What was found is measured and told.  [default: 1]",
)
@options.memory_option
@options.engine_device_option
@click.option(
    "--metric",
    type=click.Choice(["cosine", "dot", "euclidean", "csls"]),
    default="cosine",
    show_default=True,
    help="What nearest means.",
)
@click.option(
    "--verify", is_flag=True, help=f"Check {SAMPLE} words against all of their cosines in float64."
)
@options.pair_options
@options.items_option
@options.model_options
@options.limit_option
@options.json_option
@options.common_options
def command(
    original: str,
    tuned: str,
    words: tuple[str, ...],
    *,
    words_from: str | None,
    texts: str | None,
    every: bool,
    output: str | None,
    partitioned: bool,
    shard: Shard | None,
    workers: int | None,
    scheduler: str | None,
    k: int,
    candidates: int | None,
    candidates_from: str | None,
    candidates_matching: str | None,
    candidates_moved: bool,
    recall: float | None,
    memory: int | None,
    device: str,
    metric: str,
    verify: bool,
    vocab: str | None,
    original_vocab: str | None,
    dimensions: int | None,
    original_dimensions: int | None,
    json_to: str | None,
    items: str | None,
    pooling: str | None,
    prompt: str | None,
    batch_size: int,
    no_cache: bool,
    **reading: Any,
) -> None:
    """Show the neighbors of each WORD in the ORIGINAL and in the TUNED table.

    A lost neighbor is marked -, a gained one +, a kept one =. The last line of a word tells
    whether the word moved, its neighbors did, or both, or whether words that only TUNED has came
    near. Words are given as arguments, in a file, or on standard input (-). With --all -o FILE the
    neighbors of every shared word are written, by this process, by --workers, or in shards.
    """
    from rich.console import Group

    from driftkit import align, neighbor_shifts
    from driftkit.display import Text, counted
    from driftkit.explain.explanation import explain
    from driftkit.neighbors.export import (
        Opening,
        require_target,
        team,
        write_found,
        write_shifts,
    )
    from driftkit.neighbors.search.verify import sample_of
    from driftkit.report.words import neighbors_view
    from driftkit.texts import texts_of

    messages = Messages()
    asked = gather_words(words, words_from, messages)
    if every == bool(asked):
        raise click.UsageError(
            "--all is for every word; leave out the words that are named."
            if every
            else "no word was given: name some, or use --words-from FILE or -, or --all -o FILE."
        )
    if every and output is None:
        raise click.UsageError("--all writes to a file: add -o FILE.jsonl or -o FILE.parquet.")
    if output is not None and json_to is not None:
        raise click.UsageError("-o writes the file and --json shows the words; give one of them.")
    _require_file(
        output,
        partitioned=partitioned,
        shard=shard,
        workers=workers,
        scheduler=scheduler,
        recall=recall,
    )
    if items is not None and (shard or workers or scheduler):
        raise click.UsageError(
            "--shard, --workers and --scheduler take tables, and --items encodes here; write the "
            "outputs first, with dk.encode(MODEL, ITEMS).save(FOLDER)."
        )
    if recall is not None:
        _require_no_recall(
            verify=verify, shard=shard, workers=workers, scheduler=scheduler, metric=metric
        )
    if verify and metric != "cosine":
        raise click.UsageError("--verify checks cosines; leave --metric at cosine.")
    given = read_texts(texts)
    width = original_dimensions or dimensions
    reading["encoding"] = Encoding.of(
        items,
        messages,
        pooling=pooling,
        prompt=prompt,
        batch_size=batch_size,
        device=device,
        cache=not no_cache,
    )
    of_original: dict[str, Any] = {"vocab": original_vocab, "dimensions": width}
    of_tuned: dict[str, Any] = {"vocab": vocab, "dimensions": dimensions}
    pair = align(
        read_original(original, messages, **of_original, **reading),
        read_table(tuned, messages, **of_tuned, **reading),
    )
    known = None if given is None else texts_of(pair, given)
    among = _candidates(pair, candidates, candidates_from, candidates_matching, candidates_moved)
    ask: dict[str, Any] = {"candidates": among, "metric": metric}
    ask |= {"device": device, "memory": memory}
    if output is not None and recall is not None:
        require_target(output, partitioned=partitioned)
        with messages.stage("neighbors") as progress:
            shifts = neighbor_shifts(
                pair, asked or None, k, recall=recall, progress=progress, **ask
            )
        write_found(shifts, output, partitioned=partitioned)
        messages.say(f"{output}: {counted(len(shifts), 'word')}; {shifts.recall}")
        return
    if output is not None:
        del reading["encoding"]
        opening = Opening(original, tuned, of_original | reading, of_tuned | reading, _plugins())
        with ExitStack() as stack:
            some = None
            if workers is not None or scheduler is not None:
                some = stack.enter_context(team(opening, workers=workers, scheduler=scheduler))
            progress = stack.enter_context(messages.stage("neighbors"))
            found = write_shifts(
                pair, output, asked or None, k,
                partitioned=partitioned, shard=shard, team=some, progress=progress, **ask,
            )  # fmt: skip
        count, written = len(asked) or len(pair), output
        if shard is not None:
            start, stop = shard.bounds(count)
            count, written = stop - start, str(shard.place(Path(output)))
        messages.say(f"{written}: {counted(count, 'word')}, {found:,} from a stopped run")
        if verify:
            sample = sample_of(asked or pair.words, SAMPLE)
            _verify(pair, neighbor_shifts(pair, sample, k, **ask), messages)
        return
    with messages.stage("neighbors") as progress:
        shifts = neighbor_shifts(pair, asked, k, progress=progress, **ask)
    if verify:
        _verify(pair, shifts, messages)
    told = explain(pair, shifts)
    document = shifts.to_dict()
    for entry, each in zip(document["words"], (one.to_dict() for one in told), strict=True):
        entry |= {name: each[name] for name in ("cause", "own", "neighbors")}

    def view() -> Group:
        sentences = (Text(str(each)) for each in told)
        return Group(neighbors_view(shifts, known), Text(""), *sentences)

    show(view, document, json_to)


def _require_file(output: str | None, *, partitioned: bool, **spread: object) -> None:
    """Refuse ways to write a file where none is written, and two ways at once."""
    from driftkit.atomic import place

    given = [f"--{name}" for name, value in spread.items() if value is not None]
    given += ["--partitioned"] if partitioned else []
    if output is None:
        if given:
            raise click.UsageError(f"{given[0]} is for a file of many words: add -o FILE.")
        return
    place(output, is_folder=partitioned)
    if {"--workers", "--scheduler"} <= {*given}:
        raise click.UsageError(
            "--workers starts processes on this machine, and a scheduler has its own; give one."
        )


def _require_no_recall(metric: str, **exact: object) -> None:
    """Refuse what approximate neighbors cannot do, or cannot do the same twice."""
    if metric != "cosine":
        raise click.UsageError("--recall is for neighbors by cosine; leave --metric at cosine.")
    given = [f"--{name}" for name, value in exact.items() if value not in (None, False)]
    if given:
        raise click.UsageError(
            f"{given[0]} needs exact neighbors, the same whoever finds them; leave out --recall."
        )


def _plugins() -> tuple[str, ...]:
    """The plugins that were named; those of the environment and of packages load by themselves."""
    return tuple(click.get_current_context().meta.get("driftkit.plugins", ()))


def _candidates(
    pair: Pair, first: int | None, file: str | None, pattern: str | None, moved: bool
) -> int | list[str] | None:
    """Return the words that every given option allows, in the order of the table or the file."""
    if not (file or pattern or moved):
        return first
    allowed: Sequence[str] = (*pair.words[:first], *pair.added[:first])
    if file:
        listed = (line.split()[0] for line in gather_words((), file))
        inside = set(allowed)
        allowed = [word for word in dict.fromkeys(listed) if word in inside]
    if pattern:
        try:
            matches = re.compile(pattern).fullmatch
        except re.error as error:
            raise click.UsageError(f"{pattern!r} is not a regular expression: {error}.") from None
        allowed = [word for word in allowed if matches(word)]
    if moved:
        allowed = [word for word in allowed if word in pair.index and pair.moved[pair.index[word]]]
    if not any(word in pair.index for word in allowed):
        raise click.UsageError("no shared word is left as a candidate.")
    return list(allowed)


def _verify(pair: Pair, shifts: NeighborShifts, messages: Messages) -> None:
    from driftkit.neighbors.search.verify import verify

    checked = verify(pair, shifts, sample=SAMPLE)
    if checked.wrong:
        raise click.ClickException(
            f"{len(checked.wrong)} of {checked.checked} words checked have other neighbors in "
            f"float64, such as {checked.wrong[0]!r}; please report it."
        )
    told = "1 word has" if checked.checked == 1 else f"{checked.checked} words have"
    messages.say(f"verified: {told} these neighbors in float64 too")
