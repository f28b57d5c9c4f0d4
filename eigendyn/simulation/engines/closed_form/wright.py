r"""Solve ω + ln ω = x and −p − ln(1 − p) = y for real arguments.

Both are the Lambert W function in variables that neither overflow nor cancel: the Wright omega
function ω(x) = W₀(eˣ), and p(y) = 1 + W₀(−e^{−1−y}), which keeps its digits where W₀ is near −1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

SERIES_TERMS = 15  # of Σ ρ^{2k}/(2k+3), ρ ≤ 1/3: the first one left out is below 1e-17


@np.errstate(all="ignore")
def wright_omega(x: ArrayLike) -> NDArray:
    r"""Solve ω + ln ω = x for ω > 0.

    Args:
        x: Any real numbers, of any shape.

    Returns:
        ω(x), in the precision of `x`; below the smallest float it underflows to 0, like eˣ.

    Source: Corless and Jeffrey 2002, the Wright ω function; for x > 1 the iteration of Fritsch,
        Shafer and Crowley 1973.
    """
    x = np.asarray(x)
    large = x > 1  # below, eˣ is harmless and x itself would cost digits: ω e^ω = eˣ
    omega = np.empty_like(x)
    omega[large] = _omega_of(x[large])
    omega[~large] = _lambert(x[~large])
    return omega


def _omega_of(x: NDArray) -> NDArray:
    logarithm = np.log(x)
    omega = x - logarithm + logarithm / x
    for _ in range(2):
        step = (x - omega - np.log(omega)) / (1 + omega)
        slope, bend = 2 + 4 * step / 3, step / (1 + omega)
        omega = omega * (1 + step * (slope - bend) / (slope - 2 * bend))
    return np.where(np.isposinf(x), x, omega)


def _lambert(x: NDArray) -> NDArray:
    z = np.exp(x)
    logarithm = np.log1p(z)
    omega = logarithm * (1 - np.log1p(logarithm) / (2 + logarithm))
    for _ in range(2):  # Halley's method
        growth = np.exp(omega)
        step = (omega * growth - z) / (growth * (1 + omega))
        omega = omega - step / (1 - step * (2 + omega) / (2 + 2 * omega))
    return omega


@np.errstate(all="ignore")
def depletion(y: ArrayLike) -> NDArray:
    r"""Solve −p − ln(1 − p) = y for p in [0, 1], the inverse of `depletion_time`.

    p = 1 + W₀(−e^{−1−y}) on the principal branch. For y → 0 it is √(2y), to full relative
    accuracy.

    Args:
        y: Non-negative numbers, of any shape.

    Returns:
        p(y), in the precision of `y`.
    """
    y = np.asarray(y)
    resolution = np.finfo(y.dtype).eps
    inside = np.clip(y, np.finfo(y.dtype).tiny, 2 - np.log(resolution))
    root = np.sqrt(2 * inside)
    p = -np.expm1(-inside - root / (1 + root / 3 + root**2 / 10))
    for _ in range(2):  # Halley's method
        p = np.minimum(p, 1 - resolution)
        step = (depletion_time(p) - inside) * (1 - p) / p
        p = p - step / (1 - step / (2 * p * (1 - p)))
    return np.where(y > 0, np.minimum(p, 1), 0 * y)


@np.errstate(all="ignore")
def depletion_time(p: ArrayLike) -> NDArray:
    r"""Evaluate y = −p − ln(1 − p) = p²/2 + p³/3 + … without cancellation.

    With ρ = p/(2 − p): y = pρ + 2ρ³ Σ_k ρ^{2k}/(2k + 3).

    Args:
        p: Numbers in [0, 1], of any shape.

    Returns:
        y(p) ≥ 0, infinite at p = 1.
    """
    p = np.asarray(p)
    rho = p / (2 - p)
    square, tail = rho**2, np.zeros_like(p)
    for k in reversed(range(SERIES_TERMS)):
        tail = tail * square + 1 / (2 * k + 3)
    return np.where(p < 0.5, p * rho + 2 * rho**3 * tail, -p - np.log1p(-p))
