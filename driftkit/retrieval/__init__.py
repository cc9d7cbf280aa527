"""What a change of model does to search: the same queries, in the same documents, before and after.

``qrels`` reads what people judged, ``coverage`` says what of it is about the tables at hand,
``measures`` are those of ir-measures, ``compare`` searches with both models, and ``result`` is what
was found.
"""

from driftkit.retrieval.compare import compare_retrieval
from driftkit.retrieval.qrels import Qrels, read_qrels
from driftkit.retrieval.result import MeasureChange, RetrievalChanges, SearchChange

__all__ = [
    "MeasureChange",
    "Qrels",
    "RetrievalChanges",
    "SearchChange",
    "compare_retrieval",
    "read_qrels",
]
