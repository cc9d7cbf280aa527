"""Whether a difference between two tables on the same items is more than chance.

Every function takes what both tables said about the same items, and speaks of tuned - original.
"""

from driftkit.evaluators.significance.bca import bca_interval
from driftkit.evaluators.significance.correlated import Test, meng, steiger, williams
from driftkit.evaluators.significance.differences import (
    Difference,
    MeanDifference,
    PearsonDifference,
    SpearmanDifference,
)
from driftkit.evaluators.significance.holm import holm
from driftkit.evaluators.significance.interval import LEVEL, Interval, interval
from driftkit.evaluators.significance.mcnemar import mcnemar
from driftkit.evaluators.significance.permutation import permute_correlation, permute_means
from driftkit.evaluators.significance.power import (
    cohen_h,
    cohen_q,
    detectable_accuracy,
    detectable_correlation,
    detectable_difference,
)
from driftkit.evaluators.significance.resampling import (
    jackknife,
    resample,
    resample_clusters,
    resample_means,
)

__all__ = [
    "LEVEL",
    "Difference",
    "Interval",
    "MeanDifference",
    "PearsonDifference",
    "SpearmanDifference",
    "Test",
    "bca_interval",
    "cohen_h",
    "cohen_q",
    "detectable_accuracy",
    "detectable_correlation",
    "detectable_difference",
    "holm",
    "interval",
    "jackknife",
    "mcnemar",
    "meng",
    "permute_correlation",
    "permute_means",
    "resample",
    "resample_clusters",
    "resample_means",
    "steiger",
    "williams",
]
