"""Bands of ranks: files of word vectors are usually sorted by frequency, and damage is not even."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from driftkit.errors import OptionError
from driftkit.pair import Mask

BANDS = (1_000, 10_000, 100_000)
"""Last ranks of the bands, unless the caller says otherwise."""


def band_masks(n: int, last: Sequence[int] = BANDS) -> dict[str, Mask]:
    """Which of n words belong to each band of ranks.

    Parameters
    ----------
    n : int
        Words, most frequent first.
    last : sequence of int
        Last rank, from 1, of each band, ascending; what follows is a band too.

    Raises
    ------
    OptionError
        If the ranks do not ascend from 1 or more.

    Examples
    --------
    >>> {name: int(mask.sum()) for name, mask in band_masks(2500, [1000, 2000]).items()}
    {'rank 1-1000': 1000, 'rank 1001-2000': 1000, 'rank 2001-2500': 500}
    >>> band_masks(800)
    {}
    """
    if list(last) != sorted(set(last)) or any(rank < 1 for rank in last):
        raise OptionError(f"bands={list(last)} were given; ranks must ascend from 1 or more.")
    ends = [rank for rank in last if rank < n]
    rank = np.arange(1, n + 1)
    starts = [1, *(end + 1 for end in ends)]
    return (
        {
            f"rank {start}-{end}": (rank >= start) & (rank <= end)
            for start, end in zip(starts, [*ends, n], strict=True)
        }
        if ends
        else {}
    )
