"""Compute moments of polynomials in independent Gaussian modes.

A factor of the polynomial is either this mode's monomial or a sum over modes; sums of eigenvalues
alone do not fluctuate and are constants, whatever their power. Since modes are independent, the
joint cumulant of sums is the sum of joint cumulants, so an expectation becomes a sum over
partitions of the factors, each block one cumulant. This is Wick's theorem with the coincidences of
indices already taken care of, and the result has sums over modes, not M² terms.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from math import factorial

import sympy as sp

from eigendyn.errors import NoExactClosure
from eigendyn.theory.symbols import ModeSum, canonical, u11, u12, u22, x1, x2

Powers = tuple[int, int]  # of x1 and x2 in a monomial


@cache
def moment(powers: Powers) -> sp.Expr:
    """E[x1^a x2^b] of a centred Gaussian pair with covariance (u11, u12, u22), by Stein's lemma.

    E[x1^a x2^b] = (a−1) u11 E[x1^{a−2} x2^b] + b u12 E[x1^{a−1} x2^{b−1}].
    """
    a, b = powers
    if (a + b) % 2:
        return sp.S.Zero
    if a == 0:
        return sp.factorial2(b - 1) * u22 ** (b // 2) if b else sp.S.One
    own = (a - 1) * u11 * moment((a - 2, b)) if a > 1 else sp.S.Zero
    cross = b * u12 * moment((a - 1, b - 1)) if b else sp.S.Zero
    return sp.expand(own + cross)


@cache
def cumulant(block: tuple[Powers, ...]) -> sp.Expr:
    """Joint cumulant of monomials of one mode, from their moments."""
    total = sp.S.Zero
    for partition in partitions(tuple(range(len(block)))):
        count = len(partition)
        sign = (-1) ** (count - 1) * factorial(count - 1)
        product = sp.Mul(*[moment(_multiply(block[i] for i in part)) for part in partition])
        total += sign * product
    return sp.expand(total)


def expectation(polynomial: sp.Expr) -> sp.Expr:
    """E[polynomial] over Gaussian modes with whitened covariance (u11, u12, u22).

    Args:
        polynomial: In x1, x2 of this mode and in sums over modes of monomials in x1, x2; anything
            without x1 and x2 is a coefficient.

    Returns:
        A polynomial in u11, u12, u22 and sums over modes.

    Raises:
        NoExactClosure: The argument is not such a polynomial.
    """
    terms = sp.Add.make_args(canonical(polynomial))
    return canonical(sp.Add(*[_expected_term(term) for term in terms]))


def _expected_term(term: sp.Expr) -> sp.Expr:
    local, sums = sp.S.One, []
    for factor in sp.Mul.make_args(term):
        base, exponent = factor.as_base_exp()
        if not (isinstance(base, ModeSum) and fluctuates(base)):
            local *= factor
        elif exponent.is_Integer and exponent > 0:
            sums += [_monomial(base.args[0])] * int(exponent)
        else:
            raise no_exact_closure(factor)
    coefficient, powers = _monomial(local)
    total = sp.S.Zero
    for partition in partitions(tuple(range(len(sums) + 1))):  # 0 is this mode's own factor
        product = coefficient
        for part in partition:
            inside = [sums[i - 1] for i in part if i]
            own = (powers,) if 0 in part else ()
            block = sp.Mul(*[c for c, _ in inside]) * cumulant(
                own + tuple(sorted(p for _, p in inside))
            )
            product *= block if own else ModeSum(sp.expand(block))
        total += product
    return total


def fluctuates(expression: sp.Expr) -> bool:
    """True if the expression depends on the sample, of this mode or of those that it sums over."""
    return expression.has(x1, x2)


def no_exact_closure(found: object) -> NoExactClosure:
    """Say what stands in the way of the exact closure."""
    message = (
        "The exact closure needs a polynomial in z1 and z2, over half-integer powers of quadratic "
        f"forms if over anything; this loss has {found}. Try `closure='sampled'`."
    )
    return NoExactClosure(message)


def _monomial(expression: sp.Expr) -> tuple[sp.Expr, Powers]:
    """Split c·x1^a·x2^b into c and (a, b)."""
    powers = []
    for x in (x1, x2):
        exponent = expression.as_coeff_exponent(x)[1]
        expression = expression / x**exponent
        if not (exponent.is_Integer and exponent >= 0) or expression.has(x):
            raise no_exact_closure(expression)
        powers.append(int(exponent))
    return expression, (powers[0], powers[1])


def _multiply(monomials: Iterator[Powers]) -> Powers:
    a, b = zip(*monomials, strict=True)
    return sum(a), sum(b)


def partitions(items: tuple[int, ...]) -> Iterator[list[list[int]]]:
    """Every way to split the items into non-empty blocks; the first block holds the first item."""
    if not items:
        yield []
        return
    first, rest = items[0], items[1:]
    for subset in range(2 ** len(rest)):
        block = [first] + [r for i, r in enumerate(rest) if subset >> i & 1]
        others = tuple(r for i, r in enumerate(rest) if not subset >> i & 1)
        for tail in partitions(others):
            yield [block, *tail]
