"""What `check` and `baseline` share, and in part `audit`: options, and audits made as they say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from driftkit.cli import options

if TYPE_CHECKING:
    from driftkit.audits import Audit
    from driftkit.embeddings import Embeddings

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_BASELINE = "driftkit-baseline.json"


@dataclass(frozen=True, slots=True)
class Asked:
    """How tables are read and audited."""

    vocab: str | None
    original_vocab: str | None
    unsafe_pickle: bool
    benchmarks: tuple[str, ...]
    k: int
    measures: tuple[str, ...]
    candidates: int | None
    resamples: int
    seed: int


def measure_option(function: F) -> F:
    """Add ``--measure``."""
    return click.option(
        "-m",
        "--measure",
        "measures",
        multiple=True,
        metavar="NAME",
        help="Take this measure as well, such as jaccard@50, displacement(center=1) or "
        "hubness_skewness; may be repeated.",
    )(function)


def audit_options(function: F) -> F:
    """Add the options that decide what an audit measures."""
    for option in (
        click.option("--seed", type=click.IntRange(0), default=0, show_default=True),
        click.option(
            "--resamples",
            type=click.IntRange(100),
            default=2000,
            show_default=True,
            help="Bootstrap resamples behind each interval.",
        ),
        click.option(
            "--candidates",
            type=click.IntRange(1),
            help="Seek neighbors among so many of the first words, and as many moved ones.  "
            "[default: as driftkit.audit]",
        ),
        measure_option,
        options.k_option,
        options.benchmark_option,
        options.pair_options,
    ):
        function = option(function)
    return function


def rules_option(function: F) -> F:
    """Add ``--rule``."""
    return click.option(
        "-r",
        "--rule",
        "rules",
        multiple=True,
        metavar="RULE",
        help="Such as 'spearman[simlex999] >= -0.02'; may be repeated.",
    )(function)


def benchmarks_for(asked: Sequence[str], named: Sequence[str]) -> list[Any]:
    """Return the benchmarks asked for, joined by those that only a rule names.

    Parameters
    ----------
    asked : sequence of str
        Names or files; none for the default.
    named : sequence of str
        As rules name them.
    """
    from driftkit.datasets import get_all, name_of

    found = list(get_all(asked or None))
    names = {name_of(benchmark) for benchmark in found}
    missing = [name for name in named if name not in names]
    return [*found, *(get_all(missing) if missing else ())]


def read_original(source: str, asked: Asked, show: options.Progress) -> Embeddings:
    """Read the original table."""
    from driftkit import load

    with show.stage(f"reading {source}") as progress:
        return load(
            source,
            vocab=asked.original_vocab,
            unsafe_pickle=asked.unsafe_pickle,
            progress=progress,
        )


def audits(
    original: Embeddings,
    tuned: Sequence[str],
    named: Sequence[str],
    asked: Asked,
    show: options.Progress,
    measures: Sequence[str] = (),
) -> list[Audit]:
    """Audit several tables against one original.

    Parameters
    ----------
    original : Embeddings
    tuned : sequence of str
    named : sequence of str
        Benchmarks that rules name.
    asked : Asked
    show : Progress
    measures : sequence of str
        Measures of words and of the space that rules name.
    """
    from driftkit import audit
    from driftkit.audits import CANDIDATES

    benchmarks = benchmarks_for(asked.benchmarks, named)
    memo: dict[Any, Any] = {}
    made = []
    for source in tuned:
        pair = options.read_pair(
            original, source, vocab=asked.vocab, unsafe_pickle=asked.unsafe_pickle, show=show
        )
        with show.stage("") as drawn:
            made.append(
                audit(
                    pair,
                    benchmarks=benchmarks,
                    k=asked.k,
                    candidates=asked.candidates or CANDIDATES,
                    resamples=asked.resamples,
                    seed=asked.seed,
                    measures=[*asked.measures, *measures],
                    memo=memo,
                    progress=show.draw if drawn else None,
                )
            )
    return made
