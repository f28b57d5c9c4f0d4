"""Compute moments of polynomials in independent Gaussian modes.

A factor of the polynomial is either this mode's monomial or a sum over modes; sums of eigenvalues
alone do not fluctuate and are constants, whatever their power. Since modes are independent, the
joint cumulant of sums is the sum of joint cumulants, so an expectation becomes a sum over
partitions of the factors, each block one cumulant. This is Wick's theorem with the coincidences of
indices already taken care of, and the result has sums over modes, not M² terms. Partitions are
built block by block, and equal factors are counted, not told apart: the tenth power of a sum has
116,000 partitions of which 97 differ.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TypeVar

import sympy as sp

from eigendyn.errors import NoExactClosure
from eigendyn.theory.symbols import ModeSum, canonical, u11, u12, u22, x1, x2

MOST_TERMS = 1_000  # of an expectation: a second of algebra
MOST_SUMS = 64  # in a product

Item = TypeVar("Item")
Powers = tuple[int, int]  # of x1 and x2 in a monomial
Monomial = tuple[sp.Expr, Powers]  # with its coefficient
NO_POWERS: Powers = (0, 0)


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
    """Joint cumulant of monomials of one mode: their moment, without that of smaller blocks.

    κ(x, B) = E[x ΠB] − Σ κ(x, C) E[Π(B∖C)] over the C ⊂ B, C ≠ B.
    """
    first, *others = block
    total = moment(_multiply(block))
    for ways, part, rest in parts(others):
        if rest:
            total -= ways * cumulant((first, *part)) * moment(_multiply(rest))
    return sp.expand(total)


def expectation(polynomial: sp.Expr) -> sp.Expr:
    """E[polynomial] over Gaussian modes with whitened covariance (u11, u12, u22).

    Args:
        polynomial: In x1, x2 of this mode and in sums over modes of monomials in x1, x2; anything
            without x1 and x2 is a coefficient.

    Returns:
        A polynomial in u11, u12, u22 and sums over modes.

    Raises:
        NoExactClosure: The argument is not such a polynomial, or its expectation would have more
            than `MOST_TERMS` terms.
    """
    terms = [_factors(term) for term in sp.Add.make_args(canonical(polynomial))]
    if sum(_extent(own, sums) for _, own, sums in terms) > MOST_TERMS:
        found = f"products of sums whose expectations have more than {MOST_TERMS} terms"
        raise no_exact_closure(found)
    return canonical(sp.Add(*[factor * _mean(own, sums) for factor, own, sums in terms]))


def _factors(term: sp.Expr) -> tuple[sp.Expr, Powers, tuple[Monomial, ...]]:
    """Take a term apart: c · x1^a x2^b of this mode · a product of sums over modes."""
    local, sums = sp.S.One, []
    for factor in sp.Mul.make_args(term):
        base, exponent = factor.as_base_exp()
        if not (isinstance(base, ModeSum) and fluctuates(base)):
            local *= factor
        elif exponent.is_Integer and 0 < exponent <= MOST_SUMS:
            sums += [_monomial(base.args[0])] * int(exponent)
        else:
            raise no_exact_closure(factor)
    coefficient, own = _monomial(local)
    return coefficient, own, tuple(sums)


@cache
def _mean(own: Powers, sums: tuple[Monomial, ...]) -> sp.Expr:
    """E[x Π S] = Σ κ(x, B) E[Π(S∖B)] over all B ⊆ S; a block without this mode is summed too."""
    total = sp.S.Zero
    if own == NO_POWERS and not sums:
        return sp.S.One
    head, others = _first(own, sums)
    for ways, part, rest in parts(others):
        block = cumulant(tuple(powers for _, powers in (*head, *part)))
        if block != 0:
            block *= sp.Mul(*[coefficient for coefficient, _ in (*head, *part)])
            block = canonical(block if own != NO_POWERS else ModeSum(sp.expand(block)))
            total += ways * block * _mean(NO_POWERS, rest)
    return sp.expand(total)


@cache
def _extent(own: Powers, sums: tuple[Monomial, ...]) -> int:
    """At most how many terms `_mean` has; beyond `MOST_TERMS` no more is counted."""
    if own == NO_POWERS and not sums:
        return 1
    head, others = _first(own, sums)
    if math.prod(count + 1 for count in Counter(others).values()) > MOST_TERMS:
        return MOST_TERMS + 1
    count = 0
    for _, part, rest in parts(others):
        a, b = _multiply(powers for _, powers in (*head, *part))
        if (a + b) % 2 == 0:
            count += (min(a, b) // 2 + 1) * _extent(NO_POWERS, rest)
    return count


def _first(
    own: Powers, sums: tuple[Monomial, ...]
) -> tuple[tuple[Monomial, ...], tuple[Monomial, ...]]:
    """The factor that blocks are built around, this mode's if there is one; and all others."""
    return (sums[:1], sums[1:]) if own == NO_POWERS else (((sp.S.One, own),), sums)


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


def _monomial(expression: sp.Expr) -> Monomial:
    """Split c·x1^a·x2^b into c and (a, b)."""
    powers = []
    for x in (x1, x2):
        exponent = expression.as_coeff_exponent(x)[1]
        expression = expression / x**exponent
        if not (exponent.is_Integer and exponent >= 0) or expression.has(x):
            raise no_exact_closure(expression)
        powers.append(int(exponent))
    return expression, (powers[0], powers[1])


def _multiply(monomials: Iterable[Powers]) -> Powers:
    a, b = zip(*monomials, strict=True)
    return sum(a), sum(b)


def parts(items: Sequence[Item]) -> Iterator[tuple[int, tuple[Item, ...], tuple[Item, ...]]]:
    """Every choice among items, equal ones alike: in how many ways, what is taken, what is left."""
    counts = Counter(items)
    for taken in itertools.product(*(range(count + 1) for count in counts.values())):
        left = [count - k for count, k in zip(counts.values(), taken, strict=True)]
        ways = math.prod(map(math.comb, counts.values(), taken))
        yield ways, _repeated(counts, taken), _repeated(counts, left)


def _repeated(items: Iterable[Item], counts: Iterable[int]) -> tuple[Item, ...]:
    return tuple(item for item, count in zip(items, counts, strict=True) for _ in range(count))
