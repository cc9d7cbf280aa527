"""The best answers to analogies, exact and without looking at every candidate closely.

3CosAdd asks the search for neighbors about the vectors b - a + c of unit rows; a product of each of
these with each candidate would be most of the work, and the questions are made of few distinct
words. So, for all three methods, candidates are proposed from the cosines of the distinct words
with a block of candidates. The largest values of a group of them bound the score of its members,
and a group whose bound is too low is passed over (for 3CosAdd on GloVe, 98 of 100). The rest is
scored in float32 with its rounding error, and what may still be an answer in float64: of scores
that are equal in float32 the lower row comes first. A graphics card takes every product of 3CosAdd
sooner than it is told which ones matter, so there the search for neighbors answers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from driftkit.arrays import Mask, Matrix, Rows, Values
from driftkit.evaluators.analogy.methods import METHODS
from driftkit.neighbors.search.exact import Search
from driftkit.neighbors.search.rerank import NOBODY, Keys, cosines, entries_of, keys_of, merged
from driftkit.neighbors.search.space import TIE, Queries, Space, device_for
from driftkit.progress import Progress, part

QUESTIONS = 32_768  # questions answered at a time
BLOCK = 2_048  # most candidates in a block
GROUP = 32  # candidates bounded together
TILE = 2**23  # cosines and bases of a block held at a time, 32 MB of float32
PAIRS = 2**17  # (question, group) pairs scored at a time, 16 MB of float32
WAITING = 2**20  # (question, candidate) pairs that may wait for their scores in float64
CANCELED = 1e-12
"""A vector b - a + c shorter than this is what rounding leaves of zero, and has no direction."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The best candidates of each question, (m, k), the lowest row first among equals.

    Where there were fewer candidates, the row is -1 and the score (of float32) -inf.
    """

    rows: Rows
    scores: Values

    @classmethod
    def of(cls, positions: np.ndarray, scores: np.ndarray, candidates: Rows) -> Answers:
        """Name what a search found, (m, k), by the rows of the matrix."""
        there = positions >= 0
        if not there.any():
            return cls(np.full(there.shape, -1), np.full(there.shape, -np.inf))
        return cls(
            np.where(there, candidates[positions], -1),
            np.where(there, scores, -np.inf).astype("f8"),
        )

    @property
    def first(self) -> Rows:
        """Row of the best answer of each question, shape (m,)."""
        return self.rows[:, 0]


def answer(
    matrix: Matrix,
    norms: Values,
    questions: Rows,
    candidates: Rows | None = None,
    *,
    method: str = "3cosadd",
    k: int = 1,
    exclude: bool = True,
    hints: Rows | None = None,
    progress: Progress | None = None,
) -> Answers:
    """Find the k best answers to the questions a : b = c : ?, rows (m, 3), none of them zero.

    `candidates` (r,) are the rows searched, ascending, all n by default; rows of norm 0 are never
    answers. `hints` (m,) are rows likely to be good answers, or -1: they only make it faster.
    """
    pool = np.arange(len(matrix)) if candidates is None else candidates
    search = _search(matrix, norms, pool[norms[pool] > 0], len(questions), method, k)
    best = np.full((len(questions), k), NOBODY)
    parts = -(-len(questions) // QUESTIONS)
    for number, start in enumerate(range(0, len(questions), QUESTIONS)):
        some = slice(start, start + QUESTIONS)
        batch = _Batch(search, questions[some], method, k, exclude)
        if search.is_fused(k):
            best[some] = batch.all_at_once(part(progress, number, parts))
            continue
        if hints is not None and k == 1:
            batch.heed(hints[some])
        best[some] = batch.run(part(progress, number, parts))
    scores, positions = entries_of(best)
    return Answers.of(positions, scores, search.candidates)


def _search(
    matrix: Matrix, norms: Values, pool: Rows, questions: int, method: str, k: int
) -> Search:
    """Search on a graphics card where that is faster: 3CosAdd asks for nothing but neighbors."""
    if method == "3cosadd":
        device = device_for("auto", questions * len(pool) * matrix.shape[1])
        search = Search.over(Space.of(matrix, norms, device), pool)
        if search.space.device.type == "cpu" or search.is_fused(k):
            return search
    return Search.over(Space.of(matrix, norms), pool)


def answer_again(
    matrix: Matrix,
    norms: Values,
    questions: Rows,
    before: Answers,
    changed: Mask,
    *,
    method: str = "3cosadd",
    exclude: bool = True,
    progress: Progress | None = None,
) -> Answers:
    """Answer the same questions after some rows changed, searching only where it matters.

    `before` are the best answers over all rows then, `changed` (n,) the rows that differ. Where
    neither a question's rows nor its answer changed, only the changed rows can beat that answer.
    """
    was, had = before.first, before.scores[:, 0]
    settled = (was >= 0) & ~changed[questions].any(axis=1) & ~changed[was]
    challenger = answer(
        matrix, norms, questions[settled], np.flatnonzero(changed), method=method, exclude=exclude
    )
    row, score = challenger.first, challenger.scores[:, 0]
    wins = (score > had[settled]) | ((score == had[settled]) & (row < was[settled]))
    rows = np.empty((len(questions), 1), np.int64)
    scores = np.empty((len(questions), 1), np.float64)
    rows[settled, 0] = np.where(wins, row, was[settled])
    scores[settled, 0] = np.where(wins, score, had[settled])
    rest = answer(
        matrix, norms, questions[~settled], method=method, exclude=exclude, hints=was[~settled],
        progress=progress,
    )  # fmt: skip
    rows[~settled], scores[~settled] = rest.rows, rest.scores
    return Answers(rows, scores)


class _Batch:
    """Some questions, m of them, asked of r candidates."""

    def __init__(self, search: Search, questions: Rows, method: str, k: int, exclude: bool) -> None:
        self.search, self.method, m = search, METHODS[method], len(questions)
        self.best: Keys = np.full((m, k), NOBODY)
        # Lower bounds of the k best, best first.
        self.least = torch.full((m, k), -torch.inf, dtype=torch.float32, device="cpu")
        self.waiting: list[tuple[Rows, Rows, Rows]] = []
        words, flat = np.unique(questions, return_inverse=True)
        self.which = flat.reshape(m, 3)
        offsets, which = np.unique(self.which[:, :2], axis=0, return_inverse=True)
        self.a, self.b = torch.from_numpy(offsets.T.copy())
        self.offset = torch.from_numpy(which.reshape(m))  # the (a, b) of each question
        self.c = torch.from_numpy(self.which[:, 2].copy())
        self.words = self.unit(words)  # (v, d)
        a, b, c = self.words[self.which.T]
        self.inner: Values = (c * (b - a)).sum(axis=1)
        # Positions of what may not be the answer.
        self.barred = search.position[questions] if exclude else np.full((m, 0), -1, np.int32)
        self.queries: Queries | None = None
        if method == "3cosadd":
            vectors = b - a + c
            vectors[np.linalg.norm(vectors, axis=1) < CANCELED] = 0
            barred = questions if exclude else np.empty((m, 0), np.int64)
            self.queries = search.of_vectors(vectors, barred)

    def unit(self, rows: Rows) -> Values:
        """Unit rows in float64, (..., d)."""
        return self.search.space.matrix[rows] / self.search.space.norms[rows][..., None]

    def score(self, asked: Rows, rows: Rows) -> Values:
        """Scores in float64 of rows (p,) as answers to the questions asked, (p,)."""
        unit = self.unit(rows)
        a, b, c = ((self.words[each] * unit).sum(axis=1) for each in self.which[asked].T)
        return self.method.exact(a, b, c, self.inner[asked])

    def heed(self, hints: Rows) -> None:
        """Take the scores of the hints as lower bounds of the best."""
        position = np.where(hints >= 0, self.search.position[hints], -1)
        some = np.flatnonzero((position >= 0) & (position[:, None] != self.barred).all(axis=1))
        scores = self.score(some, hints[some])
        lower = np.nan_to_num(scores - 1e-6 * (1 + np.abs(scores)), nan=-np.inf)
        self.least[some, 0] = torch.from_numpy(lower.astype(np.float32))

    def run(self, progress: Progress | None) -> Keys:
        """Return the first k answers (m, k) as keys of scores and positions."""
        width = TILE // max(1, len(self.a) + len(self.words)) // GROUP * GROUP
        width = min(max(width, GROUP), BLOCK)
        words = torch.from_numpy(self.words.astype(np.float32))
        blocks = range(0, len(self.search.candidates), width)
        for number, start in enumerate(blocks):
            self.propose(words, start, self.search.candidates[start : start + width])
            if sum(len(asked) for asked, _, _ in self.waiting) > WAITING:
                self.decide()
            if progress:
                progress(number + 1, len(blocks))
        self.decide()
        return self.best

    def all_at_once(self, progress: Progress | None) -> Keys:
        """Return what `run` does, by a search that takes every product."""
        assert self.queries is not None
        position, cosine = self.search.nearest(self.queries, self.best.shape[1], progress=progress)
        return keys_of(cosine, position)

    def propose(self, words: torch.Tensor, start: int, members: Rows) -> None:
        """Let wait what may be among the best of the candidates that begin at a position."""
        method, inner = self.method, torch.from_numpy(self.inner.astype(np.float32))
        padded = -(-len(members) // GROUP) * GROUP
        unit = words.new_zeros(padded, words.shape[1])
        unit[: len(members)] = self.search.space.unit(members)
        # Scores that are one number in float32 tie, so what is off by that may be an answer too.
        off = self.search.space.error + TIE
        base, part_of_c, error = method.tables(words @ unit.T, self.a, self.b, off)
        base[:, len(members) :] = -torch.inf
        base, part_of_c = (each.view(len(each), -1, GROUP) for each in (base, part_of_c))
        error = error[self.offset]  # (m,)
        above = method.above(
            base.amax(2)[self.offset], part_of_c.amax(2)[self.c], inner[:, None], error[:, None]
        )  # (m, groups)
        chosen = torch.nonzero(above >= self.least[:, -1:])
        for asked, group in (pairs.T for pairs in chosen.split(PAIRS)):
            tile = base[self.offset[asked], group]  # (p, GROUP)
            self.bar(tile, asked, start + group * GROUP)
            low, high = method.between(
                tile, part_of_c[self.c[asked], group], inner[asked, None], error[asked, None]
            )
            self.raise_least(asked, group, low.amax(1), base.shape[1])
            least = self.least[asked, -1:].clamp(min=torch.finfo(low.dtype).min)  # not the barred
            left = torch.nonzero(high.amax(1, keepdim=True) >= least)[:, 0]
            pair, column = torch.nonzero(high[left] >= least[left], as_tuple=True)
            pair = left[pair]
            position = start + group[pair] * GROUP + column
            self.waiting.append((asked[pair].numpy(), position.numpy(), high[pair, column].numpy()))

    def bar(self, tile: torch.Tensor, asked: torch.Tensor, start: torch.Tensor) -> None:
        """Bar what may not be the answer from each row of a tile; its columns begin at `start`."""
        for position in torch.from_numpy(self.barred)[asked].T:
            place = position - start
            hit = torch.nonzero((position >= 0) & (place >= 0) & (place < GROUP))[:, 0]
            tile[hit, place[hit]] = -torch.inf

    def raise_least(
        self, asked: torch.Tensor, group: torch.Tensor, low: torch.Tensor, groups: int
    ) -> None:
        """Raise the lower bounds by the best of each group: k groups hold k candidates."""
        k = self.least.shape[1]
        if k == 1:
            self.least[:, 0].scatter_reduce_(0, asked, low, "amax")
            return
        some, place = torch.unique(asked, return_inverse=True)
        seen = low.new_full((len(some), groups), -torch.inf)
        seen[place, group] = low
        self.least[some] = torch.cat([self.least[some], seen], 1).topk(k, 1).values

    def decide(self) -> None:
        """Score what waits in float64 and keep the k best of each question."""
        if not self.waiting:
            return
        asked, position, high = (np.concatenate(each) for each in zip(*self.waiting, strict=True))
        self.waiting.clear()
        may = high >= self.least.numpy()[asked, -1]
        asked, position = asked[may], position[may]
        step = max(1, 2**21 // self.words.shape[1])
        for start in range(0, len(asked), step):
            some, at = asked[start : start + step], position[start : start + step]
            rows = self.search.candidates[at]
            if self.queries is None:
                scores = self.score(some, rows).astype(np.float32)
            else:
                vectors = self.queries
                scores = cosines(vectors.space, vectors.rows[some], self.search.space, rows)
            self.best = merged(self.best, some, keys_of(scores, at.astype(np.int32)))
