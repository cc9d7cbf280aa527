"""What is searched: rows that have directions, and where and how their products are taken."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import torch

from driftkit.arrays import Matrix, Rows, Values, row_norms
from driftkit.errors import OptionError, UnknownNameError
from driftkit.forks import one_thread_in_a_child
from driftkit.neighbors.search.resident import Resident

Ids = npt.NDArray[np.int32]
Cosines = npt.NDArray[np.float32]
Engine = Literal["compiled", "torch"]
Product = Literal["int8", "float32"]
"""What compiled code multiplies; cosines are the same whichever it is."""

TIE = 2.0**-23  # cosines closer than this can be one number in float32


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """Rows of a matrix that ask, or may be neighbors, and where their products are taken.

    A zero row has no direction, nor has one that holds NaN or infinity: its norm is NaN here, and
    so are its unit row and all that is computed from it. Nothing that is compared with NaN wins.
    """

    matrix: Matrix | Values  # (n, d)
    norms: Values  # (n,)
    device: torch.device
    engine: Engine  # whether compiled code helps: to look through products on the CPU, to decide
    resident: Resident | None = None  # the same rows on a card, where they are decided then

    @classmethod
    def of(
        cls,
        matrix: Matrix | Values,
        norms: Values | None = None,
        device: str | torch.device = "cpu",
        engine: Engine | None = None,
    ) -> Space:
        """Prepare a matrix; rows whose given norm is 0 count as zero rows."""
        one_thread_in_a_child()
        if engine is not None and engine not in get_args(Engine):
            raise UnknownNameError("engine", engine, get_args(Engine))
        if engine == "compiled" and not can_compile():
            raise OptionError(
                "engine='compiled' was given, and numba is not installed or NUMBA_DISABLE_JIT is "
                "set; leave engine out, or unset it and install numba: pip install numba."
            )
        chosen: Engine = engine or ("compiled" if can_compile() else "torch")
        plain = _plain(matrix)
        norms = row_norms(plain) if norms is None else norms
        norms = np.where((norms > 0) & np.isfinite(norms), norms, np.nan)
        where = usable_device(device)
        return cls(plain, norms, where, chosen, Resident.where_it_fits(plain, norms, where))

    @property
    def is_compiled(self) -> bool:
        """Whether compiled code looks through the products."""
        return self.engine == "compiled" and self.device.type == "cpu"

    def unit(self, rows: Rows) -> torch.Tensor:
        """Unit rows (b, d) in float32, on the device."""
        if self.resident is not None:
            return self.resident.unit(torch.from_numpy(rows).to(self.device))
        block = np.empty((len(rows), self.matrix.shape[1]), np.float32)
        np.divide(self.matrix[rows], self.norms[rows, None], out=block, casting="same_kind")
        return torch.from_numpy(block).to(self.device)

    def below(self, cosine: Cosines) -> Cosines:
        """Products that no candidate as near as that has (q,); minus infinity where it is NaN."""
        floor = (cosine.astype(np.float64) - 2 * (self.error + TIE)).astype(np.float32)
        floor[np.isnan(floor)] = -np.inf
        return floor

    @property
    def error(self) -> float:
        """How far a float32 product of unit rows may lie from their cosine.

        Rounding the two rows and d multiplications and additions errs by at most (d + 4) units of
        2**-24, as the absolute products sum to 1 at most. Where the caller has allowed torch
        products of lower precision, on whatever device, their factors have 8 bits at worst.
        """
        full: float = (self.matrix.shape[1] + 4) * 2.0**-24
        return full if _is_precise() else full + 2.0**-7


@dataclass(frozen=True, slots=True, eq=False)
class Queries:
    """What is asked: m rows of a space, which need not be the space that is searched."""

    space: Space
    rows: Rows  # (m,)
    excluded: Ids  # (m, e) positions among the candidates that are no answer; -1 for none

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, some: Rows | slice) -> Queries:
        return Queries(self.space, self.rows[some], self.excluded[some])


def _is_precise() -> bool:
    """Whether torch takes products of float32 in float32 on every device, as far as it tells."""
    try:
        return torch.get_float32_matmul_precision() == "highest"
    except RuntimeError:  # torch.backends was told otherwise for some devices
        return False


def _plain(matrix: Any) -> Any:
    """A matrix as compiled code reads it: float32 or float64 of this machine, row after row.

    Of a memory map too. Other numbers become the smaller of the two that holds them all.
    """
    held = np.asarray(matrix)
    kind = np.result_type(held.dtype, np.float32) if held.dtype.kind in "fiub" else held.dtype
    if held.ndim != 2 or kind not in (np.float32, np.float64):
        raise OptionError(
            f"a matrix of shape {held.shape} and type {held.dtype} was given; it must have two "
            "dimensions, and numbers that float32 or float64 holds."
        )
    return np.require(held, kind, ("C", "A"))


def can_compile() -> bool:
    """Whether numba is installed and not told to interpret, which is far slower than torch."""
    return os.environ.get("NUMBA_DISABLE_JIT", "") in ("", "0") and find_spec("numba") is not None


WORTH_A_CARD = 2e11
"""Multiplications below which a processor is done before a graphics card has been made ready."""


def device_for(name: str | torch.device, multiplications: float) -> str | torch.device:
    """Name the device: of ``auto`` the processor, unless there is enough to do for a card."""
    return "cpu" if name == "auto" and multiplications < WORTH_A_CARD else name


def usable_device(name: str | torch.device) -> torch.device:
    """Return the torch device of that name, or say in one sentence why it cannot be used.

    ``auto`` is the GPU where torch finds one, else the CPU.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        some = torch.ones((1, 1), device=name)
        product = some @ some
        product.tolist(), product.nonzero()  # some devices have a name, and compute nothing
        return some.device
    except (RuntimeError, AssertionError, NotImplementedError, ImportError) as error:
        why = (str(error).strip().splitlines() or [""])[0].partition(". ")[0].rstrip(".")
        raise OptionError(
            f"device {str(name)!r} cannot be used ({why}); 'cpu' always can, and so can 'cuda' or "
            "'mps' where torch finds one; 'auto' takes 'cuda' where it is."
        ) from None
