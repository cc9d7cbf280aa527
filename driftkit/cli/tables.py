"""Tables, words and benchmarks read as the options of a command say, and audits of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from driftkit.cli.output import Messages
from driftkit.errors import OptionError, SourceError
from driftkit.files import LARGEST, read_whole

if TYPE_CHECKING:
    from driftkit.audits import Audit
    from driftkit.embeddings import Embeddings
    from driftkit.encoders import TextItems
    from driftkit.gate import Policy

NO_BENCHMARK = "none"
"""What ``-b`` takes to ask for no benchmark."""

T = TypeVar("T")


def gather_words(
    words: Sequence[str], words_from: str | None, messages: Messages | None = None
) -> list[str]:
    """Join words given as arguments with those of a file or of standard input, each once."""
    listed = list(words)
    if "-" in listed:
        listed.remove("-")
        words_from = words_from or "-"
    if words_from is not None:
        lines = read_lines(words_from)
        listed += [line.strip() for line in lines if line.strip()]
    asked = list(dict.fromkeys(listed))
    if messages is not None and len(asked) < len(listed):
        messages.say(f"{len(asked):,} words of {len(listed):,}, as some were named again")
    return asked


def read_lines(words_from: str) -> list[str]:
    """Read the lines of a file, of standard input, or of a pipe that the shell has opened."""
    if words_from in ("-", "/dev/stdin") or words_from.startswith("/dev/fd/"):
        with click.open_file(words_from, "rb") as file:
            # Whole: a line at a time, the runner of click 8.2 never reaches the end.
            data: bytes = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise OptionError(f"{words_from} gives more than {LARGEST // 10**6} MB of words.")
    else:
        data = read_whole(Path(words_from), lambda why: OptionError(f"{words_from} {why}"))
    try:
        text = data.decode("utf-8-sig")
        return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    except UnicodeDecodeError:
        why = f"{words_from} is not UTF-8 text with one word on each line."
        raise OptionError(why) from None


def read_texts(path: str | None) -> dict[str, str] | None:
    """Read texts by their ids, as ``--texts`` names them."""
    from driftkit.encoders.items import read_items

    if path is None:
        return None
    items = read_items(path)
    if items.ids == items.texts:
        raise OptionError(f"--texts {path} has no column of ids; name it as FILE::ID:TEXT.")
    return dict(zip(items.ids, items.texts, strict=True))


@dataclass(frozen=True)
class Encoding:
    """``--items``: models are encoders, and their rows the outputs for these items."""

    items: TextItems
    options: Mapping[str, Any]  # of `driftkit.encoders.open_encoder`

    @classmethod
    def of(cls, path: str | None, messages: Messages, **options: Any) -> Encoding | None:
        """Read the items, told what had to be left out; None where there are none."""
        if path is None:
            require_no_model_options("--items FILE")
            return None
        from driftkit.encoders import read_items

        items = read_items(path)
        for problem in items.problems[:5]:
            messages.say(f"{path}: {problem}")
        if len(items.problems) > 5:
            messages.say(f"{path}: and {len(items.problems) - 5:,} more such problems")
        return cls(items, options)

    def takes(self, source: str) -> bool:
        """Whether a source is a model, not a file of vectors."""
        from driftkit.encoders import is_model

        return is_model(source)

    @property
    def texts(self) -> dict[str, str] | None:
        """The texts by their ids; None where a text is its own id."""
        if self.items.ids == self.items.texts:
            return None
        return dict(zip(self.items.ids, self.items.texts, strict=True))

    def table(
        self, source: str, messages: Messages, limit: int | None, dimensions: int | None
    ) -> Embeddings:
        """Encode the items, or the first ones."""
        from driftkit import encode

        ids, texts = self.items.ids[:limit], self.items.texts[:limit]
        first = replace(self.items, ids=ids, texts=texts)
        with messages.stage(f"encoding by {source}") as progress:
            options = {**self.options, "dimensions": dimensions}
            return encode(source, first, progress=progress, **options)


def require_no_model_options(instead: str) -> None:
    """Refuse options of models that were typed where nothing is encoded."""
    ctx = click.get_current_context()
    typed = click.core.ParameterSource.COMMANDLINE
    own = ("device",) if ctx.info_name != "shifts" else ()  # which computes neighbors there, too
    for name in ("pooling", "prompt", "batch_size", "no_cache", *own):
        if ctx.get_parameter_source(name) is typed:
            option = f"--{name.replace('_', '-')}"
            raise click.UsageError(f"{option} is for models that encode; it needs {instead}.")


def read_table(
    source: str,
    messages: Messages,
    *,
    several: bool = False,
    encoding: Encoding | None = None,
    **settings: Any,
) -> Embeddings:
    """Read a table, one of several or alone; the settings are those of `driftkit.load`.

    With an encoding, a model is not read but encodes.
    """
    from driftkit import load

    if encoding is not None and encoding.takes(source):
        asked = settings.get("limit"), settings.get("dimensions")
        return encoding.table(source, messages, *asked)

    def read(vocab: str | None) -> Embeddings:
        with messages.stage(f"reading {source}") as progress:
            if progress is not None:
                progress(0, 1)  # not every format tells how far it has come
            return load(source, progress=progress, **{**settings, "vocab": vocab})

    return with_vocab(read, settings.get("vocab"), messages, several=several)


def read_original(source: str, messages: Messages, **settings: Any) -> Embeddings:
    """Read the original table; a sentence that advises ``--vocab`` names its option instead."""
    try:
        return read_table(source, messages, **settings)
    except SourceError as error:
        said = str(error).removeprefix(f"{error.source}: ")
        raise type(error)(error.source, said.replace("--vocab", "--original-vocab")) from None


def with_vocab(
    read: Callable[[str | None], T], vocab: str | None, messages: Messages, *, several: bool
) -> T:
    """Read a source with a vocabulary, or without it where the source has words of its own.

    A vocabulary typed for one source is refused there, since it would go unused; one that is typed
    for several sources, or stands in the settings, is for those that need it.
    """
    from driftkit.loaders.formats.format import OwnWordsError

    try:
        return read(vocab)
    except OwnWordsError as error:
        if not several and _is_typed(vocab):
            raise
        messages.say(f"{error.source}: has words of its own, so {vocab} is not used for it.")
        return read(None)


def _is_typed(vocab: str | None) -> bool:
    ctx = click.get_current_context()
    named = [name for name in ("vocab", "original_vocab") if ctx.params.get(name) == vocab]
    typed = click.core.ParameterSource.COMMANDLINE
    return any(ctx.get_parameter_source(name) is typed for name in named)


def require_sources(*sources: str, encoding: Encoding | None = None) -> None:
    """Refuse files that are not there, or of no known format, before the first one is read."""
    from driftkit.loaders.formats.registry import find_format
    from driftkit.loaders.remote import is_remote
    from driftkit.loaders.request import parse

    for source in sources:
        request = parse(source)
        if encoding is not None and encoding.takes(source):
            continue
        if request.scheme is None and not is_remote(request.target):
            find_format(request)


class Composer:
    """``--compose mean``: makes the words of benchmarks, and others, from pieces."""

    def __init__(self, benchmarks: Sequence[str], words: Iterable[str], messages: Messages) -> None:
        from driftkit.datasets import SimilarityBenchmark, get_all

        asked: dict[str, None] = {}
        names = benchmarks_named(benchmarks)
        for benchmark in get_all(names) if names != [] else ():
            items: Iterable[Sequence[str]] = (
                benchmark.pairs
                if isinstance(benchmark, SimilarityBenchmark)
                else getattr(benchmark, "quadruples", ())
            )
            asked.update((word, None) for item in items for word in item)
        self.words = [*asked, *words]
        self.messages = messages
        self.reports: list[dict[str, object]] = []

    def __call__(self, table: Embeddings) -> Embeddings:
        """Return the table of whole words; a table that has no pieces is returned as it is."""
        from driftkit.subwords import compose, style_of

        if style_of(table.words) is None:
            return table
        made = compose(table, self.words)
        self.reports.append(made.to_dict())
        self.messages.say(f"{table.source.name}: {made}.")
        return made.table

    def require_pieces(self) -> None:
        """Refuse to go on if no table had pieces."""
        if not self.reports:
            raise click.UsageError(
                "--compose: no table here is made of word pieces (##ing, Ġthe, ▁the); leave it out."
            )


def audits(
    original: str,
    tuned: Sequence[str],
    messages: Messages,
    *,
    benchmarks: Sequence[str],
    measures: Sequence[str],
    k: int,
    vocab: str | None,
    original_vocab: str | None,
    base: str | None,
    policy: Policy | None = None,
    words: Sequence[str] = (),
    composer: Composer | None = None,
    limit: int | None = None,
    dimensions: int | None = None,
    original_dimensions: int | None = None,
    unsafe_pickle: bool = False,
    case: str | None = None,
    normalize: str | None = None,
    phrase_separator: str | None = None,
    texts: str | None = None,
    items: str | None = None,
    pooling: str | None = None,
    prompt: str | None = None,
    batch_size: int = 64,
    device: str = "auto",
    no_cache: bool = False,
    **settings: Any,
) -> list[Audit]:
    """Audit several tables against one original; what is misspelt is told before the long work.

    What the rules of the policy name is measured besides; both tables must have the words.
    """
    from driftkit import align, audit
    from driftkit.evaluators.registry import default_of_encoders
    from driftkit.measures.registry import requested_measures

    measures = [*measures, *(policy.measures if policy else ())]
    requested_measures(measures, k)
    options = {"pooling": pooling, "prompt": prompt, "batch_size": batch_size, "device": device}
    encoding = Encoding.of(items, messages, **options, cache=not no_cache)
    if encoding is not None and composer:
        raise click.UsageError(
            "--compose is for tables of word pieces; --items encodes whole texts."
        )
    default = None
    if encoding is not None and not benchmarks and all(map(encoding.takes, (original, *tuned))):
        default, left_out = default_of_encoders()
        for clause in left_out:
            messages.say(clause)
    asked = spelled(
        benchmarks_for(benchmarks, policy.benchmarks if policy else (), default),
        case=case,
        normalize=normalize,
        phrase_separator=phrase_separator,
    )
    require_sources(original, *tuned, encoding=encoding)
    of_items = None if encoding is None else encoding.texts
    settings["texts"] = of_items if texts is None else read_texts(texts)
    reading: dict[str, Any] = {"base": base, "unsafe_pickle": unsafe_pickle, "limit": limit}
    reading["encoding"] = encoding
    width = original_dimensions or dimensions
    made = []
    with messages.over(original, tuned) as bar:
        table = read_original(original, messages, vocab=original_vocab, dimensions=width, **reading)
        reading["dimensions"] = dimensions
        several = len(tuned) > 1
        table = composer(table) if composer else table
        settings |= {"memo": {}, "progress": bar if messages.live else None}
        for number, source in enumerate(tuned, 1):
            bar.begin(number)
            other = read_table(source, messages, several=several, vocab=vocab, **reading)
            pair = align(table, composer(other) if composer else other)
            if composer:
                composer.require_pieces()
            pair.rows(words)
            with messages.stage(f"auditing {source}"):
                made.append(audit(pair, asked, k=k, measures=measures, **settings))
    return made


def benchmarks_named(typed: Sequence[str]) -> list[str] | None:
    """Return the benchmarks that ``-b`` names: an empty list for none, None for the default."""
    if NO_BENCHMARK in typed and len(typed) > 1:
        raise click.UsageError(f"-b {NO_BENCHMARK} asks for no benchmark; name it alone.")
    return [name for name in typed if name != NO_BENCHMARK] if typed else None


def benchmarks_for(
    typed: Sequence[str], named: Sequence[str], default: Sequence[Any] | None = None
) -> list[Any] | None:
    """Return the benchmarks asked for, and those that only a rule names; None for the default."""
    from driftkit.datasets import get_all, name_of

    asked = benchmarks_named(typed)
    found = list(get_all(default if asked is None else asked)) if asked != [] else []
    names = {name_of(benchmark) for benchmark in found}
    missing = [name for name in named if name not in names]
    if asked is None and not missing:
        return None
    return [*found, *(get_all(missing) if missing else ())]


def spelled(benchmarks: Any, **spelling: str | None) -> Any:
    """Return benchmarks, or evaluators of them that find words as the options say."""
    from driftkit.evaluators.registry import evaluators

    given = {name: value for name, value in spelling.items() if value is not None}
    return evaluators(benchmarks, **given) if given and benchmarks != [] else benchmarks
