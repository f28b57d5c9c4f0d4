"""Write arithmetic, memory accesses and loops in LLVM's intermediate representation.

A value is one number or a vector of numbers of one kind; a number meets a vector as one of its
equals in every place. Products and sums may be contracted to one rounding and nothing else, so that
a place of a vector never depends on the others and every run gives the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from typing import Any

from llvmlite import ir

I1, I8, I32, I64 = (ir.IntType(bits) for bits in (1, 8, 32, 64))
FUSED = ("contract",)  # a·b + c rounds once; nothing else may depend on what the compiler likes
LINE = 64  # bytes of a cache line: the alignment of vectors


def width_of(value: Any) -> int:
    """How many numbers a value has."""
    return value.type.count if isinstance(value.type, ir.VectorType) else 1


def vector(kind: ir.Type, width: int) -> ir.Type:
    """Type of so many numbers; of one, the number's own."""
    return ir.VectorType(kind, width) if width > 1 else kind


def bits_of(kind: ir.Type) -> int:
    """Bits of one number."""
    return 64 if isinstance(kind, ir.DoubleType) else 32


def kind_of(bits: int) -> ir.Type:
    """Type of a number of so many bits."""
    return ir.DoubleType() if bits == 64 else ir.FloatType()


def whole(value: Any) -> Any:
    """An integer of 64 bits."""
    return I64(value) if isinstance(value, int) else value


@dataclass(frozen=True)
class Builder:
    """Writes instructions at the position of one of LLVM's own builders.

    Args:
        at: That builder.
        kind: Type of one number, double or float.
        lanes: Numbers in a vector, where nothing else is said.
    """

    at: ir.IRBuilder
    kind: ir.Type
    lanes: int = 1

    @property
    def vector(self) -> ir.VectorType:
        """Type of a number for each lane, of one lane too."""
        return ir.VectorType(self.kind, self.lanes)

    @property
    def size(self) -> int:
        """Bytes of one number."""
        return bits_of(self.kind) // 8

    # Memory

    def room(self, type_: ir.Type, value: ir.Value | None = None) -> ir.Value:
        """A place on the stack, made once however often the code here runs."""
        with self.at.goto_entry_block():
            place = self.at.alloca(type_)
        place.align = LINE
        if value is not None:
            self.at.store(value, place)
        return place

    def load(self, place: Any, *index: Any, width: int | None = None) -> Any:
        """What stands in a place, or so far behind it; `width` numbers that lie side by side."""
        place = self.point(place, *index)
        if width is None:
            return self.at.load(place)
        place = self.at.bitcast(place, vector(self.kind, width).as_pointer())
        return self.at.load(place, align=self.size)

    def store(self, value: Any, place: Any, *index: Any) -> None:
        """Put a value in a place, or so far behind it; a vector goes among numbers, too."""
        place = self.point(place, *index)
        if place.type.pointee == value.type:
            self.at.store(value, place)
        else:
            self.at.store(value, self.at.bitcast(place, value.type.as_pointer()), align=self.size)

    def update(self, condition: Any, value: Any, place: Any, *index: Any) -> Any:
        """Put a value in a place in the lanes where a condition holds, and give what was there.

        Left to itself, LLVM makes a store with a mask of this, which takes twenty times as long as
        one of all lanes on some processors; the fence hides from it where the rest comes from.
        """
        place = self.point(place, *index)
        width = None if place.type.pointee == value.type else width_of(value)
        before = self.call("arithmetic.fence", self.load(place, width=width))
        self.store(self.at.select(condition, value, before), place)
        return before

    def point(self, place: Any, *index: Any) -> Any:
        """The place so far behind another."""
        return self.at.gep(place, [whole(i) for i in index]) if index else place

    def lane(self, place: Any, lane: Any) -> Any:
        """The place of one lane of a vector in memory."""
        element = place.type.pointee.element
        return self.at.gep(self.at.bitcast(place, element.as_pointer()), [whole(lane)])

    def constants(self, rows: Sequence[Sequence[float]]) -> Any:
        """A place where numbers stand one behind the other, row by row."""
        values = [self.number(value) for row in rows for value in row]
        type_ = ir.ArrayType(self.kind, len(values))
        module = self.at.module
        table = ir.GlobalVariable(module, type_, module.get_unique_name("constants"))
        table.linkage, table.global_constant = "internal", True
        table.initializer = ir.Constant(type_, values)  # pyright: ignore[reportAttributeAccessIssue]
        return self.at.bitcast(table, self.kind.as_pointer())

    # Numbers

    def number(self, value: float, width: int = 1) -> ir.Constant:
        """The same constant in every place."""
        kind = vector(self.kind, width)
        return ir.Constant(kind, [value] * width if width > 1 else value)

    def spread(self, value: Any, lanes: int | None = None) -> Any:
        """A vector of the same number, or constant, in every lane."""
        lanes = lanes or self.lanes
        if isinstance(value, (int, float)):
            return ir.Constant(ir.VectorType(self.kind, lanes), [float(value)] * lanes)
        nothing = ir.Constant(ir.VectorType(value.type, lanes), ir.Undefined)
        one = self.at.insert_element(nothing, value, I32(0))
        return self.mix(one, nothing, [0] * lanes)

    def widened(self, value: Any, width: int) -> Any:
        """A value of the given width, from one or from a number."""
        return value if width_of(value) == width else self.spread(value, width)

    def mix(self, first: Any, second: Any, places: Sequence[int]) -> Any:
        """The vector of these places of two others, counted through both."""
        order = ir.Constant(ir.VectorType(I32, len(places)), list(places))
        return self.at.shuffle_vector(first, second, order)

    def across(self, value: Any, join: Callable[[Any, Any], Any]) -> Any:
        """Join all places of a vector, in a fixed order."""
        width = width_of(value)
        while width > 1:
            half = width // 2
            nothing = ir.Constant(value.type, ir.Undefined)
            parts = [self.mix(value, nothing, range(i, i + half)) for i in (0, half)]
            if half == 1:
                parts = [self.at.extract_element(part, I32(0)) for part in parts]
            value, width = join(*parts), half
        return value

    def alike(self, *values: Any) -> list[Any]:
        """Values of one width."""
        width = max(map(width_of, values))
        return [self.widened(value, width) for value in values]

    def add(self, a: Any, b: Any) -> Any:
        """Return a + b; a product in it may be rounded with it."""
        return self.at.fadd(*self.alike(a, b), flags=FUSED)

    def sub(self, a: Any, b: Any) -> Any:
        """Return a − b."""
        return self.at.fsub(*self.alike(a, b), flags=FUSED)

    def mul(self, a: Any, b: Any) -> Any:
        """Return a b."""
        return self.at.fmul(*self.alike(a, b), flags=FUSED)

    def div(self, a: Any, b: Any) -> Any:
        """Return a/b."""
        return self.at.fdiv(*self.alike(a, b))

    def reciprocal(self, a: Any) -> Any:
        """1/a, rounded once."""
        return self.div(self.number(1.0, width_of(a)), a)

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        """Return a b + c, rounded once."""
        return self.call("fma", a, b, c)

    def combine(self, terms: Sequence[tuple[Any, Any]]) -> Any:
        """Σ weight · vector, in the order given."""
        return reduce(self.add, [self.mul(value, weight) for weight, value in terms])

    def polynomial(self, argument: Any, coefficients: Sequence[float]) -> Any:
        """Σ coefficient_i · argument^i."""
        width = width_of(argument)
        value = self.number(coefficients[-1], width)
        for coefficient in reversed(coefficients[:-1]):
            value = self.fma(value, argument, self.number(coefficient, width))
        return value

    def sqrt(self, a: Any) -> Any:
        """√a."""
        return self.call("sqrt", a)

    def size_of(self, a: Any) -> Any:
        """|a|."""
        return self.call("fabs", a)

    def larger(self, a: Any, b: Any) -> Any:
        """The larger of a and b; b where one is no number."""
        return self.at.select(self.at.fcmp_ordered(">", a, b), a, b)

    def smaller(self, a: Any, b: Any) -> Any:
        """The smaller of a and b; b where one is no number."""
        return self.at.select(self.at.fcmp_ordered("<", a, b), a, b)

    def call(self, name: str, *values: Any) -> Any:
        """One of LLVM's own functions, place by place."""
        alike = self.alike(*values)
        type_ = alike[0].type
        element = getattr(type_, "element", type_)
        several = f"v{type_.count}" if isinstance(type_, ir.VectorType) else ""
        full = f"llvm.{name}.{several}{element.intrinsic_name}"
        return self.at.call(self.declare(full, type_, [v.type for v in alike]), alike)

    def declare(self, name: str, result: ir.Type, arguments: Sequence[ir.Type]) -> Any:
        """A function that the module knows by name only."""
        module = self.at.module
        type_ = ir.FunctionType(result, arguments)
        return module.globals.get(name) or ir.Function(module, type_, name)

    def rough_power(self, a: Any, exponent: Any) -> Any:
        """a^exponent for a > 0 within 10 %: the bits of a number are nearly its logarithm."""
        integers = ir.VectorType(ir.IntType(bits_of(self.kind)), width_of(a))
        one = self.spread(1023 * 2**52 if self.size == 8 else 127 * 2**23, width_of(a))
        bits = self.at.sitofp(self.at.bitcast(a, integers), a.type)
        scaled = self.mul(self.sub(bits, one), exponent)
        return self.at.bitcast(self.at.fptosi(self.add(scaled, one), integers), a.type)

    def rough_inverse(self, a: Any) -> Any:
        """1/a for a > 0 within 13 %, without a division: nearly minus its logarithm."""
        integers = ir.VectorType(ir.IntType(bits_of(self.kind)), width_of(a))
        twice_one = 0x7FDE623822FC16E6 if self.size == 8 else 0x7EF311C3
        one = ir.Constant(integers, [twice_one] * width_of(a))
        return self.at.bitcast(self.at.sub(one, self.at.bitcast(a, integers)), a.type)

    def lanes_where(self, condition: Any) -> Any:
        """A bit for each lane, in an integer of 64 bits."""
        bits = self.at.bitcast(condition, ir.IntType(condition.type.count))
        return self.at.zext(bits, I64) if condition.type.count < 64 else bits

    # Control

    def loop(self, end: Any, start: Any = 0) -> Any:
        """As `counted`, one by one."""
        return counted(self.at, end, start)

    @contextmanager
    def while_(self, condition: Callable[[], Any]) -> Iterator[None]:
        """Run what is written inside as long as a condition, evaluated before each run, holds."""
        head, body, after = (self.at.append_basic_block(n) for n in ("head", "body", "after"))
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
            first = self.declare("llvm.cttz.i64", I64, [I64, I1])
            yield self.at.call(first, [self.at.load(left), I1(1)])
            now = self.at.load(left)
            self.at.store(self.at.and_(now, self.at.sub(now, whole(1))), left)


@contextmanager
def counted(at: ir.IRBuilder, end: Any, start: Any = 0, step: int = 1) -> Iterator[Any]:
    """Run what is written inside `with` for start, start + step, … below end.

    Args:
        at: The builder.
        end: A whole number, as those that follow.
        start: The first index.
        step: From one index to the next.

    Yields:
        The index.
    """
    before = at.block
    head, body, after = (at.append_basic_block(name) for name in ("head", "body", "after"))
    at.branch(head)
    at.position_at_end(head)
    index = at.phi(I64)
    index.add_incoming(whole(start), before)
    at.cbranch(at.icmp_signed("<", index, whole(end)), body, after)
    at.position_at_end(body)
    yield index
    index.add_incoming(at.add(index, whole(step)), at.block)
    # the increment stands in the last block of the body
    at.branch(head)
    at.position_at_end(after)
