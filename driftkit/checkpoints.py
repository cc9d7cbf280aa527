"""Audits of several checkpoints against one original, as one result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

from driftkit.audits import Audit
from driftkit.defaults import WORDS_LISTED
from driftkit.display import Displayed
from driftkit.errors import AlignmentError, OptionError

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType

    from driftkit.charts.plots import TrajectoryPlots


@dataclass(frozen=True, slots=True, repr=False)
class ComparedAudits(Displayed):
    """Several checkpoints side by side, in the order given; iteration yields their audits.

    Made by `driftkit.compare_audits`.

    Parameters
    ----------
    audits : tuple of Audit
    """

    audits: tuple[Audit, ...]

    def __iter__(self) -> Iterator[Audit]:
        return iter(self.audits)

    def __len__(self) -> int:
        return len(self.audits)

    def to_frame(self) -> pd.DataFrame:
        """Return a tidy frame, one row per checkpoint: verdict, counts, means and changes.

        Where the checkpoints are steps of one run, a column read downwards is its trajectory.
        """
        from driftkit.report.checkpoints import checkpoint_frame

        return checkpoint_frame(self.audits)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document ``driftkit.audits/1`` as plain values."""
        from driftkit.report.document import several_document

        return several_document([each.to_dict() for each in self])

    def to_html(self, path: str | PathLike[str], *, words: int = WORDS_LISTED) -> None:
        """Write a report as one HTML file with a switch between checkpoints (extra ``report``).

        Parameters
        ----------
        path : path
            The file; it is written whole or not at all.
        words : int
            How many words to list with their neighbors, at most, as `Audit.to_html` does.

        Raises
        ------
        MissingExtraError
            If jinja2, altair or vl-convert-python is not installed.
        OutputError
            If the file cannot be written.
        """
        from driftkit.report.page.build import write_page

        write_page(path, self.audits, words=words)

    @property
    def plot(self) -> TrajectoryPlots:
        """Charts of what the checkpoints kept: ``compared.plot.trajectory()``."""
        from driftkit.charts.plots import TrajectoryPlots

        return TrajectoryPlots(self.audits)

    def __rich__(self) -> RenderableType:
        from driftkit.report.checkpoints import comparison_view

        return comparison_view(self.audits)


def compare_audits(audits: Iterable[Audit]) -> ComparedAudits:
    """Put audits of several checkpoints against one original side by side.

    Parameters
    ----------
    audits : iterable of Audit
        Of checkpoints in any order, such as that of their steps. Pass one `memo` to `audit` for
        all of them, so that the original is read and searched once.

    Returns
    -------
    ComparedAudits

    Raises
    ------
    OptionError
        If there is none, or if they were made with different settings or benchmarks.
    AlignmentError
        If they are of different originals.

    Examples
    --------
    >>> import driftkit as dk
    >>> words, memo = ["good", "bad", "film"], {}
    >>> original = dk.Embeddings(words, [[1, 0.1], [1, 0], [0, 1]])
    >>> steps = [dk.Embeddings(words, [[x, 0.1], [1, 0], [0, 1]]) for x in (1, 0.9)]
    >>> compared = dk.compare_audits(
    ...     dk.audit(dk.align(original, step), [], k=1, memo=memo) for step in steps
    ... )
    >>> compared.to_frame()["moved"].tolist()
    [0, 1]
    """
    found = tuple(audits) if isinstance(audits, Iterable) else ()
    if not found or not all(isinstance(each, Audit) for each in found):
        raise OptionError(
            "dk.compare_audits takes a list of audits, one or more; call "
            "dk.compare_audits([dk.audit(pair), dk.audit(another)])."
        )
    first, *others = found
    for other in others:
        _require_alike(first, other)
    return ComparedAudits(found)


def _require_alike(one: Audit, other: Audit) -> None:
    """Refuse two audits whose values would differ for another reason than the tuned table."""
    names = [each.pair.tuned.source.name for each in (one, other)]
    originals = [each.pair.original for each in (one, other)]
    if originals[0] is not originals[1] and originals[0].sha256 != originals[1].sha256:
        raise AlignmentError(
            "audits are compared where their original is the same table, and the words or values "
            f"of {originals[0].source.name}, which {names[0]} was audited against, are not those "
            f"of {originals[1].source.name} for {names[1]}."
        )
    asked = [
        asdict(each.settings) | {"benchmarks": [change.label for change in each.scores]}
        for each in (one, other)
    ]
    for name in asked[0]:
        here, there = (each[name] for each in asked)
        if here != there:
            raise OptionError(
                f"audits are compared where their settings are the same, and {name} is {here!r} "
                f"for {names[0]} but {there!r} for {names[1]}; audit both alike."
            )
