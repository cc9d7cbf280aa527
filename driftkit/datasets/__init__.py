"""Benchmarks by name or by file."""

from driftkit.datasets.benchmark import (
    AnalogyBenchmark,
    Benchmark,
    CategorizationBenchmark,
    OutlierBenchmark,
    OutlierGroup,
    SimilarityBenchmark,
)
from driftkit.datasets.dataset import Dataset, Packaged, Pinned
from driftkit.datasets.parse import parse
from driftkit.datasets.registry import DEFAULT, REGISTRY, get, get_all, look_up

__all__ = [
    "DEFAULT",
    "REGISTRY",
    "AnalogyBenchmark",
    "Benchmark",
    "CategorizationBenchmark",
    "Dataset",
    "OutlierBenchmark",
    "OutlierGroup",
    "Packaged",
    "Pinned",
    "SimilarityBenchmark",
    "get",
    "get_all",
    "look_up",
    "parse",
]
