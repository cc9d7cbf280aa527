"""What is measured, apart from who computes it: names that round-trip."""

from driftkit.measures.measure import Measure
from driftkit.measures.registry import REGISTRY, parse_measure

__all__ = ["REGISTRY", "Measure", "parse_measure"]
