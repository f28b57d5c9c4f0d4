"""Draw a batch, and take its loss, the gradient, and the correlation of its representations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jax import Array

import eigendyn.network.arguments  # noqa: F401
from eigendyn.network.losses import sample_losses
from eigendyn.network.network import Network
from eigendyn.network.predictors import predictor_power
from eigendyn.network.views import (
    Drawn,
    Population,
    correlated,
    draw_unseen,
    draw_views,
    moments,
    population_views,
    seen_basis,
)
from eigendyn.network.written import written_losses
from eigendyn.settings.choices import LOSS_NAMES

BLOCK = 1_250  # samples at a time: what is between them fits a processor's cache

T = TypeVar("T")
Batch = Array | Drawn  # a random key of samples to draw, or samples that were


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


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class _Sums:
    """Sums over samples."""

    loss: Array
    encoder: Array  # (dimensions, coordinates), with respect to W Q
    predictor: Array
    unseen: Array  # (dimensions, dimensions), covariance of the part outside the seen inputs


def predictor_matrix(
    network: Network, weights: Weights, population: Population | None = None
) -> Array:
    """The predictor W_P (dimensions, dimensions)."""
    if network.predictor == "none":
        return jnp.eye(weights.encoder.shape[0], dtype=weights.encoder.dtype)
    if network.predictor == "learned":
        assert weights.predictor is not None
        return weights.predictor
    return predictor_power(network, predictor_correlation(network, weights, population))


def predictor_correlation(
    network: Network, weights: Weights, population: Population | None = None
) -> Array:
    """The matrix that a closed-form predictor is a power of: W Wᵀ, or a running average."""
    if weights.correlation is not None:
        return weights.correlation
    return correlated(network, weights.encoder, population)


def batch_gradient(network: Network, weights: Weights, batch: Batch) -> Gradient:
    """Draw a batch, if it is not drawn yet, and differentiate its mean loss automatically.

    Args:
        network: What is trained.
        weights: Where.
        batch: Random key of the batch, or the batch.
    """
    population = batch.population if isinstance(batch, Drawn) else None
    online = weights.encoder
    target = online if weights.target is None else weights.target
    predictor = predictor_matrix(network, weights, population)
    family = None
    if network.has_family:
        assert network.beta is not None
        matrix = predictor_correlation(network, weights, population)
        family = predictor_power(network, matrix, -network.beta)
    is_named = network.loss in LOSS_NAMES
    modes = jnp.linalg.eigh(online @ online.T)[1]  # in which a written loss is read
    basis = _seen(network, weights, batch)
    seen1, seen2 = (online, target) if basis is None else (online @ basis, target @ basis)
    batch, unseen_key = _keys(batch)

    def of_samples(x1: Array, x2: Array, counted: Array) -> _Sums:
        def total_loss(h1: Array, h2: Array, predictor: Array) -> Array:
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
            return jnp.sum(losses * counted)

        loss, (d1, d2, of_predictor) = jax.value_and_grad(total_loss, argnums=(0, 1, 2))(
            seen1 @ x1, seen2 @ x2, predictor
        )
        cross = d1 @ d2.T  # zero where the target is stopped
        own = moments(network)
        c1, c2 = own.signal + own.noise1, own.signal + own.noise2
        return _Sums(
            loss=loss,
            encoder=d1 @ x1.T + d2 @ x2.T,
            predictor=of_predictor,
            unseen=cross if basis is None else c1 * d1 @ d1.T + c2 * d2 @ d2.T + cross + cross.T,
        )

    sums, count = _sum_samples(of_samples, network, seen1.shape[1], batch)
    encoder = sums.encoder / count
    if basis is not None:
        encoder = encoder @ basis.T + draw_unseen(unseen_key, basis, sums.unseen / count**2)
    return Gradient(sums.loss / count, encoder, sums.predictor / count)


def batch_correlation(network: Network, weights: Weights, batch: Batch) -> Array:
    """What a running correlation takes up (dimensions, dimensions).

    The mean of z1 z1ᵀ over the batch that `batch_gradient` draws; where another correlation than
    the first view's is asked for, that of the population.
    """
    if network.correlation in ("clean", "weights"):
        population = batch.population if isinstance(batch, Drawn) else None
        return correlated(network, weights.encoder, population)
    basis = _seen(network, weights, batch)
    seen = weights.encoder if basis is None else weights.encoder @ basis

    def of_samples(x1: Array, _x2: Array, counted: Array) -> Array:
        z1 = activate(network.encoder, seen @ x1)
        return (z1 * counted) @ z1.T

    batch, _ = _keys(batch)
    total, count = _sum_samples(of_samples, network, seen.shape[1], batch)
    return total / count


def activate(encoder: str, preactivations: Array) -> Array:
    """What the encoder makes of W x."""
    return preactivations if encoder == "linear" else jax.nn.relu(preactivations)


def _keys(batch: Batch) -> tuple[Batch, Any]:
    """What draws the seen and the unseen part of a batch; of one that was drawn, all is seen."""
    return (batch, None) if isinstance(batch, Drawn) else tuple(jax.random.split(batch))


def _seen(network: Network, weights: Weights, batch: Batch) -> Array | None:
    """Basis of the inputs that encoder and target see; None stands for the identity."""
    if network.batch is None or network.is_anisotropic or isinstance(batch, Drawn):
        return None
    rows = [weights.encoder] + ([] if weights.target is None else [weights.target])
    return seen_basis(jnp.concatenate(rows))


def _sum_samples(
    of_samples: Callable[[Array, Array, Array], T],
    network: Network,
    coordinates: int,
    batch: Batch,
) -> tuple[T, Array | int]:
    """Sum over a batch, or over samples that stand for the population; and how many they are."""
    if isinstance(batch, Drawn):
        count = batch.first.shape[1]
        return of_samples(batch.first, batch.second, jnp.ones(count, network.dtype)), count
    own = moments(network)
    if network.batch is None:
        views = population_views(coordinates, own, network.dtype)
        count = views[0].shape[1]
        return of_samples(*views, jnp.ones(count, network.dtype)), count
    drawn = own if network.has_noise else None

    def of_block(key: Array, counted: Array) -> T:
        return of_samples(*draw_views(key, coordinates, BLOCK, drawn, network.dtype), counted)

    return _sum_blocks(of_block, batch, network.batch, network.dtype), network.batch


def _sum_blocks(
    of_block: Callable[[Array, Array], T], key: Array, batch: Array | int, dtype: str
) -> T:
    """Sum over blocks of samples, so that memory does not grow with the batch.

    Every block is drawn whole; of the last one only what belongs to the batch is counted.
    """

    def add(number: Array, total: T) -> T:
        counted = jnp.arange(BLOCK) < batch - number * BLOCK
        block = of_block(jax.random.fold_in(key, number), counted.astype(dtype))
        return jax.tree.map(jnp.add, total, block)

    shapes = jax.eval_shape(of_block, key, jax.ShapeDtypeStruct((BLOCK,), dtype))
    start = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
    return jax.lax.fori_loop(0, -(-batch // BLOCK), add, start)
