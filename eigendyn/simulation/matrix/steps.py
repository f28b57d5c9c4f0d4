"""Take expected steps of an encoder's weights in the order of training, or follow their flow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from eigendyn.settings.run_settings import Settings
from eigendyn.simulation.engines.in_jax.flow import integrate
from eigendyn.simulation.matrix.moments import SecondMoments
from eigendyn.simulation.matrix.rates import (
    Law,
    Numbers,
    State,
    correlation,
    drives,
    target_momentum,
)

BLOCKS = 50  # calls into compiled code per run, so that Ctrl-C is heard in between

Measure = Callable[[Law, State, SecondMoments, Numbers], dict[str, Array]]


class Followed(NamedTuple):
    """What was measured along the way.

    Args:
        steps: Saved steps (times,), up to the last at which all weights are finite.
        values: By name, measures (times, …).
        last: The last state of which all is finite.
        message: What happened; empty if all steps were taken.
    """

    steps: NDArray
    values: dict[str, NDArray]
    last: State
    message: str


def expected_step(
    law: Law, state: State, moments: SecondMoments, numbers: Numbers, number: Array
) -> State:
    """One step of the learning rate η, on everything in its turn.

    The running correlation first, or at once with the descent if it is used first; then encoder
    and learned predictor, both gradients at the weights before the step; then the target, from the
    weights that were just made.
    """
    moved = state.correlation
    if moved is not None:
        new = correlation(law, state.weights, moments)
        moved = _average(numbers["correlation_momentum"], moved, new)
    if law.order == "update-first":
        state = replace(state, correlation=moved)
    drive, learned = drives(law, state, moments, numbers)
    rate = numbers["learning_rate"]
    if state.velocity is not None:
        drive = numbers["momentum"] * state.velocity + drive
        state = replace(state, velocity=drive)
    if state.predictor_velocity is not None and learned is not None:
        learned = numbers["momentum"] * state.predictor_velocity + learned
        state = replace(state, predictor_velocity=learned)
    weights = state.weights + rate * drive
    target = state.target
    if target is not None:
        target = _average(target_momentum(law, number, numbers), target, weights)
    made = state.predictor
    if made is not None and learned is not None:
        made = made + rate * learned
    return replace(state, weights=weights, target=target, correlation=moved, predictor=made)


def take_steps(
    law: Law,
    state: State,
    moments: SecondMoments,
    numbers: Numbers,
    steps: NDArray,
    measure: Measure,
) -> Followed:
    """Take the expected steps, and measure at each saved one (times,), the first of which is 0."""
    counts = np.diff(steps, prepend=0)
    length = -(-len(counts) // BLOCKS)
    taken, found, last = 0, [], state
    for block in np.split(counts, range(length, len(counts), length)):
        filled = np.pad(block, (0, length - len(block)))  # so that all blocks share compiled code
        state, values = _advance(law, measure, state, moments, numbers, taken, filled)
        taken += int(block.sum())
        found.append({name: np.asarray(one)[: len(block)] for name, one in values.items()})
        if not _is_finite(state):
            break
        last = state
    joined = {name: np.concatenate([one[name] for one in found]) for name in found[0]}
    count = _finite_times(joined)
    message = ""
    if count < len(steps):
        message = (
            f"The descent diverged between steps {steps[count - 1]} and {steps[count]}. Try a "
            "smaller `learning_rate`."
        )
    return Followed(steps[:count], {n: one[:count] for n, one in joined.items()}, last, message)


@partial(jax.jit, static_argnums=(0, 1))
def _advance(law, measure, state, moments, numbers, taken, counts):
    """Take counts[i] steps for each i, and measure after each."""

    def step(number, state):
        return expected_step(law, state, moments, numbers, number)

    def segment(carry, count):
        state, taken = carry
        state = jax.lax.fori_loop(taken, taken + count, step, state)
        return (state, taken + count), measure(law, state, moments, numbers)

    (state, _), values = jax.lax.scan(segment, (state, taken), counts)
    return state, values


def flow_rates(
    law: Law, state: State, moments: SecondMoments, numbers: Numbers, time: Array | float
) -> State:
    """Rates of everything in the gradient flow; averages forget at (1 − momentum)/η."""
    rate = numbers["learning_rate"]
    drive, learned = drives(law, state, moments, numbers)
    moved, target = state.correlation, state.target
    if moved is not None:
        new = correlation(law, state.weights, moments)
        moved = (1 - numbers["correlation_momentum"]) * (new - moved) / rate
    if target is not None:
        kept = target_momentum(law, time / rate, numbers)
        target = (1 - kept) * (state.weights - target) / rate
    return replace(state, weights=drive, target=target, correlation=moved, predictor=learned)


def follow_flow(
    law: Law,
    state: State,
    moments: SecondMoments,
    numbers: Numbers,
    steps: NDArray,
    measure: Measure,
    chosen: Settings,
) -> Followed:
    """Follow the gradient flow adaptively, and measure at the times of saved steps (times,)."""
    times = jnp.asarray(chosen.learning_rate * steps, chosen.dtype)
    limits = chosen.limits
    found, states, measured = _flow(
        law, measure, state, moments, numbers, times, chosen.solver, **limits
    )
    values = {name: np.array(one) for name, one in measured.items()}
    count = max(1, _finite_times(values))
    message = ""
    if count < len(steps):
        message = (
            f"The flow ended after time {times[count - 1]:.6g}, with {found} steps taken. Try "
            "`solver='stiff'`, larger `rtol` and `atol`, or a smaller `weight_decay`."
        )
    last = jax.tree.map(lambda leaf: leaf[count - 1], states)
    return Followed(steps[:count], {n: one[:count] for n, one in values.items()}, last, message)


@partial(jax.jit, static_argnames=("law", "measure", "solver", "max_steps"))
def _flow(law, measure, state, moments, numbers, times, solver, rtol, atol, max_steps):
    def field(time, state, _):
        return flow_rates(law, state, moments, numbers, time)

    options: dict[str, Any] = {"rtol": rtol, "atol": atol, "max_steps": max_steps}
    solution: Any = integrate(field, state, times, {}, solver=solver, **options)  # pyright: ignore[reportArgumentType]
    # The start is saved only if a step succeeds.
    states = jax.tree.map(lambda path, first: path.at[0].set(first), solution.ys, state)
    measured = jax.lax.map(lambda one: measure(law, one, moments, numbers), states)
    return solution.stats["num_steps"], states, measured


def _average(momentum: Array | float, old: Array, new: Array) -> Array:
    return momentum * old + (1 - momentum) * new


def _finite_times(values: dict[str, NDArray]) -> int:
    """How many times there are before the first at which weights are not finite."""
    wrong = np.flatnonzero(~np.isfinite(values["singular_value"].sum(axis=1)))
    return int(wrong[0]) if len(wrong) else len(values["singular_value"])


def _is_finite(state: State) -> bool:
    return all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(state))
