"""Judge a fixed point with zero eigenvalues by the rates a little away from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from eigendyn.analysis.fixed_points.newton import Dynamics, evaluate, rates_at

AWAY = 0.01  # distance, in units of the largest coordinate or of 1
TINY = 1e-12  # rate that is none, in units of the Jacobian's largest entry or of 1
ITERATIONS = 8  # of Newton's method


def tendencies(
    system: Dynamics, x: NDArray, jacobian: NDArray, count: int, parameters: Mapping
) -> list[tuple[int, int]]:
    r"""Tell whether displacements along zero modes grow or decay, on either side.

    All other directions are brought to rest: f(y) = W g, Vᵀ(y − x) = ε a, with left and right null
    vectors W and V of the Jacobian. What is left moves as d(Wᵀy)/dt = g.

    Args:
        system: Rates of change.
        x: A fixed point (coordinates,).
        jacobian: Its Jacobian (coordinates, coordinates).
        count: Number of zero modes.
        parameters: Numbers by name.

    Returns:
        For each of the null vectors, on its one side and its other: 1 grows, −1 decays, 0 neither
        or unknown.

    Source: Lyapunov and Schmidt's reduction.
    """
    left, _, right = np.linalg.svd(jacobian)
    across, along = left[:, -count:], right[-count:].T
    distance = AWAY * max(1.0, float(np.abs(x).max()))
    none = TINY * max(1.0, float(np.abs(jacobian).max()))

    def tendency(direction: NDArray, side: int) -> int:
        y, moves = x + side * distance * along @ direction, np.zeros(count)
        for _ in range(ITERATIONS):
            rates = rates_at(system, y[None], parameters)[0]
            slopes = evaluate(system, y[None], parameters).jacobian[0]
            off = np.concatenate(
                [rates - across @ moves, along.T @ (y - x) - side * distance * direction]
            )
            matrix = np.block([[slopes, -across], [along.T, np.zeros((count, count))]])
            if not (np.isfinite(matrix).all() and np.isfinite(off).all()):
                return 0
            change = np.linalg.lstsq(matrix, -off, rcond=None)[0]
            y, moves = y + change[: len(x)], moves + change[len(x) :]
        grows = side * float(direction @ along.T @ across @ moves)
        return int(np.sign(grows)) if abs(grows) > none else 0

    return [(tendency(one, 1), tendency(one, -1)) for one in np.eye(count)]


def stability_of(
    rates: NDArray, unexplained: int = 0, sides: Sequence[tuple[int, int]] = ()
) -> str:
    """Name the stability.

    Args:
        rates: Real parts of the eigenvalues that are not zero modes (eigenvalues,); zero where
            their sign is not known.
        unexplained: Number of zero modes that nothing explains.
        sides: What happens along zero modes (see `tendencies`).
    """
    grows = (rates > 0).any() or any(max(pair) > 0 and min(pair) >= 0 for pair in sides)
    if not grows and any(max(pair) > 0 for pair in sides):
        return "half-stable"
    if grows:
        decays = (rates < 0).any() or any(min(pair) < 0 for pair in sides)
        return "saddle" if decays else "unstable"
    decided = sum(min(pair) < 0 for pair in sides)
    return "neutral" if unexplained > decided or (rates == 0).any() else "stable"
