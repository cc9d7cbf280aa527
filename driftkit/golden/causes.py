"""What may have changed a model, told from what its vectors became."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from driftkit.arrays import row_norms
from driftkit.display import number
from driftkit.golden.differences import Differences, percent

FEW = 3  # items on one side, which may be alike by chance
ENOUGH = 10  # items of which a median says something
UNRELATED = 0.2  # median cosine, below which two models have no direction in common
EVEN, CLOSE = 2.0, 0.93
"""What int8 did: no item lay off twice as far as another, and the median cosine was 0.95 or more. A
missing prompt was less even (2.5), other pooling farther (0.6)."""

COMMON = 0.9
"""Share of the squared distances that one vector explains, above which it is told."""


def looks_like(offs: Differences) -> Iterator[str]:
    """Say what the differences look like, each time with the evidence."""
    n, beyond = len(offs.items), offs.beyond
    cosines = np.where(np.isnan(offs.cosines), 0, offs.cosines)
    sizes = row_norms(offs.new)
    directions = offs.new / np.where(sizes == 0, 1, sizes)[:, None]
    locked = offs.was / np.where(offs.lengths == 0, 1, offs.lengths)[:, None]
    nearest = (directions @ locked.T).argmax(axis=1)
    elsewhere = (
        beyond
        & (nearest != np.arange(n))
        & (row_norms(offs.new - offs.was[nearest]) <= offs.most[nearest])
    )
    if elsewhere.sum() >= max(2, 0.5 * beyond.sum()):
        yield (
            f"Looks like a lost order: {int(elsewhere.sum()):,} of the new vectors are the locked "
            "ones of other items."
        )
        return
    if n >= ENOUGH and abs(float(np.median(cosines))) < UNRELATED:
        yield (
            "Looks like another model: half of the items have a cosine of "
            f"{number(float(np.median(cosines)))} or less to what they were."
        )
        return
    cased = np.array([item.cased is True for item in offs.items])
    few = min(int(beyond.sum()), int((~beyond).sum())) < FEW
    if not few and (beyond == cased).all():
        yield (
            f"Looks like lower-casing: the {int(beyond.sum()):,} items with capital letters "
            "changed, and no other did."
        )
    sizes_of_texts = np.array([item.characters or 0 for item in offs.items])
    if not few and sizes_of_texts[beyond].min() > sizes_of_texts[~beyond].max():
        yield (
            f"Looks like texts cut at another length: the {int(beyond.sum()):,} longest changed, "
            f"from {int(sizes_of_texts[beyond].min()):,} characters on."
        )
    if n < ENOUGH or not beyond.all():
        return
    shift = (offs.new - offs.was).mean(axis=0)
    common = float(np.square(shift).sum() / np.square(offs.distances).mean())
    if common > COMMON:
        yield (
            "Looks like one vector that was added to all, as where they are centered: it explains "
            f"{common:.0%} of the squared distances."
        )
    elif offs.relative.max() < EVEN * offs.relative.min() and float(np.median(cosines)) >= CLOSE:
        low, high = percent(float(offs.relative.min())), percent(float(offs.relative.max()))
        yield (
            "Looks like small changes everywhere, such as coarser numbers (int8): every item is "
            f"off, by nearly as much, {low} to {high} of its length."
        )
