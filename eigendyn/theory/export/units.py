"""Write what is divided by norms through unit vectors, so that no power of a norm is computed.

p (p·z)/(‖p‖³‖z‖) is p̂ (p̂·ẑ)/‖p‖: the same number, and each of its factors stays in the range of
the representations themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import sympy as sp

from eigendyn.theory import symbols as sym
from eigendyn.theory.export.form import Still
from eigendyn.theory.loss_writer import vector_of_norm
from eigendyn.theory.symbols import ModeSum, StopGradient


@dataclass(frozen=True)
class Lengths:
    """Expressions in which every norm that something is divided by is a symbol of its own.

    Args:
        expressions: The expressions, in these symbols.
        norms: Symbol of a norm → the vector whose norm it is, each after those that it needs.
        units: Symbol of a unit vector → the symbols of the vector and of its norm.
    """

    expressions: tuple[sp.Expr, ...]
    norms: dict[sp.Symbol, sp.Expr] = field(default_factory=dict)
    units: dict[sp.Symbol, tuple[sp.Symbol, sp.Symbol]] = field(default_factory=dict)


def through_units(expressions: tuple[sp.Expr, ...], vectors: tuple[sp.Symbol, ...]) -> Lengths:
    """Name the norms that are divided by, and put unit vectors where they cancel.

    Args:
        expressions: In representations, λ and sums over modes.
        vectors: Symbols of representations that a unit vector may take the place of.
    """
    taken = set().union(*(expression.free_symbols for expression in expressions), vectors)
    fresh = (symbol for symbol in map(sym.placeholder, count()) if symbol not in taken)
    norms, units = {}, {}
    for vector in vectors:
        if any(divisor == ModeSum(vector**2) for divisor in _divisors(expressions)):
            norm, unit = next(fresh), next(fresh)
            expressions = tuple(_without(part, vector, norm, unit) for part in expressions)
            norms[norm], units[unit] = vector, (vector, norm)
    while True:
        left = (vector_of_norm(sp.sqrt(divisor)) for divisor in _divisors(expressions))
        vector = next((found[0] for found in left if found is not None), None)
        if vector is None:
            break
        norm, square = next(fresh), ModeSum(vector**2)
        powers = {p for part in expressions for p in part.atoms(sp.Pow) if p.base == square}
        named = {power: norm ** (2 * power.exp) for power in powers} | {square: norm**2}
        expressions = tuple(part.xreplace(named) for part in expressions)
        norms[norm] = vector
    used = set().union(*(part.free_symbols for part in (*expressions, *norms.values())))
    return Lengths(expressions, norms, {u: units[u] for u in units if u in used})


def _divisors(expressions: tuple[sp.Expr, ...]) -> Iterator[sp.Expr]:
    """Sums over modes that something is divided by, those without further ones in them first."""
    powers = {power for part in expressions for power in part.atoms(sp.Pow)}
    found = {p.base for p in powers if p.exp.is_negative and isinstance(p.base, ModeSum)}
    yield from sorted(found, key=lambda total: (total.count(ModeSum), sp.default_sort_key(total)))


def _without(node: sp.Expr, vector: sp.Symbol, norm: sp.Symbol, unit: sp.Symbol) -> sp.Expr:
    """Put norm · unit for the vector, and cancel the powers of the norm."""
    square = ModeSum(vector**2)

    def split(node: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
        """(d, e) of norm^d · e, without the norm in e where it is a common factor."""
        if node == vector:
            return sp.S.One, unit
        if not node.has(vector):
            return sp.S.Zero, node
        parts = [split(part) for part in node.args]
        if node.is_Mul:
            return sp.Add(*(d for d, _ in parts)), sp.Mul(*(e for _, e in parts))
        if node.is_Pow and node.exp.is_Rational:
            (degree, rest), _ = parts
            return degree * node.exp, rest**node.exp
        if isinstance(node, ModeSum):
            ((degree, rest),) = parts
            return degree, sp.S.One if rest == unit**2 else ModeSum(rest)
        if isinstance(node, StopGradient | Still) and not node.has(square):
            return sp.S.Zero, node  # nothing to cancel: SG(norm · unit) is the vector itself
        if isinstance(node, sp.Abs):
            ((degree, rest),) = parts
            return degree, sp.Abs(rest)
        if node.is_Add:
            by_degree = defaultdict(list)
            for degree, rest in parts:
                by_degree[degree].append(rest)
            if len(by_degree) == 1:
                ((degree, rests),) = by_degree.items()
                return degree, sp.Add(*rests)
            return sp.S.Zero, sp.Add(*(norm**d * sp.Add(*e) for d, e in by_degree.items()))
        return sp.S.Zero, node.func(*(norm**d * e for d, e in parts))

    degree, rest = split(node)
    return norm**degree * rest
