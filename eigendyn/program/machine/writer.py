"""Write loops, vectors and memory accesses in LLVM's intermediate representation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from typing import Any

from llvmlite import ir

I1, I8, I32, I64 = (ir.IntType(bits) for bits in (1, 8, 32, 64))
FUSED = ("contract",)  # a·b + c rounds once; nothing else may depend on what the compiler likes
LINE = 64  # bytes of a cache line: the alignment of vectors


class Writer:
    """Writes instructions on numbers of one kind, and on vectors of them, one lane a trajectory.

    Args:
        function: Where to write; its entry block is made here.
        kind: Double or float.
        lanes: Numbers in a vector.
    """

    def __init__(self, function: ir.Function, kind: ir.Type, lanes: int) -> None:
        self.function, self.kind, self.lanes = function, kind, lanes
        self.vector = ir.VectorType(kind, lanes)
        self.integer = I64 if isinstance(kind, ir.DoubleType) else I32
        self.size = 8 if isinstance(kind, ir.DoubleType) else 4
        entry = function.append_basic_block("entry")
        self._entry = ir.IRBuilder(entry)
        self.at = ir.IRBuilder(function.append_basic_block("start"))
        self._entry.position_before(self._entry.branch(self.at.block))

    # Memory

    def room(self, type_: ir.Type, value: ir.Value | None = None) -> ir.Value:
        """A place on the stack, made once however often the code here runs."""
        place = self._entry.alloca(type_)
        place.align = LINE
        if value is not None:
            self.at.store(value, place)
        return place

    def load(self, place: ir.Value, *index: Any, align: int | None = None) -> Any:
        """What stands in a place, or so far behind it."""
        return self.at.load(self.point(place, *index), align=align)

    def store(self, value: Any, place: ir.Value, *index: Any) -> None:
        """Put a value in a place, or so far behind it."""
        self.at.store(value, self.point(place, *index))

    def point(self, place: ir.Value, *index: Any) -> Any:
        """The place so far behind another."""
        return self.at.gep(place, [whole(i) for i in index]) if index else place

    def lane(self, place: ir.Value, lane: Any) -> Any:
        """The place of one lane of a vector in memory."""
        pointee: Any = place.type
        element = pointee.pointee.element
        return self.at.gep(self.at.bitcast(place, element.as_pointer()), [whole(lane)])

    # Numbers

    def number(self, value: float) -> ir.Constant:
        """A constant."""
        return ir.Constant(self.kind, value)

    def spread(self, value: Any, lanes: int | None = None) -> Any:
        """The same number, or constant, in every lane."""
        lanes = lanes or self.lanes
        if isinstance(value, (int, float)):
            return ir.Constant(ir.VectorType(self.kind, lanes), [float(value)] * lanes)
        type_ = ir.VectorType(value.type, lanes)
        one = self.at.insert_element(ir.Constant(type_, ir.Undefined), value, whole32(0))
        order = ir.Constant(ir.VectorType(I32, lanes), [0] * lanes)
        return self.at.shuffle_vector(one, ir.Constant(type_, ir.Undefined), order)

    def add(self, a: Any, b: Any) -> Any:
        """Return a + b."""
        return self.at.fadd(a, b, flags=FUSED)

    def sub(self, a: Any, b: Any) -> Any:
        """Return a − b."""
        return self.at.fsub(a, b, flags=FUSED)

    def mul(self, a: Any, b: Any) -> Any:
        """Return a b."""
        return self.at.fmul(a, b, flags=FUSED)

    def div(self, a: Any, b: Any) -> Any:
        """Return a/b."""
        return self.at.fdiv(a, b)

    def combine(self, terms: Sequence[tuple[Any, Any]]) -> Any:
        """Σ weight · vector, in the order given."""
        return reduce(self.add, [self.mul(value, weight) for weight, value in terms])

    def constants(self, rows: Sequence[Sequence[float]]) -> Any:
        """A place where numbers stand one behind the other, row by row."""
        values = [self.number(value) for row in rows for value in row]
        type_ = ir.ArrayType(self.kind, len(values))
        module = self.function.module
        table = ir.GlobalVariable(module, type_, module.get_unique_name("constants"))
        table.linkage, table.global_constant = "internal", True
        table.initializer = ir.Constant(type_, values)  # pyright: ignore[reportAttributeAccessIssue]
        return self.at.bitcast(table, self.kind.as_pointer())

    def sqrt(self, a: Any) -> Any:
        """√a."""
        return self.intrinsic("sqrt", a)

    def size_of(self, a: Any) -> Any:
        """|a|."""
        return self.intrinsic("fabs", a)

    def larger(self, a: Any, b: Any) -> Any:
        """The larger of a and b; b where one is no number."""
        return self.at.select(self.at.fcmp_ordered(">", a, b), a, b)

    def smaller(self, a: Any, b: Any) -> Any:
        """The smaller of a and b; b where one is no number."""
        return self.at.select(self.at.fcmp_ordered("<", a, b), a, b)

    def intrinsic(self, name: str, *values: Any) -> Any:
        """One of LLVM's own functions of numbers of one type."""
        type_ = values[0].type
        element = getattr(type_, "element", type_)
        vector = f"v{type_.count}" if isinstance(type_, ir.VectorType) else ""
        full = f"llvm.{name}.{vector}{element.intrinsic_name}"
        return self.at.call(self.declare(full, type_, [v.type for v in values]), values)

    def declare(self, name: str, result: ir.Type, arguments: Sequence[ir.Type]) -> Any:
        """A function that the module knows by name only."""
        module = self.function.module
        type_ = ir.FunctionType(result, arguments)
        return module.globals.get(name) or ir.Function(module, type_, name)

    def rough_power(self, a: Any, exponent: Any) -> Any:
        """a^exponent for a > 0 within 10 %: the bits of a number are nearly its logarithm."""
        lanes = a.type.count
        integers = ir.VectorType(self.integer, lanes)
        one = 1023 * 2**52 if self.size == 8 else 127 * 2**23
        bits = self.at.sitofp(self.at.bitcast(a, integers), a.type)
        scaled = self.mul(self.sub(bits, self.spread(one, lanes)), exponent)
        raised = self.at.fptosi(self.add(scaled, self.spread(one, lanes)), integers)
        return self.at.bitcast(raised, a.type)

    def rough_inverse(self, a: Any) -> Any:
        """1/a for a > 0 within 13 %, without a division: nearly minus its logarithm."""
        lanes = a.type.count
        integers = ir.VectorType(self.integer, lanes)
        twice_one = 0x7FDE623822FC16E6 if self.size == 8 else 0x7EF311C3
        bits = self.at.bitcast(a, integers)
        return self.at.bitcast(
            self.at.sub(ir.Constant(integers, [twice_one] * lanes), bits), a.type
        )

    def lanes_where(self, condition: Any) -> Any:
        """A bit for each lane, in an integer of 64 bits."""
        bits = self.at.bitcast(condition, ir.IntType(condition.type.count))
        return self.at.zext(bits, I64) if condition.type.count < 64 else bits

    # Control

    @contextmanager
    def loop(self, count: Any, start: Any = 0) -> Iterator[Any]:
        """Run what is written inside for start, start + 1, … below count."""
        before = self.at.block
        head, body, after = (self.function.append_basic_block(n) for n in ("head", "body", "after"))
        self.at.branch(head)
        self.at.position_at_end(head)
        index = self.at.phi(I64)
        index.add_incoming(whole(start), before)
        self.at.cbranch(self.at.icmp_signed("<", index, whole(count)), body, after)
        self.at.position_at_end(body)
        yield index
        index.add_incoming(self.at.add(index, whole(1)), self.at.block)
        # the increment stands in the last block of the body
        self.at.branch(head)
        self.at.position_at_end(after)

    @contextmanager
    def while_(self, condition: Callable[[], Any]) -> Iterator[None]:
        """Run what is written inside as long as a condition, evaluated before each run, holds."""
        head, body, after = (self.function.append_basic_block(n) for n in ("head", "body", "after"))
        self.at.branch(head)
        self.at.position_at_end(head)
        self.at.cbranch(condition(), body, after)
        self.at.position_at_end(body)
        yield
        self.at.branch(head)
        self.at.position_at_end(after)

    @contextmanager
    def lanes_of(self, bits: Any) -> Iterator[Any]:
        """Run what is written inside for the position of every bit that is set."""
        left = self.room(I64, bits)
        nonzero = lambda: self.at.icmp_unsigned("!=", self.at.load(left), whole(0))  # noqa: E731
        with self.while_(nonzero):
            now = self.at.load(left)
            yield self.at.call(
                self.declare("llvm.cttz.i64", I64, [I64, I1]), [now, ir.Constant(I1, 1)]
            )
            now = self.at.load(left)
            self.at.store(self.at.and_(now, self.at.sub(now, whole(1))), left)


def whole(value: Any) -> Any:
    """An integer of 64 bits."""
    return ir.Constant(I64, value) if isinstance(value, int) else value


def whole32(value: int) -> ir.Constant:
    """An integer of 32 bits."""
    return ir.Constant(I32, value)
