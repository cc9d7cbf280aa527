"""How far words and the whole space moved.

``words`` measures each word, ``space`` the two spaces as wholes from the ``moments`` of their
rows, and ``summary`` sums per-word figures up over all, the moved and the unmoved words.
"""

from driftkit.drift.space import space_drift
from driftkit.drift.space_figures import SpaceDrift, SpaceFigure
from driftkit.drift.summary import Summary
from driftkit.drift.words import WordDrift, word_drift

__all__ = ["SpaceDrift", "SpaceFigure", "Summary", "WordDrift", "space_drift", "word_drift"]
