"""Take steps of descent on batches of views: network, predictor, target, running correlation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jax.typing import ArrayLike
from numpy.typing import NDArray

import eigendyn.settings.precision
import eigendyn.training.arguments  # noqa: F401  (settings as arguments of compiled code)
from eigendyn.network.descent import target_momentum
from eigendyn.network.predictors import predictor_power
from eigendyn.settings.training import Training
from eigendyn.training.exported import BatchLoss
from eigendyn.training.networks import Encoder, embedded


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class State:
    """Everything that training changes; None is what there is not."""

    online: Encoder
    target: Encoder | None  # an EMA target
    correlation: Array | None  # (dimensions, dimensions), a running one
    predictor: Array | None  # (dimensions, dimensions), a learned one
    descent: Any  # Optax's state
    steps: Array  # () taken


def first_state(chosen: Training, online: Encoder, first_views: NDArray) -> State:
    """The state before the first step.

    Args:
        chosen: Settings.
        online: The network.
        first_views: Views (samples, pixels) whose correlation a running one starts from.
    """
    learned = None
    if chosen.predictor_start is not None:
        learned = jnp.eye(chosen.embedding, dtype=chosen.dtype) * chosen.predictor_start
    averages = chosen.uses_correlation and chosen.averages
    z1 = jnp.asarray(embedded(online, first_views)[1]) if averages else None
    return State(
        online=online,
        target=online if chosen.target == "ema" else None,
        correlation=None if z1 is None else _correlation(z1),
        predictor=learned,
        descent=_optimiser(chosen).init((online, learned)),
        steps=jnp.zeros((), int),
    )


@partial(jax.jit, static_argnames="loss")
def take_steps(
    chosen: Training, loss: BatchLoss, state: State, first: Array, second: Array
) -> tuple[State, Array]:
    """Take one step on each batch; the losses (steps,) are those before the steps.

    Args:
        chosen: Settings; `steps` is the length of the whole training. Those that differ in numbers
            only share compiled code.
        loss: Mean loss of a batch, which is compiled in.
        state: Where training is.
        first: First views (steps, batch, pixels).
        second: Second views.
    """

    def step(state: State, views: tuple[Array, Array]) -> tuple[State, Array]:
        return _step(chosen, loss, state, *views)

    return jax.lax.scan(step, state, (first, second))


def _step(
    chosen: Training, loss: BatchLoss, state: State, first: Array, second: Array
) -> tuple[State, Array]:
    # A correlation that is updated first, or not averaged, is that of this very batch, whose
    # embeddings the differentiation below has anyway.
    def batch(weights: tuple[Encoder, Array | None]) -> tuple[Array, Array | None]:
        online, learned = weights
        z1 = online(first)
        z2 = (online if state.target is None else state.target)(second)
        new = _moved_correlation(chosen, state.correlation, jax.lax.stop_gradient(z1))
        late = chosen.correlation_order == "use-first" and state.correlation is not None
        used = state.correlation if late else new
        return loss(z1, z2, predictor_matrix(chosen, used, learned)), new

    weights = state.online, state.predictor
    (value, correlation), gradient = jax.value_and_grad(batch, has_aux=True)(weights)
    drive = _decayed(chosen, gradient, weights)
    updates, descent = _optimiser(chosen).update(drive, state.descent)
    online, learned = optax.apply_updates(weights, updates)
    target = state.target
    if target is not None:
        momentum = target_momentum(chosen, state.steps, chosen.dtype)
        target = jax.tree.map(lambda old, new: _average(momentum, old, new), target, online)
    after = State(
        online,
        target,
        None if state.correlation is None else correlation,
        learned,
        descent,
        state.steps + 1,
    )
    return after, value


def predictor_matrix(chosen: Training, correlation: Array | None, learned: Array | None) -> Array:
    """The predictor W_P (dimensions, dimensions): learned, the identity, or of a correlation."""
    if chosen.predictor == "learned":
        assert learned is not None
        return learned
    if chosen.predictor == "none":
        return jnp.eye(chosen.embedding, dtype=chosen.dtype)
    assert correlation is not None
    return predictor_power(chosen, correlation)


@jax.jit
def present_predictor(chosen: Training, state: State, z1: ArrayLike) -> Array:
    """The predictor as it stands: of the running correlation, or where none runs of embeddings."""
    runs = state.correlation is not None or not chosen.uses_correlation
    used = state.correlation if runs else _correlation(jnp.asarray(z1))
    return predictor_matrix(chosen, used, state.predictor)


def _moved_correlation(chosen: Training, old: Array | None, z1: Array) -> Array | None:
    if not chosen.uses_correlation:
        return None
    new = _correlation(z1)
    return new if old is None else _average(chosen.correlation_momentum, old, new)


def _correlation(z: Array) -> Array:
    """Uncentred correlation ⟨z zᵀ⟩ of a batch."""
    return z.T @ z / len(z)


def _decayed(chosen: Training, gradient: Any, weights: Any) -> Any:
    """Gradient and weight decay, of a learned predictor at its own rate."""
    (of_online, of_learned), (online, learned) = gradient, weights
    drive = jax.tree.map(lambda g, w: g + chosen.weight_decay * w, of_online, online)
    if learned is None:
        return drive, None
    return drive, chosen.predictor_rate * of_learned + chosen.predictor_decay * learned


def _optimiser(chosen: Training) -> optax.GradientTransformation:
    return optax.sgd(chosen.learning_rate, chosen.momentum if chosen.has_momentum else None)


def _average(momentum: Any, old: Array, new: Array) -> Array:
    return (momentum * old + (1 - momentum) * new).astype(old.dtype)
