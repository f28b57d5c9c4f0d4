"""Take the exact expected steps of a gradient descent, each state in its turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from eigendyn.program.in_jax import VectorField
from eigendyn.results.trajectory import Trajectory
from eigendyn.settings.checks import check_is
from eigendyn.settings.choices import CORRELATION_ORDERS, check_choice
from eigendyn.settings.keywords import takes
from eigendyn.simulation.engines.descent import in_blocks, turns


@takes()
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
    s_m ← s_m + η u_m; other states in the order of the published code: see `descent.turns`.

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
        InvalidSetting: The field is none of this package.
        UnknownName: There is no such order.

    Source: Halvagal et al. 2023, expectation of their gradient descent on a linear network.

    Examples:
        >>> field, start, parameters = eigendyn.vector_field("euclidean", [0.25, 1.0], sigma1=0)
        >>> steps = np.array([0, 50, 100])
        >>> found = eigendyn.simulation.descent_steps(field, start, steps, 0.1, parameters)
        >>> (found.values[0, :, -1] ** 2).round(3).tolist()
        [1.0, 1.0]
    """
    is_field = callable(field) and hasattr(field, "states")
    check_is("field", field, is_field, "what eigendyn.vector_field(loss) gives")
    check_choice("order", correlation_order, CORRELATION_ORDERS)

    def take(states: Any, taken: int, counts: NDArray) -> tuple[Any, NDArray]:
        numbers = (taken, jnp.asarray(counts), learning_rate, parameters)
        states, values = advance(correlation_order, field, states, *numbers)
        return states, np.moveaxis(np.asarray(values), 0, -1)

    return in_blocks(take, jnp.asarray(start), saved_steps, learning_rate, field.states, report)


def descent_step(
    field: VectorField,
    states: Array,
    time: Array | float,
    rate: Array | float,
    parameters: Mapping,
    correlation_order: str = CORRELATION_ORDERS[0],
) -> Array:
    """Take one expected step of length η = `rate` from states (states, modes) at a time.

    The states move in the order that `turns` says; other arguments are those of `descent_steps`.
    """
    for moves in turns(field.states, correlation_order, "momentum" in parameters):
        rates = field(time, states, parameters)
        moved = {}
        for row, driven in moves:
            pace = rate if driven is None else (1 + parameters["momentum"]) / 2 * rate
            moved[row] = states[row] + pace * rates[row]
            if driven is not None:
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
