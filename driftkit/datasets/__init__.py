"""Benchmarks by name or by file."""

from driftkit.datasets.bats import read_bats
from driftkit.datasets.benchmarks import (
    AnalogyBenchmark,
    Benchmark,
    CategorizationBenchmark,
    ChoiceBenchmark,
    OutlierBenchmark,
    OutlierGroup,
    SimilarityBenchmark,
)
from driftkit.datasets.choice import read_choices
from driftkit.datasets.dataset import Dataset, Packaged, Pinned
from driftkit.datasets.parse import parse
from driftkit.datasets.registry import DEFAULT, REGISTRY, get, get_all, look_up
from driftkit.datasets.word_sets import WORD_SETS, WordSets, read_word_sets

__all__ = [
    "DEFAULT",
    "REGISTRY",
    "WORD_SETS",
    "AnalogyBenchmark",
    "Benchmark",
    "CategorizationBenchmark",
    "ChoiceBenchmark",
    "Dataset",
    "OutlierBenchmark",
    "OutlierGroup",
    "Packaged",
    "Pinned",
    "SimilarityBenchmark",
    "WordSets",
    "get",
    "get_all",
    "look_up",
    "parse",
    "read_bats",
    "read_choices",
    "read_word_sets",
]
