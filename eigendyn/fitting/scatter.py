"""Follow what is not known of ln v: a variance for each mode, or all covariances where they count.

Modes that do not move each other scatter apart: all arrays are (modes,). A normalised loss holds
shares of the variance and not the scale, so that an error of the scale stays for ever, however fast
each mode forgets its own: arrays of coupled modes are (modes, modes).

Source: Harvey 1989, Forecasting, structural time series models and the Kalman filter, §3.2.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jax.scipy.linalg import cho_solve, solve_triangular

SQUARINGS = 6  # of the exponential of a matrix over 2⁶, which is followed to fourth order
LARGEST = 20.0  # rate times a step that errors are followed by


def carried(scatter: Array, slopes: Array, added: Array) -> Array:
    """What is not known one step later.

    Args:
        scatter: What is not known before.
        slopes: ∂(d ln v/dt)/∂ ln v times the step, (modes,) or (modes, modes).
        added: Variance, or covariance, that noise has added on the way.
    """
    if scatter.ndim == 1:
        slopes = jnp.clip(slopes, -LARGEST, LARGEST)
        return jnp.exp(2 * slopes) * scatter + jnp.exp(slopes) * added
    half = _exponential(slopes / 2)
    return half @ (half @ scatter @ half.T + added) @ half.T


def of_readings(scatter: Array, weights: Array, errors: Array) -> Array:
    """Variances of readings (readings,), or their covariance (readings, readings).

    Args:
        scatter: What is not known of the modes.
        weights: Share that each mode has in each reading (readings, modes).
        errors: Variance of the readings' own errors (readings,).
    """
    if scatter.ndim == 1:
        return weights**2 @ scatter + errors
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
    root = jnp.linalg.cholesky(spread)
    scale = jnp.diagonal(root)
    return scale * solve_triangular(root, innovation, lower=True), scale**2


def gain(scatter: Array, weights: Array, spread: Array) -> Array:
    """How far each mode moves with the error of each reading (modes, readings).

    Args:
        scatter: What is not known of the modes.
        weights: Share that each mode has in each reading (readings, modes).
        spread: Variances or covariance of the readings.
    """
    if scatter.ndim == 1:
        return scatter[:, None] * weights.T / spread
    return cho_solve((jnp.linalg.cholesky(spread), True), weights @ scatter).T


def known_better(scatter: Array, weights: Array, gained: Array) -> Array:
    """What is not known after readings, of `gain`."""
    if scatter.ndim == 1:
        return scatter * (1 - jnp.sum(gained * weights.T, axis=1))
    left = scatter - gained @ weights @ scatter
    return (left + left.T) / 2


def _exponential(matrix: Array) -> Array:
    """e^matrix, of a matrix that is made smaller where it is larger than any step follows."""
    size = jnp.max(jnp.sum(jnp.abs(matrix), axis=1))
    small = matrix * jnp.minimum(1.0, LARGEST / jnp.maximum(size, 1e-300)) / 2**SQUARINGS
    one = jnp.eye(len(matrix))
    found = one + small @ (one + small @ (one / 2 + small @ (one / 6 + small / 24)))
    for _ in range(SQUARINGS):
        found = found @ found
    return found
