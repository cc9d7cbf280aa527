"""What general knowledge a table holds, and what was lost of it."""

from driftkit.evaluators.analogy.evaluator import Analogy
from driftkit.evaluators.base import Evaluator
from driftkit.evaluators.categorization import Categorization
from driftkit.evaluators.comparison.compare import compare_scores
from driftkit.evaluators.comparison.paired_items import PairedAnswers, PairedItems, PairedSimilarity
from driftkit.evaluators.comparison.result import PartChange, ScoreChange, ScoreChanges
from driftkit.evaluators.lookup import find_items
from driftkit.evaluators.outliers import Outliers
from driftkit.evaluators.registry import register_evaluator, score
from driftkit.evaluators.scores import Evaluation, Score, Scores
from driftkit.evaluators.similarity import Similarity
from driftkit.evaluators.synonyms import SynonymChoice
from driftkit.evaluators.weat import WEAT

__all__ = [
    "WEAT",
    "Analogy",
    "Categorization",
    "Evaluation",
    "Evaluator",
    "Outliers",
    "PairedAnswers",
    "PairedItems",
    "PairedSimilarity",
    "PartChange",
    "Score",
    "ScoreChange",
    "ScoreChanges",
    "Scores",
    "Similarity",
    "SynonymChoice",
    "compare_scores",
    "find_items",
    "register_evaluator",
    "score",
]
