"""What general knowledge a table holds, and what was lost of it."""

from driftkit.evaluators.analogy.evaluator import Analogy
from driftkit.evaluators.categorization import Categorization
from driftkit.evaluators.comparison.compare import compare_scores
from driftkit.evaluators.comparison.result import BandChange, ScoreChange, ScoreChanges, SplitChange
from driftkit.evaluators.evaluation import Evaluation
from driftkit.evaluators.outliers import Outliers
from driftkit.evaluators.registry import Evaluator
from driftkit.evaluators.score import score
from driftkit.evaluators.scores import Score, Scores
from driftkit.evaluators.similarity import Similarity
from driftkit.evaluators.synonyms import SynonymChoice
from driftkit.evaluators.weat import WEAT, Bias, BiasChange

__all__ = [
    "WEAT",
    "Analogy",
    "BandChange",
    "Bias",
    "BiasChange",
    "Categorization",
    "Evaluation",
    "Evaluator",
    "Outliers",
    "Score",
    "ScoreChange",
    "ScoreChanges",
    "Scores",
    "Similarity",
    "SplitChange",
    "SynonymChoice",
    "compare_scores",
    "score",
]
