"""Compute the loss of each sample of a batch, in the original basis.

Written afresh from the definitions, with JAX's own stop-gradient, for automatic differentiation.
z1 and z2 are (dimensions, samples); the predictor W_P is (dimensions, dimensions).

Source: Halvagal et al. 2023, Euclidean and cosine loss and their isotropic forms.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

import eigendyn.settings.precision  # noqa: F401

Stop = Callable[[Array], Array]


def sample_losses(
    name: str, z1: Array, z2: Array, predictor: Array, family: Array | None, stop_gradient: bool
) -> Array:
    """Loss of every sample.

    Args:
        name: One of `choices.LOSS_NAMES`.
        z1: Representations of the first view (dimensions, samples).
        z2: Representations of the second view (dimensions, samples).
        predictor: W_P (dimensions, dimensions).
        family: W_P^{−β}, by which the descent direction of the loss is multiplied; None leaves it.
        stop_gradient: False lets the gradient flow through the target branch.

    Returns:
        Losses (samples,).
    """
    stop = jax.lax.stop_gradient if stop_gradient else _pass
    if family is not None:
        return -jnp.sum(z1 * stop(family @ predictor.T @ _DIRECTIONS[name](z1, z2, predictor)), 0)
    return _LOSSES[name](z1, z2, predictor, stop)


def _euclidean(z1: Array, z2: Array, predictor: Array, stop: Stop) -> Array:
    return 0.5 * jnp.sum((predictor @ z1 - stop(z2)) ** 2, 0)


def _cosine(z1: Array, z2: Array, predictor: Array, stop: Stop) -> Array:
    prediction, target = predictor @ z1, stop(z2)
    squares = jnp.sum(prediction**2, 0) * jnp.sum(target**2, 0)
    return -jnp.sum(prediction * target, 0) * _inverse(jnp.sqrt(_or_one(squares)), squares)


def _iso_euclidean(z1: Array, z2: Array, predictor: Array, stop: Stop) -> Array:
    return 0.5 * jnp.sum((z1 - stop(z2 + z1 - predictor @ z1)) ** 2, 0)


def _iso_cosine(z1: Array, z2: Array, predictor: Array, stop: Stop) -> Array:
    return -jnp.sum(z1 * stop(_cosine_direction(z1, z2, predictor)), 0)


def _euclidean_direction(z1: Array, z2: Array, predictor: Array) -> Array:
    return z2 - predictor @ z1


def _cosine_direction(z1: Array, z2: Array, predictor: Array) -> Array:
    """Negative gradient of the cosine loss with respect to the prediction."""
    prediction = predictor @ z1
    own, other = jnp.sum(prediction**2, 0), jnp.sum(z2**2, 0)
    scale = _inverse(jnp.sqrt(_or_one(own * other)), own * other)
    overlap = jnp.sum(prediction * z2, 0)
    return scale * (z2 - overlap * prediction / _or_one(own))


def _or_one(value: Array) -> Array:
    """The value, or one where it is zero, so that gradients of what is divided stay finite."""
    return jnp.where(value > 0, value, 1)


def _inverse(value: Array, squares: Array) -> Array:
    """1/value, or zero where a representation is zero: it has no direction, and nothing to learn.

    ReLU units can all be off for a sample.
    """
    return jnp.where(squares > 0, 1 / value, 0)


def _pass(value: Array) -> Array:
    return value


_LOSSES = {
    "euclidean": _euclidean,
    "cosine": _cosine,
    "iso-euclidean": _iso_euclidean,
    "iso-cosine": _iso_cosine,
}
_DIRECTIONS = {"euclidean": _euclidean_direction, "cosine": _cosine_direction}
