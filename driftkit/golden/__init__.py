"""Golden items: how a model behaved, in one small file, and whether it still does."""

from driftkit.golden.lock import Item, Lock, lock, read_lock
from driftkit.golden.verify import Verification, verify

__all__ = ["Item", "Lock", "Verification", "lock", "read_lock", "verify"]
