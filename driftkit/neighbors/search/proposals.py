"""What a search in float32 hands over to be decided in float64."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Proposals:
    """The largest products of m queries, `depth` of each, in any order.

    Parameters
    ----------
    value : ndarray of float32, shape (m, depth)
        Products of unit rows.
    identity : ndarray of int32, shape (m, depth)
        Positions among the candidates that have a direction; -1 in places not filled.
    bound : ndarray of float32, shape (m,)
        No product of a candidate that is not listed is larger.
    """

    value: npt.NDArray[np.float32]
    identity: npt.NDArray[np.int32]
    bound: npt.NDArray[np.float32]

    @classmethod
    def empty(cls, queries: int, depth: int) -> Proposals:
        """Lists that take whatever comes."""
        return cls.above(np.full(queries, -np.inf, np.float32), depth)

    @classmethod
    def above(cls, floor: npt.NDArray[np.float32], depth: int) -> Proposals:
        """Lists (m, depth) that take only what lies above a floor (m,)."""
        value = np.repeat(floor[:, None], depth, axis=1)
        return cls(value, np.full(value.shape, -1, np.int32), floor.copy())

    @classmethod
    def joined(cls, parts: Sequence[Proposals], depth: int) -> Proposals:
        """Lists of all queries, one part after another."""
        if not parts:
            return cls.empty(0, depth)
        return cls(
            np.concatenate([part.value for part in parts]),
            np.concatenate([part.identity for part in parts]),
            np.concatenate([part.bound for part in parts]),
        )
