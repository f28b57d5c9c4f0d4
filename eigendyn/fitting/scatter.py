"""Follow what is not known of ln v: a variance for each mode, or all covariances where they count.

Modes that do not move each other scatter apart: all arrays are (modes,). A normalised loss holds
shares of the variance and not the scale, so that an error of the scale stays for ever, however fast
each mode forgets its own: arrays of coupled modes are (modes, modes).

Source: Harvey 1989, Forecasting, structural time series models and the Kalman filter, §3.2.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax

SQUARINGS = 6  # of the flow over a step/2⁶, which is followed to fourth order
LARGEST = 20.0  # rate times a step that errors are followed by
TINY = 1e-6  # stands for zero below a line


def carried(scatter: Array, slopes: Array, added: Array) -> Array:
    r"""What is not known one step later, e^J P e^Jᵀ + ∫₀¹ e^Js Q e^Jᵀs ds.

    Args:
        scatter: P, what is not known before.
        slopes: J, ∂(d ln v/dt)/∂ ln v times the step, (modes,) or (modes, modes).
        added: Q, variance or covariance that noise adds in the step.
    """
    if scatter.ndim == 1:
        slopes = jnp.minimum(slopes, LARGEST)
        return jnp.exp(2 * slopes) * scatter + mean_exponential(2 * slopes) * added
    flow, more = _flow(slopes, added)
    return flow @ scatter @ flow.T + more


def mean_exponential(z: Array) -> Array:
    """(e^z − 1)/z, the mean of e^zs over 0 ≤ s ≤ 1."""
    z = jnp.where(jnp.abs(z) > TINY, z, TINY)
    return jnp.expm1(z) / z


def of_readings(scatter: Array, inside: Array, part: Array, errors: Array) -> Array:
    """Variances of readings (readings,), or their covariance (readings, readings).

    Args:
        scatter: What is not known of the modes.
        inside: Which modes a reading is of, 1 or 0 (readings, modes); each mode is in one at most.
        part: Share of each mode in its reading (modes,).
        errors: Variance of the readings' own errors (readings,).
    """
    if scatter.ndim == 1:
        return inside @ (part**2 * scatter) + errors
    weights = inside * part
    return weights @ scatter @ weights.T + jnp.diag(errors)


def independent(innovation: Array, spread: Array) -> tuple[Array, Array]:
    """Prediction errors (readings,) one after the other, each less what those before it tell.

    Args:
        innovation: All errors together (readings,).
        spread: Their variances or covariance.

    Returns:
        The errors, and their variances (readings,).
    """
    if spread.ndim == 1:
        return innovation, spread
    return _eliminated(spread, innovation[:, None])[1:]


class Learned(NamedTuple):
    """What readings tell of the modes.

    Args:
        shift: How far ln v of each is from what was foretold (modes,).
        kept: Share of its own error that each keeps (modes,).
        scatter: What is not known after them.
        errors: Prediction errors, each less what those before it tell (readings,).
        variances: Of the errors (readings,).
    """

    shift: Array
    kept: Array
    scatter: Array
    errors: Array
    variances: Array


def learned(
    scatter: Array, inside: Array, part: Array, spread: Array, innovation: Array
) -> Learned:
    """What the modes are then known to be.

    Args:
        scatter: What is not known before.
        inside: Which modes a reading is of (readings, modes).
        part: Share of each mode in its reading (modes,).
        spread: Variances or covariance of the readings.
        innovation: What was read, less what was foretold of it (readings,).
    """
    if scatter.ndim == 1:
        gain = scatter * part
        kept = 1 - gain * part * (inside.T @ (1 / spread))
        shift = gain * (inside.T @ (innovation / spread))
        return Learned(shift, kept, scatter * kept, innovation, spread)
    weights = inside * part
    both = jnp.concatenate([innovation[:, None], weights @ scatter], axis=1)
    solved, errors, variances = _eliminated(spread, both)
    gain = solved[:, 1:].T
    left = scatter - gain @ weights @ scatter
    kept = 1 - jnp.sum(gain * weights.T, axis=1)
    return Learned(gain @ innovation, kept, (left + left.T) / 2, errors, variances)


def _eliminated(spread: Array, right: Array) -> tuple[Array, Array, Array]:
    """Solve for right sides (readings, columns) by elimination, in the order of the readings.

    LAPACK under JAX waits for threads from within them, and for ever where two programs run.

    Returns:
        Covariance⁻¹ × right sides; the first of them less what readings before tell, and the
        pivots, its variances (readings,).
    """
    size = len(spread)

    def step(both: Array, row: Array) -> tuple[Array, tuple[Array, Array]]:
        pivot, error = both[row, row], both[row, size]
        own = both[row] / pivot
        both = both - both[:, row][:, None] * own
        return both.at[row].set(own), (error, pivot)

    both, (errors, pivots) = lax.scan(
        step, jnp.concatenate([spread, right], axis=1), jnp.arange(size)
    )
    return both[:, size:], errors, pivots


def _flow(slopes: Array, added: Array) -> tuple[Array, Array]:
    """e^J and ∫₀¹ e^Js Q e^Jᵀs ds, both by doubling a short time; of a J that steps can follow.

    Source: Van Loan 1978, IEEE Trans. Autom. Control 23, 395, the integral.
    """
    size = jnp.max(jnp.sum(jnp.abs(slopes), axis=1))
    small = slopes * jnp.minimum(1.0, LARGEST / jnp.maximum(size, TINY)) / 2**SQUARINGS
    one = jnp.eye(len(slopes))
    flow = one + small @ (one + small @ (one / 2 + small @ (one / 6 + small / 24)))
    half = one + small @ (one / 2 + small @ (one / 8 + small / 48))
    ends = (added + flow @ added @ flow.T) / 6 + half @ added @ half.T * 2 / 3
    found = ends / 2**SQUARINGS
    for _ in range(SQUARINGS):
        found = found + flow @ found @ flow.T
        flow = flow @ flow
    return flow, found
