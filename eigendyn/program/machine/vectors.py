"""Write arithmetic on several numbers at once with LLVM's builder.

A value is one number or a vector of numbers of one kind; a number meets a vector as one of its
equals in every place. Products and sums may be contracted to one rounding and nothing else, so that
a place of a vector never depends on the others and every run gives the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

I32, I64 = ir.IntType(32), ir.IntType(64)
CONTRACT = ("contract",)


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


@dataclass(frozen=True)
class Vectors:
    """Writes arithmetic at a builder's position.

    Args:
        at: The builder.
        kind: Type of one number.
    """

    at: ir.IRBuilder
    kind: ir.Type

    def number(self, value: float, width: int = 1) -> ir.Constant:
        """The same number in every place."""
        kind = vector(self.kind, width)
        return ir.Constant(kind, [value] * width if width > 1 else value)

    def widened(self, value: Any, width: int) -> Any:
        """A value of the given width, from one or from a number."""
        if width_of(value) == width:
            return value
        whole = ir.VectorType(self.kind, width)
        first = self.at.insert_element(ir.Constant(whole, ir.Undefined), value, I32(0))
        places = ir.Constant(ir.VectorType(I32, width), [0] * width)
        return self.at.shuffle_vector(first, ir.Constant(whole, ir.Undefined), places)

    def alike(self, *values: Any) -> list[Any]:
        """Values of one width."""
        width = max(map(width_of, values))
        return [self.widened(value, width) for value in values]

    def add(self, first: Any, second: Any) -> Any:
        """Sum; a product in it may be rounded with it."""
        return self.at.fadd(*self.alike(first, second), flags=CONTRACT)

    def multiply(self, first: Any, second: Any) -> Any:
        """Product."""
        return self.at.fmul(*self.alike(first, second), flags=CONTRACT)

    def reciprocal(self, value: Any) -> Any:
        """1/value, rounded once."""
        return self.at.fdiv(self.number(1.0, width_of(value)), value)

    def call(self, name: str, *values: Any) -> Any:
        """One of LLVM's own functions, place by place."""
        alike = self.alike(*values)
        kind, width = alike[0].type, width_of(alike[0])
        several = f"v{width}" if width > 1 else ""
        name = f"llvm.{name}.{several}f{bits_of(self.kind)}"
        function = self.at.module.globals.get(name)
        if function is None:
            form = ir.FunctionType(kind, [kind] * len(alike))
            function = ir.Function(self.at.module, form, name)
        return self.at.call(function, alike)

    def fma(self, first: Any, second: Any, third: Any) -> Any:
        """First · second + third, rounded once."""
        return self.call("fma", first, second, third)

    def polynomial(self, argument: Any, coefficients: Sequence[float]) -> Any:
        """Σ coefficient_i · argument^i."""
        width = width_of(argument)
        value = self.number(coefficients[-1], width)
        for coefficient in reversed(coefficients[:-1]):
            value = self.fma(value, argument, self.number(coefficient, width))
        return value

    def across(self, value: Any, join: Any) -> Any:
        """Join all places of a vector, in a fixed order."""
        width = width_of(value)
        while width > 1:
            half = width // 2
            nothing = ir.Constant(value.type, ir.Undefined)
            parts = (
                self.at.shuffle_vector(
                    value, nothing, ir.Constant(ir.VectorType(I32, half), list(places))
                )
                for places in (range(half), range(half, width))
            )
            first, second = parts
            if half == 1:
                first, second = (self.at.extract_element(part, I32(0)) for part in (first, second))
            value, width = join(first, second), half
        return value

    def load(self, array: Any, place: Any, width: int) -> Any:
        """Read so many numbers that lie side by side from a place on."""
        return self.at.load(self._pointer(array, place, width), align=bits_of(self.kind) // 8)

    def store(self, value: Any, array: Any, place: Any) -> None:
        """Write numbers side by side from a place on."""
        pointer = self._pointer(array, place, width_of(value))
        self.at.store(value, pointer, align=bits_of(self.kind) // 8)

    def _pointer(self, array: Any, place: Any, width: int) -> Any:
        place = I64(place) if isinstance(place, int) else place
        kind = vector(self.kind, width).as_pointer()
        return self.at.bitcast(self.at.gep(array, [place]), kind)
