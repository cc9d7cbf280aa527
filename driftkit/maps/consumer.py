"""What reads vectors and decides something: a classifier, a ranking, any function of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from scipy.stats import beta, binomtest

from driftkit.arguments import shown
from driftkit.arrays import Mask, Matrix, Rows, Values, alike, generator
from driftkit.display import counted, first_few
from driftkit.errors import OptionError
from driftkit.evaluators.significance import LEVEL, MeanDifference
from driftkit.maps.asking import Asked, Decisions, Spelling, plain
from driftkit.pair import Pair

Reads = Literal["means", "rows"]
Decided = tuple[Decisions, Mask]
"""Decisions (k,), and about which inputs (m,)."""

RESAMPLES = 2_000

FEWEST = 2  # inputs, so that there are two halves


@dataclass(frozen=True, slots=True)
class Lost:
    """A decision that many of the inputs lose about which it was made on the original vectors."""

    decision: str
    n: int  # inputs it was made about
    flipped: float  # share of them decided otherwise
    low: float  # which is surely more than this, exact and corrected for the number of decisions

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True, slots=True)
class Flips:
    """How the decisions of a consumer differ from those it makes on the original vectors.

    All is over inputs that differ: one that repeats another, so that the consumer is given the same
    rows, is no new evidence, however often it comes. Intervals are at 95 % over these inputs:
    Wilson's of the share of flips, the bootstrap's of lost accuracy.
    """

    n: int  # inputs that differ
    given: int  # inputs, with those that repeat others
    flipped: float  # share of them decided otherwise
    low: float
    high: float
    most: Lost  # the decision that is surely lost most; a rare one weighs little in the share
    only: str | None  # what it says of all of them with the original vectors, if it is one thing
    accuracy: tuple[float, float] | None = None  # with the original vectors, and with these
    lost: tuple[float, float] | None = None  # interval of the accuracy that is lost

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            "n": self.n,
            "given": self.given,
            "flipped": self.flipped,
            "interval": [self.low, self.high],
            "most": self.most.to_dict(),
            "only": self.only,
            "accuracy": None if self.accuracy is None else list(self.accuracy),
            "lost": None if self.lost is None else list(self.lost),
        }


@dataclass(frozen=True, slots=True)
class Inputs:
    """What of the documents that a consumer decides about each of the two tables holds.

    Words are counted as often as they occur.
    """

    n: int  # documents that hold a word of the original table, repeated ones too
    left_out: int  # documents that hold none
    words: int
    unknown: int  # words that neither table holds: nobody reads them
    in_lower_case: int  # of these, words whose lower case the original table holds
    examples: tuple[str, ...]  # of unknown words
    gone: int  # words that only the original table holds
    emptied: int  # inputs of which the tuned table holds no word: decided otherwise
    added: int  # words that only the tuned table holds: read with its rows

    @property
    def notes(self) -> list[str]:
        """What was left out, in clauses; none where both tables hold every word."""
        said = []
        if self.left_out and self.n:
            few = counted(self.left_out, "holds", "hold")
            said.append(
                f"{few} no word of the original table, of {self.n + self.left_out:,} inputs, and "
                f"{'is' if self.left_out == 1 else 'are'} left out"
            )
        if self.unknown:
            note = (
                f"{self.unknown:,} of {self.words:,} words of the inputs are in neither table "
                f"(such as {first_few(self.examples)})"
            )
            if self.in_lower_case:
                note += f", {self.in_lower_case:,} of them only for their capitals"
            said.append(note)
        if self.gone:
            note = f"{self.gone:,} of {self.words:,} words are gone from the tuned table"
            if self.emptied:
                few = counted(self.emptied, "input has", "inputs have")
                note += f"; {few} no word left, which counts as decided otherwise"
            said.append(note)
        if self.added:
            said.append(f"{self.added:,} of {self.words:,} words are only in the tuned table")
        return said

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return values | {"examples": list(self.examples)}


class Consumer:
    """Decide about inputs made of words, whichever rows these have.

    With the original vectors it reads what the original table holds of an input, and with others
    what the tuned table does.

    Parameters
    ----------
    decides : callable, torch.nn.Module or scikit-learn classifier
        Takes float32 rows (m, d) and returns a label for each (m,), or scores (m, classes).
    pair : Pair
    inputs : iterable, optional
        Documents: strings, split at blanks, or sequences of words. The shared words themselves, in
        their order, unless given. Documents without a word of the original table are left out, and
        those of which it is given the same rows of both tables are one input.
    labels : sequence, optional
        The right decision about each input; where one comes more than once, it is right in part.
    reads : {"means", "rows"}
        Whether it takes the mean vector of each document, or a list of the rows (t, d) of each.

    Attributes
    ----------
    inputs : Inputs or None
        What was left out; None where the shared words are the inputs.
    added : ndarray of float32, shape (a, d)
        Tuned rows of words of the inputs that only the tuned table holds.

    Raises
    ------
    OptionError
        If fewer than two inputs that differ hold a word of the original table, the labels do not
        fit, or the consumer does not decide about each input, or not always alike.
    """

    def __init__(
        self,
        decides: Any,
        pair: Pair,
        inputs: Iterable[str | Sequence[str]] | None = None,
        labels: Iterable[Any] | None = None,
        *,
        reads: Reads = "means",
    ) -> None:
        if reads not in ("means", "rows"):
            raise OptionError(f"reads={reads!r} was given; it is means or rows.")
        self._ask, self._reads = Asked(decides), reads
        texts = [[word] for word in pair.words] if inputs is None else _texts(inputs)
        right = None if labels is None else _labels(labels, len(texts))
        known, tuned = pair.original.index, pair.tuned.index
        kept = [at for at, words in enumerate(texts) if any(word in known for word in words)]
        self.inputs = None if inputs is None else _looked_at(texts, kept, pair)
        notes = [] if self.inputs is None else self.inputs.notes
        unread = f" ({'; '.join(notes)})" if notes else ""
        if len(kept) < FEWEST:
            few = "1 input holds" if kept else "no input holds"
            raise OptionError(
                f"{few} a word of the original table{unread}; give {FEWEST} documents or more, as "
                "strings or lists of words."
            )
        new = dict.fromkeys(
            word for at in kept for word in texts[at] if word in tuned and word not in known
        )
        self.added = pair.tuned.matrix[[tuned[word] for word in new]]
        place = pair.index | {word: len(pair) + at for at, word in enumerate(new)}
        held = [sorted(texts[at]) if reads == "means" else texts[at] for at in kept]
        documents, originals = _rows_of(held, place), _rows_of(held, known)
        first, self._which = alike(self._contents(pair, originals, documents))
        if len(first) < FEWEST:
            raise OptionError(
                f"all of {len(kept):,} inputs are one and the same to the consumer; give {FEWEST} "
                "or more that differ."
            )
        self._documents = [documents[at] for at in first]
        originals = [originals[at] for at in first]
        self._original, again = (self._decisions(pair.original.matrix, originals) for _ in "12")
        if other := int((self._original != again).sum()):
            raise OptionError(
                f"the consumer decides {other:,} of {len(self):,} inputs otherwise when it is "
                "asked again; give one that does not draw: in evaluation mode, or with a seed."
            )
        self._right = None if right is None else Spelling(right[kept], self._original)

    def __len__(self) -> int:
        """Return how many inputs that differ it decides."""
        return len(self._documents)

    def counts(self, n: int) -> Values:
        """Return how often the inputs, repeated ones too, hold each of the n shared words."""
        times = np.bincount(self._which).repeat([len(each) for each in self._documents])
        held = np.bincount(np.concatenate(self._documents), times, minlength=n)
        return held[:n].astype(np.float64)

    def halves(self, seed: int) -> tuple[Mask, Mask]:
        """Return two halves of the inputs, drawn with a seed."""
        first = np.zeros(len(self), bool)
        order = generator(seed, "halves of inputs").permutation(len(self))
        first[order[: len(self) // 2]] = True
        return first, ~first

    def with_added(
        self, matrix: Matrix | Values, change: Callable[[Any], Any] | None = None
    ) -> Matrix | Values:
        """Return rows (n, d) of the shared words, those of added words below, changed or not."""
        if not len(self.added):
            return matrix
        return np.concatenate([matrix, self.added if change is None else change(self.added)])

    def decide(self, matrix: Matrix | Values) -> Decided:
        """Return decisions (k,), and about which inputs (m,), where words have these rows.

        Rows (n, d) are those of the shared words; `with_added` puts those of added words below,
        which are not read otherwise. Nothing is decided about an input without any word.
        """
        documents = [rows[rows < len(matrix)] for rows in self._documents]
        held = np.array([len(rows) > 0 for rows in documents])
        if not held.any():
            return self._original[:0], held
        return self._decisions(matrix, [rows for rows in documents if len(rows)]), held

    def _decisions(self, matrix: Matrix | Values, documents: list[Rows]) -> Decisions:
        given = self._given(matrix, documents)
        return self._ask(np.stack(list(given)) if self._reads == "means" else list(given))

    def _given(self, matrix: Matrix | Values, documents: Iterable[Rows]) -> Iterator[Matrix]:
        """Yield what is read of each document: the mean (d,) of its rows, or the rows (t, d)."""
        rows = np.asarray(matrix, np.float32)
        for document in documents:
            each = rows[document]
            if self._reads == "means" and len(each):
                each = each.mean(axis=0, dtype=np.float64).astype(np.float32)
            yield each

    def _contents(self, pair: Pair, old: list[Rows], new: list[Rows]) -> Iterator[bytes]:
        """Yield what is read of each document with the rows of both tables, in bytes."""
        before = self._given(pair.original.matrix, old)
        for one, other in zip(before, self._given(self.with_added(pair.after), new), strict=True):
            yield b"".join((len(one).to_bytes(8, "little"), one.tobytes(), other.tobytes()))

    def _flipped(self, decided: Decided) -> Mask:
        """Return which inputs (m,) are decided otherwise, or no more."""
        answer, held = decided
        flipped = ~held
        flipped[held] = answer != self._original[held]
        return flipped

    def flips(self, decided: Decided, among: Mask | None = None) -> Flips:
        """Return how decisions differ from those on the original rows, among some inputs or all."""
        chosen = np.ones(len(self), bool) if among is None else among
        flipped = self._flipped(decided)[chosen]
        n, count = len(flipped), int(flipped.sum())
        given = int(chosen[self._which].sum())
        most = _most_lost(self._original[chosen], flipped)
        only = most.decision if most.n == n else None
        interval = binomtest(count, n).proportion_ci(LEVEL, method="wilson")
        ends = float(interval.low), float(interval.high)
        if self._right is None:
            return Flips(n, given, count / n, *ends, most, only)
        every = np.ones(len(self), bool)
        right = [
            self._is_right(decided)[chosen],
            self._is_right((self._original, every))[chosen],
        ]
        loss = MeanDifference(*right)  # accuracy with the original rows less that with these
        drawn = loss.resample(RESAMPLES, generator(0, "lost accuracy"))
        span = loss.percentiles(drawn)
        accuracy = float(right[1].mean()), float(right[0].mean())
        return Flips(n, given, count / n, *ends, most, only, accuracy, (span.low, span.high))

    def _is_right(self, decided: Decided) -> Values:
        """Return for which share of its labels the decision about each input (m,) is right.

        Where nothing is decided, nothing is right.
        """
        assert self._right is not None
        answer, held = decided
        among = held[self._which]  # of the inputs as they were given, each with its label
        right = np.zeros(len(among))
        right[among] = self._right.right(answer[(held.cumsum() - 1)[self._which[among]]], among)
        share: Values = np.bincount(self._which, right) / np.bincount(self._which)
        return share

    def taken_back(self, before: Decided, after: Decided, among: Mask) -> float:
        """Return the p-value of a sign test that fewer decisions flip ``after`` than ``before``.

        Inputs that both flip, or neither, say nothing.
        """
        flipped = [self._flipped(decided)[among] for decided in (before, after)]
        back = int((flipped[0] & ~flipped[1]).sum())
        new = int((flipped[1] & ~flipped[0]).sum())
        if not back + new:
            return 1.0
        return float(binomtest(back, back + new, alternative="greater").pvalue)


def _most_lost(decisions: Decisions, flipped: Mask) -> Lost:
    """Return which decision is surely lost most, by the interval of Clopper and Pearson."""
    names, which, n = np.unique(decisions, return_inverse=True, return_counts=True)
    lost = np.bincount(which, flipped)
    low = np.nan_to_num(beta.ppf((1 - LEVEL) / 2 / len(names), lost, n - lost + 1))
    at = int(low.argmax())
    return Lost(str(names[at]), int(n[at]), float(lost[at] / n[at]), float(low[at]))


def _texts(inputs: Iterable[str | Sequence[str]]) -> list[list[str]]:
    """Return the words of each document."""
    if isinstance(inputs, str):
        raise OptionError("inputs is one string; give a list of documents.")
    is_table = isinstance(inputs, Mapping) or hasattr(inputs, "columns")
    if is_table or not isinstance(inputs, Iterable):
        raise OptionError(
            f"inputs is a {type(inputs).__name__}; give a list of documents, such as one column."
        )
    found: list[list[str]] = []
    for document in inputs:
        words: Any = document.split() if isinstance(document, str) else document
        is_list = isinstance(words, Iterable) and not isinstance(words, Mapping)
        words = list(words) if is_list else [words]
        if strange := [word for word in words if not isinstance(word, str)]:
            raise OptionError(
                f"input {len(found) + 1:,} holds {shown(strange[0])}, which is no word; give each "
                "as a string, or as a list of words."
            )
        found.append(words)
    return found


def _labels(labels: Iterable[Any], n: int) -> Decisions:
    if isinstance(labels, str) or not isinstance(labels, Iterable):
        raise OptionError(f"labels={shown(labels)} was given; give a list, one for each input.")
    given = np.fromiter(labels.tolist() if hasattr(labels, "tolist") else labels, object)
    if len(given) != n:
        raise OptionError(f"{len(given):,} labels were given for {n:,} inputs; give one for each.")
    return plain(given, "labels")


def _rows_of(texts: Iterable[list[str]], place: Mapping[str, int]) -> list[Rows]:
    return [np.array([place[word] for word in words if word in place], np.int64) for words in texts]


def _looked_at(texts: list[list[str]], kept: list[int], pair: Pair) -> Inputs:
    old, new = pair.original, pair.tuned
    words = [word for document in texts for word in document]
    unknown = [word for word in words if word not in old and word not in new]
    return Inputs(
        n=len(kept),
        left_out=len(texts) - len(kept),
        words=len(words),
        unknown=len(unknown),
        in_lower_case=sum(word.lower() in old for word in unknown),
        examples=tuple(dict.fromkeys(unknown))[:3],
        gone=sum(word in old and word not in new for word in words),
        emptied=sum(not any(word in new for word in texts[at]) for at in kept),
        added=sum(word in new and word not in old for at in kept for word in texts[at]),
    )
