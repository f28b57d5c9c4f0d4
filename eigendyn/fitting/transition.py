"""Follow modes and their uncertainty from one recording to the next, for many numbers at once.

The state of a mode is x = ln v. The theory moves its mean, the noise of batches spreads it, and a
recording reads it with an error of its own: an extended Kalman filter, whose prediction errors are
independent of each other if the theory holds. Modes that recordings cannot tell apart are read as
one, by their mean.

Numbers that a mode has for itself, as ln A_m, are states too, which do not move. They begin at the
shared number with the spread that modes have, and recordings tell them: prediction errors change
along ∂x/∂ln A_m, which is followed beside x, so that they are found by least squares that each
recording goes on with. All of it is linear around given values, in which no shared number enters.

Source: Harvey 1989, Forecasting, structural time series models and the Kalman filter; de Jong 1991,
Ann. Statist. 19, 1073, numbers that are states.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from eigendyn.fitting.known import CHUNK, Filtered, Known, Steps, Values
from eigendyn.fitting.motion import (
    Dynamics,
    Kind,
    advance,
    diffusion,
    halfway,
    now,
    numbers_of,
    responses,
    slopes,
)
from eigendyn.fitting.numbers import READING


def _follow(
    loss: Dynamics,
    kind: Kind,
    steps: Steps,
    place: Values,
    around: Values,
    at: Known,
    drawn: Values,
) -> tuple[Known, Filtered]:
    numbers, around = numbers_of(jnp.asarray(place)), jnp.asarray(around)
    noise = numbers[READING] ** 2

    def step(known: Known, taken: tuple[Steps, Values]) -> tuple[Known, Filtered]:
        mean, variance, response, shift, doubt = known
        (dt, eta, members, read, error, seconds), kick = taken
        at = now(kind, numbers, around, seconds)
        middle = halfway(loss, at, mean, dt)
        slope = jnp.clip(slopes(loss, kind, at, middle) * dt, -20.0, 20.0)
        pushed = responses(loss, kind, numbers, around, seconds, middle) * dt
        response = jnp.exp(slope) * response + jnp.exp(slope / 2) * pushed
        variance = jnp.exp(2 * slope) * variance
        added = diffusion(loss, kind, at, middle) * dt
        variance += jnp.exp(slope) * added
        mean = advance(loss, kind, at, mean, dt, eta) + jnp.sqrt(added) * kick
        # what is read: means over the members of a group
        weights = jnp.exp(mean - jnp.max(mean))
        total, inside = members @ weights, jnp.where(members > 0, 1.0, 0.0)
        is_read = jnp.isfinite(error) & (total != 0)  # what has diverged is read, and is no number
        total = jnp.where(total != 0, total, 1.0)
        part = weights * jnp.sum(members, axis=0) * (inside.T @ (1 / total))  # of its group
        innovation = jnp.where(is_read, read - jnp.log(total) - jnp.max(mean), 0.0)
        expected = inside @ (part**2 * variance) + jnp.where(is_read, error, 0.0) ** 2 * noise
        expected = jnp.where(is_read, expected, 1.0)
        weighed = jnp.where(is_read, 1 / expected, 0.0)
        told, whole = innovation, expected
        if kind.modal:  # numbers per mode, by what readings say beside the state
            along = jnp.einsum("klm,lm->km", doubt, response)
            told = innovation - inside @ (part * jnp.sum(response * shift, axis=0))
            told = jnp.where(is_read, told, 0.0)
            whole = expected + inside @ (part**2 * jnp.sum(response * along, axis=0))
            whole = jnp.where(is_read, whole, 1.0)
            weight = jnp.where(is_read, 1 / whole, 0.0)
            shift = shift + along * part * (inside.T @ (weight * told))
            doubt = doubt - along[:, None] * along[None] * part**2 * (inside.T @ weight)
        # the state, around the numbers that are given
        mean = mean + variance * part * (inside.T @ (weighed * innovation))
        kept = 1 - variance * part**2 * (inside.T @ weighed)
        variance, response = variance * kept, response * kept
        known = Known(mean, variance, response, shift, doubt)
        return known, Filtered(told, whole, added, known)

    return jax.lax.scan(step, at, (steps, drawn))


@partial(jax.jit, static_argnames="kind")
def _chunk(
    loss: Dynamics,
    kind: Kind,
    steps: Steps,
    places: Values,
    around: Values,
    at: Known,
    drawn: Values,
) -> tuple[Known, Filtered]:
    return jax.vmap(partial(_follow, loss, kind, steps))(places, around, at, drawn)


def followed(
    loss: Dynamics,
    kind: Kind,
    steps: Steps,
    places: Values,
    around: Values,
    at: Known,
    drawn: Values | None = None,
) -> Filtered:
    """Follow modes from what is known of them, under many sets of numbers.

    One program of `CHUNK` micro-steps is compiled for a loss, and serves records of any length.

    Args:
        loss: The dynamics.
        kind: What they compile for.
        steps: Micro-steps, a multiple of `CHUNK`.
        places: Coordinates (lanes, numbers).
        around: Logarithms of numbers per mode (lanes, modal numbers, modes).
        at: What is known at first.
        drawn: Standard normal numbers (lanes, steps, modes) that the noise of batches pushes modes
            by; None where it only makes them less known.
    """
    count = len(steps.dt)
    if drawn is None:
        drawn = np.zeros((len(places), CHUNK, around.shape[2]))
    parts = []
    for begin in range(0, count, CHUNK):
        inside = slice(begin, begin + CHUNK)
        pushes = drawn[:, inside] if drawn.shape[1] == count else drawn
        chunk = Steps(*(row[inside] for row in steps))
        at, part = _chunk(loss, kind, chunk, places, around, at, pushes)
        parts.append(part)
    return jax.tree.map(lambda *rows: np.concatenate(rows, axis=1), *parts)
