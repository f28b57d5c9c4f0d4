"""Build a Runge–Kutta–Chebyshev method in the shape of another method.

Explicit steps of y' = −y/τ are stable up to a few τ at best, however little is left of y. With s
evaluations a Runge–Kutta–Chebyshev method of order 2 is stable up to 0.65 s² τ: a state that
has settled, and would relax quickly if it were disturbed, does not shorten its steps.

Source: Sommeijer, Shampine and Verwer 1998, RKC: an explicit solver for parabolic PDEs.
"""

from __future__ import annotations

import numpy as np
from numpy.polynomial.chebyshev import Chebyshev
from numpy.typing import NDArray

from eigendyn.simulation.engines.runge_kutta.tableau import Row, Tableau

DAMPING = 2 / 13
CAUTION = 20.0  # a method of order 5 errs far less than its estimate; here they are equal


def chebyshev_like(shape: Tableau) -> Tableau:
    """The method with as many evaluations, estimates and coefficients as another one.

    Its dense output is Hermite's cubic, and its error estimate
    h (0.4 (f(y₀) + f(y₁)) − 0.8 Σ b_j k_j) is enlarged, so that what slowly grows while it is used
    stays accurate.
    """
    count = len(shape.stages) + 1
    stages = _states(count)
    b = np.append(stages[-1], 0.0)
    first, last = (np.eye(count + 1)[place] for place in (0, count))
    # a lane changes its method by the numbers alone: rows that this one lacks are zero
    dense = (first, 3 * b - 2 * first - last, first + last - 2 * b)
    errors = (CAUTION * (0.4 * (first + last) - 0.8 * b),)
    zeros = (0.0,) * len(shape.extra)
    return Tableau(
        stages=tuple(_row(row[:i]) for i, row in enumerate(stages[:-1], start=1)),
        weights=_row(stages[-1]),
        errors=_filled(errors, len(shape.errors)),
        extra=((0.0,),) * len(shape.extra),
        dense=tuple((*row, *zeros) for row in _filled(dense, len(shape.dense))),
        order=3,
        growth=1.3,  # more would only lead beyond where it is stable, and back
        # it is stable up to 2/3 (s² − 1), about 0.64 s²: room for errors of the measured rate
        stable=0.55 * count**2,
    )


def _states(count: int) -> NDArray:
    """Weights of the slopes in the state after each evaluation, by the three-term recurrence."""
    w0 = 1 + DAMPING / count**2
    polynomials = [Chebyshev.basis(j) for j in range(count + 1)]
    value, slope, bend = (
        np.array([p.deriv(n)(w0) if n else p(w0) for p in polynomials]) for n in range(3)
    )
    # w0, w1 and b make the stability polynomial e^z to order 2; damping keeps it below one inside
    w1 = slope[-1] / bend[-1]
    b = np.ones(count + 1)
    b[2:] = bend[2:] / slope[2:] ** 2
    b[:2] = b[2]
    states = np.zeros((count + 1, count))
    states[1, 0] = b[1] * w1
    for j in range(2, count + 1):
        before, earlier = 2 * b[j] * w0 / b[j - 1], -b[j] / b[j - 2]
        new = 2 * b[j] * w1 / b[j - 1]
        states[j] = before * states[j - 1] + earlier * states[j - 2]
        states[j, j - 1] += new
        states[j, 0] -= (1 - b[j - 1] * value[j - 1]) * new
    return states[1:]


def _row(values: NDArray) -> Row:
    return tuple(float(value) for value in values)


def _filled(rows: tuple[NDArray, ...], count: int) -> tuple[Row, ...]:
    """Rows, and as many empty ones as are missing."""
    return (*map(_row, rows), *((0.0,) * len(rows[0]),) * (count - len(rows)))
