"""What general knowledge a table holds, and what was lost of it."""

from driftkit.evaluators.changes import ScoreChange, ScoreChanges, SplitChange
from driftkit.evaluators.compare import compare_scores
from driftkit.evaluators.scores import Score, Scores, score

__all__ = [
    "Score",
    "ScoreChange",
    "ScoreChanges",
    "Scores",
    "SplitChange",
    "compare_scores",
    "score",
]
