"""Measure a network: its modes, eigenvalues, alignment, loss and representations.

Modes are the singular vectors of the encoder that training began with, which the mode theory says
stay fixed; how far that is true is measured here too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import jax
import jax.numpy as jnp
from jax import Array

from eigendyn.network.gradient import (
    Weights,
    activate,
    batch_gradient,
    predictor_correlation,
    predictor_matrix,
)
from eigendyn.network.network import Network
from eigendyn.network.predictors import correlation
from eigendyn.network.views import moments


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Frame:
    """What measures refer to.

    Args:
        left: Left singular vectors of the first encoder (dimensions, modes).
        right: Right ones (inputs, modes).
        samples: Inputs whose representations are followed (inputs, samples).
    """

    left: Array
    right: Array
    samples: Array


ROUND_OFF = 1e4  # in units of the precision: below it a product is round-off

Measure = Callable[[Network, Weights, Frame, Array], Array]  # the last is a random key


def measure(
    names: tuple[str, ...], network: Network, weights: Weights, frame: Frame, key: Array
) -> dict[str, Array]:
    """Take the named measures; what none of them needs is never computed under `jax.jit`."""
    return {name: MEASURES[name](network, weights, frame, key) for name in names}


def _correlation(network: Network, weights: Weights) -> Array:
    """E[z zᵀ] of clean inputs (dimensions, dimensions)."""
    if not network.is_anisotropic:
        return correlation(network.encoder, weights.encoder)
    return (weights.encoder * jnp.ravel(moments(network).signal)) @ weights.encoder.T


def _in_frame(matrix: Array, left: Array, right: Array) -> Array:
    return jnp.einsum("dm,de,em->m", left, matrix, right)


def _singular_value(_network: Network, weights: Weights, frame: Frame, _key: Array) -> Array:
    """u_mᵀ W r_m: linear in W, so that the batches' noise does not bias it to first order."""
    return _in_frame(weights.encoder, frame.left, frame.right)


def _target_value(_network: Network, weights: Weights, frame: Frame, _key: Array) -> Array:
    """u_mᵀ W̃ r_m."""
    target = weights.encoder if weights.target is None else weights.target
    return _in_frame(target, frame.left, frame.right)


def _predictor_value(network: Network, weights: Weights, frame: Frame, _key: Array) -> Array:
    """u_mᵀ W_P u_m."""
    return _in_frame(predictor_matrix(network, weights), frame.left, frame.left)


def _predictor_eigenvalues(network: Network, weights: Weights, _frame: Frame, _key: Array) -> Array:
    """Eigenvalues of the predictor's symmetric part, largest first."""
    predictor = predictor_matrix(network, weights)
    return jnp.linalg.eigvalsh((predictor + predictor.T) / 2)[::-1]


def _correlation_value(network: Network, weights: Weights, frame: Frame, _key: Array) -> Array:
    """u_mᵀ C u_m, of the matrix that a closed-form predictor is a power of."""
    return _in_frame(predictor_correlation(network, weights), frame.left, frame.left)


def _eigenvalues(network: Network, weights: Weights, _frame: Frame, _key: Array) -> Array:
    """Eigenvalues of the correlation E[z zᵀ] of clean inputs, largest first."""
    return jnp.linalg.eigvalsh(_correlation(network, weights))[::-1]


def _encoder_eigenvalues(_network: Network, weights: Weights, _frame: Frame, _key: Array) -> Array:
    """Eigenvalues of W Wᵀ, largest first; for a linear encoder they are those of C."""
    return jnp.linalg.eigvalsh(weights.encoder @ weights.encoder.T)[::-1]


def _left_modes(_network: Network, weights: Weights, frame: Frame, _key: Array) -> Array:
    """Share of ‖W‖² that has left the first singular vectors, 1 − Σ (u_mᵀ W r_m)²/‖W‖²."""
    kept = jnp.sum(_in_frame(weights.encoder, frame.left, frame.right) ** 2)
    return 1 - kept / jnp.sum(weights.encoder**2)


def _alignment(network: Network, weights: Weights, _frame: Frame, _key: Array) -> Array:
    """Cosine of the angle between W_P c_m and c_m for each eigenvector c_m of the correlation.

    One where the predictor has the eigenvector too; NaN where W_P c_m is nothing but round-off.
    """
    predictor = predictor_matrix(network, weights)
    matrix = _correlation(network, weights)
    vectors = jnp.linalg.eigh(matrix)[1][:, ::-1]
    image = predictor @ vectors
    lengths = jnp.linalg.norm(image, axis=0)
    floor = ROUND_OFF * jnp.finfo(predictor.dtype).eps * jnp.linalg.norm(predictor)
    return jnp.sum(image * vectors, axis=0) / jnp.where(lengths > floor, lengths, jnp.nan)


def _commutator(network: Network, weights: Weights, _frame: Frame, _key: Array) -> Array:
    """‖W_P C − C W_P‖ / (‖W_P‖ ‖C‖), Frobenius norms."""
    predictor = predictor_matrix(network, weights)
    matrix = _correlation(network, weights)
    norms = jnp.linalg.norm(predictor) * jnp.linalg.norm(matrix)
    difference = jnp.linalg.norm(predictor @ matrix - matrix @ predictor)
    return difference / jnp.where(norms > 0, norms, 1)


def _loss(network: Network, weights: Weights, _frame: Frame, key: Array) -> Array:
    """Mean loss of a batch drawn for this purpose."""
    return batch_gradient(network, weights, key).loss


def _shares(network: Network, weights: Weights, frame: Frame, key: Array) -> Array:
    eigenvalues = jnp.maximum(_eigenvalues(network, weights, frame, key), 0)
    return eigenvalues / eigenvalues.sum()


def _effective_rank(network: Network, weights: Weights, frame: Frame, key: Array) -> Array:
    """exp(−Σ q ln q) with q the shares of the eigenvalues of C (Roy & Vetterli 2007)."""
    shares = _shares(network, weights, frame, key)
    return jnp.exp(-jnp.sum(shares * jnp.log(jnp.where(shares > 0, shares, 1))))


def _participation_ratio(network: Network, weights: Weights, frame: Frame, key: Array) -> Array:
    """1/Σ q²: the number of modes, if each counts by its share of the variance."""
    return 1 / jnp.sum(_shares(network, weights, frame, key) ** 2)


def _deviations(network: Network, weights: Weights, _frame: Frame, _key: Array) -> Array:
    """Standard deviation of every dimension of z for clean inputs."""
    second = jnp.diagonal(_correlation(network, weights))
    if network.encoder == "linear":
        return jnp.sqrt(second)
    return jnp.sqrt(second * (1 - 1 / jnp.pi))  # E[h₊²] = l²/2, E[h₊] = l/√(2π)


def _representations(network: Network, weights: Weights, frame: Frame, _key: Array) -> Array:
    """Representations of the samples that are followed (dimensions, samples)."""
    return activate(network.encoder, weights.encoder @ frame.samples)


def _preactivations(_network: Network, weights: Weights, frame: Frame, _key: Array) -> Array:
    """W x of the samples that are followed (dimensions, samples)."""
    return weights.encoder @ frame.samples


MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "singular_value": _singular_value,
        "target_value": _target_value,
        "predictor_value": _predictor_value,
        "predictor_eigenvalue": _predictor_eigenvalues,
        "correlation_value": _correlation_value,
        "eigenvalue": _eigenvalues,
        "encoder_eigenvalue": _encoder_eigenvalues,
        "off_mode_share": _left_modes,
        "alignment": _alignment,
        "commutator": _commutator,
        "loss": _loss,
        "effective_rank": _effective_rank,
        "participation_ratio": _participation_ratio,
        "standard_deviation": _deviations,
        "preactivation": _preactivations,
        "representation": _representations,
    }
)
