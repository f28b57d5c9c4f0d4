"""Differentiate the expected steps of a gradient descent by the numbers that they depend on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from eigendyn.program.in_jax import VectorField
from eigendyn.simulation.engines.in_jax.steps import advance

RATE, DURATION = "learning_rate", "duration"


def step_sensitivities(
    field: VectorField,
    start: NDArray,
    slopes: Mapping[str, NDArray],
    saved_steps: NDArray,
    numbers: Mapping[str, float | NDArray],
    correlation_order: str,
) -> dict[str, NDArray]:
    r"""Say by how much a relative change of each number moves the singular values.

    ∂s_m(t)/∂ln θ = θ ∂s_m(t)/∂θ of the encoder's singular values, by automatic differentiation of
    every step in forward mode. A step keeps its number, so that another learning rate changes the
    time of what is compared.

    Args:
        field: Rates of change of the states; s is the first of them.
        start: States at step 0 (states, modes).
        slopes: By the name of a number, θ ∂start/∂θ (states, modes), where it is not zero.
        saved_steps: Increasing step numbers, starting at 0, after which to look (times,).
        numbers: η as "learning_rate", what the field needs, and what the start depends on.
        correlation_order: One of `choices.CORRELATION_ORDERS`.

    Returns:
        By name, for each number that is not zero, θ ∂s/∂θ (modes, times); NaN where it does not
        exist, as for ∂(v^α)/∂α of a mode without variance.
    """
    names = tuple(n for n, value in numbers.items() if np.any(value) and n != DURATION)
    moved = jnp.stack([jnp.asarray(slopes.get(name, np.zeros_like(start))) for name in names])
    values = [jnp.asarray(numbers[name]) for name in names]
    fixed = {name: numbers[name] for name in field.parameters if name not in names}
    counts = jnp.asarray(np.diff(saved_steps, prepend=0))
    end = int(numbers.get(DURATION, 0.0) / numbers[RATE] + 0.5)  # of a schedule, in steps
    found = _differentiated(
        names, correlation_order, field, jnp.asarray(start), moved, values, fixed, counts, end
    )
    return {name: np.moveaxis(np.asarray(found[..., i]), 0, -1) for i, name in enumerate(names)}


@partial(jax.jit, static_argnums=(0, 1))
def _differentiated(names, order, field, start, moved, values, fixed, counts, end):
    def singular_values(shares):
        given = {n: v * (1 + s) for n, v, s in zip(names, values, shares, strict=True)}
        rate = given[RATE]
        parameters = fixed | given | {DURATION: rate * end}
        states = start + jnp.tensordot(shares, moved, 1)
        _, saved = advance(order, field, states, 0, counts, rate, parameters)
        return saved[:, 0] / jnp.sqrt(jnp.ravel(given.get("signal", 1.0)))

    return jax.jacfwd(singular_values)(jnp.zeros(len(names)))
