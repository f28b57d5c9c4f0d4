"""Find all zeros and extrema of a growth rate in powers, to many digits."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import lru_cache

import mpmath
from mpmath import mpf

from eigendyn.simulation.engines.shifted.power_sum import DIGITS, PowerSum

FLAT = mpf(10) ** (10 - DIGITS)  # of the sum of absolute terms: an extremum that small is a zero
FARTHEST = mpf(2) ** 14  # |log v| up to which zeros are looked for


@lru_cache(maxsize=256)
def zeros_and_extrema(rate: PowerSum) -> tuple[tuple[mpf, ...], tuple[mpf, ...]]:
    """Find every zero of g(x) = Σ c_i e^{r_i x}, x = log v, simple or not.

    Between two neighbouring zeros of its derivative a function is monotone, and the derivative of
    e^{−r_0 x} g has one term less: by recursion all zeros are found, and none is missed.

    Args:
        rate: The growth rate.

    Returns:
        The zeros, ascending; and the extrema of e^{−r_0 x} g, near which g may nearly vanish.

    Source: Rolle's theorem, as in the proof of Descartes' rule of signs for exponential sums.
    """
    with mpmath.workdps(DIGITS + 10):
        found, extrema = _zeros(rate.exponents, rate.coefficients)
        return tuple(found), tuple(extrema)


def _zeros(r: Sequence[mpf], c: Sequence[mpf]) -> tuple[list[mpf], list[mpf]]:
    if len(r) < 2:
        return [], []
    # divided by e^{r_0 x}, which has no zeros, g begins with a constant that its derivative drops
    shifted = [one - r[0] for one in r]

    def value(x: mpf) -> mpf:
        return mpmath.fsum(a * mpmath.exp(q * x) for a, q in zip(c, shifted, strict=True))

    def vanishes(x: mpf) -> bool:
        terms = [abs(a * mpmath.exp(q * x)) for a, q in zip(c, shifted, strict=True)]
        return abs(value(x)) < FLAT * mpmath.fsum(terms)

    slope = [a * q for a, q in zip(c[1:], shifted[1:], strict=True)]
    extrema, _ = _zeros(shifted[1:], slope)
    low = _beyond(c[0], c[1:], shifted[1:], min(extrema, default=mpf(0)), -1)
    falling = [q - shifted[-1] for q in shifted[:-1]]
    high = _beyond(c[-1], c[:-1], falling, max(extrema, default=mpf(0)), 1)
    # a double zero changes no sign: it is an extremum whose value is round-off
    flat = [x for x in extrema if vanishes(x)]
    ends = [low, *extrema, high]
    between = [
        _bisect(value, a, b)
        for a, b in itertools.pairwise(ends)
        if a not in flat and b not in flat and value(a) * value(b) < 0
    ]
    return sorted(flat + between), extrema


def _beyond(term: mpf, others: Sequence[mpf], r: Sequence[mpf], start: mpf, side: int) -> mpf:
    """A point past which one term outweighs all others together."""
    step = mpf(1)
    while step < FARTHEST:
        x = start + side * step
        if abs(term) > mpmath.fsum(
            abs(a) * mpmath.exp(q * x) for a, q in zip(others, r, strict=True)
        ):
            return x
        step *= 2
    return start + side * FARTHEST


def _bisect(value: Callable[[mpf], mpf], a: mpf, b: mpf) -> mpf:
    """The zero in a bracket on which the function is monotone: Illinois steps, and halving."""
    fa, fb = value(a), value(b)
    smallest = mpf(10) ** (-DIGITS)
    for step in range(400):
        if abs(b - a) <= smallest * max(1, abs(a)):
            break
        x = (a + b) / 2 if step % 3 == 2 or fa == fb else b - fb * (b - a) / (fb - fa)
        fx = value(x)
        if fx == 0:
            return x
        if fx * fb < 0:
            a, fa = b, fb
        else:
            fa /= 2
        b, fb = x, fx
    return (a + b) / 2 if abs(fa) > abs(fb) * 1e10 else b
