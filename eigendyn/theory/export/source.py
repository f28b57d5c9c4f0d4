"""Print expressions over batches as lines of source, and name what is used twice."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from itertools import chain, count

import sympy as sp
from sympy.printing.precedence import PRECEDENCE

from eigendyn.theory.export.backends import WIDEST, Backend
from eigendyn.theory.export.form import Still
from eigendyn.theory.loss_writer import LossPrinter, vector_of_norm
from eigendyn.theory.symbols import ModeSum, StopGradient


class SourcePrinter(LossPrinter):
    """Source of an expression: sums over the last axis, stop-gradients, names for what has one.

    Args:
        backend: Library to write for.
        names: Of symbols.
        keeps: Whether sums keep the axis that they sum over.
    """

    def __init__(
        self,
        backend: Backend,
        names: Mapping[sp.Symbol, str],
        keeps: bool,
    ) -> None:
        super().__init__()
        self.backend = backend
        self.names = dict(names)
        self.axis = f"{backend.axis}, {backend.keep}" if keeps else backend.axis
        self.quantities: dict[sp.Expr, str] = {}

    def _print_Symbol(self, symbol: sp.Symbol) -> str:
        return self.names[symbol]

    def _print_Add(self, expr: sp.Expr, order: str | None = None) -> str:
        return self.quantities.get(expr) or super()._print_Add(expr, order=order)

    def _print_ModeSum(self, total: sp.Expr) -> str:
        written = f"{self.backend.module}.sum({self._print(total.args[0])}, {self.axis})"
        return self.quantities.get(total) or written

    def _print_StopGradient(self, stopped: sp.Expr) -> str:
        written = self.backend.stopped(self._print(stopped.args[0]))
        return self.quantities.get(stopped) or written

    def _print_Still(self, still: sp.Expr) -> str:
        vector = self._print(still.args[0])
        return self.quantities.get(still) or f"{vector} - {self.backend.stopped(vector)}"

    def _print_Abs(self, size: sp.Expr) -> str:
        return f"{self.backend.module}.abs({self._print(size.args[0])})"

    def _print_sign(self, sign: sp.Expr) -> str:
        return f"{self.backend.module}.sign({self._print(sign.args[0])})"

    def _print_Pow(self, expr: sp.Expr, rational: bool = False) -> str:
        del rational
        if expr in self.quantities:
            return self.quantities[expr]
        norm, exponent = vector_of_norm(expr), expr.exp
        if norm is None:
            base = self.parenthesize(expr.base, PRECEDENCE["Pow"])
        else:
            vector, power = norm
            exponent = sp.Integer(power)
            written = f"{self.backend.module}.linalg.norm({self._print(vector)}, {self.axis})"
            base = self.quantities.get(sp.sqrt(expr.base)) or written
        is_dyadic = exponent.q & (exponent.q - 1) == 0
        size = float(abs(exponent)) if is_dyadic and exponent.q > 1 else f"({abs(exponent)})"
        power = base if abs(exponent) == 1 else f"{base}**{size}"
        return power if exponent > 0 else f"1/{power}"


def quantities(outputs: Iterable[sp.Expr], are_vectors: bool) -> list[sp.Expr]:
    """What deserves a line of its own in scalars, or in vectors, each after those that it needs.

    These are differences that are zero, norms, sums that stand inside another sum, in a vector or
    twice, stopped sums of terms, and sums of terms that have sums over modes in them and stand in
    one, or in a vector.
    """
    found: dict[sp.Expr, None] = {}
    uses: Counter[sp.Expr] = Counter()
    apart: set[sp.Expr] = set()

    def visit(node: sp.Expr, is_inside: bool) -> None:
        uses[node] += 1
        if uses[node] > 1:
            apart.update([node] if is_inside else [])
            return
        norm = vector_of_norm(node)
        if norm is not None:
            visit(norm[0], True)
            found.setdefault(sp.sqrt(node.base))
            apart.add(sp.sqrt(node.base))
            return
        is_total, is_stopped = isinstance(node, ModeSum), isinstance(node, StopGradient)
        whole = node.args[0] if is_stopped and node.args[0].is_Add else node
        for part in whole.args:
            visit(part, is_inside or is_total)
        if isinstance(node, Still):
            found.setdefault(node)
            apart.add(node)
        if is_total or whole.is_Add:
            found.setdefault(node)
            if whole is not node or (is_inside and node.has(ModeSum)):
                apart.add(node)

    for output in outputs:
        for part in sp.Add.make_args(output):
            visit(part, are_vectors)
    return [
        node for node in found if node in apart or (isinstance(node, ModeSum) and uses[node] > 1)
    ]


def free_name(name: str, taken: Collection[str]) -> str:
    """The name, with underscores behind it until it is not taken."""
    while name in taken:
        name += "_"
    return name


def name_of(quantity: sp.Expr, printer: SourcePrinter, taken: Collection[str]) -> str:
    """A telling name that is not taken."""
    written = [printer.doprint(factor) for factor in _factors(quantity)]
    plain = all(word.strip("()").isidentifier() for word in written)
    words = [word.strip("()").removesuffix("_unit") for word in written]
    if isinstance(quantity, Still):
        name = "still"
    elif isinstance(quantity, StopGradient):
        name = "target"
    elif isinstance(quantity, ModeSum):
        name = "_dot_".join(words) if plain and len(words) == 2 else "total"
    elif quantity.is_Pow:
        name = f"{words[0]}_norm" if plain and len(words) == 1 else "norm"
    else:
        name = "direction"
    names = chain([name], (f"{name}_{i}" for i in count(2)))
    return next(free for free in names if free not in taken)


def _factors(quantity: sp.Expr) -> tuple[sp.Expr, ...]:
    """Vectors that a norm or an inner product is taken of."""
    norm = vector_of_norm(quantity)
    if norm is not None:
        return (norm[0],)
    return sp.Mul.make_args(quantity.args[0]) if isinstance(quantity, ModeSum) else (quantity,)


def terms(expression: sp.Expr, printer: SourcePrinter) -> list[str]:
    """Source of every term of a sum, positive ones first; of an expression that is none, itself."""
    if expression in printer.quantities or not expression.is_Add:
        return [printer.doprint(expression)]
    ordered = sorted(expression.args, key=lambda term: term.could_extract_minus_sign())
    return [printer.doprint(term) for term in ordered]


def assignment(name: str, summands: Iterable[str]) -> list[str]:
    """Lines that give a name its value, one for each term if there is no room for all."""
    first, *others = map(tidy, summands)
    signed = [f"- {term[1:]}" if term.startswith("-") else f"+ {term}" for term in others]
    line = " ".join([f"{name} = {first}", *signed])
    if len(line) <= WIDEST:
        return [line]
    return [f"{name} = (", *(f"    {term}" for term in (first, *signed)), ")"]


def tidy(source: str) -> str:
    """Spaces and brackets as a formatter would set them."""
    plain = ast.unparse(ast.parse(source))
    return re.sub(r"(?<=\w) \*\* (?=\w)", "**", plain)
