r"""Draw the two views of a batch, in the few coordinates that the network sees.

An encoder whose rows lie in the span of an orthonormal basis Q (inputs, coordinates) sees an input
only through its coordinates Qᵀx, which are N(0, I) again. What lies outside the span reaches the
gradient alone, as Σ_b δ_b n_bᵀ(I − QQᵀ) with n_b independent of δ_b: given the δ_b, a Gaussian
matrix of known covariance. So only the coordinates are drawn for every sample, and the rest once a
step, with exactly the distribution that drawing whole inputs has.

The views are x1 = √c1 a and x2 = a/√c1 + √(c2 − 1/c1) b with c_i = 1 + σ_i² and a, b ~ N(0, I),
which have the covariance of x + σ_i ξ_i.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike

from eigendyn.network.predictors import matrix_power

Noises = tuple[Array | float, Array | float]  # standard deviations σ1 and σ2


def seen_basis(rows: Array) -> Array | None:
    """Orthonormal basis (inputs, coordinates) of what the rows (rows, inputs) see.

    None stands for the identity: there are as many rows as inputs, so that all is seen.
    """
    if rows.shape[0] >= rows.shape[1]:
        return None
    return jnp.linalg.qr(rows.T)[0]


def draw_views(
    key: Array, coordinates: int, count: int, noises: Noises | None, dtype: str
) -> tuple[Array, Array]:
    """Draw the coordinates of both views (coordinates, samples) of `count` inputs.

    Without noises both views are the inputs.
    """
    if noises is None:
        views = _normal(key, (coordinates, count), dtype)
        return views, views
    first, second = _normal(key, (2, coordinates, count), dtype)
    return _mix(first, second, noises)


def population_views(inputs: int, noises: Noises, dtype: str) -> tuple[Array, Array]:
    """Samples whose second moments are those of the population, to round-off.

    A loss that is quadratic in the inputs has exactly the population's gradient on them.

    Returns:
        Both views (inputs, 2 inputs).
    """
    root = math.sqrt(2 * inputs) * np.eye(2 * inputs, dtype=dtype)
    return _mix(jnp.asarray(root[:inputs]), jnp.asarray(root[inputs:]), noises)


def draw_unseen(key: Array, basis: Array, covariance: Array) -> Array:
    """Draw the gradient's part outside the seen inputs (dimensions, inputs).

    Args:
        key: Random key.
        basis: What is seen (inputs, coordinates).
        covariance: Covariance of every column of that part (dimensions, dimensions).
    """
    normal = _normal(key, (covariance.shape[0], basis.shape[0]), covariance.dtype)
    noise = matrix_power(covariance, 0.5) @ normal
    return noise - (noise @ basis) @ basis.T


def _normal(key: Array, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    # In a row: the same numbers as in the shape itself, whose code takes three times as long to
    # compile.
    return jax.random.normal(key, (math.prod(shape),), dtype).reshape(shape)


def _mix(a: Array, b: Array, noises: Noises) -> tuple[Array, Array]:
    c1, c2 = (1 + noise**2 for noise in noises)
    return jnp.sqrt(c1) * a, a / jnp.sqrt(c1) + jnp.sqrt(c2 - 1 / c1) * b
