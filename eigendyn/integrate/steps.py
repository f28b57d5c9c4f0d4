"""A vector field and a start enter; the exact expected gradient-descent steps leave."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from eigendyn.compile import VectorField
from eigendyn.trajectory import Trajectory, finite_times

BLOCKS = 50  # calls into compiled code per run: progress is shown, and Ctrl-C heard, in between


def descent_steps(
    field: VectorField,
    start: NDArray,
    saved_steps: NDArray,
    learning_rate: float,
    parameters: Mapping[str, float],
    report: Callable[[int], object] = lambda _steps: None,
) -> Trajectory:
    r"""Follow what a network's expectation does at a finite learning rate.

    s ← s + η ds/dt(s) for every state, that is s_m ← s_m + η[(G1_m + G2_m)/s_m − ω s_m].

    Args:
        field: Rates of change of the states.
        start: States at the first of the saved steps (states, modes).
        saved_steps: Increasing step numbers to save (times,), the first that of the start.
        learning_rate: η.
        parameters: One number for each of the field's parameters.
        report: Called with the number of steps taken since the last call.

    Returns:
        States at the saved steps; cut before the first one that is not finite, status "diverged".

    Source: Halvagal et al. 2023, expectation of their gradient descent on a linear network.
    """
    states = jnp.asarray(start)
    counts = np.diff(saved_steps)
    saved = [states[..., None]]
    length = -(-len(counts) // BLOCKS)
    taken = int(saved_steps[0])
    for block in np.split(counts, range(length, len(counts), length)):
        filled = np.pad(block, (0, length - len(block)))  # so that all blocks share compiled code
        states, values = _advance(
            field, states, taken, jnp.asarray(filled), learning_rate, parameters
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
        "Try a smaller --learning-rate."
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


@jax.jit
def _advance(field, states, taken, counts, learning_rate, parameters):
    """Take counts[i] steps for each i, and keep the states after each."""
    rate = jnp.asarray(learning_rate, states.dtype)

    def step(number, states):
        return states + rate * field(rate * number.astype(rate.dtype), states, parameters)

    def segment(carry, count):
        states, taken = carry
        states = jax.lax.fori_loop(taken, taken + count, step, states)
        return (states, taken + count), states

    (states, _), values = jax.lax.scan(segment, (states, taken), counts)
    return states, values
