"""How far words and the whole space moved.

``words`` measures each word, ``space`` the two spaces as wholes from the ``moments`` of their
rows, and ``groups`` sums measures of words up over all, the moved and the unmoved words.
"""

from driftkit.drift import displacement as displacement  # hands its measure over
from driftkit.drift.groups import Summary
from driftkit.drift.space import SpaceDrift, SpaceValue, space_drift
from driftkit.drift.words import WordDrift, word_drift

__all__ = ["SpaceDrift", "SpaceValue", "Summary", "WordDrift", "space_drift", "word_drift"]
