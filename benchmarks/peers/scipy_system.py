"""Solve with SciPy many trajectories as one system, one step size for all of a chunk.

The chunk stays in the cache; the norm of the error is over all of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from peers import scipy_loop

PROBLEMS = ("E", "C")
CHUNK = 10_000  # numbers in one system
is_installed = scipy_loop.is_installed


def solve(problem: str, starts: NDArray, times: NDArray, rtol: float, atol: float) -> NDArray:
    """Integrate chunk after chunk (trajectories, modes, times)."""
    from scipy.integrate import solve_ivp

    rate = scipy_loop.rate(problem)
    values = np.full((*starts.shape, len(times)), np.nan)
    size = max(1, CHUNK // starts.shape[1])
    for first in range(0, len(starts), size):
        chunk = starts[first : first + size]

        def flat(time: float, y: NDArray, shape: tuple = chunk.shape) -> NDArray:
            return rate(time, y.reshape(shape)).ravel()

        solution = solve_ivp(
            flat,
            (times[0], times[-1]),
            chunk.ravel(),
            "DOP853",
            t_eval=times,
            rtol=max(rtol, 3e-14),
            atol=atol,
        )
        reached = solution.y.shape[1]
        values[first : first + size, :, :reached] = solution.y.reshape(*chunk.shape, reached)
    return values
