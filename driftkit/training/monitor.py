"""Watch a table drift while a model trains, and stop or slow down before it forgets."""

from __future__ import annotations

import hashlib
import math
import warnings
import weakref
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from functools import cached_property
from numbers import Integral, Real
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from driftkit.datasets import Benchmark, get_all
from driftkit.errors import OptionError, UnknownNameError
from driftkit.training.embedding import words_of
from driftkit.training.monitor_values import (
    COUNTS,
    Named,
    Probes,
    TableValues,
    holds_no_numbers,
    layer_in,
    layers_sharing,
    probe_rows,
    repeated,
    table_of,
)
from driftkit.training.optimizers import TableRate
from driftkit.training.ranks import in_any_process, processes
from driftkit.training.writers import Writer

if TYPE_CHECKING:
    import pandas as pd

RATE_LEFT = "rate_left"
_UNSEEN = 1000  # calls without a step: more than anybody accumulates gradients over
_NEVER_NEGATIVE = ("overlap@", "3cosadd@", "purity[", "opp[")  # correlations and cosines may be


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit on how far one value of a monitor may fall.

    Parameters
    ----------
    measure : str
        Name of the value, such as ``"overlap@10"`` or ``"spearman[ws353]"``; the name of a
        benchmark alone means its first measure. It needs a value before training.
    fall : float
        How far below its start it may fall.
    action : {"stop", "cut"}
        Stop training, or multiply the table's learning rate by `factor`.
    factor : float
        At a cut, at least 0 and below 1. A check cuts once, by the smallest factor that is due,
        however far a value fell. A further fall by `fall` cuts again at a later check.

    Raises
    ------
    OptionError
        If a number is out of range.

    Examples
    --------
    >>> budget = Budget("ws353", fall=0.02)
    >>> budget.times_broken({"spearman[ws353]": 0.50}, {"spearman[ws353]": 0.47})
    1
    """

    measure: str
    fall: float
    action: Literal["stop", "cut"] = "stop"
    factor: float = 0.1

    def __post_init__(self) -> None:
        numbers = all(isinstance(each, Real) for each in (self.fall, self.factor))
        fits = numbers and 0 <= self.fall < math.inf and 0 <= self.factor < 1
        if not fits or self.action not in ("stop", "cut") or not isinstance(self.measure, str):
            raise OptionError(
                f"{self} was given; measure is the name of a value, fall a number from 0, factor "
                "at least 0 and below 1, action stop or cut."
            )

    def find(self, values: Mapping[str, float]) -> str:
        """Return the full name of the value it watches.

        Raises if none has that name, it cannot fall, or it has no value from which to fall.
        """
        if self.measure in COUNTS:
            raise OptionError(
                f"a budget cannot watch {self.measure!r} for a fall; it rises as words move. Watch "
                "overlap, a self-cosine or a benchmark."
            )
        for name, value in values.items():
            if self.measure == name or name.endswith(f"[{self.measure}]"):
                if np.isnan(value):
                    raise OptionError(
                        f"a budget watches {name!r}, which has no value before training, so it "
                        "could never fire. A benchmark needs words that the table has; for "
                        "neighbors watch overlap over all probes or over [unmoved]."
                    )
                lowest = 0.0 if name.startswith(_NEVER_NEGATIVE) else -1.0
                if self.fall >= value - lowest:
                    raise OptionError(
                        f"a budget lets {name!r} fall by {self.fall:g}; it starts at {value:.4g} "
                        f"and is never below {lowest:g}, so the budget could never fire. Values "
                        "are shares, not percent: give a fall such as 0.1."
                    )
                return name
        raise UnknownNameError("value of the monitor", self.measure, values)

    def times_broken(self, start: Mapping[str, float], now: Mapping[str, float]) -> int:
        """Return how many whole budgets the value has fallen by; 0 within the first.

        A value that could not be measured breaks nothing.
        """
        name = self.find(start)
        fallen = start[name] - now[name]
        if not fallen > self.fall:
            return 0
        return 1 if self.fall == 0 else int(fallen / self.fall)


class DriftMonitor:
    """Follow an embedding table while it trains.

    The table is copied once. A forward hook notes which rows batches look up, and every `every`
    steps `check` compares the whole table with its start: what moved a row does not matter.

    The values, by name:

    ``seen``, ``moved``, ``moved_unseen``
        Rows that this process looked up while the table was trained; rows that differ from the
        start by more than the rounding of their type, as in `align`; rows that moved though this
        layer never looked them up (weight decay, a tied head, ``functional.embedding``, weights
        that were loaded).
    ``self_cosine_p05``, ``_p50``, ``_p95``
        Percentiles of the self-cosine of moved rows; 1 while none has moved.
    ``overlap@10``, ``overlap@10[moved]``, ``overlap@10[unmoved]``
        Mean share of neighbors kept, over all probes, those that moved, and those that did not.
    ``spearman[ws353]``, ...
        Benchmarks.
    ``rate_left``
        Share of the scheduled learning rate that cuts have left; only where a budget cuts.

    A cut holds whatever scheduler is used. The parameter group's ``"lr"`` stays what the schedule
    says, and the optimizer finds `rate_left` of it while it takes a step.

    What it cannot see is told at the first check, by a warning: a layer that no optimizer trains or
    that no batch goes through, because it was replaced or wrapped after the monitor was made. A
    copy that is trained in the layer's place (peft's ``modules_to_save``) is followed, and so is a
    table that has grown, in its first rows.

    Under torch.distributed make the monitor in every process, with ``all_ranks=True``: one that is
    made in a single process stops, or cuts the rate of, that process alone.

    Parameters
    ----------
    embedding : torch.nn.Module
        An `nn.Embedding`, or a layer that wraps one, such as peft's; then the table is what it
        returns for all rows, adapters included. With peft make the monitor after
        ``get_peft_model``, of ``model.get_input_embeddings()``.
    words : sequence of str, or mapping of str to int, optional
        The word of each row, or the row of each word, such as ``tokenizer.get_vocab()``; a
        `WordEmbedding` knows its own.
    every : int
        Steps between two checks. On a table of 400,000 x 100 the default costs 1.3 %
        of steps with 10,000 words, and 4 to 8 % of steps with 1,000
        (`benchmarks/speed/monitor.py`).
    benchmarks : sequence of str, path or Benchmark
        What to score at every check. Analogies take seconds each time on a large table.
    probes : int or sequence of str
        Words whose neighbors are followed, or how many to draw among the candidates.
    candidates : int
        How many rows, from the first, may be neighbors.
    k : int
        Neighbors of a probe.
    budgets : sequence of Budget
        What may fall, how far, and what happens then.
    writers : sequence of callable
        Called with (step, values) after every check (see `driftkit.training.writers`).
    original : Tensor, shape (n, d), optional
        The start; the embedding's weight as it is now unless given. Needed to resume where the
        tuned weights have been loaded already.
    all_ranks : bool
        Whether every process of torch.distributed has this monitor and checks it at the same steps.
        Rows seen are then those of all processes at each check. Take a checkpoint where a check
        falls: a resumed run does not know what other processes have seen since.
    seed : int
        Of the draw of probes.

    Attributes
    ----------
    steps : int
        Steps taken, as `step` counts them.
    history : list of dict
        Step and values of every check; the first is the start.
    stop_reason : str or None
        Why training should stop.

    Raises
    ------
    OptionError, VocabularyError, UnknownNameError
        If an option, the words, a probe or what a budget watches does not fit.

    Examples
    --------
    >>> table = nn.Embedding(50, 8, sparse=True)
    >>> monitor = DriftMonitor(
    ...     table, [f"w{i}" for i in range(50)], every=1, benchmarks=(), probes=20
    ... )
    >>> optimizer = torch.optim.SparseAdam(table.parameters(), lr=0.1)
    >>> table(torch.tensor([3, 4])).sum().backward()
    >>> optimizer.step()
    >>> monitor.step(optimizer)
    False
    >>> monitor.end() == monitor.latest
    True
    >>> monitor.latest["moved"], monitor.latest["moved_unseen"]
    (2, 0)
    """

    def __init__(
        self,
        embedding: nn.Module,
        words: Sequence[str] | Mapping[str, int] | None = None,
        *,
        every: int = 500,
        benchmarks: Sequence[str | PathLike[str] | Benchmark] = ("ws353", "simlex999"),
        probes: int | Sequence[str] = 200,
        candidates: int = 10_000,
        k: int = 10,
        budgets: Sequence[Budget] = (),
        writers: Sequence[Writer] = (),
        original: Tensor | None = None,
        all_ranks: bool = False,
        seed: int = 0,
    ) -> None:
        if not all(_is_count(each) for each in (every, candidates, k)):
            raise OptionError(
                f"every={every!r}, candidates={candidates!r} and k={k!r} were given; all are whole "
                "numbers from 1."
            )
        for name, given in (("benchmarks", benchmarks), ("budgets", budgets), ("writers", writers)):
            if isinstance(given, str | PathLike) or not isinstance(given, Iterable):
                kind = type(given).__name__
                shown = repr(given) if isinstance(given, str | PathLike) else f"a {kind}"
                raise OptionError(f"{name} is {shown}; give a list of them: {name}=[...].")
        if deaf := [each for each in writers if not callable(each)]:
            raise OptionError(
                f"writers holds {deaf[0]!r}, which cannot be called; give functions that take a "
                "step and its values, such as to_tensorboard(writer)."
            )
        if strange := [each for each in budgets if not isinstance(each, Budget)]:
            raise OptionError(
                f"budgets holds {strange[0]!r}; give one for each value, such as "
                'Budget("overlap@10", fall=0.1).'
            )
        if original is not None and not isinstance(original, Tensor):
            raise OptionError(
                f"original is a {type(original).__name__}; give the table before training as a "
                "Tensor (n, d), such as a layer's weight."
            )
        self.embedding: Any = embedding
        self.every, self.writers, self.all_ranks = every, tuple(writers), all_ranks
        self.words = words_of(layer_in(embedding), words)
        weight = table_of(embedding)
        start = (weight if original is None else original.detach().to(weight.device)).clone()
        if start.shape != weight.shape:
            raise OptionError(
                f"original has shape {tuple(start.shape)} and the embedding "
                f"{tuple(weight.shape)}; both must be the same table."
            )
        index = {word: row for row, word in enumerate(self.words)}
        rows = probe_rows(start[:candidates], index, probes, seed)
        offered = torch.arange(min(candidates, len(start)), device="cpu")
        found = get_all(list(benchmarks)) if len(benchmarks) else ()
        scored = [repeated(each, self.words, index, start) for each in found]
        self._values = TableValues(start, Probes(start, rows, offered, k), scored)
        self._seen = torch.zeros(len(weight), dtype=torch.bool, device=weight.device)
        self.steps = 0
        self.stop_reason: str | None = None
        self.history: list[dict[str, float]] = [{"step": 0, **self._values.unchanged()}]
        self.budgets = tuple(budgets)
        for budget in self.budgets:
            budget.find(self.start)
        self._cuts = [0] * len(self.budgets)
        may_cut = any(budget.action == "cut" for budget in self.budgets)
        self._rate = TableRate(embedding, may_cut=may_cut)
        if may_cut:
            self.history[0][RATE_LEFT] = self._rate.share
        self._guessed = self._missed = 0  # calls of `step` with no step of an optimizer before them
        self._was_called = False
        self._hooks = ExitStack()
        self._notes = _Notes(self)
        for layer in (embedding, *layers_sharing(layer_in(embedding))):
            hook = layer.register_forward_hook(self._notes, with_kwargs=True)
            self._hooks.callback(hook.remove)

    @property
    def original(self) -> Tensor:
        """The table before training, (n, d)."""
        return self._values.original

    @property
    def start(self) -> Named:
        """The values before training."""
        return _without_step(self.history[0])

    @property
    def latest(self) -> Named:
        """The values of the last check."""
        return _without_step(self.history[-1])

    @property
    def should_stop(self) -> bool:
        """Whether a budget that stops training is broken, or the table is no longer finite."""
        return self.stop_reason is not None

    def step(self, optimizer: Optimizer | None = None) -> bool:
        """Count a step, check when it is time, and return whether to stop.

        A call counts if any optimizer of torch took a step since the call before: gradients that
        are being accumulated do not count, nor does a step that a `GradScaler` skipped. As long as
        no step was seen and no optimizer given, every call counts.

        Parameters
        ----------
        optimizer : torch.optim.Optimizer, optional
            The one that trains the table. It is found by itself once it has taken a step. A cut
            lowers the rate of all parameters in the table's group.

        Raises
        ------
        OptionError
            If a cut is due and no optimizer that trains the table is known.
        """
        self._rate.refuse_what_cannot_cut()
        if self._is_a_step(optimizer) and self.steps % self.every == 0:
            self.check(optimizer)
        return self.should_stop

    def _is_a_step(self, optimizer: Optimizer | None) -> bool:
        """Count a step, unless no optimizer took one: gradients were added up, or not finite."""
        took = self._rate.took_step(is_known=optimizer is not None)
        if took is None:
            self._guessed += 1
        elif took:
            self.steps -= self._guessed
            self._guessed = self._missed = 0
        elif (missed := self._missed + 1) < _UNSEEN:
            self._missed = missed
            return False
        else:
            self._rate.count_calls()
            warnings.warn(
                f"step was called {missed:,} times in a row and no optimizer of torch took a step, "
                "as where steps are replayed from a CUDA graph; from now on every call counts.",
                stacklevel=3,
            )
        self.steps += 1
        return True

    @torch.no_grad()
    def check(self, optimizer: Optimizer | None = None) -> Named:
        """Measure now, write, act on budgets, and return the values by name.

        `optimizer`, and the error raised without it, are those of `step`.
        """
        table = self._table()
        self._seen = self._seen.to(table.device)
        if self.all_ranks:
            self._seen = in_any_process(self._seen)
        values = self._values.measure(table, self._seen)
        if np.isnan(values["self_cosine_p50"]):
            self.stop_reason = f"rows that moved hold NaN or infinity at step {self.steps:,}"
        if optimizer is not None:
            self._rate.note(optimizer)
        self._rate.refuse_what_cannot_cut()
        if len(self.history) == 1:
            self._tell_of_other_processes()
            if self.steps:
                self._tell_what_is_not_seen(values["moved"] > 0)
        self._act(values)
        if RATE_LEFT in self.start:
            values[RATE_LEFT] = self._rate.share
        self._guessed = 0
        self.history.append({"step": self.steps, **values})
        for writer in self.writers:
            writer(self.steps, values)
        return values

    def end(self, optimizer: Optimizer | None = None) -> Named:
        """Check once more unless the last check was of this table; call it when training ends.

        The last check was of another one if steps were taken since, or the table was exchanged for
        an average (EMA, SWA) or for that of the best checkpoint.

        It warns if training was over before the first check came. To go on another day with the
        history of a training that was never stopped, take the `state_dict` before. `optimizer` is
        that of `step`.
        """
        went_on = self.steps > self.history[-1]["step"]
        if went_on or self._differs_from_latest():
            if went_on and len(self.history) == 1:
                warnings.warn(
                    f"training ended after {self.steps:,} steps and a check comes every "
                    f"{self.every:,}, so no budget could act; give DriftMonitor a smaller every=.",
                    stacklevel=2,
                )
            self.check(optimizer)
        return self.latest

    @torch.no_grad()
    def _differs_from_latest(self) -> bool:
        table = self._table()
        values = self._values.measure(table, self._seen.to(table.device))
        names = [name for name in values if name not in ("seen", "moved_unseen")]
        now, then = ([each[name] for name in names] for each in (values, self.latest))
        differs = not np.allclose(now, then, rtol=1e-6, atol=1e-9, equal_nan=True)
        if self.all_ranks:  # or one process would wait for others at the check
            return bool(in_any_process(self._seen.new_tensor([differs])))
        return differs

    def to_frame(self) -> pd.DataFrame:
        """Return the history, with a row for each check."""
        import pandas as pd

        return pd.DataFrame(self.history)

    def close(self) -> None:
        """Stop noting rows and lowering the rate; the history stays."""
        self._hooks.close()
        self._notes.forget()  # those of copies too
        self._rate.close()

    def state_dict(self) -> dict[str, Any]:
        """Return all that a resumed run needs but the table: tensors, numbers and strings."""
        return {
            "steps": self.steps,
            "history": [dict(record) for record in self.history],
            "seen": self._seen.cpu().clone(),
            "budgets": self._limits,
            "cuts": list(self._cuts),
            "stop_reason": self.stop_reason,
            "original": self._digest,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where another monitor of the same table stood.

        Raises
        ------
        OptionError
            If it started from another table, or watched other values or budgets.
        """
        if state["original"] != self._digest:
            raise OptionError(
                "the saved monitor started from another table; make this one before the tuned "
                "weights are loaded, or give it the original as original=."
            )
        if list(state["history"][0]) != list(self.history[0]) or state["budgets"] != self._limits:
            raise OptionError(
                "the saved monitor watched other values or budgets; give the same benchmarks, k "
                f"and budgets. Its budgets were {state['budgets']}, and here are {self._limits}."
            )
        self.steps, self.stop_reason = state["steps"], state["stop_reason"]
        self._guessed = self._missed = 0
        self.history = [dict(record) for record in state["history"]]
        self._seen = state["seen"].to(self._seen.device).clone()
        self._cuts = list(state["cuts"])
        self._rate.share = self.latest.get(RATE_LEFT, 1.0)

    @property
    def _limits(self) -> list[list[Any]]:
        """The budgets as a state keeps them, each by the full name of its value."""
        return [[each.find(self.start), *astuple(each)[1:]] for each in self.budgets]

    def _note_rows(self, module: nn.Module, rows: Tensor) -> None:
        is_own = module is self.embedding or layer_in(module).weight is self._layer.weight
        if not is_own and not self._is_replaced_by(module):
            return
        self._was_called = True
        if holds_no_numbers(rows):
            return
        # max_norm changes rows whenever they are read.
        if _trains(module) or layer_in(module).max_norm is not None:
            rows = rows.reshape(-1).long()
            if len(layer_in(module).weight) > len(self._seen):
                rows = rows[rows < len(self._seen)]
            self._seen = self._seen.to(rows.device)
            self._seen.index_fill_(0, rows, True)

    @property
    def _layer(self) -> nn.Embedding:
        return layer_in(self.embedding)

    def _is_replaced_by(self, copy: nn.Module) -> bool:
        """Follow a copy that is trained while the layer itself no longer is."""
        if not _trains(copy) or any(each.requires_grad for each in self.embedding.parameters()):
            return False
        self.embedding = self._rate.layer = copy
        warnings.warn(
            "the layer was frozen and a copy of it is trained in its place; the monitor follows "
            "the copy.",
            stacklevel=2,
        )
        return True

    def _table(self) -> Tensor:
        """Return the table as it is now, without rows that were added behind."""
        table, n = table_of(self.embedding), len(self.words)
        if len(table) < n or table.shape[1:] != self.original.shape[1:]:
            raise OptionError(
                f"the table was {tuple(self.original.shape)} and is {tuple(table.shape)} now, so "
                "its rows do not go with their words; make the monitor after the table is resized."
            )
        if len(table) > n:
            warnings.warn(
                f"the table grew from {n:,} to {len(table):,} rows; the monitor follows the first "
                f"{n:,}. To follow all, make it after the table is resized.",
                stacklevel=2,
            )
        return table[:n]

    def _tell_of_other_processes(self) -> None:
        if (count := processes()) > 1 and not self.all_ranks:
            warnings.warn(
                f"this is one of {count} processes and the monitor counts as seen only the rows "
                "that it looked up itself; make the monitor in every process, with all_ranks=True.",
                stacklevel=2,
            )

    def _tell_what_is_not_seen(self, has_moved: bool) -> None:
        reasons = []
        if not self._rate.is_trained and not has_moved:
            reasons.append("no optimizer that took a step holds the layer's parameters")
        if not self._was_called:
            reasons.append("no batch went through the layer")
        if reasons and has_moved:
            warnings.warn(
                f"{reasons[0]}, though rows moved: all of them count as moved_unseen. If the model "
                "was compiled before or looks rows up in another layer, make the monitor before "
                "that, of the layer that batches go through.",
                stacklevel=2,
            )
        elif reasons:
            warnings.warn(
                f"{' and '.join(reasons)}, and no row has moved: drift would not be seen here. If "
                "the layer was replaced, resized or wrapped (peft), make the monitor after that, "
                "of model.get_input_embeddings(); if it is frozen for good, no monitor is needed.",
                stacklevel=2,
            )

    def _act(self, values: Named) -> None:
        """Stop or cut where a budget is broken further than it was: one cut for all of them."""
        for name in {budget.find(self.start) for budget in self.budgets}:
            if np.isnan(values[name]) and not self.should_stop:
                warnings.warn(
                    f"{name} has no value any more, so its budget is blind; watch a value that "
                    "stays, such as overlap over all probes.",
                    stacklevel=2,
                )
        times = [budget.times_broken(self.start, values) for budget in self.budgets]
        due = [at for at, cuts in enumerate(self._cuts) if times[at] > cuts]
        for budget in (self.budgets[at] for at in due if self.budgets[at].action == "stop"):
            name = budget.find(self.start)
            self.stop_reason = self.stop_reason or (
                f"{name} fell from {self.start[name]:.4g} to {values[name]:.4g}, by more than "
                f"{budget.fall:g}, at step {self.steps:,}"
            )
        cutting = [at for at in due if self.budgets[at].action == "cut"]
        if cutting:
            self._rate.cut(min(self.budgets[at].factor for at in cutting))
            for at in cutting:
                self._cuts[at] = times[at]

    @cached_property
    def _digest(self) -> str:
        values: Any = self.original.cpu().contiguous().view(torch.uint8).numpy()
        return hashlib.sha256(values).hexdigest()


def _without_step(record: Mapping[str, float]) -> Named:
    return {name: value for name, value in record.items() if name != "step"}


def _is_count(given: object) -> bool:
    return isinstance(given, Integral) and not isinstance(given, bool) and int(given) > 0


def _trains(module: nn.Module) -> bool:
    return torch.is_grad_enabled() and any(each.requires_grad for each in module.parameters())


class _Notes:
    """A forward hook that stays with its monitor when the layer is copied, and not when saved.

    A layer does not keep its monitor alive: one that nobody else holds neither watches nor cuts.
    Its hooks are taken off when one is called: garbage collection, at any moment, could do it while
    a layer goes through them, which stops the training.
    """

    def __init__(self, monitor: DriftMonitor | None = None) -> None:
        self._monitor = None if monitor is None else weakref.ref(monitor)
        self._hooks = ExitStack() if monitor is None else monitor._hooks

    def forget(self) -> None:
        self._monitor = None

    def __call__(
        self, module: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any], _: Tensor
    ) -> None:
        given = (*inputs, *named.values())
        rows = next((each for each in given if isinstance(each, Tensor)), None)
        monitor = None if self._monitor is None else self._monitor()
        if monitor is None:
            self._hooks.close()
        elif rows is not None:
            monitor._note_rows(module, rows)

    def __deepcopy__(self, _: dict[int, Any]) -> _Notes:
        return self

    def __reduce__(self) -> tuple[type[_Notes], tuple[()]]:
        return _Notes, ()
