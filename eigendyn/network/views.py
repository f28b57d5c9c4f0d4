r"""Draw the two views of a batch, in the few coordinates that the network sees.

An encoder whose rows lie in the span of an orthonormal basis Q (inputs, coordinates) sees an input
only through its coordinates Qᵀx, which are N(0, I) again. What lies outside the span reaches the
gradient alone, as Σ_b δ_b n_bᵀ(I − QQᵀ) with n_b independent of δ_b: given the δ_b, a Gaussian
matrix of known covariance. So only the coordinates are drawn for every sample, and the rest once a
step, with exactly the distribution that drawing whole inputs has.

The views are x1 = √c1 a and x2 = d a/√c1 + √(c2 − d²/c1) b with c_i = d + a_i and a, b ~ N(0, I),
which have the covariance of √d x + √a_i ξ_i. White inputs have d = 1 and a_i = σ_i². Inputs of
which each coordinate has a signal and noises of its own are drawn whole: what lies outside of a
span is not independent of what lies in it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike

from eigendyn.network.network import Network
from eigendyn.network.predictors import matrix_power
from eigendyn.settings.parameters import component
from eigendyn.settings.siamese import usual_correlation


class Moments(NamedTuple):
    """Variances of every coordinate (coordinates, 1), or of all alike."""

    signal: Array | float
    noise1: Array | float
    noise2: Array | float


def moments(network: Network) -> Moments:
    """What the inputs of a network and their views have."""
    if not network.is_anisotropic:
        return Moments(1.0, network.sigma1**2, network.sigma2**2)

    def number(name: str) -> Any:
        value = getattr(network, name)
        return None if value is None else jnp.atleast_1d(jnp.asarray(value))[:, None]

    found = (component(name, number) for name in Moments._fields)
    return Moments(*found)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Population:
    """Second moments (inputs, inputs) of views that are drawn elsewhere.

    Args:
        clean: Of both views, E[x1 x2ᵀ], symmetrised: what they share.
        first: Of the first view, E[x1 x1ᵀ].
    """

    clean: Array
    first: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Drawn:
    """A batch that was drawn elsewhere.

    Args:
        first: First views (inputs, samples).
        second: Second views, likewise.
        population: Moments of what they were drawn from.
    """

    first: Array
    second: Array
    population: Population


def correlated(network: Network, encoder: Array, population: Population | None = None) -> Array:
    """The correlation of an encoder's representations that a predictor is a function of."""
    usual = usual_correlation(network.correlation_momentum is not None)
    kind = network.correlation or usual
    if population is not None and kind != "weights":
        moment = population.clean if kind == "clean" else population.first
        return encoder @ moment @ encoder.T
    if kind == "weights" or (kind == "clean" and not network.is_anisotropic):
        return encoder @ encoder.T
    own = moments(network)
    variance = own.signal + (own.noise1 if kind == "first-view" else 0.0)
    return (encoder * jnp.ravel(variance)) @ encoder.T


def seen_basis(rows: Array) -> Array | None:
    """Orthonormal basis (inputs, coordinates) of what the rows (rows, inputs) see.

    None stands for the identity: there are as many rows as inputs, so that all is seen.
    """
    if rows.shape[0] >= rows.shape[1]:
        return None
    return jnp.linalg.qr(rows.T)[0]


def draw_views(
    key: Array, coordinates: int, count: int, own: Moments | None, dtype: str
) -> tuple[Array, Array]:
    """Draw the coordinates of both views (coordinates, samples) of `count` inputs.

    Without moments both views are the inputs, N(0, I).
    """
    if own is None:
        views = _normal(key, (coordinates, count), dtype)
        return views, views
    first, second = _normal(key, (2, coordinates, count), dtype)
    return _mix(first, second, own)


def population_views(inputs: int, own: Moments, dtype: str) -> tuple[Array, Array]:
    """Samples whose second moments are those of the population, to round-off.

    A loss that is quadratic in the inputs has exactly the population's gradient on them.

    Returns:
        Both views (inputs, 2 inputs).
    """
    root = math.sqrt(2 * inputs) * np.eye(2 * inputs, dtype=dtype)
    return _mix(jnp.asarray(root[:inputs]), jnp.asarray(root[inputs:]), own)


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


def _mix(a: Array, b: Array, own: Moments) -> tuple[Array, Array]:
    d, c1, c2 = own.signal, own.signal + own.noise1, own.signal + own.noise2
    return jnp.sqrt(c1) * a, d * a / jnp.sqrt(c1) + jnp.sqrt(c2 - d**2 / c1) * b
