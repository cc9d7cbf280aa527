"""Whose company changed: nearest neighbors before and after.

``search`` finds neighbors, ``overlap`` compares lists of them, and ``shifts`` puts both together
for the words of a pair.
"""

from driftkit.neighbors.recall import Recall
from driftkit.neighbors.result import Neighbors, NeighborShifts, Shift
from driftkit.neighbors.shifts import neighbor_shifts

__all__ = ["NeighborShifts", "Neighbors", "Recall", "Shift", "neighbor_shifts"]
