"""Benchmarks by name or by file."""

from driftkit.datasets.benchmarks import (
    AnalogyBenchmark,
    Benchmark,
    CategorizationBenchmark,
    ChoiceBenchmark,
    OutlierBenchmark,
    OutlierGroup,
    SimilarityBenchmark,
    WordSets,
    name_of,
)
from driftkit.datasets.catalog import (
    DEFAULT,
    DEFAULT_OF_ENCODERS,
    REGISTRY,
    Dataset,
    get,
    get_all,
    look_up,
    register_benchmark,
)
from driftkit.datasets.layouts import read_bats, read_choices, read_word_sets
from driftkit.datasets.parse import parse
from driftkit.datasets.source import Packaged, Pinned, PinnedFolder

__all__ = [
    "DEFAULT",
    "DEFAULT_OF_ENCODERS",
    "REGISTRY",
    "AnalogyBenchmark",
    "Benchmark",
    "CategorizationBenchmark",
    "ChoiceBenchmark",
    "Dataset",
    "OutlierBenchmark",
    "OutlierGroup",
    "Packaged",
    "Pinned",
    "PinnedFolder",
    "SimilarityBenchmark",
    "WordSets",
    "get",
    "get_all",
    "look_up",
    "name_of",
    "parse",
    "read_bats",
    "read_choices",
    "read_word_sets",
    "register_benchmark",
]
