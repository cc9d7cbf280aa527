"""The best answers to analogies, exact and without looking at every candidate closely.

Candidates come in groups of 32. The cosines of the distinct words of all questions with a block of
candidates are taken once; the best value of every group bounds the score of all its members, and
where the bound is below what a question already has, the group is passed over (for 3CosAdd on
GloVe, 98 of 100). The few groups left are scored in float32 with their rounding error, and those
that may still hold an answer in float64, which decides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from driftkit.arrays import Mask, Matrix, Rows, Values
from driftkit.evaluators.analogy.methods import METHODS
from driftkit.progress import Progress

QUESTIONS = 32_768
"""Questions answered at a time."""

BLOCK = 2_048
"""Most candidates in a block."""

GROUP = 32
"""Candidates bounded together."""

TILE = 2**23
"""Cosines and bases of a block held at a time, 32 MB of float32."""

PAIRS = 2**17
"""(question, group) pairs scored at a time, 16 MB of float32."""

WAITING = 2**18
"""(question, group) pairs that may wait for their scores in float64."""

TIE = 1e-12
"""Scores this close are equal: float64 sums differ that much with the order of addition."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The best candidates of each question.

    Parameters
    ----------
    rows : ndarray of int64, shape (m, k)
        Rows of the answers, best first and the lowest first among equals; -1 where there were
        fewer candidates.
    scores : ndarray of float64, shape (m, k)
        Their scores; -inf where there was no candidate.
    """

    rows: Rows
    scores: Values

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
    """Answer analogies, exactly.

    Parameters
    ----------
    matrix : ndarray of float32, shape (n, d)
    norms : ndarray of float64, shape (n,)
        Norms of the rows; rows of norm 0 are never answers.
    questions : ndarray of int64, shape (m, 3)
        Rows a, b, c of each question, none of them zero.
    candidates : ndarray of int64, shape (r,), optional
        Rows searched, ascending; all n by default.
    method : {"3cosadd", "3cosmul", "pairdirection"}
    k : int
        Number of answers to each question.
    exclude : bool
        Whether a, b and c are barred as answers.
    hints : ndarray of int64, shape (m,), optional
        For each question a row that is likely to be a good answer, or -1. A good hint makes the
        search faster; no hint changes an answer.
    progress : callable, optional
        Called with (blocks done, blocks in all).

    Returns
    -------
    Answers
    """
    if candidates is None:
        candidates = np.arange(len(matrix))
    candidates = candidates[norms[candidates] > 0]
    rows = np.full((len(questions), k), -1, np.int64)
    scores = np.full((len(questions), k), -np.inf)
    parts = -(-len(questions) // QUESTIONS)
    for part, start in enumerate(range(0, len(questions), QUESTIONS)):
        some = slice(start, start + QUESTIONS)
        search = _Search(matrix, norms, questions[some], candidates, method, k, exclude)
        if hints is not None and k == 1:
            search.heed(hints[some])

        def report(done: int, total: int, part: int = part) -> None:
            if progress is not None:
                progress(part * total + done, parts * total)

        search.run(report)
        rows[some], scores[some] = search.rows, search.scores
    return Answers(rows, scores)


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

    Where neither a question's inputs nor its answer changed, that answer is still the best of the
    unchanged rows, so only the changed rows can beat it. All other questions are searched in full.

    Parameters
    ----------
    matrix, norms, questions, method, exclude, progress
        As for `answer`.
    before : Answers
        The best answer over all rows before the change; only the first column is looked at.
    changed : ndarray of bool, shape (n,)
        Rows that differ from before in any way.

    Returns
    -------
    Answers
        What `answer` gives for the changed matrix.
    """
    was, had = before.first, before.scores[:, 0]
    found = was >= 0
    settled = found & ~changed[questions].any(axis=1) & ~(found & changed[was])
    challenger = answer(
        matrix, norms, questions[settled], np.flatnonzero(changed), method=method, exclude=exclude
    )
    row, score = challenger.first, challenger.scores[:, 0]
    tied = np.abs(score - had[settled]) <= TIE
    wins = (score > had[settled] + TIE) | (tied & (row < was[settled]))
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


class _Search:
    """One batch of m questions against r candidates."""

    def __init__(
        self,
        matrix: Matrix,
        norms: Values,
        questions: Rows,
        candidates: Rows,
        method: str,
        k: int,
        exclude: bool,
    ) -> None:
        self.matrix, self.norms, self.questions = matrix, norms, questions
        self.candidates, self.method, self.k, self.exclude = candidates, METHODS[method], k, exclude
        m = len(questions)
        self.rows = np.full((m, k), -1, np.int64)
        self.scores = np.full((m, k), -np.inf)
        self.least = torch.full((m, k), -torch.inf)  # lower bounds of the k best, best first
        self.waiting: list[tuple[Rows, Rows, npt.NDArray[np.float32]]] = []
        words, flat = np.unique(questions, return_inverse=True)
        flat = flat.reshape(m, 3)
        offsets, which = np.unique(flat[:, :2], axis=0, return_inverse=True)
        self.a, self.b = torch.from_numpy(offsets.T.copy())
        self.offset = torch.from_numpy(which.reshape(m))  # the (a, b) of each question
        self.c = torch.from_numpy(flat[:, 2].copy())
        self.unit_words = self.unit(words)  # (v, d)
        self.which_words = flat
        a, b, c = self.unit_words[flat.T]
        self.inner: Values = np.einsum("ij,ij->i", c, b - a)
        # Where a question's inputs stand among the candidates: what may not be its answer.
        position = np.full(len(matrix), -1, np.int64)
        position[candidates] = np.arange(len(candidates))
        self.position = torch.from_numpy(position[questions])  # (m, 3)

    def unit(self, rows: Rows) -> Values:
        """Unit rows in float64, (..., d)."""
        return self.matrix[rows] / self.norms[rows][..., None]

    def heed(self, hints: Rows) -> None:
        """Take the scores of the hints as lower bounds of the best."""
        fair = (hints >= 0) & np.isin(hints, self.candidates)
        if self.exclude:
            fair &= (hints[:, None] != self.questions).all(axis=1)
        some = np.flatnonzero(fair)
        scores = self.score(some, hints[some, None])[:, 0]
        self.least[some, 0] = torch.from_numpy((scores - 1e-6 * (1 + np.abs(scores))).astype("f4"))

    def score(self, asked: Rows, rows: Rows) -> Values:
        """Exact scores of rows (p, g) as answers to the questions asked, (p,)."""
        words = self.unit_words[self.which_words[asked]]  # (p, 3, d)
        a, b, c = np.matmul(words, self.unit(rows).transpose(0, 2, 1)).transpose(1, 0, 2)
        return self.method.exact(a, b, c, self.inner[asked, None])

    def run(self, report: Progress) -> None:
        width = TILE // max(1, len(self.a) + len(self.unit_words)) // GROUP * GROUP
        width = min(max(width, GROUP), BLOCK)
        blocks = -(-len(self.candidates) // width)
        words = torch.from_numpy(self.unit_words.astype(np.float32))
        inner = torch.from_numpy(self.inner.astype(np.float32))
        # A dot product of unit rows in float32 is off by at most (d + 2) * 2**-24.
        off = (self.matrix.shape[1] + 4) * 2.0**-24
        for block in range(blocks):
            members = self.candidates[block * width : (block + 1) * width]
            padded = -(-len(members) // GROUP) * GROUP
            unit = torch.zeros(padded, self.matrix.shape[1])
            unit[: len(members)] = torch.from_numpy(self.unit(members).astype(np.float32))
            base, part, error = self.method.tables(words @ unit.T, self.a, self.b, off)
            base[:, len(members) :] = -torch.inf
            base, part = base.view(len(base), -1, GROUP), part.view(len(part), -1, GROUP)
            mistake = error[self.offset]  # (m,)
            bound = self.method.upper(
                base.amax(2)[self.offset], part.amax(2)[self.c], inner[:, None], mistake[:, None]
            )  # (m, groups)
            asked, group = torch.nonzero(bound >= self.least[:, -1:], as_tuple=True)
            for start in range(0, len(asked), PAIRS):
                q, g = asked[start : start + PAIRS], group[start : start + PAIRS]
                tile = base[self.offset[q], g]  # (p, GROUP)
                if self.exclude:
                    self.bar(tile, q, block * width + g * GROUP)
                low, high = self.method.best(tile, part[self.c[q], g], inner[q], mistake[q])
                self.raise_least(q, g, low, base.shape[1])
                may = high >= self.least[q, -1]
                self.waiting.append(
                    (
                        q[may].numpy(),
                        (block * width + g[may] * GROUP).numpy(),
                        high[may].numpy(),
                    )
                )
            if sum(len(q) for q, _, _ in self.waiting) > WAITING:
                self.settle()
            report(block + 1, blocks)
        self.settle()

    def bar(self, tile: torch.Tensor, q: torch.Tensor, start: torch.Tensor) -> None:
        """Bar the inputs of each question from its tile, whose columns begin at `start`."""
        for column in range(3):
            at = self.position[q, column]
            place = at - start
            hit = torch.nonzero((at >= 0) & (place >= 0) & (place < GROUP))[:, 0]
            tile[hit, place[hit]] = -torch.inf

    def raise_least(self, q: torch.Tensor, g: torch.Tensor, low: torch.Tensor, groups: int) -> None:
        """Raise the lower bounds by the best of each group: k groups hold k candidates."""
        if self.k == 1:
            self.least[:, 0].scatter_reduce_(0, q, low, "amax")
            return
        asked, place = torch.unique(q, return_inverse=True)
        seen = torch.full((len(asked), groups), -torch.inf)
        seen[place, g] = low
        self.least[asked] = torch.cat([self.least[asked], seen], 1).topk(self.k, 1).values

    def settle(self) -> None:
        """Score what waits in float64 and keep the k best of each question."""
        if not self.waiting:
            return
        q, start, high = (np.concatenate(part) for part in zip(*self.waiting, strict=True))
        self.waiting.clear()
        may = high >= self.least.numpy()[q, -1]
        q, start = q[may], start[may]
        order = np.lexsort((start, q))
        step = max(1, 2**21 // (GROUP * self.matrix.shape[1]))
        for i in range(0, len(order), step):
            some = order[i : i + step]
            places = start[some, None] + np.arange(GROUP)
            real = places < len(self.candidates)
            rows = self.candidates[np.where(real, places, 0)]  # (p, GROUP)
            scores = self.score(q[some], rows)
            real &= scores > -np.inf
            if self.exclude:
                real &= (rows[:, :, None] != self.questions[q[some]][:, None]).all(axis=2)
            self.merge(np.broadcast_to(q[some, None], rows.shape)[real], rows[real], scores[real])

    def merge(self, q: Rows, rows: Rows, scores: Values) -> None:
        """Keep the k best of what each question has and is offered now."""
        asked = np.unique(q)
        held = self.rows[asked] >= 0
        q = np.concatenate([q, np.broadcast_to(asked[:, None], held.shape)[held]])
        rows = np.concatenate([rows, self.rows[asked][held]])
        scores = np.concatenate([scores, self.scores[asked][held]])
        order = np.lexsort((rows, q))
        q, rows, scores = q[order], rows[order], scores[order]
        starts = np.searchsorted(q, asked)
        place = np.repeat(np.arange(len(asked)), np.diff(np.append(starts, len(q))))
        for rank in range(self.k if len(q) else 0):
            best = np.maximum.reduceat(scores, starts)
            near = scores >= best[place] - TIE
            pick = np.minimum.reduceat(np.where(near, np.arange(len(q)), len(q)), starts)
            some = np.isfinite(best)
            self.rows[asked, rank] = np.where(some, rows[pick], -1)
            self.scores[asked, rank] = np.where(some, scores[pick], -np.inf)
            scores[pick] = -np.inf
