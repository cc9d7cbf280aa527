"""Analogies by 3CosAdd: which word is to c as b is to a.

The answer is the row d, none of a, b, c, with the largest cosine to b - a + c over unit rows
(Mikolov, Yih & Zweig 2013; Levy & Goldberg 2014). The norm of b - a + c is the same for every
d, so the score is cos(d, b) - cos(d, a) + cos(d, c).

Exact in two passes. The first finds, in float32, the best score of each question in each block of
candidates; the cosines of the distinct words of all questions with a block are taken once and then
only added up, so its cost hardly depends on the dimension. The second takes, in float64, the few
blocks that come within the rounding error of the best, and decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from driftkit.embeddings import Matrix
from driftkit.evaluators.items import Mask, Rows

QUESTIONS = 32_768
"""Questions answered at a time."""

BLOCKS = 1_024
"""Most blocks a table is cut into; with `QUESTIONS` it bounds the block maxima to 134 MB."""

SMALLEST_BLOCK = 512
"""Fewest candidates in a block."""

TILE = 2**19
"""Scores held at a time, 2 MB of float32: what stays in the cache of one core."""

TIE = 1e-12
"""Scores this close are equal: float64 sums differ that much with the order of addition."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The best candidate of each question.

    Parameters
    ----------
    rows : ndarray of int64, shape (m,)
        Row of the answer, the lowest one among equals; -1 if there was no candidate.
    scores : ndarray of float64, shape (m,)
        Its 3CosAdd score; -inf if there was no candidate.
    """

    rows: Rows
    scores: npt.NDArray[np.float64]


def answer(
    matrix: Matrix,
    norms: npt.NDArray[np.float64],
    questions: Rows,
    candidates: Rows | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Answers:
    """Answer analogies by 3CosAdd, exactly.

    Parameters
    ----------
    matrix : ndarray of float32, shape (n, d)
    norms : ndarray of float64, shape (n,)
        Norms of the rows; rows of norm 0 are never answers.
    questions : ndarray of int64, shape (m, 3)
        Rows a, b, c of each question, none of them zero; they are never its answer.
    candidates : ndarray of int64, shape (r,), optional
        Rows searched, ascending; all n by default.
    progress : callable, optional
        Called with (blocks done, blocks in all).

    Returns
    -------
    Answers
    """
    if candidates is None:
        candidates = np.arange(len(matrix))
    candidates = candidates[norms[candidates] > 0]
    rows = np.full(len(questions), -1, np.int64)
    scores = np.full(len(questions), -np.inf)
    width = max(SMALLEST_BLOCK, -(-len(candidates) // BLOCKS))
    steps = -(-len(candidates) // width) * -(-len(questions) // QUESTIONS)
    for step, start in enumerate(range(0, len(questions), QUESTIONS)):
        some = slice(start, start + QUESTIONS)
        search = _Search(matrix, norms, questions[some], candidates, width)
        done = step * search.n_blocks

        def report(block: int, done: int = done) -> None:
            if progress is not None:
                progress(done + block, steps)

        rows[some], scores[some] = search.decide(search.block_maxima(report))
    return Answers(rows, scores)


def answer_again(
    matrix: Matrix,
    norms: npt.NDArray[np.float64],
    questions: Rows,
    before: Answers,
    changed: Mask,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Answers:
    """Answer the same questions after some rows changed, searching only where it matters.

    Where neither a question's inputs nor its answer changed, that answer is still the best of the
    unchanged rows, so only the changed rows can beat it. All other questions are searched in full.

    Parameters
    ----------
    matrix, norms, questions, progress
        As for `answer`.
    before : Answers
        The answers over all rows before the change.
    changed : ndarray of bool, shape (n,)
        Rows that differ from before in any way.

    Returns
    -------
    Answers
        What `answer` gives for the changed matrix.
    """
    found = before.rows >= 0
    settled = found & ~changed[questions].any(axis=1) & ~(found & changed[before.rows])
    challenger = answer(matrix, norms, questions[settled], np.flatnonzero(changed))
    old_rows, old_scores = before.rows[settled], before.scores[settled]
    better = challenger.scores > old_scores + TIE
    tied = np.abs(challenger.scores - old_scores) <= TIE
    wins = better | (tied & (challenger.rows < old_rows))
    rows = np.empty(len(questions), np.int64)
    scores = np.empty(len(questions), np.float64)
    rows[settled] = np.where(wins, challenger.rows, old_rows)
    scores[settled] = np.where(wins, challenger.scores, old_scores)
    rest = answer(matrix, norms, questions[~settled], progress=progress)
    rows[~settled], scores[~settled] = rest.rows, rest.scores
    return Answers(rows, scores)


class _Search:
    """One batch of m questions against r candidates in blocks of `width`."""

    def __init__(
        self,
        matrix: Matrix,
        norms: npt.NDArray[np.float64],
        questions: Rows,
        candidates: Rows,
        width: int,
    ) -> None:
        self.matrix, self.norms = matrix, norms
        self.questions, self.candidates, self.width = questions, candidates, width
        self.n_blocks = -(-len(candidates) // width)
        # The inputs among the candidates: (question, position) pairs, by position.
        position = np.full(len(matrix), -1, np.int64)
        position[candidates] = np.arange(len(candidates))
        barred = position[questions]  # (m, 3)
        question, column = np.nonzero(barred >= 0)
        at = barred[question, column]
        order = np.lexsort((question, at // width))
        self.barred_question, self.barred_position = question[order], at[order]
        self.barred_bounds = np.searchsorted(at[order] // width, np.arange(self.n_blocks + 1))

    def unit(self, rows: Rows) -> npt.NDArray[np.float64]:
        """Unit rows in float64, (len(rows), d)."""
        return self.matrix[rows] / self.norms[rows, None]

    def barred(self, block: int) -> tuple[Rows, Rows]:
        """Questions, ascending, and the columns of this block that are their own inputs."""
        some = slice(self.barred_bounds[block], self.barred_bounds[block + 1])
        return self.barred_question[some], self.barred_position[some] - block * self.width

    def block_rows(self, block: int) -> Rows:
        return self.candidates[block * self.width : (block + 1) * self.width]

    def block_maxima(self, report: Callable[[int], None]) -> npt.NDArray[np.float32]:
        """Best score of each question in each block, (m, n_blocks), to float32 accuracy."""
        m = len(self.questions)
        words, flat = np.unique(self.questions, return_inverse=True)
        offsets, which = np.unique(flat.reshape(m, 3)[:, :2], axis=0, return_inverse=True)
        offset = torch.from_numpy(which.reshape(m))  # the (a, b) of each question
        a, b = torch.from_numpy(offsets.T.copy())
        c = torch.from_numpy(flat.reshape(m, 3)[:, 2].copy())
        unit_words = torch.from_numpy(self.unit(words).astype(np.float32))  # (v, d)
        out = torch.empty(self.n_blocks, m)
        for block in range(self.n_blocks):
            unit_block = torch.from_numpy(self.unit(self.block_rows(block)).astype(np.float32))
            cosine = unit_words @ unit_block.T  # (v, width)
            difference = cosine.index_select(0, b) - cosine.index_select(0, a)
            question, column = self.barred(block)
            step = max(1, TILE // len(unit_block))
            for start in range(0, m, step):
                stop = min(start + step, m)
                tile = difference.index_select(0, offset[start:stop])
                tile += cosine.index_select(0, c[start:stop])
                low, high = np.searchsorted(question, [start, stop])
                if high > low:
                    tile[
                        torch.from_numpy(question[low:high] - start),
                        torch.from_numpy(column[low:high]),
                    ] = -torch.inf
                torch.amax(tile, 1, out=out[block, start:stop])
            report(block + 1)
        return out.numpy().T

    def decide(self, maxima: npt.NDArray[np.float32]) -> tuple[Rows, npt.NDArray[np.float64]]:
        """The best row and its score, from the blocks that can hold it, in float64."""
        rows = np.full(len(self.questions), -1, np.int64)
        scores = np.full(len(self.questions), -np.inf)
        if self.n_blocks == 0:
            return rows, scores
        # A dot product of unit rows in float32 is off by at most (d + 2) * 2**-24; there are
        # three of them on either side of a comparison.
        slack = 6 * (self.matrix.shape[1] + 4) * 2.0**-24
        least = maxima.max(axis=1) - slack  # (m,)
        near = (maxima >= least[:, None]).T  # (n_blocks, m)
        words, flat = np.unique(self.questions, return_inverse=True)
        units = self.unit(words)
        a, b, c = flat.reshape(-1, 3).T
        for block in range(self.n_blocks):
            asked = np.flatnonzero(near[block])
            if len(asked) == 0:
                continue
            members = self.block_rows(block)
            target = units[b[asked]] - units[a[asked]] + units[c[asked]]  # (q, d)
            score = target @ self.unit(members).T  # (q, width)
            question, column = self.barred(block)
            mine = np.isin(question, asked)
            score[np.searchsorted(asked, question[mine]), column[mine]] = -np.inf
            best = score.max(axis=1)
            first = (score >= best[:, None] - TIE).argmax(axis=1)
            wins = best > scores[asked] + TIE  # blocks ascend, so an equal keeps the lower row
            rows[asked[wins]] = members[first[wins]]
            scores[asked[wins]] = best[wins]
        return rows, scores
