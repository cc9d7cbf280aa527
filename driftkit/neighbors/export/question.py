"""What is asked of two tables, in a form that tells one question from another."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from importlib.metadata import version
from typing import Any

from driftkit.embeddings import Embeddings
from driftkit.pair import Pair

Candidates = int | Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Question:
    """All that an answer depends on; tables and lists are told by their SHA-256.

    How the work is done (device, memory, parts, shards, workers) is not among it, as the answer
    does not depend on it.
    """

    driftkit: str
    original: str
    tuned: str
    words: str
    count: int  # words asked about
    candidates: str
    k: int
    metric: str

    @classmethod
    def of(
        cls, pair: Pair, words: Sequence[str], k: int, candidates: Candidates, metric: str
    ) -> Question:
        """Read both tables once, from beginning to end."""
        return cls(
            driftkit=version("driftkit"),
            original=_of_table(pair.original),
            tuned=_of_table(pair.tuned),
            words=_of_names(words),
            count=len(words),
            candidates=_of_candidates(candidates),
            k=int(k),
            metric=metric,
        )

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> Question:
        """Return the question of a manifest; a TypeError if it is none."""
        question = cls(**kept)
        if not all(type(getattr(question, name)) is kind for name, kind in _KINDS.items()):
            raise TypeError("not a question")
        return question

    @property
    def digest(self) -> str:
        """The SHA-256 of the whole question, in hexadecimal."""
        return sha256(json.dumps(asdict(self)).encode()).hexdigest()

    def differences(self, other: Question) -> tuple[str, ...]:
        """Return in a few words each in what two questions differ."""
        mine, theirs = asdict(self), asdict(other)
        return tuple(_SAID.get(name, name) for name in mine if mine[name] != theirs[name])


_KINDS = {each.name: int if each.name in ("count", "k") else str for each in fields(Question)}

_SAID = {
    "driftkit": "the version of driftkit",
    "original": "the original table",
    "tuned": "the tuned table",
    "words": "the words asked about",
    "count": "their number",
    "candidates": "the candidates",
    "metric": "the metric",
}


def _of_table(table: Embeddings) -> str:
    """Tell a table by its words, its rows and its rounding, which decides what has moved."""
    return sha256(f"{table.sha256} {table.source.rounding!r}".encode()).hexdigest()


def _of_candidates(candidates: Candidates) -> str:
    return _of_names(candidates) if isinstance(candidates, Iterable) else str(candidates)


def _of_names(names: Iterable[str]) -> str:
    return sha256(json.dumps(list(names)).encode()).hexdigest()
