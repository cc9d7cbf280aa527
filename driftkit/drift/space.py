"""How far the whole space moved: every whole-space measure over every group of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial, reduce
from operator import add
from typing import TypeVar

import numpy as np

from driftkit.drift import eigenspace, isotropy, spectrum
from driftkit.drift import similarity as alignment
from driftkit.drift.bands import BANDS, band_masks
from driftkit.drift.moments import (
    Block,
    Moments,
    UnitMoments,
    blocks,
    moments,
    stored,
    unit_moments,
)
from driftkit.drift.similarity import NormProducts
from driftkit.drift.space_figures import SpaceDrift, SpaceFigure
from driftkit.drift.summary import GROUPS, group_masks
from driftkit.measures.registry import parse_measure
from driftkit.pair import Mask, Pair

S = TypeVar("S", Moments, UnitMoments)

_CONSTANT = 1e-26
"""Share of the sum of squares below which what is left after centering is rounding.

float32 rows that differ at all leave at least 2**-48 / n of it (1e-21 for ten million rows),
float64 rounding about 1e-32.
"""


def space_drift(pair: Pair, *, bands: Sequence[int] = BANDS) -> SpaceDrift:
    """Compare the two spaces as wholes, over all, the moved and the unmoved rows, and by rank.

    Measures that compare: linear CKA and debiased CKA, Procrustes distance and angle, PIP loss,
    RSA, eigenspace overlap and instability. Measures that describe one space, given for each:
    mean cosine, effective rank, stable rank and participation ratio (of centered rows),
    IsoScore and partition isotropy. Sums are taken in float64 in blocks of rows, and nothing is
    n x n.

    A group over all rows hides damage to a few, hence the groups. What cannot be measured is NaN
    with a reason: measures that need more rows than a group has, and those of shape when all
    rows of a side are equal. Measures of cosines leave out rows that are zero on either side.

    Parameters
    ----------
    pair : Pair
        The two tables.
    bands : sequence of int
        Last ranks of the bands of rows measured besides, counted among the shared words; a last
        band takes what follows, and bands that would be all rows are left out.

    Returns
    -------
    SpaceDrift

    Examples
    --------
    >>> from driftkit import Embeddings, align
    >>> square = np.array([[1, 0], [0, 1], [-1, 0], [0, -2]])
    >>> quarter_turn = square @ np.array([[0, 1], [-1, 0]])
    >>> words = ["north", "east", "south", "west"]
    >>> drift = space_drift(align(Embeddings(words, square), Embeddings(words, quarter_turn)))
    >>> round(drift.figure("cka").value, 6), round(drift.figure("procrustes").value, 6)
    (1.0, 0.0)
    """
    chosen = _chosen(pair, bands)
    raw = _by_group(pair, chosen, moments)
    unit = _by_group(pair, chosen, unit_moments)
    norms = alignment.norm_products(pair, list(zip(chosen.values(), raw, strict=True)))
    groups = [
        _Group(name, pair, mask, *sums)
        for (name, mask), sums in zip(
            chosen.items(), zip(raw, unit, norms, strict=True), strict=True
        )
    ]
    return SpaceDrift(tuple(_figures(groups)))


@dataclass(frozen=True, eq=False)
class _Group:
    name: str
    pair: Pair
    mask: Mask
    raw: Moments
    unit: UnitMoments  # where both sides have a direction
    norms: NormProducts

    @property
    def shapeless(self) -> bool:
        """Whether all rows of a table are equal, but for rounding."""
        return any(
            np.trace(centered) <= _CONSTANT * raw
            for centered, raw in ((self.raw.xx, self.raw.raw_x), (self.raw.yy, self.raw.raw_y))
        )

    @property
    def is_band(self) -> bool:
        return self.name not in GROUPS

    @cached_property
    def same(self) -> bool:
        """Whether no row differs in any bit."""
        return not any((x != y).any() for x, y in stored(self.pair, self.mask))

    @cached_property
    def isotropies(self) -> dict[str, float]:
        """Partition isotropy of each table."""
        before = isotropy.partition_isotropy(self.pair.before, self.mask, self.raw.raw_xx)
        if self.same:
            return {"original": before, "tuned": before}
        after = isotropy.partition_isotropy(self.pair.after, self.mask, self.raw.raw_yy)
        return {"original": before, "tuned": after}

    @cached_property
    def bases(self) -> tuple[eigenspace.Basis, eigenspace.Basis]:
        return eigenspace.bases(self.raw)

    @cached_property
    def spectra(self) -> dict[str, Block]:
        """Eigenvalues (d,) of each table, centered; those below zero by rounding raised to it."""
        return {
            of: np.maximum(np.linalg.eigvalsh(gram), 0)
            for of, gram in (("original", self.raw.xx), ("tuned", self.raw.yy))
        }


def _chosen(pair: Pair, bands: Sequence[int]) -> dict[str, Mask]:
    """Masks (n,) of the groups by name."""
    return {**group_masks(pair.moved), **band_masks(len(pair), bands)}


def _by_group(pair: Pair, chosen: dict[str, Mask], take: Callable[[Pair, Mask], S]) -> list[S]:
    """Sums over every group, from those over the smallest parts that groups are made of."""
    bands = [mask for name, mask in chosen.items() if name not in GROUPS]
    parts = [
        [take(pair, band & side) for side in (pair.moved, ~pair.moved)]
        for band in bands or [chosen["all"]]
    ]
    moved, unmoved = (reduce(add, each) for each in zip(*parts, strict=True))
    by_band: list[S] = [part[0] + part[1] for part in parts] if bands else []
    return [moved + unmoved, moved, unmoved, *by_band]


def _figures(groups: Sequence[_Group]) -> Iterator[SpaceFigure]:
    """Measure by measure, group by group."""
    for name, least, needs_shape, function in _COMPARE:
        for group in groups:
            value = partial(function, group)
            yield _figure(group, name, "pair", group.raw.n, least, value, needs_shape)
    for group in groups:
        value = partial(alignment.rsa, group.unit)
        yield _figure(group, "rsa", "pair", group.unit.n, 3, value)
    for group in groups:
        n = group.unit.n
        for of, total in (("original", group.unit.sum_x), ("tuned", group.unit.sum_y)):
            value = partial(alignment.mean_cosine, n, total)
            yield _figure(group, "mean_cosine", of, n, 2, value)
    for name, describe in _DESCRIBE:
        for group in groups:
            for of in ("original", "tuned"):
                value = partial(_of_spectrum, describe, group, of)
                yield _figure(group, name, of, group.raw.n, 2, value, needs_shape=True)
    for group in (group for group in groups if not group.is_band):
        for of in ("original", "tuned"):
            value = partial(_isotropy, group, of)
            yield _figure(group, "partition_isotropy", of, group.raw.n, 1, value)


def _figure(
    group: _Group,
    name: str,
    of: str,
    n: int,
    least: int,
    value: Callable[[], float],
    needs_shape: bool = False,
) -> SpaceFigure:
    measure = str(parse_measure(name))
    if n < least:
        reason = f"only {n:,} rows to measure, and at least {least} are needed"
        return SpaceFigure(measure, group.name, of, n, np.nan, reason)
    if needs_shape and group.shapeless:
        reason = "the rows of a table are all equal, so they have no shape"
        return SpaceFigure(measure, group.name, of, n, np.nan, reason)
    figure = value()
    flat = "the rows of a table do not vary enough" if np.isnan(figure) else None
    return SpaceFigure(measure, group.name, of, n, figure, flat)


def _procrustes(group: _Group) -> float:
    """``|Xc - Yc R|`` with the best orthogonal R, summed row by row.

    ``sqrt(f(Xc) + f(Yc) - 2 |Xc'Yc|_*)`` is the same number, but as a small difference of large
    ones it cannot tell drift below 1e-8 of the space's size from none. It does for bands.
    """
    m = group.raw
    u, singular, vt = np.linalg.svd(m.xy.T)  # Yc'Xc = U S V'
    if group.is_band:
        return float(np.sqrt(max(np.trace(m.xx) + np.trace(m.yy) - 2 * singular.sum(), 0)))
    if group.same:
        return 0.0
    rotation = u @ vt  # (d, d)
    rotated = unrotated = 0.0
    for x, y in blocks(group.pair, group.mask):
        x -= m.mean_x
        y -= m.mean_y
        unrotated += _square(x - y)
        rotated += _square(x - y @ rotation)
    # Not to rotate is a choice too.
    return float(np.sqrt(min(rotated, unrotated)))


def _of_spectrum(describe: Callable[[Block], float], group: _Group, of: str) -> float:
    return describe(group.spectra[of])


def _isotropy(group: _Group, of: str) -> float:
    return group.isotropies[of]


def _square(matrix: Block) -> float:
    """Squared Frobenius norm, f."""
    return float(np.square(matrix).sum())


_COMPARE: tuple[tuple[str, int, bool, Callable[[_Group], float]], ...] = (
    ("cka", 3, True, lambda group: alignment.cka(group.raw)),
    ("debiased_cka", 4, True, lambda group: alignment.debiased_cka(group.raw, group.norms)),
    ("procrustes", 2, False, _procrustes),
    ("procrustes_angle", 2, True, lambda group: alignment.procrustes_angle(group.raw)),
    ("pip_loss", 1, False, lambda group: alignment.pip_loss(group.raw)),
    (
        "eigenspace_overlap", 1, False,
        lambda group: eigenspace.eigenspace_overlap(group.raw, *group.bases),
    ),
    (
        "eigenspace_instability", 1, False,
        lambda group: eigenspace.eigenspace_instability(group.raw, *group.bases),
    ),
)  # fmt: skip
"""Name, rows needed, whether the rows must differ, and the function."""

_DESCRIBE = (
    ("effective_rank", spectrum.effective_rank),
    ("stable_rank", spectrum.stable_rank),
    ("participation_ratio", spectrum.participation_ratio),
    ("isoscore", spectrum.isoscore),
)
