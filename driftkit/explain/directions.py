"""Where words moved to: the directions of the drift, and words that moved together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from driftkit.arguments import whole
from driftkit.arrays import Rows, Values, generator
from driftkit.drift.moments import blocks
from driftkit.escaping import printable
from driftkit.pair import Pair

AMONG = 20_000
"""A direction is named by the words most aligned with it, among this many of the first ones."""
_ROUNDS = 50


@dataclass(frozen=True, slots=True, eq=False)
class Direction:
    """A direction in which words moved."""

    vector: Values  # (d,) of unit length
    share: float  # of the squared length of all moves
    toward: tuple[str, ...]  # words whose original vectors are most aligned with it
    away: tuple[str, ...]  # and with its opposite

    def __str__(self) -> str:
        away, toward = ", ".join(self.away), ", ".join(self.toward)
        return printable(f"{self.share:.0%} of the drift: {away} <-> {toward}")


@dataclass(frozen=True, slots=True, eq=False)
class Cluster:
    """Words that moved in about the same direction, the one that moved most along it first."""

    words: tuple[str, ...]
    direction: Direction  # its share counts the moves of these words only
    coherence: float  # length of the moves' mean unit vector: 1 if all go one way, 1/sqrt(m) if any


def drift_rank(pair: Pair, share: float = 0.9) -> int:
    """Return how many directions hold a share of all movement; 0 where nothing moved.

    >>> from driftkit import Embeddings, align
    >>> before = Embeddings(["good", "bad"], [[1, 0, 0], [0, 1, 0]])
    >>> drift_rank(align(before, Embeddings(["good", "bad"], [[1, 0, 1], [0, 1, 2]])))
    1
    """
    gram, _ = _moves(pair)
    lam = np.linalg.eigvalsh(gram)[::-1]
    power = float(lam.sum())
    return int(np.searchsorted(lam.cumsum(), share * power)) + 1 if power else 0


def _moves(pair: Pair) -> tuple[Values, Values]:
    """Return the second moments (d, d) of all moves, not centered, and their sum (d,)."""
    d = pair.before.shape[1]
    gram, total = np.zeros((d, d)), np.zeros(d)
    for x, y in blocks(pair, pair.moved):
        move = y - x
        gram += move.T @ move
        total += move.sum(axis=0)
    return gram, total


def drift_directions(pair: Pair, n: int = 3, *, named: int = 8) -> list[Direction]:
    """Return the first n principal components of the moves ``y - x``, not centered.

    A direction and its opposite are one component; its sign is the one in which most words went.
    Each end is named by ``named`` words. Between tables of different dimensions there is none.

    >>> from driftkit import Embeddings, align
    >>> words = ["good", "bad", "up"]
    >>> before = Embeddings(words, [[1, 0], [-1, 0], [0, 1]])
    >>> after = Embeddings(words, [[1, 0], [-1, 0], [0.5, 1]])
    >>> print(drift_directions(align(before, after), named=1)[0])
    100% of the drift: bad <-> good
    """
    whole(1, n=n, named=named)
    if pair.mismatch:
        return []
    gram, total = _moves(pair)
    power = float(np.trace(gram))
    if not power:
        return []
    lam, vectors = np.linalg.eigh(gram)
    found = []
    for at in range(1, min(n, len(gram)) + 1):
        if lam[-at] > 1e-12 * lam[-1]:
            vector = vectors[:, -at] * (1 if vectors[:, -at] @ total >= 0 else -1)
            found.append(_direction(pair, vector, float(lam[-at] / power), named))
    return found


def moved_together(pair: Pair, n: int = 8, *, named: int = 8, seed: int = 0) -> list[Cluster]:
    """Cluster the moved words by the direction of their moves (spherical k-means), largest first.

    There are at most n clusters; the seed decides where they start.
    Dhillon & Modha 2001, "Concept Decompositions for Large Sparse Text Data".
    """
    whole(1, n=n, named=named)
    rows = np.flatnonzero(pair.moved)
    if not len(rows) or pair.mismatch:
        return []
    move = pair.after[rows].astype(np.float64) - pair.before[rows]
    length = np.linalg.norm(move, axis=1)
    label = _spherical(move / length[:, None], min(n, len(rows)), generator(seed, "cluster starts"))
    return sorted(_clusters(pair, rows, move, length, label, named), key=lambda c: -len(c.words))


def _clusters(
    pair: Pair, rows: Rows, move: Values, length: Values, label: Rows, named: int
) -> Iterator[Cluster]:
    for number in np.unique(label).tolist():
        inside = np.flatnonzero(label == number)
        mean = (move[inside] / length[inside, None]).mean(axis=0)
        coherence = float(np.linalg.norm(mean))
        if not coherence:
            continue
        vector = mean / coherence
        along = move[inside] @ vector
        share = float(np.square(along).sum() / np.square(length[inside]).sum())
        order = rows[inside[np.argsort(-along, kind="stable")]]
        yield Cluster(
            tuple(pair.words[row] for row in order.tolist()),
            _direction(pair, vector, share, named),
            coherence,
        )


def _spherical(unit: Values, n: int, rng: np.random.Generator) -> Rows:
    """Return the label (m,) of the nearest of n centers by cosine, centers spread out at first."""
    centers = unit[[int(rng.integers(len(unit)))]]
    while len(centers) < n:
        gap = np.maximum(1 - (unit @ centers.T).max(axis=1), 0)
        if gap.sum() <= 1e-9:
            break
        centers = np.vstack([centers, unit[rng.choice(len(unit), p=gap / gap.sum())]])
    label = np.full(len(unit), -1)
    for _ in range(_ROUNDS):
        nearest = (unit @ centers.T).argmax(axis=1)
        if (nearest == label).all():
            break
        label = nearest
        for number in np.unique(label).tolist():
            total = unit[label == number].sum(axis=0)
            size = np.linalg.norm(total)
            if size:
                centers[number] = total / size
    return label


def _direction(pair: Pair, vector: Values, share: float, named: int) -> Direction:
    norms = pair.before_norms[:AMONG]
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = pair.before[:AMONG] @ vector / norms
    order = np.argsort(-cosine[norms > 0], kind="stable")
    words = [pair.words[row] for row in np.flatnonzero(norms > 0)[order].tolist()]
    return Direction(vector, share, tuple(words[:named]), tuple(words[: -named - 1 : -1]))
