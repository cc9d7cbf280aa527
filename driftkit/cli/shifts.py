"""``driftkit shifts``: nearest neighbors of words, before and after."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from driftkit.cli import options

if TYPE_CHECKING:
    from driftkit.neighbors import NeighborShifts
    from driftkit.pair import Pair

F = TypeVar("F", bound=Callable[..., Any])

UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}
SAMPLE = 100
"""Words that --verify checks."""


class Size(click.ParamType[int]):
    """A number of bytes such as 500MB."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a size; numbers stay as they are."""
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMG]?)B?", str(value).strip().upper())
        if not match or not (size := int(float(match[1]) * UNITS[match[2]])):
            self.fail(f"{value!r} is not a size; write one such as 500MB or 1GB.", param, ctx)
        return size


def _candidate_options(function: F) -> F:
    for option in (
        click.option(
            "--metric",
            type=click.Choice(["cosine", "dot", "euclidean", "csls"]),
            default="cosine",
            show_default=True,
            help="What nearest means.",
        ),
        click.option(
            "--device", default="cpu", show_default=True, help="Where torch takes products."
        ),
        click.option(
            "--memory",
            type=Size(),
            help="Memory for lists and for a part of the file, such as 1GB.  [default: 500MB]",
        ),
        click.option(
            "--candidates-moved",
            is_flag=True,
            help="Seek neighbors among the words that moved only.",
        ),
        click.option(
            "--candidates-matching",
            metavar="REGEX",
            help="Seek neighbors among words that match from beginning to end.",
        ),
        click.option(
            "--candidates-from",
            type=click.Path(),
            metavar="FILE",
            help="Seek neighbors among the words of a file; the first word of a line counts, so a "
            "frequency list will do.",
        ),
        click.option(
            "--candidates",
            type=click.IntRange(1),
            help="Seek neighbors among so many of the first shared words.  [default: all]",
        ),
    ):
        function = option(function)
    return function


@click.command("shifts", epilog=options.SOURCE_HELP)
@click.argument("original")
@click.argument("tuned")
@click.argument("words", nargs=-1, metavar="[WORD]...")
@options.words_options
@click.option("--all", "every", is_flag=True, help="Ask about every shared word; needs -o.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write a row a word to FILE.jsonl or FILE.parquet. A run that was stopped goes on where "
    "it was.",
)
@options.k_option
@_candidate_options
@click.option(
    "--verify", is_flag=True, help=f"Check {SAMPLE} words against all of their cosines in float64."
)
@options.pair_options
@options.limit_option
@options.json_option
@options.quiet_option
def command(
    original: str,
    tuned: str,
    words: tuple[str, ...],
    *,
    words_from: str | None,
    every: bool,
    output: str | None,
    k: int,
    candidates: int | None,
    candidates_from: str | None,
    candidates_matching: str | None,
    candidates_moved: bool,
    memory: int | None,
    device: str,
    metric: str,
    verify: bool,
    vocab: str | None,
    original_vocab: str | None,
    unsafe_pickle: bool,
    limit: int | None,
    json_to: str | None,
    quiet: bool,
) -> None:
    """Show the neighbors of each WORD in the ORIGINAL and in the TUNED table.

    A lost neighbor is marked -, a gained one +, a kept one =. A last line a word tells whether
    the word moved, its neighbors did, or both. Words come as arguments, from a file, or from
    standard input (-). With --all -o FILE every shared word is asked about.
    """
    from rich.console import Group
    from rich.text import Text

    from driftkit import load, neighbor_shifts
    from driftkit.explain.causes import explain
    from driftkit.neighbors.export import write_shifts
    from driftkit.report.words import neighbors_view

    asked = options.gather_words(words, words_from)
    if every == bool(asked):
        raise click.UsageError(
            "--all asks about every word, so name none beside it."
            if every
            else "no word was given: name some, or use --words-from FILE or -, or --all -o FILE."
        )
    if every and output is None:
        raise click.UsageError("--all is for files: add -o FILE.jsonl or -o FILE.parquet.")
    if verify and metric != "cosine":
        raise click.UsageError("--verify checks cosines; leave --metric at cosine.")
    show = options.Progress(quiet)
    with show.stage(f"reading {original}") as progress:
        table = load(
            original,
            vocab=original_vocab,
            limit=limit,
            unsafe_pickle=unsafe_pickle,
            progress=progress,
        )
    pair = options.read_pair(
        table, tuned, vocab=vocab, unsafe_pickle=unsafe_pickle, show=show, limit=limit
    )
    among = _candidates(pair, candidates, candidates_from, candidates_matching, candidates_moved)
    ask: dict[str, Any] = {
        "candidates": among, "metric": metric, "device": device, "memory": memory,
    }  # fmt: skip
    if output is not None:
        with show.stage("neighbors") as progress:
            found = write_shifts(pair, output, asked or None, k, progress=progress, **ask)
        show.say(f"{output}: {len(asked) or len(pair):,} words, {found:,} from a stopped run")
        if verify:
            sample = _sample(pair, asked)
            _verify(pair, neighbor_shifts(pair, sample, k, **ask), show)
        return
    with show.stage("neighbors") as progress:
        shifts = neighbor_shifts(pair, asked, k, progress=progress, **ask)
    if verify:
        _verify(pair, shifts, show)
    told = explain(pair, shifts)
    document = shifts.to_dict()
    for entry, each in zip(document["words"], (one.to_dict() for one in told), strict=True):
        entry |= {name: each[name] for name in ("cause", "own", "neighbors")}
    options.give(
        lambda: Group(neighbors_view(shifts), Text(""), *(Text(str(each)) for each in told)),
        document,
        json_to,
    )


def _candidates(
    pair: Pair, first: int | None, file: str | None, pattern: str | None, moved: bool
) -> int | list[str] | None:
    """Words that every given option allows, in the order of the table or of the file."""
    if not (file or pattern or moved):
        return first
    allowed: Sequence[str] = pair.words[:first]
    if file:
        listed = (line.split()[0] for line in options.gather_words((), file))
        inside = set(allowed)
        allowed = [word for word in dict.fromkeys(listed) if word in inside]
    if pattern:
        try:
            matches = re.compile(pattern).fullmatch
        except re.error as error:
            raise click.UsageError(f"{pattern!r} is not a regular expression: {error}.") from None
        allowed = [word for word in allowed if matches(word)]
    if moved:
        allowed = [word for word in allowed if pair.moved[pair.index[word]]]
    if not allowed:
        raise click.UsageError("no shared word is left as a candidate.")
    return list(allowed)


def _sample(pair: Pair, asked: Sequence[str]) -> list[str]:
    words = asked or pair.words
    return list(words[:: max(1, len(words) // SAMPLE)][:SAMPLE])


def _verify(pair: Pair, shifts: NeighborShifts, show: options.Progress) -> None:
    from driftkit.neighbors.search.verify import verify

    checked = verify(pair, shifts, sample=SAMPLE)
    if checked.wrong:
        raise click.ClickException(
            f"{len(checked.wrong)} of {checked.checked} words checked have other neighbors in "
            f"float64, such as {checked.wrong[0]!r}; please report it."
        )
    show.say(f"verified: {checked.checked} words have these neighbors in float64 too")
