"""How far the whole space moved: every measure of the space over every group of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, reduce
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Group, RenderableType

from driftkit.arrays import Mask, Matrix, Values
from driftkit.display import Displayed, Text, number, table
from driftkit.drift import similarity, spectrum
from driftkit.drift.groups import BANDS, GROUPS, band_masks, group_masks, none_if_nan
from driftkit.drift.moments import Moments, blocks, moments, unit_moments
from driftkit.errors import UnknownNameError
from driftkit.measures.measure import Measure
from driftkit.measures.registry import REGISTRY, compute, computed_from, function_of, provide
from driftkit.pair import Pair

if TYPE_CHECKING:
    import pandas as pd

_CONSTANT = 1e-26
"""Share of the sum of squares below which what is left after centering is rounding.

float32 rows that differ at all leave at least 2**-48 / n of it (1e-21 for ten million rows),
float64 rounding about 1e-32.
"""


@dataclass(frozen=True, slots=True)
class SpaceValue:
    """One measure of the space over one group of rows."""

    measure: str
    group: str  # all, moved, unmoved, or a band of ranks such as "rank 1-1000"
    of: str  # "pair" if it compares the tables, "original" or "tuned" if it describes one
    n: int  # rows that entered
    value: float  # NaN when it could not be measured
    reason: str | None = None  # why it could not


@dataclass(frozen=True, slots=True, repr=False)
class SpaceDrift(Displayed):
    """Measures of the space, made by `space_drift`: measure by measure, group by group."""

    values: tuple[SpaceValue, ...]

    def __iter__(self) -> Iterator[SpaceValue]:
        return iter(self.values)

    def find(self, measure: str, group: str = "all", of: str = "pair") -> SpaceValue:
        """Return one value, such as ``("cka", "moved")`` or ``("mean_cosine", "all", "tuned")``."""
        known = {(each.measure, each.group, each.of): each for each in self.values}
        if (measure, group, of) not in known:
            raise UnknownNameError(
                "value of the space",
                ", ".join((measure, group, of)),
                [", ".join(key) for key in known],
            )
        return known[measure, group, of]

    @property
    def groups(self) -> list[str]:
        """The groups of rows measured: all, moved, unmoved, then the bands of ranks."""
        return list(dict.fromkeys(each.group for each in self.values))

    def to_frame(self) -> pd.DataFrame:
        """Return a pandas frame with a row for each value: measure, group, of, n, value, reason."""
        import pandas as pd

        return pd.DataFrame([asdict(each) for each in self.values])

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, numbers and strings, ready for JSON; None for what is NaN."""
        return {
            "figures": [
                {name: none_if_nan(value) for name, value in asdict(each).items()}
                for each in self.values
            ]
        }

    def __rich__(self) -> RenderableType:
        rows = ", ".join(f"{self.find('cka', group).n:,} {group}" for group in GROUPS)
        made = table("measure", right=[group.replace(" ", "\n") for group in self.groups])
        named: dict[str, dict[str, float]] = {}
        for each in self.values:
            name = each.measure if each.of == "pair" else f"{each.measure}, {each.of}"
            named.setdefault(name, {})[each.group] = each.value
        for name, values in named.items():
            cells = (number(values.get(group, float("nan")), 3) for group in self.groups)
            made.add_row(name, *cells)
        why = (f"{each.group}: {each.reason}" for each in self.values if each.reason)
        notes = (Text(f"Not measured in {note}.", "yellow") for note in dict.fromkeys(why))
        return Group(Text(f"Drift of the space, rows: {rows}"), made, *notes)


def space_drift(
    pair: Pair, *, bands: Sequence[int] = BANDS, measures: Iterable[Measure] = ()
) -> SpaceDrift:
    """Compare the two spaces as wholes, over all, the moved and the unmoved rows, and by rank.

    What driftkit computes from sums is always taken, and of `measures` those of the space that need
    no neighbors. `bands` are those of `band_masks`. What cannot be measured is NaN with a reason.
    The tables may differ in width: these sums are of each table, or of products between words.
    Procrustes then turns the narrower one filled with zeros, and what registered measures would
    make of such rows is not known, so they are not measured.

    >>> from driftkit import Embeddings, align
    >>> square = np.array([[1, 0], [0, 1], [-1, 0], [0, -2]])
    >>> quarter_turn = square @ np.array([[0, 1], [-1, 0]])
    >>> words = ["north", "east", "south", "west"]
    >>> drift = space_drift(align(Embeddings(words, square), Embeddings(words, quarter_turn)))
    >>> round(drift.find("cka").value, 6), round(drift.find("procrustes").value, 6)
    (1.0, 0.0)
    """
    chosen = {**group_masks(pair.moved), **band_masks(len(pair), bands)}
    raw = _by_group(pair, chosen, moments)
    unit = _by_group(pair, chosen, unit_moments)
    norms = similarity.norm_products(pair, list(zip(chosen.values(), raw, strict=True)))
    groups = [
        _Group(name, pair, mask, *sums)
        for (name, mask), sums in zip(
            chosen.items(), zip(raw, unit, norms, strict=True), strict=True
        )
    ]
    every, _, unmoved, *_ = groups
    if unmoved.unchanged and not pair.mismatch:
        groups[0] = replace(every, still=unmoved.raw)
    taken = computed_from("sums", "space", REGISTRY.values())
    formulas = {measure: function_of(measure) for measure in taken}
    formulas |= {each: _of_rows(each) for each in computed_from("pair", "space", measures)}
    return SpaceDrift(
        tuple(
            value
            for measure, formula in formulas.items()
            for value in _in_groups(measure, formula, groups)
        )
    )


def _by_group(
    pair: Pair, chosen: dict[str, Mask], take: Callable[[Pair, Mask], Moments]
) -> list[Moments]:
    """Return sums over every group, from those over the smallest parts groups are made of."""
    bands = [mask for name, mask in chosen.items() if name not in GROUPS]
    parts = [
        [take(pair, band & side) for side in (pair.moved, ~pair.moved)]
        for band in bands or [chosen["all"]]
    ]
    moved, unmoved = (reduce(add, each) for each in zip(*parts, strict=True))
    return [moved + unmoved, moved, unmoved, *(part[0] + part[1] for part in parts if bands)]


@dataclass(frozen=True, eq=False)
class _Group:
    name: str
    pair: Pair
    mask: Mask
    raw: Moments
    unit: Moments  # where both sides have a direction
    norms: similarity.NormProducts
    still: Moments | None = None  # of its rows that did not change, where these are known

    @cached_property
    def unchanged(self) -> bool:
        """Whether no row differs in any bit."""
        return not self.pair.changed[self.mask].any()

    @cached_property
    def shapeless(self) -> bool:
        """Whether all rows of a table are equal, but for rounding."""
        m = self.raw
        return any(
            np.trace(centered) <= _CONSTANT * np.trace(whole)
            for centered, whole in ((m.xx, m.raw_xx), (m.yy, m.raw_yy))
        )

    @cached_property
    def turn(self) -> tuple[Values | None, float]:
        """The rotation of the tuned rows that fits best, not made of bands, and ``|Xc'Yc|_*``.

        Where one table is narrower it is filled with zeros, so that a rotation is square.
        """
        cross = self.raw.xy.T  # Yc'Xc = U S V'
        if self.name not in GROUPS:
            return None, float(np.linalg.svd(cross, compute_uv=False).sum())
        widest = max(cross.shape)
        missing = [(0, widest - d) for d in cross.shape]
        u, singular, vt = np.linalg.svd(np.pad(cross, missing))
        return u @ vt, float(singular.sum())

    @cached_property
    def eigenvalues(self) -> tuple[Values, Values]:
        """Those (d,) of ``Xc'Xc`` and ``Yc'Yc``; those below zero by rounding raised to it."""
        x, y = (np.maximum(np.linalg.eigvalsh(each), 0) for each in (self.raw.xx, self.raw.yy))
        return x, y

    @cached_property
    def bases(self) -> tuple[spectrum.Basis, spectrum.Basis]:
        return spectrum.Basis.of(self.raw.raw_xx), spectrum.Basis.of(self.raw.raw_yy)

    @property
    def rows(self) -> tuple[Matrix, Matrix]:
        """Rows (m, d) of both tables; views where all are chosen."""
        some = slice(None) if self.mask.all() else self.mask
        return self.pair.before[some], self.pair.after[some]


@dataclass(frozen=True, slots=True)
class _Formula:
    """How a measure is taken of a group: of the pair, or of one table (0 or 1) and then of each."""

    function: Callable[..., float]
    least: int  # rows it needs
    each: bool = False
    varied: bool = False  # whether the rows must differ
    directed: bool = False  # whether only rows with a direction count
    bands: bool = True
    alike: bool = False  # whether rows of both tables must have one width
    flat: str = "the rows of a table do not vary enough"

    def __call__(self, group: _Group) -> Iterator[tuple[str, int, float, str | None]]:
        """Yield the table described, the rows that entered, the value, and why there is none."""
        if not self.bands and group.name not in GROUPS:
            return
        n = group.unit.n if self.directed else group.raw.n
        reason = group.pair.mismatch if self.alike else None
        if n < self.least:
            reason = f"only {n:,} rows to measure, and at least {self.least} are needed"
        elif self.varied and group.shapeless:
            reason = "the rows of a table are all equal, so they have no shape"
        value = np.nan
        for at, of in enumerate(("original", "tuned") if self.each else ("pair",)):
            if not reason and not (at and group.unchanged):
                value = self.function(group, at) if self.each else self.function(group)
            yield of, n, value, reason or (self.flat if np.isnan(value) else None)


def _in_groups(
    measure: Measure, formula: _Formula, groups: Sequence[_Group]
) -> Iterator[SpaceValue]:
    """Measure every group; the moved rows, where they are all rows, are measured as these."""
    whole, *others = groups
    found = list(_measured(measure, formula, whole))
    yield from found
    for group in others:
        if group.name == "moved" and group.mask.all():
            yield from (replace(value, group=group.name) for value in found)
        else:
            yield from _measured(measure, formula, group)


def _measured(measure: Measure, formula: _Formula, group: _Group) -> Iterator[SpaceValue]:
    for of, n, value, reason in formula(group):
        unchanged = of == "pair" and group.unchanged
        (settled,) = measure.settled(np.array([value]), unchanged).tolist()
        yield SpaceValue(str(measure), group.name, of, n, settled, reason)


def _of_rows(measure: Measure) -> _Formula:
    """Return the formula of a measure whose function takes the rows themselves."""

    def function(group: _Group) -> float:
        return float(compute(measure, *group.rows, shape=()))

    flat = f"{measure} of these rows is not a finite number"
    return _Formula(function, 1, alike=True, flat=flat)


def _procrustes(group: _Group) -> float:
    """Return ``|Xc - Yc R|`` with the best orthogonal R, summed row by row.

    ``sqrt(f(Xc) + f(Yc) - 2 |Xc'Yc|_*)`` is the same number, but as a small difference of large
    ones it cannot tell drift below 1e-8 of the space's size from none. It does for bands.
    """
    if group.unchanged:
        return 0.0
    m = group.raw
    rotation, nuclear = group.turn
    if rotation is None:
        whole = float(np.trace(m.xx) + np.trace(m.yy))
        return similarity.root_of_difference(whole, 2 * nuclear)
    widest = len(rotation)
    rotated = unrotated = 0.0
    one_by_one = group.mask
    if group.still is not None:
        rotated, unrotated = (_left(group.still, m, turn) for turn in (rotation, np.eye(widest)))
        one_by_one = group.mask & group.pair.changed
    for x, y in blocks(group.pair, one_by_one):
        x, y = _filled(x - m.mean_x, widest), _filled(y - m.mean_y, widest)
        unrotated += float(np.square(x - y).sum())
        rotated += float(np.square(x - y @ rotation).sum())
    # Not to rotate is a choice too.
    return float(np.sqrt(min(rotated, unrotated)))


def _left(still: Moments, m: Moments, rotation: Values) -> float:
    """Sum ``|(x - mean_x) - (y - mean_y) R|^2`` over rows that did not change, so x is y."""
    less = np.eye(len(rotation)) - rotation
    shift = still.mean_x @ less + m.mean_y @ rotation - m.mean_x
    return float((less * (still.xx @ less)).sum() + still.n * shift @ shift)


def _filled(rows: Values, d: int) -> Values:
    """Rows (b, d) with zeros in the coordinates they lack."""
    missing = d - rows.shape[1]
    return np.pad(rows, ((0, 0), (0, missing))) if missing else rows


def _mean_cosine(group: _Group, at: int) -> float:
    return similarity.mean_cosine(group.unit.n, (group.unit.mean_x, group.unit.mean_y)[at])


def _isotropy(group: _Group, at: int) -> float:
    matrix = (group.pair.before, group.pair.after)[at]
    return spectrum.partition_isotropy(
        matrix, group.mask, group.raw.raw_yy if at else group.raw.raw_xx
    )


def _of_spectrum(function: Callable[[Values], float]) -> _Formula:
    return _Formula(lambda g, at: function(g.eigenvalues[at]), 2, each=True, varied=True)


provide(
    "sums",
    {
        "cka": _Formula(lambda g: similarity.cka(g.raw), 3, varied=True),
        "debiased_cka": _Formula(lambda g: similarity.debiased_cka(g.raw, g.norms), 4, varied=True),
        "procrustes": _Formula(_procrustes, 2),
        "procrustes_angle": _Formula(
            lambda g: similarity.procrustes_angle(g.raw, g.turn[1]), 2, varied=True
        ),
        "pip_loss": _Formula(lambda g: similarity.pip_loss(g.raw), 1),
        "eigenspace_overlap": _Formula(lambda g: spectrum.eigenspace_overlap(g.raw, *g.bases), 1),
        "eigenspace_instability": _Formula(
            lambda g: spectrum.eigenspace_instability(g.raw, *g.bases), 1
        ),
        "rsa": _Formula(lambda g: similarity.rsa(g.unit), 3, directed=True),
        "mean_cosine": _Formula(_mean_cosine, 2, each=True, directed=True),
        "effective_rank": _of_spectrum(spectrum.effective_rank),
        "stable_rank": _of_spectrum(spectrum.stable_rank),
        "participation_ratio": _of_spectrum(spectrum.participation_ratio),
        "isoscore": _of_spectrum(spectrum.isoscore),
        "partition_isotropy": _Formula(_isotropy, 1, each=True, bands=False),
    },
)
