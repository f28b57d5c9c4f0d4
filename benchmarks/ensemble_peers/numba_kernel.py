"""Hand-written numba: Dormand–Prince 5(4), one trajectory at a time, all threads, dense output.

The peer that a careful user would write for one equation: everything inlined, scratch arrays made
once for a block of trajectories, first slope reused, cubic-free quartic dense output.
"""

from __future__ import annotations

import numba as nb
import numpy as np

A = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
E1, E3, E4, E5, E6, E7 = (
    *(-71 / 57600, 71 / 16695, -71 / 1920, 17253 / 339200, -22 / 525, 1 / 40),
)
D1, D3, D4, D5, D6, D7 = (
    *(-12715105075 / 11282082432, 87487479700 / 32700410799, -10690763975 / 1880347072),
    *(701980252875 / 199316789632, -1453857185 / 822651844, 69997945 / 29380423),
)


@nb.njit(fastmath=True, inline="always")
def cosine(y, out):
    """Mean-field cosine closure, α = 1, σ = 0."""
    a = b = d = 0.0
    for i in range(len(y)):
        s = y[i] * y[i]
        a += s * y[i]
        b += y[i]
        d += s
    q = 2.0 / (a * np.sqrt(a * b))
    for i in range(len(y)):
        out[i] = y[i] * y[i] * (q * a - y[i] * q * d)


@nb.njit(fastmath=True, inline="always")
def euclidean(y, out):
    """dλ/dt = 2λ²(1 − λ) in every mode."""
    for i in range(len(y)):
        out[i] = 2.0 * y[i] * y[i] * (1.0 - y[i])


def build(rates):
    """A function of (starts, times, rtol, atol, values, blocks) for one right-hand side."""

    @nb.njit(fastmath=True, error_model="numpy")
    def one(y0, times, rtol, atol, values, y, z, k1, k2, k3, k4, k5, k6, k7):
        n, count, end = len(y0), len(times), times[-1]
        t = times[0]
        y[:] = y0
        values[:, 0] = y0
        rates(y, k1)
        h = 1e300
        for i in range(n):
            h = min(h, (abs(y[i]) + atol) / (abs(k1[i]) + 1e-300))
        h = min(0.5 * rtol**0.2 * h, end - t)
        saved, steps = 1, 0
        while saved < count:
            last = h >= end - t
            if last:
                h = end - t
            for i in range(n):
                z[i] = y[i] + h * (A[0][0] * k1[i])
            rates(z, k2)
            for i in range(n):
                z[i] = y[i] + h * (A[1][0] * k1[i] + A[1][1] * k2[i])
            rates(z, k3)
            for i in range(n):
                z[i] = y[i] + h * (A[2][0] * k1[i] + A[2][1] * k2[i] + A[2][2] * k3[i])
            rates(z, k4)
            for i in range(n):
                z[i] = y[i] + h * (
                    A[3][0] * k1[i] + A[3][1] * k2[i] + A[3][2] * k3[i] + A[3][3] * k4[i]
                )
            rates(z, k5)
            for i in range(n):
                z[i] = y[i] + h * (
                    A[4][0] * k1[i]
                    + A[4][1] * k2[i]
                    + A[4][2] * k3[i]
                    + A[4][3] * k4[i]
                    + A[4][4] * k5[i]
                )
            rates(z, k6)
            for i in range(n):
                z[i] = y[i] + h * (
                    A[5][0] * k1[i]
                    + A[5][2] * k3[i]
                    + A[5][3] * k4[i]
                    + A[5][4] * k5[i]
                    + A[5][5] * k6[i]
                )
            rates(z, k7)
            error = 0.0
            for i in range(n):
                e = E1 * k1[i] + E3 * k3[i] + E4 * k4[i] + E5 * k5[i] + E6 * k6[i] + E7 * k7[i]
                error = max(error, abs(h * e) / (atol + rtol * max(abs(y[i]), abs(z[i]))))
            steps += 1
            if error <= 1.0:
                after = end if last else t + h
                reached = saved
                while reached < count and times[reached] <= after:
                    reached += 1
                if reached > saved:
                    for i in range(n):
                        dy = z[i] - y[i]
                        r3 = h * k1[i] - dy
                        r4 = dy - h * k7[i] - r3
                        r5 = h * (
                            D1 * k1[i]
                            + D3 * k3[i]
                            + D4 * k4[i]
                            + D5 * k5[i]
                            + D6 * k6[i]
                            + D7 * k7[i]
                        )
                        for s in range(saved, reached):
                            x = (times[s] - t) / h
                            values[i, s] = y[i] + x * (
                                dy + (1 - x) * (r3 + x * (r4 + (1 - x) * r5))
                            )
                    saved = reached
                t = after
                for i in range(n):
                    y[i] = z[i]
                    k1[i] = k7[i]
            h *= min(5.0, max(0.2, 0.9 * max(error, 1e-10) ** -0.2))
        return steps

    @nb.njit(parallel=True, fastmath=True, error_model="numpy")
    def many(starts, times, rtol, atol, values, blocks):
        size = (len(starts) + blocks - 1) // blocks
        for block in nb.prange(blocks):
            w = np.empty((9, starts.shape[1]))
            for b in range(block * size, min(len(starts), (block + 1) * size)):
                one(starts[b], times, rtol, atol, values[b], *_rows(w))

    @nb.njit
    def _rows(w):
        return w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8]

    return many
