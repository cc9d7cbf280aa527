"""Shifts of many words in a file: by one process, in shards, or by the workers of a cluster.

Whoever works, a part is what `part.write_part` makes of a run of words, and the file is what
`rows.join` makes of the parts in order, so the file is the same, byte for byte.
"""

from driftkit.neighbors.export.cluster import Opening, Team, team
from driftkit.neighbors.export.shards import Shard, merge_shards
from driftkit.neighbors.export.write import require_target, write_found, write_shifts

__all__ = [
    "Opening",
    "Shard",
    "Team",
    "merge_shards",
    "require_target",
    "team",
    "write_found",
    "write_shifts",
]
