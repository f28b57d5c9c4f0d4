r"""Follow the curve of solutions of F(y) = 0 by pseudo-arclength continuation.

F leaves one unknown free. Predict along the tangent t, y* = y + h t, and correct by Newton's
method in the hyperplane across it, F(y) = 0 and t · (y − y*) = 0, so that the curve may turn
around.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Equations = Callable[[NDArray], tuple[NDArray, NDArray]]  # y → F(y) and its Jacobian

ITERATIONS = 10  # of Newton's method
EASY = 3  # iterations up to which the next step may be longer
CONVERGED = 1e-12  # last change of y
NEARLY = 1e-8  # … that is accepted if the equations hold
TURN = 0.25  # largest angle between tangents of neighbours
ASIDE = 0.3  # share of a step by which the correction may change it at most
GROWTH = 1.4


@dataclass(frozen=True, eq=False)
class Spot:
    """A point on the curve.

    Args:
        y: The unknowns (unknowns,).
        tangent: Unit tangent (unknowns,).
        iterations: Newton's, that it took.
    """

    y: NDArray
    tangent: NDArray
    iterations: int


def correct(
    equations: Equations, guess: NDArray, normal: NDArray, along: NDArray, tolerance: float
) -> Spot | None:
    """Bring a guess onto the curve, in the hyperplane through it across a normal.

    Args:
        equations: F and its Jacobian; equations that hold by themselves may be among them.
        guess: Where to begin (unknowns,).
        normal: Normal of the hyperplane (unknowns,).
        along: Direction that the tangent shall have, roughly (unknowns,).
        tolerance: Largest |F| on the curve.

    Returns:
        The point; None if there is none nearby.
    """
    y = np.array(guess, float)
    change, iterations = np.full(len(y), np.inf), 0
    while iterations < ITERATIONS and np.abs(change).max() > CONVERGED:
        residual, jacobian = equations(y)
        if not (np.isfinite(residual).all() and np.isfinite(jacobian).all()):
            return None
        matrix = np.vstack([jacobian, normal])
        right = np.append(residual, normal @ (y - guess))
        change, *_ = np.linalg.lstsq(matrix, -right, rcond=1e-14)
        y = y + change
        iterations += 1
    residual, jacobian = equations(y)
    holds = np.isfinite(jacobian).all() and np.abs(residual).max(initial=0) <= tolerance
    if not holds or np.abs(change).max() > NEARLY:
        return None
    return Spot(y, tangent(jacobian, along), iterations)


def tangent(jacobian: NDArray, along: NDArray) -> NDArray:
    """Unit null vector (unknowns,) of the Jacobian, on the side of a direction."""
    vector = null_space(jacobian, 1)[0]
    return -vector if vector @ along < 0 else vector


def null_space(jacobian: NDArray, dimension: int) -> NDArray:
    """Orthonormal vectors (dimension, unknowns) that the Jacobian changes least."""
    unknowns = jacobian.shape[1]
    padded = np.vstack([jacobian, np.zeros((max(0, unknowns - len(jacobian)), unknowns))])
    return np.linalg.svd(padded)[2][-dimension:][::-1]


def advance(
    equations: Equations,
    spot: Spot,
    step: float,
    *,
    shortest: float,
    longest: float,
    tolerance: float,
) -> tuple[Spot | None, float]:
    """Take one step along the curve, as long as the curve allows.

    Args:
        equations: F and its Jacobian.
        spot: Where to go from, along its tangent.
        step: Length to try.
        shortest: Length at which to give up.
        longest: Largest length.
        tolerance: Largest |F| on the curve.

    Returns:
        The next point, None if no step succeeds; and the length to try next.
    """
    while step >= shortest:
        guess = spot.y + step * spot.tangent
        new = correct(equations, guess, spot.tangent, spot.tangent, tolerance)
        if (
            new is not None
            and np.linalg.norm(new.y - guess) <= ASIDE * step
            and new.tangent @ spot.tangent >= np.cos(TURN)
        ):
            easy = new.iterations <= EASY + 1
            return new, min(longest, step * (GROWTH if easy else 1.0))
        step /= 2
    return None, step
