"""Matrices enter; the correlation of representations, and powers of matrices, leave."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

import eigendyn.precision  # noqa: F401


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


def matrix_power(matrix: Array, exponent: float) -> Array:
    """Power of a symmetric, positive semidefinite matrix.

    By the symmetric eigensolver, whose eigenvectors stay orthogonal where eigenvalues are near one
    another; eigenvalues that are negative by round-off count as zero, and a negative power of zero
    as zero, so that what has no variance is left alone.
    """
    values, vectors = jnp.linalg.eigh(matrix)
    positive = values > 0
    powers = jnp.where(positive, jnp.where(positive, values, 1) ** exponent, 0)
    return (vectors * powers) @ vectors.T
