"""Solve with Dormand–Prince 5(4) by hand in numba: a step size per trajectory, 2 threads.

A scalar loop over modes inside every stage, vectorised by LLVM; saved times are written inline.
Modes that are apart (E) share a step within a trajectory, which measured faster than one each.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from peers import has

PROBLEMS = ("E", "C")
THREADS = 2


def is_installed() -> bool:
    """Whether numba is here."""
    return has("numba")


def solve(problem: str, starts: NDArray, times: NDArray, rtol: float, atol: float) -> NDArray:
    """Integrate every trajectory (trajectories, modes, times)."""
    alone, ensemble = _kernel(problem)
    kernel = alone if len(starts) == 1 else ensemble
    values = np.empty((*starts.shape, len(times)))
    kernel(starts, times, rtol, atol, values)
    return values


_KERNELS: dict = {}


def _kernel(problem: str):
    if problem not in _KERNELS:
        _KERNELS[problem] = _build(problem)
    return _KERNELS[problem]


def _build(problem: str):
    import numba

    numba.set_num_threads(THREADS)
    flags = {"contract", "reassoc", "arcp", "nsz"}  # NaN stays NaN
    fast = numba.njit(fastmath=flags, error_model="numpy")

    @fast
    def rate_e(y, out):
        for m in range(len(y)):
            out[m] = 2.0 * y[m] * y[m] * (1.0 - y[m])

    @fast
    def rate_c(y, out):
        s1 = s2 = s3 = 0.0
        for m in range(len(y)):
            square = y[m] * y[m]
            s1 += y[m]
            s2 += square
            s3 += square * y[m]
        f = 2.0 / (s3 * np.sqrt(s3 * s1))
        s3 *= f
        s2 *= f
        for m in range(len(y)):
            out[m] = y[m] * y[m] * (s3 - y[m] * s2)

    rate = {"E": rate_e, "C": rate_c}[problem]

    @fast
    def trajectory(start, times, rtol, atol, work, out):
        modes = len(start)
        y, new, k1, k2, k3, k4, k5, k6, k7 = (
            work[0],
            work[1],
            work[2],
            work[3],
            work[4],
            work[5],
            work[6],
            work[7],
            work[8],
        )
        for m in range(modes):
            y[m] = start[m]
            out[m, 0] = start[m]
        rate(y, k1)
        size = 0.0
        slope = 0.0
        for m in range(modes):
            scale = atol + rtol * abs(y[m])
            size += (y[m] / scale) ** 2
            slope += (k1[m] / scale) ** 2
        h = 0.01 * np.sqrt(size / slope) if slope > 0 else 1e-3
        t = times[0]
        end = times[-1]
        saved = 1
        previous = 1e-4
        while saved < len(times):
            h = min(h, end - t)
            for m in range(modes):
                new[m] = y[m] + h * 0.2 * k1[m]
            rate(new, k2)
            for m in range(modes):
                new[m] = y[m] + h * (3 / 40 * k1[m] + 9 / 40 * k2[m])
            rate(new, k3)
            for m in range(modes):
                new[m] = y[m] + h * (44 / 45 * k1[m] - 56 / 15 * k2[m] + 32 / 9 * k3[m])
            rate(new, k4)
            for m in range(modes):
                new[m] = y[m] + h * (
                    19372 / 6561 * k1[m]
                    - 25360 / 2187 * k2[m]
                    + 64448 / 6561 * k3[m]
                    - 212 / 729 * k4[m]
                )
            rate(new, k5)
            for m in range(modes):
                new[m] = y[m] + h * (
                    9017 / 3168 * k1[m]
                    - 355 / 33 * k2[m]
                    + 46732 / 5247 * k3[m]
                    + 49 / 176 * k4[m]
                    - 5103 / 18656 * k5[m]
                )
            rate(new, k6)
            for m in range(modes):
                new[m] = y[m] + h * (
                    35 / 384 * k1[m]
                    + 500 / 1113 * k3[m]
                    + 125 / 192 * k4[m]
                    - 2187 / 6784 * k5[m]
                    + 11 / 84 * k6[m]
                )
            rate(new, k7)
            total = 0.0
            for m in range(modes):
                gap = h * (
                    71 / 57600 * k1[m]
                    - 71 / 16695 * k3[m]
                    + 71 / 1920 * k4[m]
                    - 17253 / 339200 * k5[m]
                    + 22 / 525 * k6[m]
                    - 1 / 40 * k7[m]
                )
                gap /= atol + rtol * max(abs(y[m]), abs(new[m]))
                total += gap * gap
            ratio = np.sqrt(total / modes)
            if ratio <= 1.0:
                reached = t + h
                if end - reached < 1e-12 * end:
                    reached = end
                while saved < len(times) and times[saved] <= reached:
                    x = (times[saved] - t) / h
                    z = 1.0 - x
                    # Hairer's form of Shampine's fourth-order interpolant
                    for m in range(modes):
                        change = new[m] - y[m]
                        bend = h * k1[m] - change
                        last = change - h * k7[m] - bend
                        fifth = h * (
                            -12715105075 / 11282082432 * k1[m]
                            + 87487479700 / 32700410799 * k3[m]
                            - 10690763975 / 1880347072 * k4[m]
                            + 701980252875 / 199316789632 * k5[m]
                            - 1453857185 / 822651844 * k6[m]
                            + 69997945 / 29380423 * k7[m]
                        )
                        out[m, saved] = y[m] + x * (change + z * (bend + x * (last + z * fifth)))
                    saved += 1
                t = reached
                y, new = new, y
                k1, k7 = k7, k1
                factor = 0.9 * max(ratio, 1e-10) ** -0.17 * previous**0.04
                previous = max(ratio, 1e-4)
                h *= min(10.0, max(0.2, factor))
            else:
                h *= max(0.2, 0.9 * ratio**-0.2)
            if not h > 1e-14:  # NaN too
                out[:, saved:] = np.nan
                return

    @numba.njit
    def several(starts, times, rtol, atol, values, block, blocks):
        work = np.empty((9, starts.shape[1]))
        for i in range(block * len(starts) // blocks, (block + 1) * len(starts) // blocks):
            trajectory(starts[i], times, rtol, atol, work, values[i])

    @numba.njit(parallel=True)
    def ensemble(starts, times, rtol, atol, values):
        blocks = min(len(starts), 16 * THREADS)
        for block in numba.prange(blocks):
            several(starts, times, rtol, atol, values, block, blocks)

    @numba.njit
    def alone(starts, times, rtol, atol, values):
        several(starts, times, rtol, atol, values, 0, 1)

    return alone, ensemble
