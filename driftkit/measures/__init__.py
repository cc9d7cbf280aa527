"""What is measured, apart from who computes it: names that round-trip."""

from driftkit.measures.measure import Bounds, Measure
from driftkit.measures.registry import REGISTRY, parse_measure, register_measure

__all__ = ["REGISTRY", "Bounds", "Measure", "parse_measure", "register_measure"]
