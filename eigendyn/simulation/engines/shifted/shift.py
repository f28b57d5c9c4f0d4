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

from eigendyn.program.machine.eights import (
    LANES,
    Loop,
    absolute,
    clamp,
    fma,
    gathered,
    int_splat,
    masked_store,
    splat,
    within,
)
from eigendyn.program.machine.processor import Library
from eigendyn.simulation.engines.shifted.dyadic import SHIFT, TERMS

LEG = ("reference_high", "reference_low", "first", "last", "limit", "record", "cell")
CURVE = (
    "split",
    *(f"{leg}_{name}" for leg in ("lower", "upper") for name in LEG),
    *("first", "last", "limit", "record", "cell", "end", "value", "explodes"),
)  # one float each, of every curve
BLOCK = 64  # starts whose own times are found before any is followed
NO_CURVE = -1
FINE, EXPLODED, INVALID = 0, 1, 3  # of a start

_bit, _byte, _int, _float = ir.IntType(1), ir.IntType(8), ir.IntType(64), ir.DoubleType()
_floats, _ints = ir.VectorType(_float, LANES), ir.VectorType(_int, LANES)
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
    kind = _float if bits == 64 else ir.FloatType()
    _emit(module, kind)
    library = Library(module)
    whole, address = ctypes.c_int64, ctypes.c_void_p
    function = library.function("shift", None, *[whole] * 4, *[address] * 9)
    return partial(_call, library, function)


def _call(_: Library, function: Callable[..., None], *arguments: int) -> None:
    """Call a function; the library in which it lives is kept beside it."""
    function(*arguments)


def _emit(module: ir.Module, kind: Any) -> None:
    signature = ir.FunctionType(ir.VoidType(), [_int] * 4 + [_pointer] * 9)
    shift = ir.Function(module, signature, "shift")
    arguments = shift.args
    begin, end, times, points = arguments[:4]
    starts, elapsed, result, own_times, status, rest, curves, records, cells = arguments[4:]
    for argument in arguments[4:]:
        argument.add_attribute("noalias")
    b = ir.IRBuilder(shift.append_basic_block())
    count = b.alloca(_int)
    numbers = b.alloca(_int, BLOCK)
    zero, nan = ir.Constant(_float, 0.0), ir.Constant(_float, float("nan"))

    def load(base: ir.Value, index: ir.Value, what: Any = _float, unit: Any = _float) -> Any:
        return b.load(b.gep(base, [index], source_etype=unit), typ=what, align=8)

    def write(row: ir.Value, index: ir.Value, value: ir.Value) -> None:
        value = value if kind == _float else b.fptrunc(value, kind)
        b.store(value, b.gep(row, [index], source_etype=kind), align=bits_of(kind) // 8)

    with Loop(b, begin, end, BLOCK) as first:
        following = b.add(first, _int(BLOCK))
        last = b.select(b.icmp_signed("<", following, end), following, end)
        with Loop(b, first, last, 1) as i:
            s = load(starts, i)
            own = b.gep(own_times, [i], source_etype=_float)
            place = b.gep(numbers, [b.sub(i, first)], source_etype=_int)
            b.store(nan, own)
            b.store(_int(NO_CURVE), place)
            with b.if_then(_is_valid(b, s)):
                number = _count_below(b, load, rest, points, s, count)
                of = _fields(b, load, curves, number)
                is_upper = b.fcmp_ordered(">=", s, of("split"))

                def of_leg(name: str, of: Any = of, is_upper: Any = is_upper) -> Any:
                    return b.select(is_upper, of(f"upper_{name}"), of(f"lower_{name}"))

                # a fixed point is a sum of two floats, so that close to it no digits are lost
                distance = b.fsub(b.fsub(s, of_leg("reference_high")), of_leg("reference_low"))
                u = absolute(b, distance)
                with b.if_then(b.fcmp_ordered(">", u, zero)):
                    b.store(number, place)
                    b.store(_read_one(b, load, u, of_leg, records, cells), own)
        with Loop(b, first, last, 1) as i:
            s = load(starts, i)
            row = b.gep(result, [b.mul(i, times)], source_etype=kind)
            state = b.gep(status, [i], source_etype=_byte)
            number = load(numbers, b.sub(i, first), _int, _int)
            with b.if_else(b.icmp_signed("!=", number, _int(NO_CURVE))) as (moves, rests):
                with moves:
                    of = _fields(b, load, curves, number)
                    tau = load(own_times, i)
                    _follow(b, load, of, tau, times, elapsed, row, records, cells, kind, state)
                    with b.if_then(b.fcmp_ordered("==", load(elapsed, _int(0)), zero)):
                        write(row, _int(0), s)
                with rests:
                    valid = _is_valid(b, s)
                    b.store(b.select(valid, _byte(FINE), _byte(INVALID)), state)
                    value = b.select(valid, s, nan)
                    with Loop(b, _int(0), times, 1) as k:
                        write(row, k, value)
    b.ret_void()


def bits_of(kind: Any) -> int:
    """Bits of a floating-point type."""
    return 64 if kind == _float else 32


def _is_valid(b: ir.IRBuilder, s: Any) -> Any:
    infinity = ir.Constant(_float, float("inf"))
    not_negative = b.fcmp_ordered(">=", s, ir.Constant(_float, 0.0))
    return b.and_(not_negative, b.fcmp_ordered("<", s, infinity))


def _fields(b: ir.IRBuilder, load: Callable, curves: Any, number: Any) -> Callable[[str], Any]:
    """Numbers of one curve by name."""
    curve = b.gep(curves, [b.mul(number, _int(len(CURVE)))], source_etype=_float)
    return lambda name: load(curve, _int(CURVE.index(name)))


def _count_below(
    b: ir.IRBuilder, load: Callable, rest: Any, points: Any, s: Any, count: Any
) -> Any:
    """Number of fixed points below s."""
    b.store(_int(0), count)
    with Loop(b, _int(0), points, 1) as k:
        high, low = load(rest, b.mul(k, _int(2))), load(rest, b.add(b.mul(k, _int(2)), _int(1)))
        is_below = b.fcmp_ordered(">", b.fsub(s, high), low)
        b.store(b.add(b.load(count, typ=_int), b.zext(is_below, _int)), count)
    return b.load(count, typ=_int)


def _read_one(
    b: ir.IRBuilder, load: Callable, u: Any, of_leg: Callable, records: Any, cells: Any
) -> Any:
    """The table of one leg at u."""
    limit = of_leg("limit")
    u = b.select(b.fcmp_ordered("<", u, limit), u, limit)
    block = b.sub(b.lshr(b.bitcast(u, _int), _int(SHIFT)), b.fptosi(of_leg("first"), _int))
    block = clamp(b, block, b.fptosi(of_leg("last"), _int), _int)
    record = b.mul(b.add(block, b.fptosi(of_leg("record"), _int)), _int(2))
    scale, offset = load(records, record), load(records, b.add(record, _int(1)))
    position = fma(b, u, scale, offset)
    cell = b.fptosi(position, _int)
    x = within(b, position, b.sitofp(cell, _float), lambda c: ir.Constant(_float, c))
    base = b.mul(b.add(cell, b.fptosi(of_leg("cell"), _int)), _int(TERMS))
    value = load(cells, b.add(base, _int(TERMS - 1)))
    for k in range(TERMS - 2, -1, -1):
        value = fma(b, value, x, load(cells, b.add(base, _int(k))))
    return value


def _follow(
    b: ir.IRBuilder,
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

    def many(c: float) -> ir.Constant:
        return ir.Constant(_floats, [c] * LANES)

    first, last = int_splat(b, of("first")), int_splat(b, of("last"))
    sides = b.add(last, ir.Constant(_ints, [1] * LANES))
    own_records = b.gep(
        records, [b.mul(b.fptosi(of("record"), _int), _int(2))], source_etype=_float
    )
    own_cells = b.gep(cells, [b.mul(b.fptosi(of("cell"), _int), _int(TERMS))], source_etype=_float)
    end, limit, value = of("end"), splat(b, of("limit"), _floats), splat(b, of("value"), _floats)
    ends, own = splat(b, end, _floats), splat(b, tau, _floats)
    module = b.module
    store_type = ir.VectorType(kind, LANES)
    masked = masked_store(module, store_type, bits_of(kind))
    count_type = ir.VectorType(ir.IntType(32), LANES)
    lanes = ir.Constant(count_type, list(range(LANES)))

    def store(k: Any, values: Any) -> None:
        values = values if kind == _float else b.fptrunc(values, store_type)
        place = b.gep(row, [k], source_etype=kind)
        left = b.sub(times, k)
        with b.if_else(b.icmp_signed(">=", left, _int(LANES))) as (whole, part):
            with whole:
                b.store(values, place, align=bits_of(kind) // 8)
            with part:
                some = splat(b, b.trunc(left, ir.IntType(32)), count_type)
                mask = b.icmp_signed("<", lanes, some)
                b.call(masked, [values, place, ir.IntType(32)(bits_of(kind) // 8), mask])

    with Loop(b, _int(0), times, LANES) as k:
        t = b.fadd(own, load(elapsed, k, _floats))
        # times increase: where the first of eight has reached the end of the curve, all have
        soonest = b.extract_element(t, ir.IntType(32)(0))
        with b.if_else(b.fcmp_ordered(">=", soonest, end)) as (over, under):
            with over:
                store(k, value)
            with under:
                u = absolute(b, t)
                u = b.select(b.fcmp_ordered("<", u, limit), u, limit)
                shift = ir.Constant(_ints, [SHIFT] * LANES)
                block = b.sub(b.lshr(b.bitcast(u, _ints), shift), first)
                block = clamp(b, block, last, _ints)
                is_after = b.fcmp_ordered(">=", t, many(0.0))
                none = ir.Constant(_ints, [0] * LANES)
                block = b.add(block, b.select(is_after, sides, none))
                scale, offset = gathered(b, own_records, block, 2)
                position = fma(b, u, scale, offset)
                cell = b.fptosi(position, _ints)
                x = within(b, position, b.sitofp(cell, _floats), many)
                columns = gathered(b, own_cells, cell, TERMS)
                found = columns[-1]
                for column in columns[-2::-1]:
                    found = fma(b, found, x, column)
                store(k, b.select(b.fcmp_ordered("<", t, ends), found, value))
    latest = b.fadd(tau, load(elapsed, b.sub(times, _int(1))))
    is_over = b.and_(
        b.fcmp_ordered(">=", latest, end),
        b.fcmp_ordered(">", of("explodes"), ir.Constant(_float, 0.0)),
    )
    b.store(b.select(is_over, _byte(EXPLODED), _byte(FINE)), state)
