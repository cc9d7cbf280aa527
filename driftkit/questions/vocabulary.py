"""The question which names are gone or new, and whether new ones crowd in."""

from __future__ import annotations

import numpy as np

from driftkit.display import counted, first_few
from driftkit.measured import Measured
from driftkit.questions.finding import Finding, Status, worst
from driftkit.subwords import is_special

REMOVED = 0.05
"""Share of the original's names whose loss breaks a vocabulary: a tenth of all pairs of words and a
fifth of all analogies lose a word with them."""

CROWDED, OVERRUN = 0.01, 0.25
"""Shares of old words with a new name among their ten neighbors. New names that lie where words lie
bring the first when 1 in 1,000 of all names is new, and the second when 3 in 100 are."""


def answer(found: Measured) -> Finding:
    """Say which names were removed, zeroed or added, and how far added ones crowd in."""
    pair = found.pair
    zeroed = np.flatnonzero((pair.after_norms == 0) & (pair.before_norms > 0))
    words = [pair.words[row] for row in zeroed.tolist()]
    moved = np.flatnonzero(pair.moved).tolist()
    special = [pair.words[row] for row in moved if is_special(pair.words[row])]
    crowded = found.crowded
    notes: list[tuple[Status, str]] = []
    if pair.removed:
        gone = len(pair.removed) / len(pair.original)
        named = f"{counted(len(pair.removed), found.noun)} removed ({first_few(pair.removed)})"
        notes.append(("broken" if gone >= REMOVED else "changed", named))
    if words:
        notes.append(("changed", f"{counted(len(words), 'row')} zeroed ({first_few(words)})"))
    if pair.added:
        taken = (
            "" if np.isnan(crowded) else f"; {crowded:.1%} of old {found.noun}s now have one near"
        )
        status: Status = "kept"
        if crowded >= CROWDED:
            status = "broken" if crowded >= OVERRUN else "changed"
        notes.append((status, f"{counted(len(pair.added), found.noun)} added{taken}"))
    if special:
        notes.append(("kept", f"special tokens moved ({first_few(special)})"))
    return Finding(
        "vocabulary",
        worst(*(status for status, _ in notes)),
        "; ".join(sentence for _, sentence in notes) or "no name added, removed or zeroed",
        {
            "added": len(pair.added),
            "removed": len(pair.removed),
            "zeroed": len(words),
            "crowded": None if np.isnan(crowded) else crowded,
            "trained_special": special,
        },
    )
