"""Products on a graphics card, looked at before they leave its registers (Triton).

Imported only where Triton is. Rows are float16 numbers whose products are summed in float32. One
kernel keeps the largest product of every stretch of candidates, which gives thresholds; the other
writes down what lies above them. What is written in which place depends on chance; which entries
are written does not, unless there are more than places.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl

ROWS: int = 128  # queries of a tile
COLUMNS: int = 128  # candidates of a tile, of which one largest product may be kept
TOGETHER = 8  # strips of tiles that share candidates while these are near
PACK = 4  # products looked at by one piece of assembly
CONFIG: dict[str, Any] = {"num_warps": 8, "num_stages": 3}


def _assembly() -> str:
    """Write products above their thresholds to lists, with one jump past four that are not.

    Triton computes where a number would go before it knows that it goes nowhere, and a pass takes
    three to five times as long. Operands, four of each: product, threshold, the row's count, its
    list, the column; then the first column's position, the number of candidates and of places.
    """
    product, threshold, count, entries, column, first, candidates, places = (
        range(1 + PACK * kind, 1 + PACK * kind + PACK) for kind in range(8)
    )
    lines = [
        "{ .reg .pred some, one; .reg .u32 at; .reg .b32 who, bits; .reg .u64 to; mov.u32 $0, 0;"
    ]
    lines += [f"setp.gt.f32 some, ${product[0]}, ${threshold[0]};"]
    lines += [f"setp.gt.or.f32 some, ${product[i]}, ${threshold[i]}, some;" for i in range(1, PACK)]
    lines += ["@!some bra NONE;"]
    for i in range(PACK):
        lines += [
            f"setp.gt.f32 one, ${product[i]}, ${threshold[i]};",
            f"setp.lt.and.s32 one, ${column[i]}, ${candidates[i]}, one;",
            f"@!one bra NEXT{i};",
            f"atom.global.add.u32 at, [${count[i]}], 1;",
            f"setp.lt.u32 one, at, ${places[i]};",
            f"mad.wide.u32 to, at, 8, ${entries[i]};",
            f"add.s32 who, ${column[i]}, ${first[i]};",
            f"mov.b32 bits, ${product[i]};",
            "@one st.global.v2.b32 [to], {who, bits};",
            f"NEXT{i}:",
        ]
    return "\n".join([*lines, "NONE: }"])


@triton.jit
def _place(queries, candidates, ROWS: tl.constexpr, COLUMNS: tl.constexpr, TOGETHER: tl.constexpr):
    """Where a program's tile begins: strips of tiles side by side, so that memory is near."""
    program = tl.program_id(0)
    down, across = tl.cdiv(queries, ROWS), tl.cdiv(candidates, COLUMNS)
    strip = program // (TOGETHER * across)
    size = tl.minimum(down - strip * TOGETHER, TOGETHER)
    inside = program % (TOGETHER * across)
    row = strip * TOGETHER + inside % size
    return row * ROWS + tl.arange(0, ROWS), inside // size * COLUMNS + tl.arange(0, COLUMNS)


@triton.jit
def _product(
    asked, pool, row, column, queries, candidates,
    WIDTH: tl.constexpr, DEPTH: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr,
):  # fmt: skip
    """Products (ROWS, COLUMNS) of a tile; beyond the last row and column they are repeated."""
    depth = tl.arange(0, DEPTH)
    left = asked + tl.minimum(row, queries - 1)[:, None].to(tl.int64) * WIDTH + depth[None, :]
    right = pool + tl.minimum(column, candidates - 1)[None, :].to(tl.int64) * WIDTH + depth[:, None]
    product = tl.zeros((ROWS, COLUMNS), tl.float32)
    for _ in range(0, WIDTH, DEPTH):
        product = tl.dot(tl.load(left), tl.load(right), product)
        left += DEPTH
        right += DEPTH
    return product


@triton.jit
def _group_maxima(
    asked, pool, out, queries, candidates, groups,
    WIDTH: tl.constexpr, DEPTH: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr,
    TOGETHER: tl.constexpr,
):  # fmt: skip
    row, column = _place(queries, candidates, ROWS, COLUMNS, TOGETHER)
    product = _product(asked, pool, row, column, queries, candidates, WIDTH, DEPTH, ROWS, COLUMNS)
    product = tl.where((column < candidates)[None, :], product, float("-inf"))
    group = tl.min(column, 0) // COLUMNS
    at = out + row.to(tl.int64) * groups + group
    tl.store(at, tl.max(product, 1), mask=row < queries)


@triton.jit
def _write_above(
    asked, pool, threshold, count, entries, queries, candidates, first, places,
    WIDTH: tl.constexpr, DEPTH: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr,
    TOGETHER: tl.constexpr, ASSEMBLED: tl.constexpr, ASSEMBLY: tl.constexpr,
):  # fmt: skip
    row, column = _place(queries, candidates, ROWS, COLUMNS, TOGETHER)
    product = _product(asked, pool, row, column, queries, candidates, WIDTH, DEPTH, ROWS, COLUMNS)
    least = tl.load(threshold + row, mask=row < queries, other=float("inf"))
    if ASSEMBLED:
        tl.inline_asm_elementwise(
            ASSEMBLY,
            "=r," + "f,f,f,f," * 2 + "l,l,l,l," * 2 + "r,r,r,r," * 3 + "r,r,r,r",
            [
                product, least[:, None], (count + row).to(tl.int64)[:, None],
                (entries + row.to(tl.int64) * places).to(tl.int64)[:, None], column[None, :],
                first, candidates, places,
            ],
            dtype=tl.int8, is_pure=False, pack=4,
        )  # fmt: skip
    else:
        wanted = (product > least[:, None]) & (column < candidates)[None, :]
        nothing = tl.zeros((ROWS, COLUMNS), tl.int32)
        at = tl.atomic_add(count + row[:, None] + nothing, 1, mask=wanted, sem="relaxed")
        wanted = wanted & (at < places)
        bits = product.to(tl.int32, bitcast=True).to(tl.int64) << 32
        entry = bits | (first + column[None, :] + nothing).to(tl.int64)
        tl.store(entries + row.to(tl.int64)[:, None] * places + at, entry, mask=wanted)


def _shape(asked: torch.Tensor, pool: torch.Tensor) -> tuple[tuple[int], dict[str, Any]]:
    width = asked.shape[1]
    tiles = triton.cdiv(len(asked), ROWS) * triton.cdiv(len(pool), COLUMNS)
    return (tiles,), {
        "WIDTH": width, "DEPTH": 64 if width % 64 == 0 else 32, "ROWS": ROWS, "COLUMNS": COLUMNS,
        "TOGETHER": TOGETHER, **CONFIG,
    }  # fmt: skip


def group_maxima(asked: torch.Tensor, pool: torch.Tensor) -> torch.Tensor:
    """Largest product (m, groups) of each row (m, w) with every COLUMNS rows (c, w)."""
    groups = triton.cdiv(len(pool), COLUMNS)
    out = torch.empty((len(asked), groups), dtype=torch.float32, device=asked.device)
    grid, shape = _shape(asked, pool)
    with torch.cuda.device_of(asked):
        _group_maxima[grid](asked, pool, out, len(asked), len(pool), groups, **shape)
    return out


def write_above(
    asked: torch.Tensor,
    pool: torch.Tensor,
    threshold: torch.Tensor,
    first: int,
    count: torch.Tensor,
    entries: torch.Tensor,
) -> None:
    """Add the products of rows (m, w) and rows (c, w) that exceed thresholds (m,) to lists.

    An entry (m, places) of 64 bits is a product in float32, and below it a position, counted from
    `first`; `count` (m,) goes on counting when the places are full.
    """
    grid, shape = _shape(asked, pool)
    assembled = asked.is_cuda and torch.version.hip is None
    with torch.cuda.device_of(asked):
        _write_above[grid](
            asked, pool, threshold, count, entries, len(asked), len(pool), first,
            entries.shape[1], **shape, ASSEMBLED=assembled, ASSEMBLY=_assembly(),
        )  # fmt: skip
