"""The theory a second time, by hand: losses in JAX and the hand forms of their moments.

Nothing here comes from eigendyn; tests compare the two.
"""

import jax
import jax.numpy as jnp
import numpy as np

stop = jax.lax.stop_gradient


def _direction(z1, z2, lam):
    """Descent direction of the cosine loss, divided by λ."""
    p, t = jnp.linalg.norm(lam * z1), jnp.linalg.norm(z2)
    return z2 / (p * t) - jnp.dot(lam * z1, z2) * lam * z1 / (p**3 * t)


def loss_value(name, z1, z2, lam, *, beta=None, predictor=True, stop_gradient=True):
    """Per-sample loss of one sample: z1, z2, λ (modes,)."""
    sg = stop if stop_gradient else lambda x: x
    lam = lam if predictor else jnp.ones_like(lam)
    if beta is not None:
        name = f"{name} family"
    if name == "euclidean":
        return 0.5 * jnp.sum((lam * z1 - sg(z2)) ** 2)
    if name == "iso-euclidean":
        return 0.5 * jnp.sum((z1 - sg(z2 + z1 - lam * z1)) ** 2)
    if name == "euclidean family":
        return -jnp.sum(z1 * stop(lam * (z2 - lam * z1) / lam**beta))
    if name == "cosine":
        target = sg(z2)
        return -jnp.dot(lam * z1, target) / (jnp.linalg.norm(lam * z1) * jnp.linalg.norm(target))
    if name == "iso-cosine":
        return -jnp.dot(z1, sg(_direction(z1, z2, lam)))
    if name == "cosine family":
        return -jnp.dot(z1, stop(lam * _direction(z1, z2, lam) / lam**beta))
    raise KeyError(name)


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
    for b_row in b:
        p, q = 2 * a[:, None] * lam**2, 2 * b_row
        delta = 1 + c11 * p + c22 * q + det * p * q
        t11, t22, t12 = (c11 + q * det) / delta, (c22 + p * det) / delta, c12 / delta
        z = np.exp(-0.5 * np.log(delta).sum(axis=1))
        s11 = (lam**2 * t11).sum(axis=1)[:, None]
        s12 = (lam * t12).sum(axis=1)[:, None]
        s22 = t22.sum(axis=1)[:, None]
        first = (z * a**1.5 * b_row**0.5)[:, None] * (t12 * s11 - lam * t11 * s12)
        second = (z * a**0.5 * b_row**1.5)[:, None] * (lam * t12 * s22 - t22 * s12)
        total += np.stack([lam * first, first, second]).sum(axis=1)
    return total * step**2 / (np.pi / 2)
