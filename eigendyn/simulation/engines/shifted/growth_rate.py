"""Evaluate a sum of powers accurately in floats, close to its zeros too."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import mpmath
import numpy as np
from mpmath import mpf
from numpy.typing import NDArray

from eigendyn.simulation.engines.shifted.power_sum import DIGITS, PowerSum
from eigendyn.simulation.engines.shifted.zeros import zeros_and_extrema

ORDER = 26  # of the expansions about zeros and extrema: 1/26! = 2e-27
VANISHING = 1e-28  # second float over the first: what digits beyond DIGITS leave
NEAR = 1.0  # largest r |x − c| for which an expansion about c is used


@dataclass(frozen=True, eq=False)
class Growth:
    """g(x) = Σ c_i e^{r_i x}, x = log v, by expansions about its zeros and extrema.

    Args:
        rest: The zeros, which are fixed points, ascending, to many digits.
        centres: Zeros and extrema, to many digits.
        expansions: Taylor coefficients of g about each centre (centres, ORDER).
        exponents: r_i (terms,).
        coefficients: c_i (terms,).
    """

    rest: tuple[mpf, ...]
    centres: tuple[mpf, ...]
    expansions: NDArray
    exponents: NDArray
    coefficients: NDArray

    @property
    def steepest(self) -> float:
        """The largest exponent."""
        return float(self.exponents[-1])

    def __call__(self, distance: NDArray, origin: mpf | None) -> NDArray:
        """The growth rate at x = origin + distance.

        Args:
            distance: From the origin, of any shape; g is accurate relative to itself for any
                distance from a zero that is the origin.
            origin: A zero; None is x = 0.
        """
        base = mpf(0) if origin is None else origin
        x = float(base) + distance
        # far from zeros and extrema the plain sum is accurate; near them its terms cancel
        direct = np.zeros_like(x)
        for r, c in zip(self.exponents, self.coefficients, strict=True):
            direct += c * np.exp(r * x)
        best = np.full_like(x, NEAR / max(self.steepest, 1e-300))
        with mpmath.workdps(DIGITS):
            offsets = [float(base - centre) for centre in self.centres]
        for offset, expansion in zip(offsets, self.expansions, strict=True):
            h = offset + distance
            nearer = np.abs(h) < best
            if nearer.any():
                best[nearer] = np.abs(h[nearer])
                direct[nearer] = np.polynomial.polynomial.polyval(h[nearer], expansion)
        return direct


@lru_cache(maxsize=256)
def growth(rate: PowerSum) -> Growth:
    """Prepare a growth rate for evaluation in floats."""
    rest, extrema = zeros_and_extrema(rate)
    centres = (*rest, *(x for x in extrema if x not in rest))
    with mpmath.workdps(DIGITS):
        expansions = [_expansion(rate, x, x in rest) for x in centres]
    return Growth(
        rest=rest,
        centres=centres,
        expansions=np.array(expansions).reshape(len(centres), ORDER),
        exponents=np.array([float(r) for r in rate.exponents]),
        coefficients=np.array([float(c) for c in rate.coefficients]),
    )


def _expansion(rate: PowerSum, centre: mpf, is_zero: bool) -> list[float]:
    terms = [
        c * mpmath.exp(r * centre) for r, c in zip(rate.exponents, rate.coefficients, strict=True)
    ]
    found = [
        float(
            mpmath.fsum(a * r**k for a, r in zip(terms, rate.exponents, strict=True))
            / mpmath.factorial(k)
        )
        for k in range(ORDER)
    ]
    return [0.0, *found[1:]] if is_zero else found


def two_floats(rest: mpf) -> tuple[float, float]:
    """Singular value at a fixed point x = log v, as a sum of two floats."""
    with mpmath.workdps(DIGITS):
        exact = mpmath.exp(rest / 2)
        high = float(exact)
        low = float(exact - high)
    return high, low if abs(low) > VANISHING * high else 0.0
