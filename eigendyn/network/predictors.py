"""Compute correlations of representations, and predictors as powers of them."""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
from jax import Array

import eigendyn.settings.precision  # noqa: F401
from eigendyn.settings.siamese import Siamese


def correlation(encoder: str, weights: Array) -> Array:
    r"""Uncentred correlation E[z zᵀ] of the representations of clean inputs x ~ N(0, I).

    Linear: W Wᵀ. ReLU: ‖w_i‖‖w_j‖ (sin θ + (π − θ) cos θ)/(2π), θ the angle of the rows.

    Args:
        encoder: "linear" or "relu".
        weights: W (dimensions, inputs).

    Returns:
        C (dimensions, dimensions) [variance].

    Source: arc-cosine kernel of degree one, Cho & Saul 2009.
    """
    gram = weights @ weights.T
    if encoder == "linear":
        return gram
    lengths = jnp.sqrt(jnp.diagonal(gram))
    products = lengths[:, None] * lengths
    cosine = jnp.clip(gram / jnp.where(products > 0, products, 1), -1, 1)
    angle = jnp.arccos(cosine)
    return products * (jnp.sin(angle) + (jnp.pi - angle) * cosine) / (2 * jnp.pi)


def matrix_power(matrix: Array, exponent: Array | float) -> Array:
    """Power of a symmetric, positive semidefinite matrix.

    By the symmetric eigensolver, whose eigenvectors stay orthogonal where eigenvalues are near one
    another; eigenvalues that are negative by round-off count as zero, and a negative power of zero
    as zero, so that what has no variance is left alone.
    """
    return _matrix_function(matrix, lambda values: _power(values, exponent))


def predictor_power(network: Siamese, matrix: Array, exponent: Array | float = 1.0) -> Array:
    r"""Power of a predictor that is a function of a correlation C.

    W_P has C's eigenvectors and eigenvalues λ = c^α, or with ε or normalisation
    (c/max c + ε)^α or (c/max c)^α + ε, times (max c)^α unless it is normalised.

    Args:
        network: Says which.
        matrix: C (dimensions, dimensions).
        exponent: The power of W_P that is wanted.

    Source: DirectPred, Tian et al. 2021, eq. 18; DirectCopy, Wang et al. 2021.
    """
    alpha, epsilon = network.alpha, 0.0 if network.epsilon is None else network.epsilon
    normalize = network.normalize or network.predictor == "copy"

    def eigenvalues(values: Array) -> Array:
        if not (network.has_epsilon or normalize):
            return _power(values, alpha * exponent)
        largest = jnp.max(values)
        share = jnp.maximum(values, 0) / largest
        if network.epsilon_placement == "inside":
            shape = _power(share + epsilon, alpha)
        else:
            shape = _power(share, alpha) + epsilon
        return _power(shape if normalize else largest**alpha * shape, exponent)

    return _matrix_function(matrix, eigenvalues)


def _matrix_function(matrix: Array, function: Callable[[Array], Array]) -> Array:
    values, vectors = jnp.linalg.eigh(matrix)
    return (vectors * function(values)) @ vectors.T


def _power(values: Array, exponent: Array | float) -> Array:
    positive = values > 0
    return jnp.where(positive, jnp.where(positive, values, 1) ** exponent, 0)
