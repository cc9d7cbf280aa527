"""A table that stays on a graphics card, where its cosines are decided in float64 too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from driftkit.arrays import Matrix, Values
from driftkit.neighbors.search.threads import in_threads

NOBODY: int = np.iinfo(np.int64).max
"""Key of a place that is not filled; it comes last."""
_STAGE = 1 << 26  # bytes sent to a card at once
_COPIERS = 4
_PAIR_NUMBERS = 1 << 26  # numbers multiplied at once when cosines are decided


@dataclass(frozen=True, slots=True, eq=False)
class Resident:
    """Rows (n, d) as they are in the matrix, and their norms (n,) in float64, on a card."""

    rows: torch.Tensor
    norms: torch.Tensor

    @classmethod
    def where_it_fits(
        cls, matrix: Matrix | Values, norms: Values, device: torch.device
    ) -> Resident | None:
        """Send a table, if the device is a card that takes float64 and has room for two of them."""
        if device.type != "cuda" or matrix.nbytes > room(device) / 3:
            return None
        return cls.of(matrix, norms, device)

    @classmethod
    def of(cls, matrix: Matrix | Values, norms: Values, device: torch.device) -> Resident:
        """Send a table, through memory that a card reads by itself while the next part is read."""
        kind = torch.float64 if matrix.dtype == np.float64 else torch.float32
        rows = torch.empty(matrix.shape, dtype=kind, device=device)
        for start, part in _staged(matrix, kind, device):
            rows[start : start + len(part)].copy_(part, non_blocking=True)
        return cls(rows, torch.from_numpy(norms).to(device))

    def unit(self, rows: torch.Tensor) -> torch.Tensor:
        """Unit rows (b, d) in float32."""
        return (self.rows[rows].double() / self.norms[rows, None]).float()


def _staged(
    matrix: Matrix | Values, dtype: torch.dtype, device: torch.device
) -> Iterator[tuple[int, torch.Tensor]]:
    """Yield where a part of the rows starts, and the part; two parts are under way at a time."""
    size = max(1, _STAGE // max(1, matrix[:1].nbytes))
    shape = (min(size, len(matrix)), matrix.shape[1])
    pinned = device.type == "cuda"
    halves = [torch.empty(shape, dtype=dtype, device="cpu", pin_memory=pinned) for _ in range(2)]
    sent: list[torch.cuda.Event | None] = [None, None]
    for number, start in enumerate(range(0, len(matrix), size)):
        which = number % 2
        if (event := sent[which]) is not None:
            event.synchronize()
        part = halves[which][: min(size, len(matrix) - start)]
        _copy(part.numpy(), matrix[start : start + size])
        yield start, part
        if pinned:
            sent[which] = torch.cuda.current_stream(device).record_event()
    if pinned:
        torch.cuda.synchronize(device)


def _copy(out: Matrix | Values, rows: Matrix | Values) -> None:
    """Copy rows with several threads: one copies no faster than half of what a card takes."""
    in_threads(lambda some: np.copyto(out[some], rows[some]), len(rows), _COPIERS)


def room(device: torch.device) -> int:
    """Bytes that a card has free, or that torch keeps without using them."""
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def cosines(a: Resident, b: Resident, a_rows: torch.Tensor, b_rows: torch.Tensor) -> torch.Tensor:
    """Cosines (p,) of rows of one table with rows of another: the bits of ``rerank.cosines``."""
    out = torch.empty(len(a_rows), dtype=torch.float32, device=a_rows.device)
    step = max(1, _PAIR_NUMBERS // a.rows.shape[1])
    for start in range(0, len(out), step):
        left, right = a_rows[start : start + step], b_rows[start : start + step]
        dots = ordered_sums(a.rows[left].double().mul_(b.rows[right]))
        out[start : start + step] = (dots / (a.norms[left] * b.norms[right])).clamp(-1, 1)
    return out


def ordered_sums(numbers: torch.Tensor) -> torch.Tensor:
    """Sum rows (p, d) of float64 with the steps numpy takes (see ``kernels.sum_of_products``).

    >>> ordered_sums(torch.tensor([[1e16, 1.0, -1e16]], dtype=torch.float64)).item()
    0.0
    """
    d = numbers.shape[1]
    if d > 128:
        middle = d // 2 - d // 2 % 8
        return ordered_sums(numbers[:, :middle]) + ordered_sums(numbers[:, middle:])
    whole = d - d % 8
    total = torch.full_like(numbers[:, 0], -0.0)
    if whole:
        sums = numbers[:, :8].clone()
        for start in range(8, whole, 8):
            sums += numbers[:, start : start + 8]
        s = sums.unbind(1)
        total = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]))
    for column in range(whole, d):
        total = total + numbers[:, column]
    return total


def keys_of(score: torch.Tensor, identity: torch.Tensor) -> torch.Tensor:
    """Numbers that order score descending, then position ascending: those of ``rerank.keys_of``."""
    bits = (score + 0.0).view(torch.int32).long()
    ascending = torch.where(bits < 0, -(bits & 0x7FFFFFFF), bits)
    keys = (-ascending << 32) | identity.long()
    return torch.where((identity < 0) | score.isnan(), NOBODY, keys)


def entries_of(keys: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores and positions that such numbers were made of."""
    ascending = -(keys >> 32)
    bits = torch.where(ascending < 0, -ascending | -0x80000000, ascending).int()
    nobody = keys == NOBODY
    score = torch.where(nobody, torch.nan, bits.view(torch.float32))
    return score, torch.where(nobody, -1, keys & 0xFFFFFFFF).int()
