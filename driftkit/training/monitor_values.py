"""The values that a monitor takes of a table: rows that moved, neighbors kept, benchmarks."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch._subclasses import FakeTensor

from driftkit.arrays import Mask, Values, generator
from driftkit.datasets import Benchmark, SimilarityBenchmark
from driftkit.embeddings import Embeddings
from driftkit.errors import OptionError, UnknownNameError
from driftkit.evaluators import Score, score
from driftkit.evaluators.closeness import cosines
from driftkit.evaluators.correlations import spearman
from driftkit.evaluators.lookup import find_items
from driftkit.measures.registry import parse_measure
from driftkit.neighbors.overlap import overlap
from driftkit.neighbors.search.exact import nearest
from driftkit.provenance import Rounding
from driftkit.training.ranks import refuse_sharded

Named = dict[str, float]
"""Values by name, such as ``"overlap@10[moved]"`` or ``"spearman[ws353]"``."""

COUNTS = ("seen", "moved", "moved_unseen")
PERCENTILES = (5, 50, 95)

STEP = 1024  # rows compared at a time: their doubles stay in the processor's cache


class TableValues:
    """Take every value of one table again and again, against its start (n, d)."""

    def __init__(self, original: Tensor, probes: Probes, benchmarks: Sequence[Repeated]) -> None:
        self.original, self.probes, self.benchmarks = original, probes, tuple(benchmarks)
        self._overlap = str(parse_measure("overlap").at(probes.k))

    def unchanged(self) -> Named:
        """Return the values of the table as it started."""
        kept = np.where(self.probes.before[:, 0] >= 0, 1.0, np.nan)
        return {
            **dict.fromkeys(COUNTS, 0),
            **_percentiles(torch.empty(0, dtype=torch.float64, device="cpu")),
            **self._overlaps(kept, np.zeros(len(kept), bool)),
            **{each.name: each.start for each in self.benchmarks},
        }

    def measure(self, weight: Tensor, seen: Tensor) -> Named:
        """Return the values of the table as it is now (n, d).

        `seen` (n,), on its device, says which rows were looked up in training. All but the counts
        are NaN if a moved row holds NaN or infinity.
        """
        self.original = self.original.to(weight.device)  # the table may have moved since
        moved, cosines = moved_rows(weight, self.original)
        counts = (int(seen.sum()), len(moved), int((~seen[moved]).sum()))
        values = {**self.unchanged(), **dict(zip(COUNTS, counts, strict=True))}
        if len(moved) == 0:
            return values
        if cosines.isinf().any():
            return {name: values[name] if name in COUNTS else np.nan for name in values}
        scores = {each.name: each.value(weight) for each in self.benchmarks}
        has_moved = torch.isin(self.probes.rows, moved.cpu()).numpy()
        overlaps = self._overlaps(self.probes.overlaps(weight), has_moved)
        return values | _percentiles(cosines) | overlaps | scores

    def _overlaps(self, kept: Values, has_moved: Mask) -> Named:
        return {
            self._overlap: _mean(kept),
            f"{self._overlap}[moved]": _mean(kept[has_moved]),
            f"{self._overlap}[unmoved]": _mean(kept[~has_moved]),
        }


def layer_in(module: nn.Module) -> nn.Embedding:
    """Return the embedding layer that a module is, or wraps; raise `OptionError` without one."""
    for each in module.modules() if isinstance(module, nn.Module) else ():
        if isinstance(each, nn.Embedding):
            return each
    raise OptionError(
        f"a {type(module).__name__} was given; give an nn.Embedding, or a layer that wraps one and "
        "takes rows as it does, such as peft's."
    )


def layers_sharing(layer: nn.Embedding) -> list[nn.Embedding]:
    """Return the other layers of this process with the same weight, such as T5's and BART's."""
    weight = layer._parameters.get("weight")
    return [
        each
        for each in gc.get_objects()
        if issubclass(type(each), nn.Embedding)
        and each is not layer
        and weight is not None
        and each.__dict__.get("_parameters", {}).get("weight") is weight
    ]


def holds_no_numbers(tensor: Tensor) -> bool:
    """Whether a tensor has a shape and a type only, as on ``meta`` or under fake tensors."""
    return tensor.is_meta or isinstance(tensor, FakeTensor)


@torch.no_grad()
def table_of(module: nn.Module) -> Tensor:
    """Return the vectors (n, d) of all rows as the model sees them, through adapters if any."""
    layer = layer_in(module)
    if holds_no_numbers(layer.weight):
        raise OptionError(
            "the table is on meta or a fake tensor, so it has a shape and no numbers; load its "
            "weights first, then make or check its monitor."
        )
    refuse_sharded(layer.weight)
    if layer is module:
        return layer.weight.detach()
    modes = [(each, each.training) for each in module.modules()]
    try:
        for each, _ in modes:
            each.training = False
        vectors: Tensor = module(torch.arange(len(layer.weight), device=layer.weight.device))
        return vectors
    finally:
        for each, mode in modes:
            each.training = mode


def moved_rows(weight: Tensor, original: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows (m,) that moved, and the cosine (m,) of each with its start.

    A row moved if some number differs by more than the rounding of the two types, as in `align`.
    A cosine is NaN where one of the two rows is zero, and minus infinity where the row holds NaN or
    infinity.
    """
    found = [torch.empty(0, dtype=torch.int64, device=weight.device)]
    cosines = [torch.empty(0, dtype=torch.float64, device=weight.device)]
    for start in range(0, len(weight), STEP):
        now, then = weight[start : start + STEP], original[start : start + STEP]  # (b, d)
        if torch.equal(now, then):  # most of a large table, in a third of the time
            continue
        differs = torch.nonzero(_differ(now, then)).squeeze(1)
        found.append(differs + start)
        cosines.append(_self_cosines(now[differs].double(), then[differs].double()))
    return torch.cat(found), torch.cat(cosines)


class Probes:
    """Words, by their rows (p,), whose k nearest neighbors among candidates (c,) are followed.

    Rows stay on the processor: from there they pick vectors of a table on any device.
    """

    def __init__(self, original: Tensor, rows: Tensor, candidates: Tensor, k: int) -> None:
        self.rows, self.k = rows, k
        self.pool = torch.cat([candidates, rows]).unique()  # rows gathered each time, ascending
        self._probes = torch.searchsorted(self.pool, rows).numpy()
        self._candidates = torch.searchsorted(self.pool, candidates).numpy()
        self.before = self.neighbors(original)

    def neighbors(self, weight: Tensor) -> npt.NDArray[np.int32]:
        """Return the nearest candidates of each probe, (p, k)."""
        space = weight[self.pool].float().cpu().numpy()
        return nearest(space, self._probes, self.k, candidates=self._candidates)[0]

    def overlaps(self, weight: Tensor) -> Values:
        """Return the share of its neighbors that each probe has kept, (p,)."""
        return overlap(self.before, self.neighbors(weight))


def probe_rows(
    candidates: Tensor, index: Mapping[str, int], probes: int | Sequence[str], seed: int
) -> Tensor:
    """Return the rows of the probes named, or drawn among candidates (c, d) with a direction."""
    if isinstance(probes, int):
        directed = np.flatnonzero(candidates.any(dim=1).cpu().numpy())
        if probes < 1 or not len(directed):
            raise OptionError(
                f"probes={probes} was given and {len(directed):,} candidates have a direction; "
                "at least 1 of each is needed."
            )
        rng = generator(seed, "probes")
        rows = np.sort(rng.choice(directed, min(probes, len(directed)), replace=False))
        return torch.from_numpy(rows)
    if isinstance(probes, str) or not isinstance(probes, Sized) or not len(probes):
        raise OptionError(f"probes={probes!r} was given; give a number or a list of words.")
    for word in probes:
        if word not in index:
            raise UnknownNameError("probe", word, index)
    return torch.tensor([index[word] for word in dict.fromkeys(probes)], device="cpu")


@dataclass(frozen=True, slots=True)
class Repeated:
    """A benchmark ready to be scored again and again: `value` takes it of a table (n, d)."""

    name: str
    value: Callable[[Tensor], float]
    start: float


def repeated(
    benchmark: Benchmark, words: Sequence[str], index: Mapping[str, int], original: Tensor
) -> Repeated:
    """Return a benchmark's first value, as `driftkit.score` names it, ready to be taken again."""
    if isinstance(benchmark, SimilarityBenchmark):
        value = _correlation(benchmark, index, original)
        return Repeated(f"spearman[{benchmark.name}]", value, value(original))

    def first(weight: Tensor) -> Score:
        table = Embeddings(words, weight.float().cpu().numpy())
        return next(iter(score(table, [benchmark])))

    start = first(original)
    name = f"{start.measure}[{benchmark.name}]"
    return Repeated(name, lambda weight: first(weight).value, start.value)


def _correlation(
    benchmark: SimilarityBenchmark, index: Mapping[str, int], original: Tensor
) -> Callable[[Tensor], float]:
    """Return Spearman's correlation of a table, over pairs whose words are looked up only here.

    It is NaN where rows lost their direction.
    """
    items = find_items(benchmark.pairs, index, ~original.any(dim=1).cpu().numpy())
    distinct, place = np.unique(items.rows[items.usable], return_inverse=True)
    rows = torch.from_numpy(distinct)
    gold, pairs = benchmark.gold[items.usable], place.reshape(-1, 2)

    def value(weight: Tensor) -> float:
        vectors = weight[rows].float().cpu().numpy()
        if not vectors.any(axis=1).all():
            return np.nan
        return spearman(gold, cosines(vectors, pairs))

    return value


def _mean(values: Values) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan


def _percentiles(cosines: Tensor) -> Named:
    known = cosines[~cosines.isnan()].cpu().numpy()
    values = np.percentile(known, PERCENTILES) if len(known) else (1.0,) * len(PERCENTILES)
    return {f"self_cosine_p{p:02}": float(v) for p, v in zip(PERCENTILES, values, strict=True)}


def _differ(now: Tensor, then: Tensor) -> Tensor:
    """Return which rows (b,) differ in a number by more than the rounding of the two types."""
    one, other = (Rounding.of_dtype(str(each.dtype).removeprefix("torch.")) for each in (now, then))
    if one.is_exact and other.is_exact:
        return (now != then).any(dim=1)
    size = torch.maximum(now.double().abs(), then.double().abs())
    relative, absolute = one.relative + other.relative, one.absolute + other.absolute
    within = (now.double() - then.double()).abs() <= relative * size + absolute
    return ~within.all(dim=1)  # a difference of NaN is not within


def _self_cosines(now: Tensor, then: Tensor) -> Tensor:
    vecdot = torch.linalg.vecdot
    square = vecdot(now, now)
    cosine: Tensor = vecdot(now, then) / (square * vecdot(then, then)).sqrt()
    return cosine.clamp(-1, 1).masked_fill_(~square.isfinite(), -torch.inf)
