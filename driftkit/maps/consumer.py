"""What reads vectors and decides something: a classifier, a ranking, any function of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from driftkit.arguments import shown
from driftkit.arrays import Mask, Matrix, Rows, Values, generator
from driftkit.errors import OptionError
from driftkit.evaluators.significance import LEVEL, MeanDifference
from driftkit.pair import Pair
from driftkit.plugins import guarded

Reads = Literal["means", "rows"]
Decisions = npt.NDArray[Any]

RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Flips:
    """How the decisions of a consumer differ from those it makes on the original vectors.

    Intervals are at 95 % over the inputs: Wilson's of the share of flips, the bootstrap's of lost
    accuracy.
    """

    n: int  # inputs decided
    flipped: float  # share of them decided otherwise
    low: float
    high: float
    accuracy: tuple[float, float] | None = None  # with the original vectors, and with these
    lost: tuple[float, float] | None = None  # interval of the accuracy that is lost

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            "n": self.n,
            "flipped": self.flipped,
            "interval": [self.low, self.high],
            "accuracy": None if self.accuracy is None else list(self.accuracy),
            "lost": None if self.lost is None else list(self.lost),
        }


class Consumer:
    """Decide about inputs made of the shared words of a pair, whichever rows these have.

    Parameters
    ----------
    decides : callable, torch.nn.Module or scikit-learn estimator
        Takes float32 rows (m, d) and returns a label for each (m,), or scores (m, classes).
    pair : Pair
    inputs : sequence, optional
        Documents: strings, split at blanks, or sequences of words. The shared words themselves, in
        their order, unless given. Words that are not shared are left out, as are documents without
        any.
    labels : sequence, optional
        The right decision about each input.
    reads : {"means", "rows"}
        Whether it takes the mean vector of each document, or a list of the rows (t, d) of each.

    Raises
    ------
    OptionError
        If the inputs hold no shared word, the labels do not fit, or the consumer answers with
        something else than a decision for each input.
    """

    def __init__(
        self,
        decides: Any,
        pair: Pair,
        inputs: Iterable[str | Sequence[str]] | None = None,
        labels: Sequence[Any] | None = None,
        *,
        reads: Reads = "means",
    ) -> None:
        if reads not in ("means", "rows"):
            raise OptionError(f"reads={reads!r} was given; it is means or rows.")
        self._call, self._reads = _call_of(decides), reads
        documents = _documents(pair, inputs)
        if labels is not None and len(labels) != len(documents):
            raise OptionError(
                f"{len(labels):,} labels were given for {len(documents):,} inputs; give one for "
                "each."
            )
        kept = [at for at, rows in enumerate(documents) if len(rows)]
        if not kept:
            raise OptionError(
                "no input holds a word of both tables; give documents as strings, or as lists of "
                "words."
            )
        self._documents = [documents[at] for at in kept]
        self._labels = None if labels is None else np.asarray([labels[at] for at in kept])
        self.left_out = len(documents) - len(kept)
        self._original = self.decide(pair.before)

    def __len__(self) -> int:
        """Return how many inputs it decides."""
        return len(self._documents)

    def counts(self, n: int) -> Values:
        """Return how often the inputs hold each of the n shared words."""
        return np.bincount(np.concatenate(self._documents), minlength=n).astype(np.float64)

    def halves(self, seed: int) -> tuple[Mask, Mask]:
        """Return two halves of the inputs, drawn with a seed."""
        first = np.zeros(len(self), bool)
        order = generator(seed, "halves of inputs").permutation(len(self))
        first[order[: len(self) // 2]] = True
        return first, ~first

    def decide(self, matrix: Matrix | Values) -> Decisions:
        """Return the decision about each input, (m,), where shared words have these rows (n, d)."""
        rows = np.asarray(matrix, np.float32)
        given: Any = [rows[document] for document in self._documents]
        if self._reads == "means":
            given = np.stack([each.mean(axis=0, dtype=np.float64) for each in given])
            given = given.astype(np.float32)
        with guarded(lambda why: OptionError(f"the consumer failed ({why}); correct it.")):
            answer = np.asarray(self._call(given))
        if answer.ndim == 2 and answer.shape[1] > 1:
            answer = answer.argmax(axis=1)
        if answer.shape != (len(self),):
            raise OptionError(
                f"the consumer returned an array of shape {answer.shape} for {len(self):,} inputs; "
                "it must return one label for each, or one score for each class."
            )
        return answer

    def flips(self, matrix: Matrix | Values, among: Mask | None = None) -> Flips:
        """Return how decisions differ from those on the original rows, among some inputs or all."""
        chosen = np.ones(len(self), bool) if among is None else among
        before, after = self._original[chosen], self.decide(matrix)[chosen]
        flipped = before != after
        n, count = len(flipped), int(flipped.sum())
        interval = binomtest(count, n).proportion_ci(LEVEL, method="wilson")
        ends = float(interval.low), float(interval.high)
        if self._labels is None:
            return Flips(n, count / n, *ends)
        labels = self._labels[chosen]
        if labels.dtype.kind == "U":  # labels of a file are text
            before, after = before.astype(str), after.astype(str)
        right = [decided == labels for decided in (after, before)]
        loss = MeanDifference(*right)  # accuracy with the original rows less that with these
        drawn = loss.resample(RESAMPLES, generator(0, "lost accuracy"))
        span = loss.percentiles(drawn)
        accuracy = float(right[1].mean()), float(right[0].mean())
        return Flips(n, count / n, *ends, accuracy, (span.low, span.high))

    def taken_back(self, before: Matrix | Values, after: Matrix | Values, among: Mask) -> float:
        """Return the p-value of a sign test that rows ``after`` flip fewer inputs than ``before``.

        Inputs that both flip, or neither, say nothing.
        """
        flipped = [self.decide(rows)[among] != self._original[among] for rows in (before, after)]
        back = int((flipped[0] & ~flipped[1]).sum())
        new = int((flipped[1] & ~flipped[0]).sum())
        if not back + new:
            return 1.0
        return float(binomtest(back, back + new, alternative="greater").pvalue)


def _documents(pair: Pair, inputs: Iterable[str | Sequence[str]] | None) -> list[Rows]:
    if inputs is None:
        return [np.array([row]) for row in range(len(pair))]
    if isinstance(inputs, str):
        raise OptionError("inputs is one string; give a list of documents.")
    index = pair.index
    found = []
    for document in inputs:
        words = document.split() if isinstance(document, str) else document
        found.append(np.array([index[word] for word in words if word in index], np.int64))
    return found


def _call_of(decides: Any) -> Callable[[Any], Any]:
    """Return how a consumer is called, by what it is."""
    if hasattr(decides, "predict"):
        predict: Callable[[Any], Any] = decides.predict
        return predict
    if hasattr(decides, "forward") and hasattr(decides, "parameters"):
        return lambda rows: _through(decides, rows)
    if callable(decides):
        called: Callable[[Any], Any] = decides
        return called
    raise OptionError(
        f"consumer={shown(decides)} was given; give a function of rows, a torch.nn.Module or an "
        "estimator with predict."
    )


def _through(module: Any, rows: Any) -> Any:
    """Return what a module says of rows, without a gradient and as it is when not training."""
    import torch

    was = module.training
    device = next((each.device for each in module.parameters()), torch.device("cpu"))
    module.eval()
    try:
        with torch.no_grad():
            if isinstance(rows, list):
                return module([torch.from_numpy(each).to(device) for each in rows]).cpu().numpy()
            return module(torch.from_numpy(rows).to(device)).cpu().numpy()
    finally:
        module.train(was)
