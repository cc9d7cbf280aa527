"""For tests and doctests alike: what one of them registers is forgotten after it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

# Kernels of graphics cards, which nothing can import elsewhere.
collect_ignore = [] if find_spec("triton") else ["driftkit/neighbors/search/fused.py"]

REGISTRIES = (
    ("driftkit.datasets.catalog", "REGISTRY"),
    ("driftkit.evaluators.registry", "EVALUATORS"),
    ("driftkit.measures.registry", "REGISTRY"),
)


@pytest.fixture(autouse=True)
def _forget_what_was_registered() -> Iterator[None]:
    kept = [
        (registry, dict(registry))
        for module, name in REGISTRIES
        if (registry := getattr(sys.modules.get(module), name, None)) is not None
    ]
    yield
    for registry, before in kept:
        registry.clear()
        registry.update(before)
