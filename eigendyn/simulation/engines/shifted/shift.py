"""Compile the loop that follows any number of starts along tabulated curves.

For every start: which curve, its own time there, and then the curve at that time plus each saved
one, eight times at once. Nothing is searched for, and the output is written once.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from llvmlite import ir

from eigendyn.program.machine.builder import (
    I1,
    I8,
    I32,
    I64,
    Builder,
    bits_of,
    counted,
    kind_of,
    width_of,
)
from eigendyn.program.machine.processor import Library
from eigendyn.simulation.engines.shifted.dyadic import SHIFT, TERMS
from eigendyn.simulation.engines.shifted.gather import gathered

LEG = ("reference_high", "reference_low", "first", "last", "limit", "record", "cell")
CURVE = (
    "split",
    *(f"{leg}_{name}" for leg in ("lower", "upper") for name in LEG),
    *("first", "last", "limit", "record", "cell", "end", "value", "explodes"),
)  # one float each, of every curve
BLOCK = 64  # starts whose own times are found before any is followed
NO_CURVE = -1
FINE, EXPLODED, INVALID = 0, 1, 3  # of a start

LANES = 8  # saved times at once
_float = ir.DoubleType()
_floats, _ints = ir.VectorType(_float, LANES), ir.VectorType(I64, LANES)
_pointer = ir.PointerType()


@cache
def shift_kernel(bits: int = 64) -> Callable[..., None]:
    """Compile the loop over starts, whose result has numbers of so many bits.

    Returns:
        A function of: first and last start to follow (whole numbers), number of saved times,
        number of fixed points with v > 0; then addresses of: starts, elapsed times (a multiple of
        LANES), result (starts, times), own times (starts,), status (starts,), fixed points (points,
        2) as sums of two floats, curves (points + 1, CURVE), records, cells.
    """
    module = ir.Module("shift")
    _emit(module, kind_of(bits))
    library = Library(module)
    whole, address = ctypes.c_int64, ctypes.c_void_p
    function = library.function("shift", None, *[whole] * 4, *[address] * 9)
    return partial(_call, library, function)


def _call(_: Library, function: Callable[..., None], *arguments: int) -> None:
    """Call a function; the library in which it lives is kept beside it."""
    function(*arguments)


def _emit(module: ir.Module, kind: Any) -> None:
    signature = ir.FunctionType(ir.VoidType(), [I64] * 4 + [_pointer] * 9)
    shift = ir.Function(module, signature, "shift")
    arguments = shift.args
    begin, end, times, points = arguments[:4]
    starts, elapsed, result, own_times, status, rest, curves, records, cells = arguments[4:]
    for argument in arguments[4:]:
        argument.add_attribute("noalias")
    b = ir.IRBuilder(shift.append_basic_block())
    v = Builder(b, _float, LANES)
    count = b.alloca(I64)
    numbers = b.alloca(I64, BLOCK)
    zero, nan = ir.Constant(_float, 0.0), ir.Constant(_float, float("nan"))

    def load(base: ir.Value, index: ir.Value, what: Any = _float, unit: Any = _float) -> Any:
        return b.load(b.gep(base, [index], source_etype=unit), typ=what, align=8)

    def write(row: ir.Value, index: ir.Value, value: ir.Value) -> None:
        value = value if kind == _float else b.fptrunc(value, kind)
        b.store(value, b.gep(row, [index], source_etype=kind), align=bits_of(kind) // 8)

    with counted(b, end, begin, BLOCK) as first:
        following = b.add(first, I64(BLOCK))
        last = b.select(b.icmp_signed("<", following, end), following, end)
        with counted(b, last, first) as i:
            s = load(starts, i)
            own = b.gep(own_times, [i], source_etype=_float)
            place = b.gep(numbers, [b.sub(i, first)], source_etype=I64)
            b.store(nan, own)
            b.store(I64(NO_CURVE), place)
            with b.if_then(_is_valid(b, s)):
                number = _count_below(b, load, rest, points, s, count)
                of = _fields(b, load, curves, number)
                is_upper = b.fcmp_ordered(">=", s, of("split"))

                def of_leg(name: str, of: Any = of, is_upper: Any = is_upper) -> Any:
                    return b.select(is_upper, of(f"upper_{name}"), of(f"lower_{name}"))

                # a fixed point is a sum of two floats, so that close to it no digits are lost
                distance = b.fsub(b.fsub(s, of_leg("reference_high")), of_leg("reference_low"))
                u = v.size_of(distance)
                with b.if_then(b.fcmp_ordered(">", u, zero)):
                    b.store(number, place)
                    b.store(_read_one(v, load, u, of_leg, records, cells), own)
        with counted(b, last, first) as i:
            s = load(starts, i)
            row = b.gep(result, [b.mul(i, times)], source_etype=kind)
            state = b.gep(status, [i], source_etype=I8)
            number = load(numbers, b.sub(i, first), I64, I64)
            with b.if_else(b.icmp_signed("!=", number, I64(NO_CURVE))) as (moves, rests):
                with moves:
                    of = _fields(b, load, curves, number)
                    tau = load(own_times, i)
                    _follow(v, load, of, tau, times, elapsed, row, records, cells, kind, state)
                    with b.if_then(b.fcmp_ordered("==", load(elapsed, I64(0)), zero)):
                        write(row, I64(0), s)
                with rests:
                    valid = _is_valid(b, s)
                    b.store(b.select(valid, I8(FINE), I8(INVALID)), state)
                    value = b.select(valid, s, nan)
                    with counted(b, times) as k:
                        write(row, k, value)
    b.ret_void()


def _is_valid(b: ir.IRBuilder, s: Any) -> Any:
    infinity = ir.Constant(_float, float("inf"))
    not_negative = b.fcmp_ordered(">=", s, ir.Constant(_float, 0.0))
    return b.and_(not_negative, b.fcmp_ordered("<", s, infinity))


def _fields(b: ir.IRBuilder, load: Callable, curves: Any, number: Any) -> Callable[[str], Any]:
    """Numbers of one curve by name."""
    curve = b.gep(curves, [b.mul(number, I64(len(CURVE)))], source_etype=_float)
    return lambda name: load(curve, I64(CURVE.index(name)))


def _count_below(
    b: ir.IRBuilder, load: Callable, rest: Any, points: Any, s: Any, count: Any
) -> Any:
    """Number of fixed points below s."""
    b.store(I64(0), count)
    with counted(b, points) as k:
        high, low = load(rest, b.mul(k, I64(2))), load(rest, b.add(b.mul(k, I64(2)), I64(1)))
        is_below = b.fcmp_ordered(">", b.fsub(s, high), low)
        b.store(b.add(b.load(count, typ=I64), b.zext(is_below, I64)), count)
    return b.load(count, typ=I64)


def _clamped(v: Builder, value: Any, last: Any) -> Any:
    """A whole number, or several, between 0 and the last."""
    none = ir.Constant(last.type, None)
    value = v.at.select(v.at.icmp_signed(">", value, none), value, none)
    return v.at.select(v.at.icmp_signed("<", value, last), value, last)


def _within(v: Builder, position: Any, cell: Any) -> Any:
    """Position within a cell, from −1 to 1."""
    two, minus_one = (v.number(value, width_of(cell)) for value in (2.0, -1.0))
    return v.fma(v.at.fsub(position, cell), two, minus_one)


def _read_one(
    v: Builder, load: Callable, u: Any, of_leg: Callable, records: Any, cells: Any
) -> Any:
    """The table of one leg at u."""
    b = v.at
    limit = of_leg("limit")
    u = b.select(b.fcmp_ordered("<", u, limit), u, limit)
    block = b.sub(b.lshr(b.bitcast(u, I64), I64(SHIFT)), b.fptosi(of_leg("first"), I64))
    block = _clamped(v, block, b.fptosi(of_leg("last"), I64))
    record = b.mul(b.add(block, b.fptosi(of_leg("record"), I64)), I64(2))
    scale, offset = load(records, record), load(records, b.add(record, I64(1)))
    position = v.fma(u, scale, offset)
    cell = b.fptosi(position, I64)
    x = _within(v, position, b.sitofp(cell, _float))
    base = b.mul(b.add(cell, b.fptosi(of_leg("cell"), I64)), I64(TERMS))
    value = load(cells, b.add(base, I64(TERMS - 1)))
    for k in range(TERMS - 2, -1, -1):
        value = v.fma(value, x, load(cells, b.add(base, I64(k))))
    return value


def _follow(
    v: Builder,
    load: Callable,
    of: Callable,
    tau: Any,
    times: Any,
    elapsed: Any,
    row: Any,
    records: Any,
    cells: Any,
    kind: Any,
    state: Any,
) -> None:
    """The curve at tau plus each elapsed time."""
    b = v.at
    first, last = (v.spread(b.fptosi(of(name), I64)) for name in ("first", "last"))
    sides = b.add(last, ir.Constant(_ints, [1] * LANES))
    own_records = b.gep(records, [b.mul(b.fptosi(of("record"), I64), I64(2))], source_etype=_float)
    own_cells = b.gep(cells, [b.mul(b.fptosi(of("cell"), I64), I64(TERMS))], source_etype=_float)
    end, limit, value = of("end"), v.spread(of("limit")), v.spread(of("value"))
    ends, own = v.spread(end), v.spread(tau)
    store_type = ir.VectorType(kind, LANES)
    size = I32(bits_of(kind) // 8)
    kinds = [store_type, _pointer, I32, ir.VectorType(I1, LANES)]
    masked = v.declare(f"llvm.masked.store.v{LANES}f{bits_of(kind)}.p0", ir.VoidType(), kinds)
    lanes = ir.Constant(ir.VectorType(I32, LANES), list(range(LANES)))

    def store(k: Any, values: Any) -> None:
        values = values if kind == _float else b.fptrunc(values, store_type)
        place = b.gep(row, [k], source_etype=kind)
        left = b.sub(times, k)
        with b.if_else(b.icmp_signed(">=", left, I64(LANES))) as (whole, part):
            with whole:
                b.store(values, place, align=bits_of(kind) // 8)
            with part:
                some = v.spread(b.trunc(left, I32))
                mask = b.icmp_signed("<", lanes, some)
                b.call(masked, [values, place, size, mask])

    with counted(b, times, 0, LANES) as k:
        t = b.fadd(own, load(elapsed, k, _floats))
        # times increase: where the first of eight has reached the end of the curve, all have
        soonest = b.extract_element(t, I32(0))
        with b.if_else(b.fcmp_ordered(">=", soonest, end)) as (over, under):
            with over:
                store(k, value)
            with under:
                u = v.size_of(t)
                u = b.select(b.fcmp_ordered("<", u, limit), u, limit)
                shift = ir.Constant(_ints, [SHIFT] * LANES)
                block = b.sub(b.lshr(b.bitcast(u, _ints), shift), first)
                block = _clamped(v, block, last)
                is_after = b.fcmp_ordered(">=", t, v.spread(0.0))
                none = ir.Constant(_ints, [0] * LANES)
                block = b.add(block, b.select(is_after, sides, none))
                scale, offset = gathered(v, own_records, block, 2)
                position = v.fma(u, scale, offset)
                cell = b.fptosi(position, _ints)
                x = _within(v, position, b.sitofp(cell, _floats))
                columns = gathered(v, own_cells, cell, TERMS)
                found = columns[-1]
                for column in columns[-2::-1]:
                    found = v.fma(found, x, column)
                store(k, b.select(b.fcmp_ordered("<", t, ends), found, value))
    latest = b.fadd(tau, load(elapsed, b.sub(times, I64(1))))
    is_over = b.and_(
        b.fcmp_ordered(">=", latest, end),
        b.fcmp_ordered(">", of("explodes"), ir.Constant(_float, 0.0)),
    )
    b.store(b.select(is_over, I8(EXPLODED), I8(FINE)), state)
