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
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from numpy.typing import NDArray

from eigendyn.fitting.motion import (
    Dynamics,
    Kind,
    advance,
    diffusion,
    now,
    numbers_of,
    responses,
    shared_logs,
    slopes,
)
from eigendyn.fitting.numbers import READING, SPREADS

UNKNOWN = 4.0  # variance of ln v of a mode that has not been read yet


class Readings(NamedTuple):
    """A record as micro-steps, each of which may end with a recording.

    Args:
        start: ln v at the first time (modes,).
        error: Relative error of each of these, in units of r; infinite where unknown (modes,).
        around: Logarithms of numbers per mode around which everything is linear (modal numbers,
            modes).
        dt: Length of each micro-step (steps,).
        eta: Learning rate of the descent in it; 0 of a flow (steps,).
        members: Which share each mode has in what is read (steps, modes, modes).
        read: ln of the mean variance that is read (steps, modes).
        errors: Relative error of it, in units of r; infinite where nothing is read (steps, modes).
        seconds: c₁ and c₂ of each mode where they are given, else not numbers (steps, 2, modes).
    """

    start: Array | NDArray
    error: Array | NDArray
    around: Array | NDArray
    dt: Array | NDArray
    eta: Array | NDArray
    members: Array | NDArray
    read: Array | NDArray
    errors: Array | NDArray
    seconds: Array | NDArray


class Filtered(NamedTuple):
    """What the filter says of one record under one set of numbers.

    Args:
        innovation: What was read, less what was foretold of it (steps, modes); 0 where nothing was.
        spread: Variance that it should have (steps, modes); 1 where nothing was read.
        mean: ln v after each step (steps, modes), of modes with the numbers `around`.
        variance: Variance of that (steps, modes).
        response: ∂x/∂ of these logarithms (steps, modal numbers, modes).
        shift: The logarithms less `around`, as far as they are known by then (steps, modal numbers,
            modes).
        doubt: Covariance of that (steps, modal numbers, modal numbers, modes).
        added: Variance that the noise of batches adds in each step (steps, modes).
    """

    innovation: Array
    spread: Array
    mean: Array
    variance: Array
    response: Array
    shift: Array
    doubt: Array
    added: Array


def _filter(loss: Dynamics, kind: Kind, readings: Readings, place: Array) -> Filtered:
    numbers = numbers_of(place)
    noise, around = numbers[READING] ** 2, jnp.asarray(readings.around)

    def step(carry: tuple, taken: tuple) -> tuple[tuple, Filtered]:
        mean, variance, response, shift, doubt = carry
        dt, eta, members, read, error, seconds = taken
        at = now(kind, numbers, around, seconds)
        slope = jnp.clip(slopes(loss, kind, at, mean) * dt, -20.0, 20.0)
        pushed = responses(loss, kind, numbers, around, seconds, mean) * dt
        response = jnp.exp(slope) * response + jnp.exp(slope / 2) * pushed
        variance = jnp.exp(2 * slope) * variance
        added = diffusion(loss, kind, at, mean) * dt
        variance += jnp.exp(slope) * added
        mean = advance(loss, kind, at, mean, dt, eta)
        # what is read: means over the members of a group
        weights = jnp.exp(mean - jnp.max(mean))
        total = members @ weights
        is_read = jnp.isfinite(error) & (total != 0)  # what has diverged is read, and is no number
        total = jnp.where(total != 0, total, 1.0)
        part = members * weights / total[:, None]  # (groups, modes)
        innovation = jnp.where(is_read, read - jnp.log(total) - jnp.max(mean), 0.0)
        expected = part**2 @ variance + jnp.where(is_read, error, 0.0) ** 2 * noise
        expected = jnp.where(is_read, expected, 1.0)
        weighed = jnp.where(is_read, 1 / expected, 0.0)
        told, whole = innovation, expected
        if kind.modal:  # numbers per mode, by what readings say beside the state
            known = jnp.einsum("klm,lm->km", doubt, response)
            told = innovation - part @ jnp.sum(response * shift, axis=0)
            told = jnp.where(is_read, told, 0.0)
            whole = expected + part**2 @ jnp.sum(response * known, axis=0)
            whole = jnp.where(is_read, whole, 1.0)
            weight = jnp.where(is_read, 1 / whole, 0.0)
            shift = shift + known * (part.T @ (weight * told))
            doubt = doubt - known[:, None] * known[None] * (part.T**2 @ weight)
        # the state, around the numbers that are given
        mean = mean + variance * (part.T @ (weighed * innovation))
        kept = 1 - variance * (part.T**2 @ weighed)
        variance, response = variance * kept, response * kept
        carry = (mean, variance, response, shift, doubt)
        return carry, Filtered(told, whole, *carry, added=added)

    known = jnp.isfinite(readings.error)
    first = jnp.where(known, jnp.where(known, readings.error, 0.0) ** 2 * noise, UNKNOWN)
    spreads = jnp.array([numbers[SPREADS[row]] for row in kind.modal])
    doubt = jnp.diag(spreads**2)[..., None] * jnp.ones(around.shape[1])
    shift = shared_logs(kind, numbers) - around
    carry = (jnp.asarray(readings.start), first, jnp.zeros_like(around), shift, doubt)
    return jax.lax.scan(step, carry, tuple(readings[3:]))[1]


@partial(jax.jit, static_argnames="kind")
def filtered(loss: Dynamics, kind: Kind, readings: Readings, places: Array | NDArray) -> Filtered:
    """Filter a record under many sets of numbers (lanes, numbers); fields get an axis in front."""
    return jax.vmap(lambda place: _filter(loss, kind, readings, place))(places)


class Ahead(NamedTuple):
    """What lies ahead, in micro-steps.

    Args:
        start: ln v of each lane (lanes, modes).
        logs: Logarithms of the numbers per mode of each lane (lanes, modal numbers, modes).
        noise: Standard normal numbers (lanes, steps, modes).
        dt: Length of each micro-step (steps,).
        eta: Learning rate of the descent in it (steps,).
        seconds: c₁ and c₂ of each mode where they are given (2, modes).
    """

    start: Array | NDArray
    logs: Array | NDArray
    noise: Array | NDArray
    dt: Array | NDArray
    eta: Array | NDArray
    seconds: Array | NDArray


@partial(jax.jit, static_argnames="kind")
def foretold(loss: Dynamics, kind: Kind, ahead: Ahead, places: Array | NDArray) -> Array:
    """Give ln v after each micro-step (lanes, steps, modes), under sets of numbers."""

    def one(start: Array, logs: Array, noise: Array, place: Array) -> Array:
        at = now(kind, numbers_of(place), logs, jnp.asarray(ahead.seconds))

        def step(x: Array, taken: tuple) -> tuple[Array, Array]:
            dt, eta, drawn = taken
            spread = jnp.sqrt(diffusion(loss, kind, at, x) * dt)
            x = advance(loss, kind, at, x, dt, eta) + spread * drawn
            return x, x

        return jax.lax.scan(step, start, (ahead.dt, ahead.eta, noise))[1]

    lanes = (ahead.start, ahead.logs, ahead.noise, places)
    return jax.vmap(one)(*map(jnp.asarray, lanes))
