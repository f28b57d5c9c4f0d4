"""Solve a problem at the watched places to round-off, by Taylor series.

Taylor series of order 24 in NumPy, by the recurrences for products and powers of series, each
trajectory with its own step; saved times are read off the series. No peer and no part of eigendyn
is used. `exact_cosine` has the reference of the exact closure.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from problems import TIMES, Problem

ORDER = 24
SMALL = 1e-17  # size of the last terms over the value


def reference(problem: Problem) -> NDArray:
    """Values at the watched trajectories and modes (trajectories, modes, times)."""
    rows, columns = problem.watched
    starts = problem.starts(len(range(problem.trajectories)[rows]))
    if problem.name == "X":
        from exact_cosine import reference as exact

        return exact(starts, TIMES)
    if problem.name == "E":
        starts = starts[:, columns]
        apart = integrate("E", starts.reshape(-1, 1), TIMES, slice(None))
        return apart.reshape(*starts.shape, len(TIMES))
    return integrate("C", starts, TIMES, columns)


def integrate(name: str, starts: NDArray, times: NDArray, columns: slice) -> NDArray:
    """Follow starts (trajectories, modes) and keep some modes (trajectories, kept, times)."""
    series = {"E": _series_e, "C": _series_c}[name]
    values = np.empty((*starts[:, columns].shape, len(times)))
    state, time, saved = starts.copy(), np.zeros(len(starts)), np.zeros(len(starts), int)
    active = np.arange(len(starts))
    while len(active):
        terms = series(state[active])  # (ORDER + 1, active, modes)
        size = np.abs(terms) / (np.abs(terms[0]) + 1e-12)
        last = [
            (SMALL / np.maximum(size[k].max(axis=1), 1e-300)) ** (1 / k) for k in (ORDER - 1, ORDER)
        ]
        step = np.minimum(np.minimum(*last), times[-1] - time[active] + 1e-9)
        for row, trajectory in enumerate(active):
            end = time[trajectory] + step[row]
            stop = int(np.searchsorted(times, end, "right"))
            for i in range(saved[trajectory], stop):
                kept = terms[:, row, columns]
                values[trajectory, :, i] = _horner(kept, times[i] - time[trajectory])
            saved[trajectory] = stop
        state[active] = _horner(terms, step[:, None])
        time[active] += step
        active = active[saved[active] < len(times)]
    return values


def _horner(terms: NDArray, h: NDArray | float) -> NDArray:
    total = terms[-1].copy()
    for term in terms[-2::-1]:
        total = total * h + term
    return total


def _convolve(a: list[NDArray], b: list[NDArray], n: int) -> NDArray:
    return sum(a[j] * b[n - j] for j in range(n + 1))


def _series_e(start: NDArray) -> NDArray:
    y, square, cube = [start], [], []
    for n in range(ORDER):
        square.append(_convolve(y, y, n))
        cube.append(_convolve(square, y, n))
        y.append(2 * (square[n] - cube[n]) / (n + 1))
    return np.stack(y)


def _series_c(start: NDArray) -> NDArray:
    """The rate is 2(λ² f − λ³ g), f = S₃^{−1/2} S₁^{−1/2}, g = S₂ S₃^{−3/2} S₁^{−1/2}."""
    y, square, cube = [start], [], []
    s1, s2, s3, root1, root3, f, inverse, g = ([] for _ in range(8))
    for n in range(ORDER):
        square.append(_convolve(y, y, n))
        cube.append(_convolve(square, y, n))
        for sums, power in ((s1, y), (s2, square), (s3, cube)):
            sums.append(power[n].sum(axis=1, keepdims=True))
        _extend_power(root1, s1, -0.5, n)
        _extend_power(root3, s3, -0.5, n)
        f.append(_convolve(root1, root3, n))
        _extend_power(inverse, s3, -1.0, n)
        g.append(sum(s2[i] * _convolve(inverse, f, n - i) for i in range(n + 1)))
        y.append(2 * (_convolve(square, f, n) - _convolve(cube, g, n)) / (n + 1))
    return np.stack(y)


def _extend_power(power: list[NDArray], base: list[NDArray], p: float, n: int) -> None:
    """Append term n of base^p: n b₀ q_n = Σ_{j≥1} (p j − (n − j)) b_j q_{n−j}."""
    if n == 0:
        power.append(base[0] ** p)
        return
    total = sum((p * j - (n - j)) * base[j] * power[n - j] for j in range(1, n + 1))
    power.append(total / (n * base[0]))
