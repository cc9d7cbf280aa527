"""What penalties and limits keep of a table's start, and how it follows the table.

A penalty is often made before its model goes to a GPU, or to half precision. What it keeps goes
there when it is next needed, and is rounded as the table was: a row that never moved is still at
its start.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from numbers import Real

import torch
from torch import Tensor, nn

from driftkit.errors import OptionError
from driftkit.training.ranks import refuse_sharded

Original = Tensor | Mapping[str, Tensor]
"""A start: of a table, or of parameters by name, such as a ``state_dict``."""

MAX_NORM = (
    "max_norm shortens rows of the batch when they are looked up, frozen and masked ones too; make "
    "the table without it"
)


class Doubt:
    """Whether a start may be no start, as the table was loaded from a checkpoint before.

    Only a `WordEmbedding` knows that of itself. The warning waits until the start is used, since
    a state may still be loaded, and is given once.
    """

    def __init__(self, module: nn.Module, original: object) -> None:
        loaded = any(getattr(part, "loaded", False) is True for part in module.modules())
        self._open = original is None and loaded

    def settle(self) -> None:
        """Forget it: the start came from a saved state."""
        self._open = False

    def speak(self, kind: str) -> None:
        """Warn, if there still is a doubt."""
        if self._open:
            self._open = False
            warnings.warn(
                f"this {kind} was made after its WordEmbedding was loaded from a checkpoint, so it "
                "holds to the rows of the checkpoint. Give it original= (embedding.weight if you "
                "mean these rows), or its own saved state with load_state_dict.",
                stacklevel=3,
            )


def start_of(weight: Tensor, original: Tensor | None, name: str = "original") -> Tensor:
    """Return a copy of the start of a weight: the original if given, else the weight as it is."""
    if original is None:
        return weight.detach().clone()
    return fit(original.detach(), weight, name).to(weight.dtype, copy=True)


def starts_of(parameters: Mapping[str, Tensor], original: Original | None) -> dict[str, Tensor]:
    """Return a copy of the start of each parameter by its name."""
    if isinstance(original, Tensor):
        if len(parameters) != 1:
            raise OptionError(
                f"original is one tensor and there are {len(parameters)} parameters; give a tensor "
                "for each name, such as the state_dict of the original model."
            )
        original = dict.fromkeys(parameters, original)
    if original is not None and (absent := [name for name in parameters if name not in original]):
        raise OptionError(
            f"original lacks {', '.join(absent)}; give a tensor for each parameter: "
            f"{', '.join(parameters)}."
        )
    return {
        name: start_of(weight, None if original is None else original[name], f"original[{name!r}]")
        for name, weight in parameters.items()
    }


def fit(given: Tensor, weight: Tensor, name: str) -> Tensor:
    """Return what was given for a weight on the weight's device; refuse another shape."""
    if given.shape != weight.shape:
        raise OptionError(
            f"{name} has shape {tuple(given.shape)} and the weight {tuple(weight.shape)}; both "
            "must be of the same table."
        )
    return given.to(weight.device)


def follow(kept: Tensor, weight: Tensor) -> Tensor:
    """Return what is kept of a weight, or of its rows, on the weight's device, rounded as it is.

    >>> follow(torch.ones(2, 3), torch.zeros(2, 3, dtype=torch.float16)).dtype
    torch.float16
    """
    if type(kept) is Tensor:  # of a table with all its rows
        refuse_sharded(weight, kept.dim() if kept.is_floating_point() else 2)
    if kept.shape != weight.shape[: kept.dim()]:
        raise OptionError(
            f"the table has shape {tuple(weight.shape)} and what was kept of its start "
            f"{tuple(kept.shape)}; resize a table first (resize_token_embeddings), then make its "
            "penalties, masks and limits."
        )
    return kept.to(weight.device, weight.dtype if kept.is_floating_point() else kept.dtype)


def not_negative(name: str, value: float) -> float:
    """Return a strength or radius; refuse what is no number from 0.

    >>> not_negative("alpha", 0.5)
    0.5
    """
    if not isinstance(value, Real) or not 0 <= value < math.inf:
        raise OptionError(f"{name}={value!r} was given; it is a number, 0 or more.")
    return value


def check_layer(layer: object, *, of_rows: bool = False) -> None:
    """Refuse what is no module, or, if rows are looked up in it, gives no vector for each."""
    if isinstance(layer, nn.Module) and not (of_rows and isinstance(layer, nn.EmbeddingBag)):
        return
    wanted = "an nn.Embedding, or a layer that wraps one and takes rows as it does"
    raise OptionError(
        f"a {type(layer).__name__} was given; give {wanted if of_rows else 'a module'}."
    )


def own_weight(embedding: nn.Module) -> nn.Parameter:
    """Return the weight of a table; refuse one that is computed from others at each look."""
    check_layer(embedding)
    weight = embedding.weight
    if not isinstance(weight, nn.Parameter):
        raise OptionError(
            f"the weight of this {type(embedding).__name__} is computed from other parameters "
            "(weight_norm, pruning, FSDP), so its rows cannot be masked or put back; do that to a "
            "table with a weight of its own."
        )
    return weight


def wide(values: Tensor) -> Tensor:
    """Return half precision as float32, in which small squares are not lost, and others as is."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def distinct(rows: Tensor, table: Tensor) -> Tensor:
    """Return the rows of a batch, each once, int64, on the table's device.

    >>> distinct(torch.tensor([[7, 2], [7, 7]], dtype=torch.int32), torch.zeros(9, 3))
    tensor([2, 7])
    """
    if not isinstance(rows, Tensor) or rows.dtype not in (torch.int64, torch.int32):
        kind = rows.dtype if isinstance(rows, Tensor) else type(rows).__name__
        raise OptionError(
            f"rows were given as {kind}; give a tensor of row numbers, int64 or int32 "
            "(of a mask, its nonzero())."
        )
    once: Tensor = rows.unique()
    return once.to(table.device, torch.int64)


def tied_to(model: nn.Module, weight: Tensor) -> tuple[str, ...]:
    """Return the names a weight has in a model: two or more where it is tied, as to a head.

    A layer that is itself in two places is one layer.

    >>> table, head = nn.Embedding(3, 2), nn.Linear(2, 3, bias=False)
    >>> head.weight = table.weight
    >>> tied_to(nn.Sequential(table, head), table.weight)
    ('0.weight', '1.weight')
    """
    own = (module.named_parameters(at, False, False) for at, module in model.named_modules())
    return tuple(name for named in own for name, parameter in named if parameter is weight)


def warn_of_ties(model: nn.Module, weight: Tensor, so: str) -> None:
    """Name what else in a model is a weight, and what follows; refuse one it does not hold."""
    names = tied_to(model, weight)
    if not names:
        raise OptionError(
            f"this {type(model).__name__} does not hold that weight; give the model that does."
        )
    if len(names) > 1:
        warnings.warn(f"{', '.join(names)} are one weight (tied), so {so}", stacklevel=3)
