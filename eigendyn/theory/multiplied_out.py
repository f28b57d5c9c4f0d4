"""Multiply an expression out on trial, to see how large it becomes before any algebra is done.

The rules are those of `symbols.canonical`, without its numbers: a sum over modes is one of
monomials, with common factors outside; a power of a sum is multiplied out as far as its exponent is
whole, and a root of one, or its reciprocal, is a factor like a letter. So norms cost nothing, and
what could take minutes is known to within milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import sympy as sp

from eigendyn.errors import EigendynError
from eigendyn.theory.symbols import PER_MODE, ModeSum, StopGradient, z1, z2


class TooManyTerms(EigendynError):
    """To multiply an expression out takes more than was allowed."""


@dataclass(frozen=True)
class _Total:
    """A sum over modes of one monomial."""

    summand: Term


@dataclass(frozen=True)
class _Several:
    """A sum of several terms that stands under a root or a fraction line."""

    terms: Terms


Base = sp.Symbol | sp.Pow | _Total | _Several  # a power is a root of a number
Term = frozenset[tuple[Base, Fraction]]  # a product of powers, whatever its coefficient
Terms = frozenset[Term]
ONE: Term = frozenset()


def multiplied_out(expression: sp.Expr, most: int) -> Terms:
    """Multiply out; a stopped branch counts as what it stops.

    Args:
        expression: In letters, numbers, sums over modes, stop-gradients, roots and + − * / **.
        most: Terms that may be multiplied by another on the way.

    Returns:
        The terms, without coefficients; of those that cancel each other too.

    Raises:
        TooManyTerms: It takes more.
    """
    return _Multiplication(most).of(expression)


def degree(term: Term) -> Fraction:
    """How a term grows with z1 and z2, at most."""
    return sum((power * _degree(base, power) for base, power in term), Fraction(0))


def highest_power(term: Term) -> Fraction:
    """The largest exponent in it, above or below the fraction line, also within its sums."""
    inside = (highest_power(part) for base, _ in term for part in _terms_in(base))
    return max([Fraction(0), *(abs(power) for _, power in term), *inside])


def _degree(base: Base, power: Fraction) -> Fraction:
    if isinstance(base, sp.Expr):
        return Fraction(base in (z1, z2))
    degrees = map(degree, _terms_in(base))
    return max(degrees) if power > 0 else min(degrees)


@lru_cache(maxsize=10_000)
def _weight(term: Term, times: int = 1) -> int:
    """Terms in one whose roots and denominators are multiplied out, each to `times` its power."""
    weight = 1
    for base, power in term:
        if isinstance(base, _Total):
            weight += _weight(base.summand, times) - 1
        if isinstance(base, _Several):
            copies, kinds = max(1, math.floor(abs(power) * times)), len(base.terms)
            inside = sum(_weight(inner, copies) - 1 for inner in base.terms)
            weight += math.comb(kinds + copies - 1, copies) * (1 + inside)
    return weight


def _terms_in(base: Base) -> Iterable[Term]:
    if isinstance(base, sp.Expr):
        return ()
    return (base.summand,) if isinstance(base, _Total) else base.terms


def _is_local(base: Base) -> bool:
    """Whether it is of this mode, so that it stays within a sum over modes."""
    if isinstance(base, _Several):
        return any(_is_local(inner) for term in base.terms for inner, _ in term)
    return base in PER_MODE


class _Multiplication:
    """One expression, while it is multiplied out."""

    def __init__(self, most: int) -> None:
        self.left = most

    def of(self, node: sp.Expr) -> Terms:
        if node.is_Rational:
            return frozenset() if node == 0 else frozenset({ONE})
        if isinstance(node, sp.Symbol) or (isinstance(node, sp.Pow) and node.base.is_Rational):
            return frozenset({frozenset({(node, Fraction(1))})})
        if isinstance(node, StopGradient):
            return self.of(node.args[0])
        if isinstance(node, ModeSum):
            return frozenset(map(self._summed, self.of(node.args[0])))
        if isinstance(node, sp.Add):
            return frozenset().union(*map(self.of, node.args))
        if isinstance(node, sp.Mul):
            found: Terms = frozenset({ONE})
            for factor in node.args:
                found = self.product(found, self.of(factor))
            return found
        if isinstance(node, sp.Pow):
            return self.power(self.of(node.base), Fraction(node.exp.p, node.exp.q))
        (inside,) = node.args  # of an absolute value, the root of a square
        return self.power(self.power(self.of(inside), Fraction(2)), Fraction(1, 2))

    def product(self, left: Terms, right: Terms) -> Terms:
        weights = sum(map(_weight, left)), sum(map(_weight, right))
        self.left -= weights[0] * len(right) + weights[1] * len(left)
        if self.left < 0:
            raise TooManyTerms
        return frozenset().union(*(self._merged(one, other) for one in left for other in right))

    def power(self, base: Terms, exponent: Fraction) -> Terms:
        """A power of a sum: its whole part multiplied out, the root of it beside that."""
        if len(base) == 1:
            (term,) = base
            return self._whole({inner: power * exponent for inner, power in term})
        whole = math.floor(abs(exponent))
        found: Terms = frozenset({ONE})
        for _ in range(whole):
            found = self.product(found, base)
        if exponent < 0:
            return frozenset({frozenset({(_Several(base), exponent)})})
        if whole == exponent:
            return found
        return self.product(found, frozenset({frozenset({(_Several(base), exponent - whole)})}))

    def _merged(self, one: Term, other: Term) -> Terms:
        powers = dict(one)
        for base, power in other:
            powers[base] = powers.get(base, Fraction(0)) + power
        return self._whole(powers)

    def _whole(self, powers: Mapping[Base, Fraction]) -> Terms:
        """A product, in which roots of a sum may have met and made the sum itself."""
        kept = frozenset((b, p) for b, p in powers.items() if p != 0)
        sums = [(b, p) for b, p in kept if isinstance(b, _Several) and p >= 1]
        found: Terms = frozenset({kept.difference(sums)})
        for base, power in sums:
            found = self.product(found, self.power(base.terms, power))
        return found

    def _summed(self, term: Term) -> Term:
        local = frozenset((base, power) for base, power in term if _is_local(base))
        common = term - local
        return common | {(_Total(local), Fraction(1))} if local else common
