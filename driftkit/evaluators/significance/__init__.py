"""Whether a difference between two tables on the same items is more than chance.

Everything here takes what both tables said about the same items, and speaks of tuned - original.
"""

from driftkit.evaluators.significance.bootstrap import (
    LEVEL,
    Difference,
    Interval,
    bca_interval,
    interval,
)
from driftkit.evaluators.significance.clusters import Clusters
from driftkit.evaluators.significance.differences import (
    CorrelationDifference,
    MeanDifference,
    PearsonDifference,
    SpearmanDifference,
    cohen_h,
    cohen_q,
    detectable_accuracy,
    detectable_correlation,
    detectable_difference,
)
from driftkit.evaluators.significance.hypothesis_tests import (
    Test,
    correlation_tests,
    holm,
    mcnemar,
    permute_correlation,
    permute_means,
)

__all__ = [
    "LEVEL",
    "Clusters",
    "CorrelationDifference",
    "Difference",
    "Interval",
    "MeanDifference",
    "PearsonDifference",
    "SpearmanDifference",
    "Test",
    "bca_interval",
    "cohen_h",
    "cohen_q",
    "correlation_tests",
    "detectable_accuracy",
    "detectable_correlation",
    "detectable_difference",
    "holm",
    "interval",
    "mcnemar",
    "permute_correlation",
    "permute_means",
]
