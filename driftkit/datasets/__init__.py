"""Benchmarks by name or by file."""

from driftkit.datasets.benchmark import (
    AnalogyBenchmark,
    Benchmark,
    CategorizationBenchmark,
    OutlierBenchmark,
    OutlierGroup,
    SimilarityBenchmark,
)
from driftkit.datasets.parse import parse
from driftkit.datasets.registry import DEFAULT, REGISTRY, Dataset, get, get_all

__all__ = [
    "DEFAULT",
    "REGISTRY",
    "AnalogyBenchmark",
    "Benchmark",
    "CategorizationBenchmark",
    "Dataset",
    "OutlierBenchmark",
    "OutlierGroup",
    "SimilarityBenchmark",
    "get",
    "get_all",
    "parse",
]
