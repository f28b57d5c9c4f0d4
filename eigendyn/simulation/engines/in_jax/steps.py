"""Take the exact expected steps of a gradient descent, each state in its turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from eigendyn.program.in_jax import VectorField
from eigendyn.results.trajectory import Trajectory, finite_times
from eigendyn.settings.choices import CORRELATION_ORDERS, check_choice
from eigendyn.settings.states import MOVES

BLOCKS = 50  # calls into compiled code per run: progress is shown, and Ctrl-C heard, in between
CORRELATION, TARGET = "correlation_value", "target_value"  # states that average others


def descent_steps(
    field: VectorField,
    start: NDArray,
    saved_steps: NDArray,
    learning_rate: float,
    parameters: Mapping[str, float],
    report: Callable[[int], object] = lambda _steps: None,
    correlation_order: str = CORRELATION_ORDERS[0],
) -> Trajectory:
    r"""Follow what a network's expectation does at a finite learning rate.

    s_m ← s_m + η D_m with D_m = (G1_m + G2_m)/s_m − ω s_m, or with momentum u_m ← μ u_m + D_m and
    s_m ← s_m + η u_m; other states in the order of the published code: see `descent_step`.

    Args:
        field: Rates of change of the states.
        start: States at the first of the saved steps (states, modes).
        saved_steps: Increasing step numbers to save (times,), the first that of the start.
        learning_rate: η.
        parameters: One number for each of the field's parameters.
        report: Called with the number of steps taken since the last call.
        correlation_order: One of `choices.CORRELATION_ORDERS`.

    Returns:
        States at the saved steps; cut before the first one that is not finite, status "diverged".

    Raises:
        UnknownName: There is no such order.

    Source: Halvagal et al. 2023, expectation of their gradient descent on a linear network.
    """
    check_choice("order", correlation_order, CORRELATION_ORDERS)
    states = jnp.asarray(start)
    counts = np.diff(saved_steps)
    saved = [states[..., None]]
    length = -(-len(counts) // BLOCKS)
    taken = int(saved_steps[0])
    for block in np.split(counts, range(length, len(counts), length)):
        filled = np.pad(block, (0, length - len(block)))  # so that all blocks share compiled code
        states, values = advance(
            correlation_order,
            field,
            states,
            taken,
            jnp.asarray(filled),
            learning_rate,
            parameters,
        )
        taken += int(block.sum())
        saved.append(jnp.moveaxis(values[: len(block)], 0, -1))
        report(int(block.sum()))
        if not bool(jnp.isfinite(states).all()):
            break
    values = np.concatenate([np.asarray(v) for v in saved], axis=-1)
    count = finite_times(values)
    steps = np.asarray(saved_steps[:count])
    completed = count == len(saved_steps)
    message = (
        f"The descent diverged between steps {steps[-1]} and {saved_steps[count]}. "
        "Try a smaller `learning_rate`."
        if not completed
        else ""
    )
    return Trajectory(
        times=learning_rate * steps.astype(float),
        values=values[..., :count],
        states=field.states,
        status="completed" if completed else "diverged",
        message=message,
    )


def descent_step(
    field: VectorField,
    states: Array,
    time: Array | float,
    rate: Array | float,
    parameters: Mapping,
    correlation_order: str = CORRELATION_ORDERS[0],
) -> Array:
    r"""Take one expected step.

    One after the other, each from what the ones before have made:

        correlation  c ← μ_c c + (1 − μ_c)(1 + σ1²) s², if that is "update-first"
        descent      s, a learned predictor p and their velocities at once, from one gradient
        target       ξ ← μ_ξ ξ + (1 − μ_ξ) s with the new s, so that μ_ξ = 0 is the shared target

    A velocity without momentum, as a model may have, takes the Euler step with the descent. With
    "use-first" the correlation moves at once with the descent: it takes up the
    representations of this step's weights, and serves the next step.

    Args:
        field: Rates of change of the states.
        states: Before the step (states, modes).
        time: η × number of the step, counted from zero; a schedule looks at it.
        rate: η.
        parameters: One number for each of the field's parameters.
        correlation_order: One of `choices.CORRELATION_ORDERS`.

    Returns:
        States after the step (states, modes).

    Source: target after the optimiser's step, Grill et al. 2020 (BYOL); correlation used first,
    Tian et al. 2021 (DirectPred), updated first in solo-learn; momentum, PyTorch's SGD.
    """
    descending = tuple(name for name in field.states if name not in (CORRELATION, TARGET))
    turns = {
        "update-first": ((CORRELATION,), descending, (TARGET,)),
        "use-first": ((CORRELATION, *descending), (TARGET,)),
    }
    for names in turns[correlation_order]:
        rows = [row for row, name in enumerate(field.states) if name in names]
        if rows:
            rates = field(time, states, parameters)
            moved = {row: states[row] + rate * rates[row] for row in rows}
            for row in rows:
                # du/dt = 2(D − (1 − μ)u)/(η(1 + μ))
                if field.states[row] in MOVES and "momentum" in parameters:
                    half = (1 + parameters["momentum"]) / 2
                    moved[row] = states[row] + half * rate * rates[row]
                    driven = field.states.index(MOVES[field.states[row]])
                    moved[driven] = states[driven] + rate * moved[row]
            parts = [moved.get(row, old) for row, old in enumerate(states)]
            states = jnp.stack(parts)  # pyright: ignore[reportArgumentType]
    return states


@partial(jax.jit, static_argnums=0)
def advance(correlation_order, field, states, taken, counts, learning_rate, parameters):
    """Take counts[i] steps for each i, and keep the states after each."""
    rate = jnp.asarray(learning_rate, states.dtype)

    def step(number, states):
        time = rate * number.astype(rate.dtype)
        return descent_step(field, states, time, rate, parameters, correlation_order)

    def segment(carry, count):
        states, taken = carry
        states = jax.lax.fori_loop(taken, taken + count, step, states)
        return (states, taken + count), states

    (states, _), values = jax.lax.scan(segment, (states, taken), counts)
    return states, values
