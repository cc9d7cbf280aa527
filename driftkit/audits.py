"""The audit: every measure run once over a pair, and a result that shows itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from driftkit.arguments import DEEPEST, require, strings, whole
from driftkit.datasets import DEFAULT
from driftkit.defaults import CANDIDATES, RESAMPLES, WORDS_LISTED, K
from driftkit.display import Displayed
from driftkit.drift import SpaceDrift, space_drift, word_drift
from driftkit.drift.null_model import null_pair
from driftkit.drift.reading import readings
from driftkit.drift.remedy import remedy
from driftkit.encoders import encoder_of
from driftkit.errors import OptionError
from driftkit.evaluators import ScoreChanges, compare_scores
from driftkit.evaluators.base import is_encoded, questions_of
from driftkit.evaluators.comparison.compare import FEWEST_RESAMPLES, MOST_RESAMPLES
from driftkit.evaluators.coverage import knows_a_word
from driftkit.evaluators.registry import Scorable, evaluators
from driftkit.findings import Findings, Settings
from driftkit.measured import time_now
from driftkit.measures.measure import Measure
from driftkit.measures.registry import requested_measures
from driftkit.neighbors.optional_measures import shifts_with_measures
from driftkit.pair import Pair
from driftkit.progress import Progress, StageProgress, Whole, as_stage_progress
from driftkit.texts import texts_of

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType

    from driftkit.charts.plots import Plots
    from driftkit.drift.projection import Method
    from driftkit.links import Link
    from driftkit.report.frames import Part
    from driftkit.thresholds import TranslatedThreshold

AT_RANDOM = " of random moves"  # ends the names of stages of the null

TOP = 5  # moved words shown in a shell or a notebook


@dataclass(frozen=True, repr=False)
class Audit(Displayed, Findings):
    """What fine-tuning did to a table of word vectors.

    Made by `driftkit.audit`. Everything shown to people or machines is a view of these findings.

    Parameters
    ----------
    pair : Pair
    settings : Settings
    words : WordDrift
        How far each of the n shared words moved.
    space : SpaceDrift
        How far the space as a whole moved.
    shifts : NeighborShifts
        Whose neighbors changed, for each of the c candidates.
    scores : ScoreChanges
        Which benchmarks were lost, retained or gained.
    readings : tuple of Reading
        Whether what reads the original vectors finds moved, and frequent, words.
    remedy : Remedy or None
        The one simple map that explains the whole change, if one does.
    texts : mapping of str to str
        Texts that views show beside the names of rows.
    time : datetime
        When it was measured, in UTC; or what the variable ``SOURCE_DATE_EPOCH`` says.
    null : Audit or None
        The same for random moves of the same size per row, if they were asked for (see
        `driftkit.drift.null_model`). It is one draw, so values of a single word scatter.
    """

    null: Audit | None = field(default=None)

    def to_frame(self, table: Part = "benchmarks") -> pd.DataFrame:
        """Return one part as a tidy pandas frame.

        Parameters
        ----------
        table : {"findings", "words", "benchmarks", "split", "space", "summary"}
            ``findings`` has a row for each of the six questions. ``words`` has a row for each
            shared word with every per-word measure; those of neighbors are NaN for words that were
            not candidates. If the null was asked for, ``words`` has another column ``NAME null``
            for each measure, and the parts after it a column ``null``: what random moves would have
            given instead of a mean, of a value or of a score of the tuned table.

        Raises
        ------
        UnknownNameError
            If there is no such part.
        """
        from driftkit.report.frames import part_frame

        return part_frame(self, table)

    def to_html(
        self,
        path: str | PathLike[str],
        *,
        words: int = WORDS_LISTED,
        link: Link | None = None,
        thresholds: Sequence[TranslatedThreshold] = (),
        projection: Method = "pca",
    ) -> None:
        """Write a report as one HTML file that opens from disk, offline (extra ``report``).

        Parameters
        ----------
        path : path
            The file; it is written whole or not at all.
        words : int
            How many words to list with their neighbors, at most: the most shifted ones, those that
            the report names, and the first of the table. 10,000 take about 2 MB.
        link : Link, optional
            What ``dk.link(audit.pair)`` found: the report then shows it, and what a map restores.
        thresholds : sequence of TranslatedThreshold, optional
            Cut-offs that `driftkit.translate_threshold` carried over, shown beside the link.
        projection : {"pca", "umap"}
            What draws the map (see `driftkit.drift.projection.project`).

        Raises
        ------
        MissingExtraError
            If jinja2, altair or vl-convert-python is not installed, or umap-learn is asked for and
            not.
        OptionError
            If the link is of another pair, or thresholds are given without a link.
        OutputError
            If the file cannot be written.
        """
        from driftkit.report.page.build import write_page

        write_page(
            path,
            [self],
            words=words,
            links=[link],
            thresholds=[thresholds],
            projection=projection,
        )

    def to_dict(
        self, top: int = 50, *, explain: bool = False, words: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Return the JSON document ``driftkit.audit/1`` as plain values.

        Parameters
        ----------
        top : int
            How many of the most shifted moved, and of the unmoved, words to include.
        explain : bool
            Whether to include what `explain` tells.
        words : sequence of str
            Words to include besides; those that only one table has are left out.
        """
        from driftkit.report.document import audit_document

        return audit_document(self, top, explain, words)

    @property
    def plot(self) -> Plots:
        """Charts of what was found, such as ``audit.plot.words()``."""
        from driftkit.charts.plots import Plots

        return Plots(self)

    def to_card(self, name: str | None = None) -> str:
        """Return a section for a model card: Markdown, with what was not looked at.

        Parameters
        ----------
        name : str, optional
            The model. With it the text begins with metadata, a ``model-index`` of the scores of
            the tuned table, and is a card of its own.

        Raises
        ------
        OptionError
            If a card could not show the name as it is.
        """
        from driftkit.report.card import card_section, front_matter

        above = "" if name is None else f"{front_matter(self, name)}\n"
        return above + card_section(self)

    def to_eval_results(self, datasets: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return scores of the tuned table as the Hub reads them in ``.eval_results/*.yaml``.

        Parameters
        ----------
        datasets : mapping of str to str
            For each benchmark to list, the data set that is registered for it as a benchmark on the
            Hub, and the task: ``{"ws353": "OWNER/NAME:TASK"}``. The Hub takes no other.

        Raises
        ------
        UnknownNameError
            If the audit asked no such benchmark.
        OptionError
            If a value is no data set with its task, or the benchmark has no score.
        """
        from driftkit.report.card import eval_results

        return eval_results(self, datasets)

    def __rich__(self) -> RenderableType:
        from driftkit.report.terminal import audit_view

        return audit_view(self, TOP)


def audit(
    pair: Pair,
    benchmarks: Sequence[Scorable] | Scorable | None = None,
    *,
    k: int = K,
    candidates: int = CANDIDATES,
    resamples: int = RESAMPLES,
    seed: int = 0,
    measures: Sequence[str] = (),
    null: bool = False,
    texts: Mapping[str, str] | None = None,
    memo: MutableMapping[Any, Any] | None = None,
    memory: int | None = None,
    progress: StageProgress | bool | None = None,
) -> Audit:
    """Measure what fine-tuning did: which words moved, what was forgotten, what breaks.

    Parameters
    ----------
    pair : Pair
        From `align`.
    benchmarks : sequence of str, path, Benchmark or Evaluator, optional
        Names, files, or evaluators with their options; by default ``ws353``, ``simlex999`` and
        ``google``, for two tables of encoders ``ws353``, ``simlex999`` and ``sick``. An empty list
        asks for none, which is for items that are no words, and so does the default where no name
        is a word of any of the three. Then `Audit.noun` is *item*, and the verdict is *ship with
        care* at best.
    k : int
        Depth of the neighbor lists.
    candidates : int
        Neighbors are sought among this many of the first shared words (the most frequent, in
        files that are sorted so), joined by as many of the moved words that follow; in the tuned
        table also among as many of the first added words.
    resamples : int
        Bootstrap resamples behind each interval, 100 or more.
    seed : int
        Seed of the bootstrap and of the null.
    measures : sequence of str, optional
        Names of measures to take besides those that always are, such as ``"jaccard@50"``,
        ``"displacement(center=1)"`` or ``"hubness_skewness"``; a depth left out is `k`. Neighbors
        are searched once, as deep as the deepest measure needs.
    null : bool
        Whether to audit random moves of the same size per row as well (`Audit.null`), so that a
        value can be read as more or less than chance. It takes about as long again.
    texts : mapping of str to str, optional
        Texts by the names of rows, such as the sentence or the title behind an id; views show them
        beside the names. Ids may be whole numbers here as well.
    memo : mutable mapping, optional
        Pass the same dictionary when several tuned tables are audited against one original, so
        that work on the original, its scores and its neighbors, is done once.
    memory : int, optional
        Bytes that lists of neighbors may take while they are made; 500 MB unless given. All else
        takes blocks of rows, a few MB at a time, from tables that stay mapped.
    progress : callable or True, optional
        Called with (stage, steps done, steps in all); True draws one bar over all stages, with the
        time left as soon as it can be told.

    Returns
    -------
    Audit

    Raises
    ------
    OptionError
        If an option is out of range, `pair` is not a pair, or `texts` are of no row.
    SourceError
        If a memory-mapped table was written to meanwhile.
    AlignmentError
        If the null is asked for and the tables differ in width.
    UnknownNameError, BenchmarkError
        If a measure or a benchmark cannot be found, or a benchmark cannot be parsed.

    Examples
    --------
    >>> import driftkit as dk
    >>> words = ["good", "bad", "film"]
    >>> original = dk.Embeddings(words, [[1, 0.1], [1, 0], [0, 1]])
    >>> tuned = dk.Embeddings(words, [[0.1, 1], [1, 0], [0, 1]])
    >>> found = dk.audit(dk.align(original, tuned), benchmarks=[], k=1)
    >>> found.verdict, found.most_shifted(1, moved=True)[0].gained
    ('undecided', ('film',))
    """
    require(pair, Pair, "dk.audit")
    whole(1, DEEPEST, k=k)
    whole(1, candidates=candidates)
    whole(FEWEST_RESAMPLES, MOST_RESAMPLES, resamples=resamples)
    whole(0, seed=seed)
    if memory is not None:
        whole(1, memory=memory)
    known, begun = {} if texts is None else texts_of(pair, texts), time_now()
    told = as_stage_progress(progress)
    asked = requested_measures(strings("measures", measures, "measures"), k)
    settings = Settings(k, candidates, resamples, seed, tuple(map(str, asked)), null)

    def stage(name: str) -> Progress | None:
        if told is None:
            return None
        told(name, 0, 1)
        return lambda done, total: told(name, done, total)

    if null and encoder_of(pair.original) is not None:
        raise OptionError(
            "null was asked for outputs of an encoder, whose answers to benchmarks are no rows "
            "that could be moved; leave it out."
        )
    memo = {} if memo is None and null else memo
    if isinstance(told, Whole):
        asks = 0 if _asks_none(benchmarks) else sum(map(questions_of, evaluators(benchmarks)))
        now, later = (
            expected(pair, candidates, asks, first=first, null=null) for first in (not memo, False)
        )
        told.expect(now, later)
    moved_at_random = null_pair(pair, seed=seed) if null else pair
    found = _measure(pair, settings, benchmarks, asked, memo, memory, stage)
    found = replace(found, texts=known, time=begun)
    if not null:
        pair.require_as_read()
        return found
    random = _measure(
        moved_at_random,
        replace(settings, resamples=FEWEST_RESAMPLES, null=False),  # nobody reads its intervals
        benchmarks,
        asked,
        memo,
        memory,
        lambda name: stage(f"{name}{AT_RANDOM}"),
    )
    pair.require_as_read()
    return replace(found, null=random)


def _measure(
    pair: Pair,
    settings: Settings,
    benchmarks: Sequence[Scorable] | Scorable | None,
    asked: Sequence[Measure],
    memo: MutableMapping[Any, Any] | None,
    memory: int | None,
    stage: Callable[[str], Progress | None],
) -> Audit:
    drift_done = stage("drift")
    words, space = word_drift(pair, asked), space_drift(pair, measures=asked)
    if drift_done is not None:
        drift_done(1, 1)
    if _asks_none(benchmarks):
        scores = ScoreChanges(())
    elif benchmarks is None and not (
        is_encoded(pair) or knows_a_word((pair.original, pair.tuned), evaluators())
    ):
        names = ", ".join(DEFAULT)
        scores = ScoreChanges((), (f"no name is a word of the default benchmarks ({names})",))
    else:
        scores = compare_scores(
            pair,
            benchmarks,
            seed=settings.seed,
            resamples=settings.resamples,
            memo=memo,
            progress=stage("benchmarks"),
        )
    pool = candidate_words(pair, settings.candidates)
    among = [*pool, *pair.added[: settings.candidates]]
    shifts, hubs = shifts_with_measures(
        pair, pool, settings.k, asked,
        candidates=among, memo=memo, memory=memory, progress=stage("neighbors"),
    )  # fmt: skip
    space = SpaceDrift(space.values + hubs)
    link_done = stage("link")
    read, simple = readings(pair, pair.rows(pool)), remedy(pair)
    if link_done is not None:
        link_done(1, 1)
    return Audit(pair, settings, words, space, shifts, scores, read, simple)


def _asks_none(benchmarks: Sequence[Scorable] | Scorable | None) -> bool:
    return isinstance(benchmarks, list | tuple) and not benchmarks


def candidate_words(pair: Pair, candidates: int) -> list[str]:
    """Return the words among which neighbors are sought: the first shared ones, then moved ones."""
    later = candidates + np.flatnonzero(pair.moved[candidates:])[:candidates]
    return [*pair.words[:candidates], *(pair.words[row] for row in later.tolist())]


def expected(
    pair: Pair, candidates: int, questions: int, *, first: bool, null: bool
) -> dict[str, float]:
    """Return what the stages of an audit cost, about in seconds of one quiet core.

    Measured on tables of 50,000 to 400,000 rows. The original costs nothing where it was searched
    before, as for all but the `first` of several tables.
    """
    n, d = len(pair), pair.original.dimensions
    pool = min(n, candidates)
    pool += min(int(pair.moved[pool:].sum()), candidates)
    searched = float(first)
    costs: dict[str, float] = {}
    for name, share in (("", pair.moved.mean() if n else 0.0), *([(AT_RANDOM, 1.0)] * null)):
        costs |= {
            f"drift{name}": 0.4 + 5e-8 * n * d,
            f"benchmarks{name}": 1 + 2.6e-11 * questions * n * d * (searched + min(1, 0.1 + share)),
            f"neighbors{name}": 2.5e-11 * pool**2 * d * (searched + min(1, 2 * share)),
            f"link{name}": 0.8 + 3e-8 * n * d,
        }
        searched = 0
    return costs
