"""How a consumer is asked, and what its answer says; what could be read in two ways is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from driftkit.arguments import shown
from driftkit.arrays import Mask
from driftkit.display import first_few
from driftkit.errors import OptionError
from driftkit.forks import one_thread_in_a_child
from driftkit.plugins import guarded

Decisions = npt.NDArray[Any]

MODEL = "a function of rows, a torch.nn.Module or a fitted scikit-learn classifier"
ANSWER = "return one label for each input, or scores (inputs, classes)"


class Asked:
    """What decides, asked by the way that its kind has.

    An estimator is asked by ``predict``, or else by ``predict_proba`` or ``decision_function``,
    whose columns stand for its ``classes_``. A module is asked as it is when not training, without
    a gradient, on its own device and in its own precision.

    Raises
    ------
    OptionError
        If it is none of these, or predicts amounts.
    """

    def __init__(self, decides: Any) -> None:
        self._call, self._classes = _call_of(decides), None
        if not hasattr(decides, "predict"):
            self._classes = getattr(decides, "classes_", None)

    def __call__(self, given: Any) -> Decisions:
        """Return the decision about each input (m,): text, truth values or whole numbers.

        Raises
        ------
        OptionError
            If it fails, or its answer is something else than a decision for each input.
        """
        decided = self._decided(given)
        if (n := len(given)) > 1 and len(np.unique(decided)) == n:
            # As the places of a sorted list are, which then change where an input is left out.
            for some in (slice(1, None), slice(-1)):
                if (self._decided(given[some]) != decided[some]).any():
                    raise OptionError(
                        f"the consumer said another thing of each of {n:,} inputs, and others when "
                        f"one was left out: the ranks of a list, which are no decisions; {ANSWER}."
                    )
        return decided

    def _decided(self, given: Any) -> Decisions:
        n = len(given)
        with guarded(lambda why: OptionError(f"the consumer failed ({why}); correct it.")):
            answer = _array(self._call(given))
        if answer.ndim == 2 and answer.shape[0] == n and answer.shape[1] > 1:
            best = _best(answer)
            is_named = self._classes is not None and len(self._classes) == answer.shape[1]
            return plain(np.asarray(self._classes)[best], "decisions") if is_named else best
        if answer.shape == (n, 1):
            raise OptionError(
                "the consumer returned one column, and where it decides otherwise is not said; "
                "give a function that does: lambda rows: model(rows)[:, 0] > 0."
            )
        if answer.shape != (n,):
            raise OptionError(
                f"the consumer returned an array of shape {answer.shape} for {n:,} inputs; it must "
                f"{ANSWER}."
            )
        return plain(answer, "decisions")


def plain(values: Decisions, what: str) -> Decisions:
    """Return labels (m,) as text, truth values or whole numbers; refuse all else.

    Examples
    --------
    >>> plain(np.array([1.0, 2.0]), "labels"), plain(np.array(["a"], object), "labels")
    (array([1, 2]), array(['a'], dtype='<U1'))
    >>> plain(np.array([b"yes", b"no"]), "labels")
    array(['yes', 'no'], dtype='<U3')
    """
    if values.dtype.kind == "O" and len(values):
        for kinds in (str, bytes, (Real, np.bool_)):
            if all(isinstance(each, kinds) for each in values):
                values = np.asarray(values.tolist())
                break
    if values.dtype.kind == "S":
        with suppress(UnicodeDecodeError):
            return np.char.decode(values, "utf-8")
    if values.dtype.kind == "f":
        if (broken := values[(values != np.round(values)) | np.isinf(values)]).size:
            raise OptionError(
                f"{what} such as {float(broken[0]):.4g} name no class; decide at a threshold, such "
                "as score(rows) > 0.5."
            )
        return values.astype(np.int64)
    if values.dtype.kind not in "biuU":
        strange = [each for each in values.tolist() if not isinstance(each, str | Real)]
        which = f"such as {shown(strange[0])}" if strange else "of numbers and strings"
        raise OptionError(
            f"{what} {which} name no class; give numbers or strings, one for each input."
        )
    return values


class Spelling:
    """How decisions are written to be compared with labels: ``True``, ``1`` and ``"1"`` are one.

    Raises
    ------
    OptionError
        If no decision is any of the labels.
    """

    def __init__(self, labels: Decisions, decisions: Decisions) -> None:
        ways = (_text_of_numbers, _text)
        self.labels = _text_of_numbers(labels)
        found = [way for way in ways if np.isin(way(decisions), self.labels).any()]
        if not found:
            said, right = (first_few(_distinct(each)) for each in (decisions, labels))
            raise OptionError(
                f"the consumer never says what the labels say; it says {said}, and they are "
                f"{right}. Give labels as it says them."
            )
        self._way: Callable[[Decisions], Decisions] = found[0]

    def right(self, decisions: Decisions, among: Mask) -> Mask:
        """Return which decisions about some of the inputs are right."""
        right: Mask = self._way(decisions) == self.labels[among]
        return right


def _distinct(values: Decisions) -> list[str]:
    return [shown(each, 20) for each in np.unique(values).tolist()]


def _text(values: Decisions) -> Decisions:
    return values.astype(str)


def _text_of_numbers(values: Decisions) -> Decisions:
    return (values.astype(np.int64) if values.dtype.kind == "b" else values).astype(str)


def _best(scores: Decisions) -> Decisions:
    """Return the class of the highest score (m,), of scores (m, classes)."""
    if scores.dtype.kind not in "biuf":
        raise OptionError(f"the consumer returned several labels for each input; {ANSWER}.")
    if np.isnan(scores).any():
        raise OptionError(
            "the consumer returned scores that are no numbers (NaN), so it decided nothing; "
            "correct it."
        )
    is_whole = (scores == np.round(scores)).all()
    marked = (scores != 0).sum(axis=1)
    unclear = marked > 1 if scores.dtype.kind == "f" else (marked != 1) | (scores.max(axis=1) != 1)
    if is_whole and unclear.any():
        raise OptionError(
            f"the consumer returned whole numbers of shape {scores.shape}: votes, the ranks of a "
            f"list or several labels at once, which is not known; {ANSWER}."
        )
    best: Decisions = scores.argmax(axis=1)
    return best


def _array(answer: Any) -> Decisions:
    """Return what a consumer answered as an array."""
    answer = getattr(answer, "logits", answer)  # of an output of transformers
    is_several = isinstance(answer, tuple) and any(np.ndim(each) for each in answer)
    if is_several or isinstance(answer, Mapping):
        raise OptionError(
            f"the consumer returned a {type(answer).__name__} of several things; give a function "
            "that takes out what decides: lambda rows: model(rows)[0]."
        )
    if hasattr(answer, "detach"):
        one_thread_in_a_child()
        answer = answer.detach().cpu()
        answer = answer.float() if answer.is_floating_point() else answer  # NumPy has no bfloat16
    return np.asarray(answer)


def _call_of(decides: Any) -> Callable[[Any], Any]:
    """Return how a consumer is called, by what it is."""
    if isinstance(decides, type):
        raise OptionError(f"consumer={decides.__name__} is a class; give {MODEL}.")
    if _is_regressor(decides):
        raise OptionError(
            f"{type(decides).__name__} predicts amounts; give a function that decides by them: "
            "lambda rows: model.predict(rows) > 0.5."
        )
    if hasattr(decides, "forward") and hasattr(decides, "modules"):
        return lambda rows: _through(decides, rows)
    for name in ("predict", "predict_proba", "decision_function"):
        if (method := getattr(decides, name, None)) is not None:
            return _both_sides(method) if name == "decision_function" else method
    if callable(decides):
        called: Callable[[Any], Any] = decides
        return called
    raise OptionError(f"consumer={shown(decides)} was given; give {MODEL}.")


def _is_regressor(decides: Any) -> bool:
    if not hasattr(decides, "__sklearn_tags__"):
        return getattr(decides, "_estimator_type", None) == "regressor"  # before scikit-learn 1.6
    try:
        return bool(decides.__sklearn_tags__().estimator_type == "regressor")
    except AttributeError:  # a pipeline that ends in something which does not say what it is
        return False


def _both_sides(method: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the scores of two classes where an estimator gives the side of its boundary."""

    def scores(rows: Any) -> Any:
        side = np.asarray(method(rows))
        return np.stack([-side, side], axis=1) if side.ndim == 1 else side

    return scores


def _through(module: Any, rows: Any) -> Any:
    """Return what a module says of rows, each part left in the mode it was in."""
    import torch

    one_thread_in_a_child()
    modes = [(part, part.training) for part in module.modules()]
    floats = (each for each in module.parameters() if each.is_floating_point())
    own = next(floats, torch.empty(0, dtype=torch.float32, device="cpu"))

    def tensor(each: Any) -> Any:
        return torch.from_numpy(each).to(own.device, own.dtype)

    module.eval()
    try:
        with torch.no_grad():
            if hasattr(module, "predict"):
                return module.predict(rows)
            return module([tensor(each) for each in rows] if isinstance(rows, list)
                          else tensor(rows))  # fmt: skip
    finally:
        for part, mode in modes:
            part.training = mode
