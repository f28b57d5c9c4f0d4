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
    now,
    numbers_of,
    own_of,
    pushes,
    relaxed,
    responses,
    slopes,
)
from eigendyn.fitting.numbers import READING
from eigendyn.fitting.scatter import (
    LARGEST,
    carried,
    independent,
    learned,
    mean_exponential,
    of_readings,
)


def _follow(
    loss: Dynamics,
    kind: Kind,
    steps: Steps,
    place: Values,
    around: Values,
    at: Known,
    drawn: Values,
) -> tuple[Known, tuple[Values, ...]]:
    numbers, around = numbers_of(jnp.asarray(place)), jnp.asarray(around)
    noise = numbers[READING] ** 2

    def step(known: Known, taken: tuple[Steps, Values]) -> tuple[Known, tuple[Values, ...]]:
        mean, scatter, response, shift, doubt = known
        (dt, eta, members, read, error, seconds), kick = taken
        moved_by = now(kind, numbers, around, seconds)
        middle = relaxed(loss, kind, moved_by, mean, dt / 2)
        slope = slopes(loss, kind, moved_by, middle) * dt
        added = diffusion(loss, kind, moved_by, middle) * dt
        push = pushes(kind, middle, added)
        scatter = carried(scatter, slope, push**2 if push.ndim == 1 else push @ push.T)
        own = jnp.minimum(own_of(slope), LARGEST)
        pushed = responses(loss, kind, numbers, around, seconds, middle) * dt
        response = jnp.exp(own) * response + mean_exponential(own) * pushed
        mean = advance(loss, kind, moved_by, mean, dt, eta)
        mean += push * kick if push.ndim == 1 else push @ kick
        # what is read: means over the members of a group
        weights = jnp.exp(mean - jnp.max(mean))
        total = members @ weights
        is_read = jnp.isfinite(error) & (total != 0)  # what has diverged is read, and is no number
        inside = jnp.where((members > 0) & is_read[:, None], 1.0, 0.0)
        total = jnp.where(is_read, total, 1.0)
        part = weights * jnp.sum(members, axis=0) * (inside.T @ (1 / total))  # of its group
        innovation = jnp.where(is_read, read - jnp.log(total) - jnp.max(mean), 0.0)
        own_errors = jnp.where(is_read, error**2 * noise, 1.0)
        expected = of_readings(scatter, inside, part, own_errors)
        now_known = learned(scatter, inside, part, expected, innovation)
        errors, variances = now_known.errors, now_known.variances
        if kind.modal:  # numbers per mode, by what readings say beside the state
            along = jnp.einsum("klm,lm->km", doubt, response)
            told = innovation - inside @ (part * jnp.sum(response * shift, axis=0))
            more = inside @ (part**2 * jnp.sum(response * along, axis=0))
            whole = expected + (jnp.diag(more) if expected.ndim == 2 else more)
            weight = 1 / own_of(whole)
            shift = shift + along * part * (inside.T @ (weight * told))
            doubt = doubt - along[:, None] * along[None] * part**2 * (inside.T @ weight)
            errors, variances = independent(told, whole)
        # the state, around the numbers that are given
        mean, response = mean + now_known.shift, response * now_known.kept
        known = Known(mean, now_known.scatter, response, shift, doubt)
        return known, (errors, variances, added, mean)

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
) -> tuple[Known, tuple[Values, ...]]:
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
    innovation, spread, added, mean = (
        np.concatenate(rows, axis=1) for rows in zip(*parts, strict=True)
    )
    return Filtered(innovation, spread, added, mean, at)
