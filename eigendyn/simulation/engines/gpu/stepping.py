"""Attempt one Runge–Kutta step of many trajectories, and estimate its error.

Arrays are (trajectories, modes), one for each state, and (trajectories, 1) for what a trajectory
has one of: its time, its step. Nothing is stacked, gathered or concatenated, so that the same
lines can be traced for plain arrays and for the registers of a kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jax.numpy as jnp
from jax import Array

from eigendyn.simulation.engines.runge_kutta.tsit5 import TSIT5

STAGES = (*TSIT5.stages, TSIT5.weights)  # the last stage is taken at the end of the step
SAFETY, SHRINK, GROW = 0.9, 0.2, 10.0  # of the controller, as in the flow engine
FIRST = 0.01  # error that the first step aims at, in units of the tolerance

States = tuple[Array, ...]
Rates = Callable[[Array, States], States]
Norm = Callable[[Sequence[Array]], Array]
Tolerance = tuple[Array, Array]  # rtol, atol


def attempt(
    rates: Rates, time: Array, states: States, first: States, step: Array
) -> tuple[States, list[States]]:
    """Take one step of the Runge–Kutta pair.

    Args:
        rates: Time (trajectories, 1) and states to rates of change.
        time: Where the step begins (trajectories, 1).
        states: States there.
        first: Rates there, which the step before has taken already.
        step: Length of the step (trajectories, 1).

    Returns:
        States at the end, and the rates of the seven stages.
    """
    stages, reached = [first], states
    for weights, fraction in zip(STAGES, TSIT5.fractions, strict=True):
        reached = _moved(states, step, weights, stages)
        stages.append(rates(time + fraction * step, reached))
    return reached, stages


def error_ratio(
    norm: Norm,
    states: States,
    reached: States,
    stages: list[States],
    step: Array,
    tolerance: Tolerance,
) -> Array:
    """Estimate a step's error in units of atol + rtol |y|, the larger |y| of both ends.

    Args:
        norm: One number (trajectories, 1) for an array (trajectories, modes) for each state.
        states: States at the begin.
        reached: States at the end.
        stages: Rates of the seven stages.
        step: Length of the step (trajectories, 1).
        tolerance: rtol, atol.

    Returns:
        The ratio (trajectories, 1): a step of at most 1 is accurate enough.
    """
    rtol, atol = tolerance
    sizes = [jnp.maximum(jnp.abs(a), jnp.abs(b)) for a, b in zip(states, reached, strict=True)]
    errors = [step * _combined(TSIT5.errors[0], of_state) for of_state in zip(*stages, strict=True)]
    return norm([e / (atol + rtol * size) for e, size in zip(errors, sizes, strict=True)])


def next_step(step: Array, ratio: Array) -> Array:
    """Length of the next step after one with this error; what is not finite shrinks it most."""
    factor = SAFETY * ratio ** (-1 / TSIT5.order)
    factor = jnp.where(jnp.isfinite(ratio), jnp.clip(factor, SHRINK, GROW), SHRINK)
    return step * jnp.where(ratio <= 1, factor, jnp.minimum(factor, 1.0))


def first_step(
    rates: Rates, norm: Norm, time: Array, states: States, first: States, tolerance: Tolerance
) -> Array:
    """Guess the length of the first step (trajectories, 1) from the rates and their change.

    Source: Hairer, Nørsett and Wanner 1993, section II.4.
    """
    rtol, atol = tolerance
    scales = [atol + rtol * jnp.abs(state) for state in states]
    size = norm([s / scale for s, scale in zip(states, scales, strict=True)])
    speed = norm([r / scale for r, scale in zip(first, scales, strict=True)])
    vanishes = (size < 1e-5) | (speed < 1e-5)
    guess = jnp.where(vanishes, 1e-6, FIRST * (size / jnp.where(vanishes, 1.0, speed)))
    ahead = rates(time + guess, tuple(s + guess * r for s, r in zip(states, first, strict=True)))
    change = norm([(b - a) / s for a, b, s in zip(first, ahead, scales, strict=True)]) / guess
    larger = jnp.maximum(speed, change)
    still = larger <= 1e-15
    wanted = (FIRST / jnp.where(still, 1.0, larger)) ** (1 / TSIT5.order)
    return jnp.minimum(100 * guess, jnp.where(still, jnp.maximum(1e-6, 1e-3 * guess), wanted))


def within(states: States, step: Array, stages: list[States], fraction: Array) -> States:
    """States at a fraction (trajectories, 1) of a step, by the pair's dense output."""
    return _moved(states, step, TSIT5.dense_weights(fraction), stages)


def _moved(
    states: States, step: Array, weights: Sequence[float | Array], stages: list[States]
) -> States:
    """Add step × Σ weight × stage to every state."""
    by_state = zip(*stages, strict=True)
    return tuple(s + step * _combined(weights, k) for s, k in zip(states, by_state, strict=True))


def _combined(weights: Sequence[float | Array], stages: Sequence[Array]) -> Array:
    """Σ weight × stage, one of each."""
    total = weights[0] * stages[0]
    for weight, stage in zip(weights[1:], stages[1:], strict=True):
        total = total + weight * stage
    return total
