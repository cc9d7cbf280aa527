"""The page itself: what was found, its words and its charts put into one file."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

from driftkit.arguments import whole
from driftkit.atomic import replacing
from driftkit.charts.trajectory import checkpoint_names, trajectory
from driftkit.defaults import WORDS_LISTED
from driftkit.drift.projection import Method
from driftkit.errors import OptionError
from driftkit.escaping import to_json
from driftkit.explain.directions import drift_directions
from driftkit.findings import Findings
from driftkit.links import Link
from driftkit.report.checkpoints import changes_note, checkpoint_cells
from driftkit.report.page.listed import listed_words, which
from driftkit.report.page.places import places_of
from driftkit.report.page.render import rendered, require_libraries, source_of
from driftkit.report.page.sections import Said
from driftkit.report.page.strings import Strings
from driftkit.report.page.words import CAUSES, words_of
from driftkit.thresholds import TranslatedThreshold


def write_page(
    path: str | PathLike[str],
    audits: Sequence[Findings],
    *,
    words: int = WORDS_LISTED,
    links: Sequence[Link | None] | None = None,
    thresholds: Sequence[Sequence[TranslatedThreshold]] | None = None,
    projection: Method = "pca",
) -> None:
    """Write audits of tables tuned from one original as one HTML file, whole or not at all.

    Parameters
    ----------
    path : path
    audits : sequence of Findings
    words : int
        How many words the page may list.
    links : sequence of Link or None, optional
        The link of each audit, as `driftkit.link` found it.
    thresholds : sequence of sequences of TranslatedThreshold, optional
        The cut-offs of each audit that were carried over.
    projection : {"pca", "umap"}
        What draws the map.

    Raises
    ------
    MissingExtraError
        If jinja2, altair or vl-convert-python is not installed.
    OutputError
        If `path` cannot be written.
    """
    page = page_of(audits, words=words, links=links, thresholds=thresholds, projection=projection)
    with replacing(path) as partial:
        partial.write_text(page, encoding="utf-8", newline="\n")


def page_of(
    audits: Sequence[Findings],
    *,
    words: int = WORDS_LISTED,
    links: Sequence[Link | None] | None = None,
    thresholds: Sequence[Sequence[TranslatedThreshold]] | None = None,
    projection: Method = "pca",
) -> str:
    """Return the page that `write_page` writes."""
    require_libraries()
    whole(0, words=words)
    links = [None] * len(audits) if links is None else links
    thresholds = [()] * len(audits) if thresholds is None else thresholds
    for found, link, several in zip(audits, links, thresholds, strict=True):
        if link is not None and link.pair is not found.pair:
            raise OptionError("a link was given of another pair; give dk.link(audit.pair).")
        if several and link is None:
            raise OptionError("thresholds were given without a link; give dk.link(audit.pair) too.")
    if len({(found.shifts.k, found.noun) for found in audits}) > 1:
        raise OptionError("audits of several depths were given; make all with one k for one page.")
    directions = [drift_directions(found.pair) for found in audits]
    listed = listed_words(audits, directions, words)
    strings, labels = Strings(), checkpoint_names(audits)
    strings.places(listed)
    parts = [
        Said(found, ways, strings, len(listed))
        for found, ways in zip(audits, directions, strict=True)
    ]
    checkpoints = [
        {
            "label": label,
            **said.head(),
            "benchmarks": said.benchmarks(),
            "drift": said.drift(),
            "chance": said.chance(),
            "ways": said.ways(),
            "link": said.link(link, several),
            "figures": _figures(found),
        }
        for label, found, said, link, several in zip(
            labels, audits, parts, links, thresholds, strict=True
        )
    ]
    first = audits[0]
    known = {
        "listed": len(listed),
        "noun": first.noun,
        "place": first.place,
        "k": first.shifts.k,
        "measures": [str(measure) for measure in first.shifts.measures],
    }
    explored = [
        {
            "name": checkpoint["label"],
            "ways": [
                [[name for name, _ in way[end]] for end in ("away", "toward")]
                for way in checkpoint["ways"]
            ],
            "words": words_of(found, listed, strings, ways),
            "map": places_of(found, listed, projection),
        }
        for checkpoint, found, ways in zip(checkpoints, audits, directions, strict=True)
    ]
    _say_once(explored)
    payload = {
        **known,
        "strings": strings.shown,
        "texts": strings.texts(dict(ChainMap(*(dict(found.texts) for found in audits)))),
        "causes": list(CAUSES.values()),
        "checkpoints": explored,
    }
    return _rendered(
        payload,
        **known,
        original=first.pair.original.source.name,
        which=which(audits, listed),
        settings=first.settings,
        checkpoints=checkpoints,
        changes=changes_note(audits),
        **_of_several(audits),
    )


def _say_once(explored: Sequence[dict[str, Any]]) -> None:
    """Put None for what a checkpoint has in common with the first one."""
    for part in ("words", "map"):
        first = explored[0][part]
        for each in explored[1:]:
            same = [name for name, value in each[part].items() if value == first.get(name)]
            each[part] |= dict.fromkeys(same)


def _figures(found: Findings) -> dict[str, Any]:
    """Draw the charts of one audit, each with what it shows."""
    from driftkit.charts.plots import Plots
    from driftkit.report.page.figures import drawn

    plots, noun = Plots(found), found.noun
    overlap = str(found.shifts.measures[0])
    return {
        "benchmarks": drawn(plots.benchmarks()) if found.scores else None,
        "spread": [
            (
                drawn(plots.distributions()),
                f"How {overlap} and self_cosine are spread over moved and unmoved {noun}s.",
            ),
            (drawn(plots.drift_by_rank()), f"What {noun}s kept, by their {found.place}."),
        ],
    }


def _of_several(audits: Sequence[Findings]) -> dict[str, Any]:
    """Return the table of several checkpoints and their trajectory; None of one."""
    if len(audits) == 1:
        return {"side_by_side": None, "trajectory": None}
    from driftkit.report.page.figures import drawn

    rows = checkpoint_cells(audits)
    return {"side_by_side": rows, "trajectory": drawn(trajectory(audits))}


def _rendered(payload: Mapping[str, Any], **context: Any) -> str:
    """Put everything into the template."""
    data = to_json(payload, separators=(",", ":")).replace("<", "\\u003c")
    early = "document.documentElement.classList.add('js')"
    return rendered("page", early=early, script=source_of("page.js"), data=data, **context)
