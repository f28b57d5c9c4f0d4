"""Solve with SciPy's solve_ivp, one trajectory after another, by dense output."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

PROBLEMS = ("E", "C", "X")


def is_installed() -> bool:
    """SciPy comes with eigendyn."""
    return True


def solve(
    problem: str,
    starts: NDArray,
    times: NDArray,
    rtol: float,
    atol: float,
    method: str = "DOP853",
) -> NDArray:
    """Integrate one trajectory after another (trajectories, modes, times)."""
    from scipy.integrate import solve_ivp

    values = np.full((*starts.shape, len(times)), np.nan)
    for start, row in zip(starts, values, strict=True):
        solution = solve_ivp(
            rate(problem),
            (times[0], times[-1]),
            start,
            method,
            t_eval=times,
            rtol=max(rtol, 3e-14),
            atol=atol,
        )
        row[:, : solution.y.shape[1]] = solution.y
    return values


def rate(problem: str) -> Callable[[float, NDArray], NDArray]:
    """dλ/dt of (…, modes) in NumPy."""
    if problem == "X":
        from exact_cosine import rate as exact

        return exact
    return {"E": _rate_e, "C": _rate_c}[problem]


def _rate_e(_time: float, y: NDArray) -> NDArray:
    return 2 * y * y * (1 - y)


def _rate_c(_time: float, y: NDArray) -> NDArray:
    square = y * y
    s1, s2 = y.sum(axis=-1, keepdims=True), square.sum(axis=-1, keepdims=True)
    s3 = (square * y).sum(axis=-1, keepdims=True)
    return 2 * square * (s3 - y * s2) / (s3 * np.sqrt(s3 * s1))
