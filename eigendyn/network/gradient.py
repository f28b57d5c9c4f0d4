"""Weights and a seed enter; the loss of a batch and its gradient leave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array

from eigendyn.choices import LOSS_NAMES
from eigendyn.network.losses import sample_losses
from eigendyn.network.predictors import predictor_power
from eigendyn.network.settings import Network
from eigendyn.network.views import draw_unseen, draw_views, population_views, seen_basis
from eigendyn.network.written import written_losses

BLOCK = 1_250  # samples at a time: what is between them fits a processor's cache


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Weights:
    """Everything about a network that training changes; None is what it does not have."""

    encoder: Array  # (dimensions, inputs)
    velocity: Array  # (dimensions, inputs)
    target: Array | None  # (dimensions, inputs), an EMA target's
    correlation: Array | None  # (dimensions, dimensions), a running one
    predictor: Array | None  # (dimensions, dimensions), a learned one
    predictor_velocity: Array | None  # (dimensions, dimensions)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Gradient:
    """Means over a batch."""

    loss: Array  # ()
    encoder: Array  # (dimensions, inputs)
    predictor: Array  # (dimensions, dimensions), with respect to W_P
    correlation: Array  # (dimensions, dimensions), of z1


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class _Sums:
    """Sums over samples."""

    loss: Array
    encoder: Array  # (dimensions, coordinates), with respect to W Q
    predictor: Array
    correlation: Array
    unseen: Array  # (dimensions, dimensions), covariance of the part outside the seen inputs


def predictor_matrix(network: Network, weights: Weights) -> Array:
    """The predictor W_P (dimensions, dimensions)."""
    if network.predictor == "none":
        return jnp.eye(weights.encoder.shape[0], dtype=weights.encoder.dtype)
    if network.predictor == "learned":
        assert weights.predictor is not None
        return weights.predictor
    return predictor_power(network, predictor_correlation(weights))


def predictor_correlation(weights: Weights) -> Array:
    """The matrix that a closed-form predictor is a power of: W Wᵀ, or a running average."""
    if weights.correlation is not None:
        return weights.correlation
    return weights.encoder @ weights.encoder.T


def batch_gradient(
    network: Network, weights: Weights, key: Array, batch: Array | int | None
) -> Gradient:
    """Draw a batch, and differentiate its mean loss automatically.

    Args:
        network: What is trained.
        weights: Where.
        key: Random key of the batch.
        batch: Number of samples; it may be traced, and code is the same for any. None takes the
            population's gradient.
    """
    online = weights.encoder
    target = online if weights.target is None else weights.target
    predictor = predictor_matrix(network, weights)
    family = None
    if network.beta:
        family = predictor_power(network, predictor_correlation(weights), -network.beta)
    is_named = network.loss in LOSS_NAMES
    modes = jnp.linalg.eigh(online @ online.T)[1]  # in which a written loss is read
    noises = (network.sigma1, network.sigma2)
    stacked = online if weights.target is None else jnp.concatenate([online, target])
    basis = None if batch is None else seen_basis(stacked)
    seen1, seen2 = (online, target) if basis is None else (online @ basis, target @ basis)
    key, unseen_key = jax.random.split(key)

    def of_samples(x1: Array, x2: Array, counted: Array) -> _Sums:
        def total_loss(h1: Array, h2: Array, predictor: Array) -> tuple[Array, Array]:
            z1, z2 = activate(network.encoder, h1), activate(network.encoder, h2)
            if is_named:
                stopped = network.stop_gradient
                losses = sample_losses(network.loss, z1, z2, predictor, family, stopped)
            else:
                numbers = dict(network.parameters)
                eigenvalues = jnp.einsum("dm,de,em->m", modes, predictor, modes)
                losses = written_losses(
                    network.loss, numbers, modes.T @ z1, modes.T @ z2, eigenvalues
                )
            return jnp.sum(losses * counted), z1 * counted

        (loss, z1), (d1, d2, of_predictor) = jax.value_and_grad(
            total_loss, argnums=(0, 1, 2), has_aux=True
        )(seen1 @ x1, seen2 @ x2, predictor)
        cross = d1 @ d2.T  # zero where the target is stopped
        c1, c2 = (1 + noise**2 for noise in noises)
        return _Sums(
            loss=loss,
            encoder=d1 @ x1.T + d2 @ x2.T,
            predictor=of_predictor,
            correlation=z1 @ z1.T,
            unseen=c1 * d1 @ d1.T + c2 * d2 @ d2.T + cross + cross.T,
        )

    def of_block(key: Array, counted: Array) -> _Sums:
        views = draw_views(key, seen1.shape[1], BLOCK, noises, network.dtype)
        return of_samples(*views, counted)

    if batch is None:
        views = population_views(online.shape[1], noises, network.dtype)
        count = views[0].shape[1]
        sums = of_samples(*views, jnp.ones(count, network.dtype))
    else:
        count = batch
        sums = _sum_blocks(of_block, key, batch, network.dtype)
    encoder = sums.encoder / count
    if basis is not None:
        encoder = encoder @ basis.T + draw_unseen(unseen_key, basis, sums.unseen / count**2)
    return Gradient(sums.loss / count, encoder, sums.predictor / count, sums.correlation / count)


def activate(encoder: str, preactivations: Array) -> Array:
    """What the encoder makes of W x."""
    return preactivations if encoder == "linear" else jax.nn.relu(preactivations)


def _sum_blocks(
    of_block: Callable[[Array, Array], _Sums], key: Array, batch: Array | int, dtype: str
) -> _Sums:
    """Sum over blocks of samples, so that memory does not grow with the batch.

    Every block is drawn whole; of the last one only what belongs to the batch is counted.
    """

    def add(number: Array, total: _Sums) -> _Sums:
        counted = jnp.arange(BLOCK) < batch - number * BLOCK
        block = of_block(jax.random.fold_in(key, number), counted.astype(dtype))
        return jax.tree.map(jnp.add, total, block)

    shapes = jax.eval_shape(of_block, key, jax.ShapeDtypeStruct((BLOCK,), dtype))
    start = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
    return jax.lax.fori_loop(0, -(-batch // BLOCK), add, start)
