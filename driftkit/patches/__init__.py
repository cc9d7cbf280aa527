"""Patches: what one table has to become another, written down, applied to files and undone."""

from driftkit.patches.files import apply_patch, undo_patch
from driftkit.patches.patch import Patch, read_patch

__all__ = ["Patch", "apply_patch", "read_patch", "undo_patch"]
