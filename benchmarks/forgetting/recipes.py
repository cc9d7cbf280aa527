"""The recipes compared, each a few settings of `driftkit.training`.

The penalties and limits run at the highest rate, 0.01, where tuning without them forgets most.
Their strengths were chosen on dev, by `strengths.py`, and are the same for every task and model.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Recipe:
    name: str
    label: str
    rate: float = 0.0  # of the table; 0 keeps it frozen
    random: bool = False  # start from random rows of matched scale
    frozen_share: float = 0.0  # of the epochs
    gradual: bool = False
    options: dict[str, Any] = field(default_factory=dict)


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("frozen", "frozen"),
        Recipe("tuned-1e-4", "tuned at once, 0.0001", 1e-4),
        Recipe("tuned-1e-3", "tuned at once, 0.001", 1e-3),
        Recipe("tuned-1e-2", "tuned at once, 0.01", 1e-2),
        Recipe("staged", "frozen, then 0.001", 1e-3, frozen_share=0.8),
        Recipe("gradual", "gradual, discriminative, slanted", 1e-2, gradual=True),
        Recipe("l2sp", "0.01 with L2-SP", 1e-2, options={"l2sp": 3e-3}),
        Recipe("ewc", "0.01 with EWC", 1e-2, options={"ewc": 30.0}),
        Recipe("mixout", "0.01 with Mixout", 1e-2, options={"mixout": 0.97}),
        Recipe("neighbors", "0.01, neighbors preserved", 1e-2, options={"neighbors": 300.0}),
        Recipe("lexicon", "0.01 with a lexicon", 1e-2, options={"lexicon": 3e-3}),
        Recipe("mask", "0.01, words seen 10 times", 1e-2, options={"mask": 10}),
        Recipe("random", "random start, 0.001", 1e-3, random=True),
        Recipe("random-frozen", "random, frozen", random=True),
    )
}
