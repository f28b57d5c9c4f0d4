"""Compute the theory a second time: the moments of the cosine loss by hand.

Nothing here comes from eigendyn; tests compare the two. The losses a second time are those of the
network side, `eigendyn.network.losses`.
"""

import numpy as np


def cosine_moments(v, lam, var1, var2, step=0.45, farthest=45):
    """G1 of cosine, G1 of iso-cosine, G2 without stop-gradient, by a dense quadrature in NumPy.

    The hand forms of the tilted Gaussian integrals, on a plain trapezoid in log a and log b: no
    stretching, no pruning, and other variables than the library's. The integrand is analytic for
    |Im log a| < π, so the step errs by about exp(−2π²/step) = 1e-19; what is cut off on the left
    is exp(−35), as the integrand falls off like a square root there.
    """
    c11, c22, c12 = v * (1 + var1), v * (1 + var2), v
    det = v**2 * (var1 + var2 + var1 * var2)
    grid = np.arange(-70, farthest, step)
    a = np.exp(grid) / (lam**2 * c11).sum()
    b = np.exp(grid) / c22.sum()
    total = np.zeros((3, len(v)))
    for few in np.array_split(b, -(-len(b) * len(v) // 160)):  # stays in the cache
        b_row = few[:, None, None]
        p, q = 2 * a[:, None] * lam**2, 2 * b_row
        delta = 1 + c11 * p + c22 * q + det * p * q
        t11, t22, t12 = (c11 + q * det) / delta, (c22 + p * det) / delta, c12 / delta
        z = np.exp(-0.5 * np.log(delta).sum(axis=-1, keepdims=True))
        s11 = (lam**2 * t11).sum(axis=-1, keepdims=True)
        s12 = (lam * t12).sum(axis=-1, keepdims=True)
        s22 = t22.sum(axis=-1, keepdims=True)
        first = z * a[:, None] ** 1.5 * b_row**0.5 * (t12 * s11 - lam * t11 * s12)
        second = z * a[:, None] ** 0.5 * b_row**1.5 * (lam * t12 * s22 - t22 * s12)
        total += np.stack([(lam * first).sum((0, 1)), first.sum((0, 1)), second.sum((0, 1))])
    return total * step**2 / (np.pi / 2)
