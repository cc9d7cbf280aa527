"""Restoring: ways from a tuned table back toward its original, and how far a budget lets it go."""

from driftkit.restoring.restore import METHODS, restore
from driftkit.restoring.result import Point, Restored

__all__ = ["METHODS", "Point", "Restored", "restore"]
