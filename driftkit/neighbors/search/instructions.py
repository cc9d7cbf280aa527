"""The few instructions that compiled code needs and numba does not spell.

``multiply`` takes the products of a few rows with a panel of columns and compares them with
thresholds before they leave the registers, so that products nobody wants are never stored. It is
written in the vectors of LLVM, and any processor has it in float32; where the processor multiplies
bytes four at a time (VNNI), it has it in int8 too. ``eights`` keeps eight sums in a register.
The others are an atomic count, an atomic swap, a prefetch and the place of the lowest bit.

Imported only where numba is.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

Builder = Any
Answer = tuple[Any, Callable[..., Any]]

llvm: Any = import_module("llvmlite.binding")
ir: Any = import_module("llvmlite.ir")
types: Any = import_module("numba.core.types")
cgutils: Any = import_module("numba.core.cgutils")
config: Any = import_module("numba.core.config")
intrinsic: Callable[[Callable[..., Answer]], Any] = import_module("numba.extending").intrinsic


def features() -> set[str]:
    """What the processor can do that code is compiled for; numba can be told to expect less."""
    if config.CPU_FEATURES is not None:
        return {each[1:] for each in config.CPU_FEATURES.split(",") if each.startswith("+")}
    if config.CPU_NAME is not None or not config.ENABLE_AVX:
        return set()
    try:
        return {name for name, there in llvm.get_host_cpu_features().items() if there}
    except RuntimeError:  # LLVM cannot tell, as numba allows for
        return set()


WIDE = "avx512f" in features()
BYTES = "avx512vnni" in features() if WIDE else "avxvnni" in features()
"""Whether int8 can be multiplied four at a time."""
LANES, VECTORS = (16, 4) if WIDE else (8, 3)
ROWS, COLUMNS = 4, LANES * VECTORS
"""Rows and columns multiplied at once: their sums fill the registers."""
FLIP = 0x80808080
"""Makes four signed bytes unsigned ones, 128 larger, which the instruction wants on one side."""

I32, I64 = ir.IntType(32), ir.IntType(64)


@intrinsic
def multiply(
    _: Any, panel: Any, a: Any, b_start: Any, a_start: Any, a_bar: Any, b_bar: Any,  # noqa: ARG001
    out: Any, found: Any,  # noqa: ARG001
) -> Answer:  # fmt: skip
    """Products of ROWS rows with the COLUMNS columns of a panel (steps, COLUMNS); 1 if any counts.

    The others are addresses: of the first row, as long as the panel is high; of what sums start
    with, one number a column and one a row, which are added; of the bars of rows and columns. Only
    if a product lies above the lower of its bars, all are stored in `out` (ROWS, COLUMNS), and in
    `found` (ROWS,) the bits of those that do.
    """
    whole = panel.dtype == types.int32
    number: Any = I32 if whole else ir.FloatType()
    vector, bits = ir.VectorType(number, LANES), ir.IntType(LANES)

    def generate(context: Any, build: Builder, signature: Any, args: Any) -> Any:
        panel, a, b_start, a_start, a_bar, b_bar, out, found = args
        table = context.make_array(signature.args[0])(context, build, panel)
        steps = cgutils.unpack_tuple(build, table.shape)[0]
        b = build.ptrtoint(table.data, I64)

        def at(address: Any, offset: Any, kind: Any) -> Any:
            where = offset if isinstance(offset, ir.Value) else ir.Constant(I64, offset)
            return build.inttoptr(build.add(address, where), kind.as_pointer())

        def vectors(address: Any) -> list[Any]:
            places = [at(address, 4 * LANES * j, vector) for j in range(VECTORS)]
            return [build.load(place, align=4) for place in places]

        def everywhere(address: Any, offset: Any) -> Any:
            nothing = ir.Constant(vector, ir.Undefined)
            one = build.insert_element(
                nothing, build.load(at(address, offset, number)), ir.Constant(I32, 0)
            )
            lanes = ir.Constant(ir.VectorType(I32, LANES), [0] * LANES)
            return build.shuffle_vector(one, nothing, lanes)

        name = f"llvm.x86.avx512.vpdpbusd.{32 * LANES}" if whole else f"llvm.fmuladd.v{LANES}f32"
        kind = ir.FunctionType(vector, [vector] * 3)
        instruction = cgutils.get_or_insert_function(build.module, kind, name)
        add = build.add if whole else build.fadd
        columns = vectors(b_start)
        start = [
            [add(row, column) for column in columns]
            for row in (everywhere(a_start, 4 * i) for i in range(ROWS))
        ]
        before = build.block
        loop, done = (build.append_basic_block(each) for each in ("multiply", "compare"))
        build.branch(loop)
        build.position_at_end(loop)
        step, sums = build.phi(I64), [[build.phi(vector) for _ in row] for row in start]
        right = vectors(build.add(b, build.mul(step, ir.Constant(I64, 4 * COLUMNS))))
        left = build.add(a, build.mul(step, ir.Constant(I64, 4)))
        width = build.mul(steps, ir.Constant(I64, 4))
        after = []
        for i, row in enumerate(sums):
            one = everywhere(left, build.mul(width, ir.Constant(I64, i)))
            after.append(
                [
                    build.call(instruction, [total, each, one] if whole else [one, each, total])
                    for total, each in zip(row, right, strict=True)
                ]
            )
        following = build.add(step, ir.Constant(I64, 1))
        for block, number_, totals in (
            (before, ir.Constant(I64, 0), start),
            (build.block, following, after),
        ):
            step.add_incoming(number_, block)
            for phis, values in zip(sums, totals, strict=True):
                for phi, value in zip(phis, values, strict=True):
                    phi.add_incoming(value, block)
        build.cbranch(build.icmp_signed("<", following, steps), loop, done)
        build.position_at_end(done)

        compare = build.icmp_signed if whole else build.fcmp_ordered
        bars = vectors(b_bar)
        above = []
        for i, row in enumerate(after):
            bar = everywhere(a_bar, 4 * i)
            lower = [build.select(compare("<", bar, other), bar, other) for other in bars]
            above.append([compare(">", *pair) for pair in zip(row, lower, strict=True)])
        some = above[0][0]
        for each in [each for row in above for each in row][1:]:
            some = build.or_(some, each)
        counts = build.icmp_signed("!=", build.bitcast(some, bits), ir.Constant(bits, 0))
        with build.if_then(counts, likely=False):
            for i, row in enumerate(after):
                mask = ir.Constant(I64, 0)
                for j, value in enumerate(row):
                    place = at(out, 4 * (i * COLUMNS + j * LANES), vector)
                    build.store(value, place, align=4)
                    part = build.zext(build.bitcast(above[i][j], bits), I64)
                    mask = build.or_(mask, build.shl(part, ir.Constant(I64, j * LANES)))
                build.store(mask, at(found, 8 * i, I64))
        return build.zext(counts, I64)

    return types.int64(panel, *[types.uintp] * 7), generate


@intrinsic
def turned(_: Any, number: Any) -> Answer:
    """Make four signed bytes unsigned ones, 128 larger; a float32 stays what it is."""

    def generate(_: Any, build: Builder, __: Any, args: Any) -> Any:
        return build.xor(args[0], ir.Constant(I32, FLIP)) if number == types.int32 else args[0]

    return number(number), generate


@intrinsic
def lowest(_: Any, __: Any) -> Answer:
    """Place of the lowest bit of a number other than 0."""
    return types.int64(types.int64), lambda _, build, __, args: build.cttz(
        args[0], ir.Constant(ir.IntType(1), 1)
    )


@intrinsic
def count(_: Any, __: Any) -> Answer:
    """Add 1 to the int64 at an address, and return what was there; threads get different ones."""

    def generate(_: Any, build: Builder, __: Any, args: Any) -> Any:
        place = build.inttoptr(args[0], I64.as_pointer())
        return build.atomic_rmw("add", place, ir.Constant(I64, 1), "monotonic")

    return types.int64(types.uintp), generate


@intrinsic
def swap(_: Any, __: Any, ___: Any) -> Answer:
    """Put an int32 at an address and return what was there; other memory is seen in order."""

    def generate(_: Any, build: Builder, __: Any, args: Any) -> Any:
        place = build.inttoptr(args[0], I32.as_pointer())
        return build.atomic_rmw("xchg", place, args[1], "acq_rel")

    return types.int32(types.uintp, types.int32), generate


@intrinsic
def eights(_: Any, a: Any, b: Any, __: Any) -> Answer:
    """Sum ``a * b`` in float64 over steps of eight numbers, as numpy does: by eight running sums.

    There is at least one step. Multiplications and additions are rounded each, everywhere.
    """
    vector = ir.VectorType(ir.DoubleType(), 8)

    def generate(context: Any, build: Builder, signature: Any, args: Any) -> Any:
        def step_of(array: Any, kind: Any) -> Callable[[Any], Any]:
            single = kind.dtype == types.float32
            number = ir.FloatType() if single else ir.DoubleType()
            data = context.make_array(kind)(context, build, array).data
            first = build.bitcast(data, ir.VectorType(number, 8).as_pointer())

            def read(step: Any) -> Any:
                eight = build.load(build.gep(first, [step]), align=4 if single else 8)
                return build.fpext(eight, vector) if single else eight

            return read

        left, right = (step_of(*each) for each in zip(args[:2], signature.args[:2], strict=True))
        zero, one = ir.Constant(I64, 0), ir.Constant(I64, 1)
        sums = cgutils.alloca_once_value(build, build.fmul(left(zero), right(zero)))
        with cgutils.for_range(build, build.sub(args[2], one)) as loop:
            step = build.add(loop.index, one)
            product = build.fmul(left(step), right(step))
            build.store(build.fadd(build.load(sums), product), sums)
        parts = [build.extract_element(build.load(sums), ir.Constant(I32, i)) for i in range(8)]
        while len(parts) > 1:
            parts = [build.fadd(*pair) for pair in zip(parts[::2], parts[1::2], strict=True)]
        return parts[0]

    return types.float64(a, b, types.int64), generate


@intrinsic
def prefetch(_: Any, __: Any, ___: Any) -> Answer:
    """Ask for so many bytes from an address on, which are about to be read."""

    def generate(context: Any, build: Builder, _: Any, args: Any) -> Any:
        byte = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte, I32, I32, I32])
        ask = cgutils.get_or_insert_function(build.module, kind, "llvm.prefetch.p0")
        to_read, to_keep, data = (ir.Constant(I32, number) for number in (0, 3, 1))
        line = ir.Constant(I64, 64)
        with cgutils.for_range_slice(build, ir.Constant(I64, 0), args[1], line, I64) as (at, _):
            place = build.inttoptr(build.add(args[0], at), byte)
            build.call(ask, [place, to_read, to_keep, data])
        return context.get_dummy_value()

    return types.void(types.uintp, types.int64), generate
