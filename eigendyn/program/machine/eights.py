"""Write operations on eight numbers at once that LLVM's builder does not have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir

LANES = 8  # numbers at once, and in a cell
_bit, _int, _float = ir.IntType(1), ir.IntType(64), ir.DoubleType()
_pointer = ir.PointerType()
_ints = ir.VectorType(_int, LANES)


def gathered(b: ir.IRBuilder, base: Any, rows: Any, width: int) -> list[Any]:
    """Transpose LANES rows of `width` floats: whole rows are loaded, each from one cache line.

    Rows that are `width` apart are joined to vectors of LANES; then log2(width) rounds of exchanges
    between pairs of vectors bring the lanes of each column together.
    """
    line = ir.VectorType(_float, width)
    rows = b.mul(rows, ir.Constant(_ints, [width] * LANES))
    loaded = []
    for lane in range(LANES):
        place = b.gep(base, [b.extract_element(rows, _index(lane))], source_etype=_float)
        loaded.append(b.load(place, typ=line, align=8 * width))
    loaded = [_join(b, loaded[i::width]) for i in range(width)]
    distance = 1
    while distance < width:
        for i in range(width):
            j = i + distance
            if i & distance:
                continue
            first = _mix(b, loaded[i], loaded[j], lambda n, d=distance: _exchange(n, d, 0))
            second = _mix(b, loaded[i], loaded[j], lambda n, d=distance: _exchange(n, d, d))
            loaded[i], loaded[j] = first, second
        distance *= 2
    return loaded


def _mix(b: ir.IRBuilder, one: Any, two: Any, order: Callable[[int], list[int]]) -> Any:
    lanes = order(one.type.count)
    kind = ir.VectorType(ir.IntType(32), len(lanes))
    return b.shuffle_vector(one, two, ir.Constant(kind, lanes))


def _join(b: ir.IRBuilder, parts: list[Any]) -> Any:
    while len(parts) > 1:
        pairs = zip(parts[::2], parts[1::2], strict=True)
        parts = [_mix(b, one, two, _joined) for one, two in pairs]
    return parts[0]


def _joined(count: int) -> list[int]:
    return list(range(2 * count))


def _exchange(count: int, distance: int, offset: int) -> list[int]:
    """Blocks of `distance` lanes at `offset`, of the first and the second vector in turn."""
    return [
        (lane & ~distance) + offset + (count if lane & distance else 0) for lane in range(count)
    ]


def _index(lane: int) -> ir.Constant:
    return ir.IntType(32)(lane)


def absolute(b: ir.IRBuilder, value: Any) -> Any:
    """|value|."""
    return b.call(_intrinsic(b.module, "fabs", value.type, 1), [value])


def fma(b: ir.IRBuilder, x: Any, y: Any, z: Any) -> Any:
    """X y + z, rounded once."""
    return b.call(_intrinsic(b.module, "fma", x.type, 3), [x, y, z])


def _intrinsic(module: ir.Module, name: str, kind: Any, count: int) -> Any:
    name = f"llvm.{name}.{'f64' if kind == _float else f'v{LANES}f64'}"
    if name in module.globals:
        return module.globals[name]
    return ir.Function(module, ir.FunctionType(kind, [kind] * count), name)


def within(b: ir.IRBuilder, position: Any, cell: Any, constant: Callable) -> Any:
    """Position within a cell, from −1 to 1."""
    return fma(b, b.fsub(position, cell), constant(2.0), constant(-1.0))


def clamp(b: ir.IRBuilder, value: Any, last: Any, kind: Any) -> Any:
    """A whole number, or eight, between 0 and the last."""
    none = ir.Constant(kind, 0 if kind == _int else [0] * LANES)
    value = b.select(b.icmp_signed(">", value, none), value, none)
    return b.select(b.icmp_signed("<", value, last), value, last)


def splat(b: ir.IRBuilder, value: Any, kind: Any) -> Any:
    """One number eight times."""
    lane = ir.VectorType(ir.IntType(32), LANES)
    one = b.insert_element(ir.Constant(kind, ir.Undefined), value, ir.IntType(32)(0))
    return b.shuffle_vector(one, one, ir.Constant(lane, [0] * LANES))


def int_splat(b: ir.IRBuilder, value: Any) -> Any:
    """A float's whole part eight times."""
    return splat(b, b.fptosi(value, _int), _ints)


def masked_store(module: ir.Module, kind: Any, bits: int) -> ir.Function:
    """LLVM's store of some of eight numbers."""
    name = f"llvm.masked.store.v{LANES}f{bits}.p0"
    mask = ir.VectorType(_bit, LANES)
    signature = ir.FunctionType(ir.VoidType(), [kind, _pointer, ir.IntType(32), mask])
    return ir.Function(module, signature, name)


class Loop:
    """Emit `for k in range(first, end, step)`; the body is what is emitted inside `with`."""

    def __init__(self, b: ir.IRBuilder, first: Any, end: Any, step: int) -> None:
        self.b, self.first, self.end, self.step = b, first, end, step

    def __enter__(self) -> Any:
        b = self.b
        before = b.block
        self.head, self.body = b.append_basic_block(), b.append_basic_block()
        self.after = b.append_basic_block()
        b.branch(self.head)
        b.position_at_end(self.head)
        self.k = b.phi(_int)
        self.k.add_incoming(self.first, before)
        b.cbranch(b.icmp_signed("<", self.k, self.end), self.body, self.after)
        b.position_at_end(self.body)
        return self.k

    def __exit__(self, *_: object) -> None:
        b = self.b
        following = b.add(self.k, _int(self.step))
        self.k.add_incoming(following, b.block)
        b.branch(self.head)
        b.position_at_end(self.after)
