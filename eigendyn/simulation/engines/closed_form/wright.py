r"""Solve ω + ln ω = x and −p − ln(1 − p) = y for real arguments, in JAX.

Both are the Lambert W function in variables that neither overflow nor cancel: the Wright omega
function ω(x) = W₀(eˣ), and p(y) = 1 + W₀(−e^{−1−y}), which keeps its digits where W₀ is near −1.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

SERIES_TERMS = 15  # of Σ ρ^{2k}/(2k+3), ρ ≤ 1/3: the first one left out is below 1e-17


@jax.custom_jvp
@jax.jit
def wright_omega(x: ArrayLike) -> Array:
    r"""Solve ω + ln ω = x for ω > 0.

    Args:
        x: Any real numbers, of any shape.

    Returns:
        ω(x), in the precision of `x`; below the smallest float it underflows to 0, like eˣ. Its
        derivative is ω/(1 + ω).

    Source: Corless and Jeffrey 2002, the Wright ω function; for x > 1 the iteration of Fritsch,
        Shafer and Crowley 1973.
    """
    x = jnp.asarray(x)
    large = x > 1  # below, eˣ is harmless and x itself would cost digits: ω e^ω = eˣ
    return jnp.where(large, _omega_of(jnp.where(large, x, 1)), _lambert(jnp.where(large, 1, x)))


@wright_omega.defjvp
def _wright_omega_jvp(primals, tangents):
    omega = wright_omega(*primals)
    return omega, omega / (1 + omega) * tangents[0]


def _omega_of(x: Array) -> Array:
    logarithm = jnp.log(x)
    omega = x - logarithm + logarithm / x
    for _ in range(2):
        step = (x - omega - jnp.log(omega)) / (1 + omega)
        slope, bend = 2 + 4 * step / 3, step / (1 + omega)
        omega = omega * (1 + step * (slope - bend) / (slope - 2 * bend))
    return jnp.where(jnp.isposinf(x), x, omega)


def _lambert(x: Array) -> Array:
    z = jnp.exp(x)
    logarithm = jnp.log1p(z)
    omega = logarithm * (1 - jnp.log1p(logarithm) / (2 + logarithm))
    for _ in range(2):  # Halley's method; in this form, as XLA turns z e^{−ω} into e^{x − ω}
        growth = jnp.exp(omega)
        step = (omega * growth - z) / (growth * (1 + omega))
        omega = omega - step / (1 - step * (2 + omega) / (2 + 2 * omega))
    return omega


@jax.custom_jvp
@jax.jit
def depletion(y: ArrayLike) -> Array:
    r"""Solve −p − ln(1 − p) = y for p in [0, 1], the inverse of `depletion_time`.

    p = 1 + W₀(−e^{−1−y}) on the principal branch. For y → 0 it is √(2y), to full relative
    accuracy.

    Args:
        y: Non-negative numbers, of any shape.

    Returns:
        p(y), in the precision of `y`. Its derivative is (1 − p)/p.
    """
    y = jnp.asarray(y)
    resolution = jnp.finfo(y.dtype).eps
    inside = jnp.clip(y, jnp.finfo(y.dtype).tiny, 2 - jnp.log(resolution))
    root = jnp.sqrt(2 * inside)
    p = -jnp.expm1(-inside - root / (1 + root / 3 + root**2 / 10))
    for _ in range(2):  # Halley's method
        p = jnp.minimum(p, 1 - resolution)
        step = (depletion_time(p) - inside) * (1 - p) / p
        p = p - step / (1 - step / (2 * p * (1 - p)))
    return jnp.where(y > 0, jnp.minimum(p, 1), 0 * y)


@depletion.defjvp
def _depletion_jvp(primals, tangents):
    p = depletion(*primals)
    return p, (1 - p) / p * tangents[0]


@jax.jit
def depletion_time(p: ArrayLike) -> Array:
    r"""Evaluate y = −p − ln(1 − p) = p²/2 + p³/3 + … without cancellation.

    With ρ = p/(2 − p): y = pρ + 2ρ³ Σ_k ρ^{2k}/(2k + 3).

    Args:
        p: Numbers in [0, 1], of any shape.

    Returns:
        y(p) ≥ 0, infinite at p = 1.
    """
    p = jnp.asarray(p)
    small = p < 0.5
    few = jnp.where(small, p, 0)
    rho = few / (2 - few)
    tail = 0
    for k in reversed(range(SERIES_TERMS)):
        tail = tail * rho**2 + 1 / (2 * k + 3)
    series = few * rho + 2 * rho**3 * tail
    return jnp.where(small, series, -p - jnp.log1p(-jnp.where(small, 0, p)))
