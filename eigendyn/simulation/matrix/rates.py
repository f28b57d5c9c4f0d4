r"""Compute the expected gradient of Euclidean losses on a linear encoder, from second moments.

The loss is ½ ‖P W x1 − W̃ x2‖², with P a constant for differentiation. Its negative gradient, and
that of its relatives, are

    plain              G = Pᵀ E,  E = W̃ Σ₂₁ − P W Σ₁₁
    isotropic          G = E, or P^{−β} Pᵀ E for a member of the family
    no stop-gradient   G = Pᵀ E + P W Σ₁₂ − W Σ₂₂, of the isotropic loss too: it is the plain one

A learned predictor descends the same loss along (W̃ Σ₂₁ − P W Σ₁₁) Wᵀ. Nothing is assumed of the
distribution of the inputs, nor of how the encoder lies among their components.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array

from eigendyn.settings.choices import LOSS_ROWS
from eigendyn.settings.run_settings import Settings
from eigendyn.settings.siamese import Architecture, architecture
from eigendyn.simulation.matrix.moments import SecondMoments

Numbers = Mapping[str, Array | float]


@dataclass(frozen=True)
class Law:
    """Which dynamics they are; what compiled code depends on.

    Args:
        parts: Predictor, target and momentum.
        has_predictor: Whether there is one; else P = 1.
        is_power: Whether P is another function of a correlation than the correlation itself.
        is_isotropic: Whether the loss is.
        has_family: Whether P^{−β} multiplies its direction.
        stop_gradient: Whether the gradient is stopped in the target branch.
        order: One of `choices.CORRELATION_ORDERS`.
    """

    parts: Architecture
    has_predictor: bool
    is_power: bool
    is_isotropic: bool
    has_family: bool
    stop_gradient: bool
    order: str


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class State:
    """Everything that training moves; None is what is not there."""

    weights: Array  # W (modes, components)
    velocity: Array | None  # (modes, components)
    target: Array | None  # W̃ (modes, components)
    correlation: Array | None  # C (modes, modes), a running one
    predictor: Array | None  # P (modes, modes), a learned one
    predictor_velocity: Array | None  # (modes, modes)


def law_of(chosen: Settings, moments: SecondMoments) -> Law:
    """The dynamics that settings describe."""
    parts = architecture(chosen)
    # A correlation that may have negative eigenvalues counts these as zero.
    may_be_negative = parts.correlated == "clean" and bool((moments.signal < 0).any())
    return Law(
        parts=parts,
        has_predictor=chosen.predictor != "none",
        is_power=chosen.alpha != 1 or parts.has_epsilon or parts.normalize or may_be_negative,
        is_isotropic=LOSS_ROWS[chosen.loss].plain is not None,
        has_family=bool(chosen.beta),
        stop_gradient=chosen.stop_gradient,
        order=chosen.correlation_order,
    )


def first_state(law: Law, weights: Array, moments: SecondMoments, start: float) -> State:
    """The state at the start, with a learned predictor at `start` times the identity."""
    square = jnp.eye(len(weights), dtype=weights.dtype)
    learned, has_momentum = law.parts.predictor == "learned", law.parts.has_momentum
    return State(
        weights=weights,
        velocity=jnp.zeros_like(weights) if has_momentum else None,
        target=weights if law.parts.target == "ema" else None,
        correlation=correlation(law, weights, moments)
        if law.parts.predictor == "running"
        else None,
        predictor=start * square if learned else None,
        predictor_velocity=jnp.zeros_like(square) if learned and has_momentum else None,
    )


def correlation(law: Law, weights: Array, moments: SecondMoments) -> Array:
    """The correlation (modes, modes) that a closed-form predictor is a function of."""
    seen = {
        "clean": lambda: weights * moments.signal,
        "first-view": lambda: weights @ moments.first,
        "weights": lambda: weights,
    }
    return seen[law.parts.correlated]() @ weights.T


def predictor(law: Law, state: State, moments: SecondMoments, numbers: Numbers) -> Array | None:
    """P (modes, modes); None stands for the identity."""
    if not law.has_predictor:
        return None
    if state.predictor is not None:
        return state.predictor
    own = state.correlation
    matrix = correlation(law, state.weights, moments) if own is None else own
    return _function(matrix, law, numbers, 1.0) if law.is_power else matrix


def _function(matrix: Array, law: Law, numbers: Numbers, exponent: Array | float) -> Array:
    """A power of the predictor as a function of the correlation C, in its eigenbasis.

    λ = c^α; with ε or normalisation (c/max c + ε)^α or (c/max c)^α + ε, times (max c)^α unless it
    is normalised.

    Source: DirectPred, Tian et al. 2021; DirectCopy, Wang et al. 2021.
    """
    values, vectors = jnp.linalg.eigh(matrix)
    parts, alpha = law.parts, numbers["alpha"]
    if parts.has_epsilon or parts.normalize:
        largest = values[-1]
        share = jnp.maximum(values, 0) / largest
        epsilon = numbers["epsilon"] if parts.has_epsilon else 0.0
        if parts.epsilon_placement == "inside":
            powers = _power(share + epsilon, alpha)
        else:
            powers = _power(share, alpha) + epsilon
        found = powers if parts.normalize else largest**alpha * powers
    else:
        found = _power(values, alpha)
    return (vectors * _power(found, exponent)) @ vectors.T


def _power(values: Array, exponent: Array | float) -> Array:
    positive = values > 0
    return jnp.where(positive, jnp.where(positive, values, 1) ** exponent, 0)


def drives(
    law: Law, state: State, moments: SecondMoments, numbers: Numbers
) -> tuple[Array, Array | None]:
    """Negative gradients by W and by a learned P, less what decays: dW/dt and dP/dt of the flow."""
    weights = state.weights
    target = weights if state.target is None else state.target
    made = predictor(law, state, moments, numbers)
    predicted = weights if made is None else made @ weights
    error = moments.to_first(target) - predicted @ moments.first
    drive = error if made is None else made.T @ error
    if not law.stop_gradient:
        drive = drive + moments.to_second(predicted) - weights @ moments.second
    elif law.is_isotropic:
        drive = error
    elif law.has_family and made is not None:
        own = state.correlation
        matrix = correlation(law, weights, moments) if own is None else own
        drive = _function(matrix, law, numbers, -numbers["beta"]) @ drive
    drive = drive - numbers["weight_decay"] * weights
    if state.predictor is None:
        return drive, None
    learned = numbers["predictor_rate"] * error @ weights.T
    return drive, learned - numbers["predictor_decay"] * state.predictor


def target_momentum(law: Law, step: Array | float, numbers: Numbers) -> Array | float:
    """Momentum of an EMA target in a step of this number, from zero, by its schedule.

    Source: Grill et al. 2020 (BYOL).
    """
    if law.parts.ema_schedule == "constant":
        return numbers["ema"]
    return 1 - (1 - numbers["ema"]) * (1 + jnp.cos(jnp.pi * step / numbers["steps"])) / 2


def expected_loss(law: Law, state: State, moments: SecondMoments, numbers: Numbers) -> Array:
    """E[½ ‖P W x1 − W̃ x2‖²], the value of both Euclidean losses."""
    target = state.weights if state.target is None else state.target
    made = predictor(law, state, moments, numbers)
    predicted = state.weights if made is None else made @ state.weights
    own = jnp.vdot(predicted @ moments.first, predicted)
    other = jnp.vdot(target @ moments.second, target)
    return (own + other) / 2 - jnp.vdot(moments.to_second(predicted), target)
