r"""Follow the curve of solutions of F(y) = 0 by pseudo-arclength continuation.

F leaves one unknown free. Predict along the tangent t, y* = y + h t, and correct by Newton's
method in the hyperplane across it, F(y) = 0 and t · (y − y*) = 0, so that the curve may turn
around.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
FIRST = 0.25  # of the longest step
SHORTEST = 1e-7  # step at which to give up


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


def reach(
    equations: Equations, before: Spot, after: Spot, axis: NDArray, bound: float, tolerance: float
) -> Spot | None:
    """The point, between two neighbours, at which the unknown along an axis has a value."""
    chord = after.y - before.y
    guess = before.y + (bound - axis @ before.y) / (axis @ chord) * chord
    return correct(equations, guess, axis, before.tangent, tolerance)


def distance(line: NDArray, at: NDArray) -> float:
    """Distance of a point (unknowns,) from the chords between neighbours (points, unknowns)."""
    begin, chord = line[:-1], np.diff(line, axis=0)
    length = np.maximum((chord**2).sum(axis=1), 1e-300)
    share = np.clip(((at - begin) * chord).sum(axis=1) / length, 0, 1)
    nearest = np.concatenate([line[:1], begin + share[:, None] * chord])
    return float(np.linalg.norm(nearest - at, axis=1).min(initial=np.inf))


def trace(
    equations: Equations, start: Spot, longest: float, most: int, tolerance: float
) -> Iterator[tuple[Spot, Spot | None, bool]]:
    """Follow the curve from a point, along its tangent, for as long as it is asked to.

    Args:
        equations: F and its Jacobian.
        start: Where to begin.
        longest: Largest length of a step.
        most: Number of steps.
        tolerance: Largest |F| on the curve.

    Yields:
        Every step: where it begins; where it ends, None, at last, if none succeeds; and whether it
        passes the start in the direction in which that was left.
    """
    here, step = start, FIRST * longest
    for count in range(most):
        new, step = _advance(equations, here, step, longest, tolerance)
        yield here, new, new is not None and count > 2 and _passes(here, new, start)
        if new is None:
            return
        here = new


def _advance(
    equations: Equations, spot: Spot, step: float, longest: float, tolerance: float
) -> tuple[Spot | None, float]:
    """Take one step, as long as the curve allows; and the length to try next."""
    while step >= SHORTEST:
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


def _passes(before: Spot, after: Spot, start: Spot) -> bool:
    chord = after.y - before.y
    length = np.linalg.norm(chord)
    reach = start.y - before.y
    share = reach @ chord / length**2
    away = np.linalg.norm(reach - share * chord)
    return bool(0 < share <= 1 and away < 0.1 * length and before.tangent @ start.tangent > 0.9)
