"""Follow modes and their uncertainty from one recording to the next, for many numbers at once.

The state of a mode is x = ln v. The theory moves its mean, the noise of batches spreads it, and a
recording reads it with an error of its own: an extended Kalman filter, whose prediction errors are
independent of each other if the theory holds. Modes that recordings cannot tell apart are read as
one, by their mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from numpy.typing import NDArray

from eigendyn.fitting.numbers import (
    ALPHA,
    DECAY,
    LOGS,
    NOISE1,
    NOISE2,
    PROCESS,
    READING,
    TIME_SCALE,
)
from eigendyn.program.in_jax import VectorField

UNKNOWN = 4.0  # variance of ln v of a mode that has not been read yet


class Kind(NamedTuple):
    """What must be known of a loss beside its field, to compile for it.

    Args:
        is_coupled: Whether modes move each other.
        is_scale_free: Whether it normalises representations.
        beta: Exponent β of its family δ/λ^β.
        takes_steps: Whether steps of descent are followed, not their flow.
    """

    is_coupled: bool
    is_scale_free: bool
    beta: float
    takes_steps: bool


class Readings(NamedTuple):
    """A record as micro-steps, each of which may end with a recording.

    Args:
        start: ln v at the first time (modes,).
        error: Relative error of each of these, in units of r; infinite where unknown (modes,).
        dt: Length of each micro-step (steps,).
        eta: Learning rate of the descent in it; 0 of a flow (steps,).
        members: Which share each mode has in what is read (steps, modes, modes).
        read: ln of the mean variance that is read (steps, modes).
        errors: Relative error of it, in units of r; infinite where nothing is read (steps, modes).
    """

    start: Array | NDArray
    error: Array | NDArray
    dt: Array | NDArray
    eta: Array | NDArray
    members: Array | NDArray
    read: Array | NDArray
    errors: Array | NDArray


class Filtered(NamedTuple):
    """What the filter says of one record under one set of numbers.

    Args:
        innovation: What was read, less what was foretold of it (steps, modes); 0 where nothing was.
        spread: Variance that it should have (steps, modes); 1 where nothing was read.
        mean: ln v after each step (steps, modes).
        variance: Variance of that (steps, modes).
        added: Variance that the noise of batches adds in each step (steps, modes).
    """

    innovation: Array
    spread: Array
    mean: Array
    variance: Array
    added: Array


def numbers_of(coordinates: Array) -> Array:
    """The numbers themselves (7,)."""
    return jnp.where(LOGS, jnp.exp(jnp.where(LOGS, coordinates, 0.0)), coordinates)


class Dynamics(NamedTuple):
    """A loss whose numbers are left open.

    Args:
        field: Its rates, moments taken as well as the record deserves.
        rough: The same for what is small beside them; the field itself, where that is quick.
        own: Numbers that are not looked for, by name.
    """

    field: VectorField
    rough: VectorField
    own: Mapping[str, float]


def drive_of(field: VectorField, own: Mapping[str, float], numbers: Array) -> Callable:
    """ds/dt as a function of s (modes,): A times the gradient, less decay that A does not touch."""
    scale = numbers[TIME_SCALE]
    given = {
        "alpha": numbers[ALPHA],
        "sigma1": jnp.sqrt(numbers[NOISE1] - 1),
        "sigma2": jnp.sqrt(numbers[NOISE2] - 1),
        "weight_decay": numbers[DECAY] / scale,
    }
    parameters = {name: own[name] if name in own else given[name] for name in field.parameters}
    return lambda s: scale * field(0.0, s[None], parameters)[0]


def advance(loss: Dynamics, kind: Kind, numbers: Array, x: Array, dt: Array, eta: Array) -> Array:
    r"""Give ln v (modes,) a time dt later, by one Runge–Kutta step of fourth order.

    Steps of descent of length η of ds/dt = D(s) follow the flow of

        D − η D′D/2 + η² (D″(D, D) + 4 D′D′D)/12

    to third order in η; what is added to D is taken once, in the middle of the step.

    Source: Hairer, Lubich, Wanner, Geometric Numerical Integration (2006), IX.1.
    """
    drive = drive_of(loss.field, loss.own, numbers)

    def rate(x: Array) -> Array:
        s = jnp.exp(x / 2)
        return 2 * drive(s) / s

    k1 = rate(x)
    added = jnp.zeros_like(x)
    if kind.takes_steps:
        rough = drive_of(loss.rough, loss.own, numbers)
        added = _added_by_steps(rough, jnp.exp((x + dt / 2 * k1) / 2), eta)
    k2 = rate(x + dt / 2 * (k1 + added))
    k3 = rate(x + dt / 2 * (k2 + added))
    k4 = rate(x + dt * (k3 + added))
    return x + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4) + dt * added


def _added_by_steps(drive: Callable, s: Array, eta: Array) -> Array:
    """What steps of descent add to d ln v/dt."""

    def along(direction: Array) -> Callable:
        return lambda s: jax.jvp(drive, (s,), (direction,))[1]

    d = drive(s)
    first = along(d)(s)
    second = jax.jvp(along(d), (s,), (d,))[1] + 4 * along(first)(s)
    return (-eta * first + eta**2 * second / 6) / s


def diffusion(loss: Dynamics, kind: Kind, numbers: Array, x: Array) -> Array:
    r"""Variance of ln v that the noise of batches adds per time (modes,).

    The gradient of a sample along a mode is λ^(1−β) (z2 − λ z1) x1 for Gaussian views, whose
    variance is 4 λ^(2−2β) [(c2 − 2λ + λ²c1) c1 + (1 − λ c1)²] in ln v, times q A. A normalised
    loss divides λ z1 and z2 by their norms. Both views count as equally noisy here.
    """
    scale, c = numbers[TIME_SCALE], numbers[NOISE1]
    field, given = loss.rough, {"alpha": numbers[ALPHA]}
    parameters = {n: loss.own[n] if n in loss.own else given.get(n, 0.0) for n in field.parameters}
    v = jnp.exp(x)
    eigenvalue = field.predictor_eigenvalue(jnp.exp(x / 2)[None], parameters)
    size, pulled = 1.0, eigenvalue
    if kind.is_scale_free:
        first, second = jnp.sum(eigenvalue**2 * v) * c, jnp.sum(v) * c
        size = 1 / (first * second)
        pulled = eigenvalue * jnp.sum(eigenvalue * v) / first
    residual = (c - 2 * pulled + pulled**2 * c) * c + (1 - pulled * c) ** 2
    strength = eigenvalue ** (2 * (1 - kind.beta)) * size
    return 4 * numbers[PROCESS] * scale * strength * residual


def slopes(loss: Dynamics, numbers: Array, x: Array, is_coupled: bool) -> Array:
    """∂(d ln v_m/dt)/∂ ln v_m of every mode (modes,).

    Of coupled modes by two patterns of signs, under which what modes do to each other cancels but
    for a share of order 1/modes.
    """
    drive = drive_of(loss.rough, loss.own, numbers)

    def rate(x: Array) -> Array:
        s = jnp.exp(x / 2)
        return 2 * drive(s) / s

    places = jnp.arange(x.shape[0])
    patterns = [jnp.ones_like(x)]
    if is_coupled:
        patterns = [jnp.where((places // size) % 2 == 0, 1.0, -1.0) for size in (1, 2)]
    found = [signs * jax.jvp(rate, (x,), (signs,))[1] for signs in patterns]
    return jnp.mean(jnp.stack(found), axis=0)


def _filter(loss: Dynamics, kind: Kind, readings: Readings, place: Array) -> Filtered:
    numbers = numbers_of(place)
    noise = numbers[READING] ** 2

    def step(carry: tuple[Array, Array], now: tuple) -> tuple[tuple[Array, Array], Filtered]:
        mean, variance = carry
        dt, eta, members, read, error = now
        slope = jnp.clip(slopes(loss, numbers, mean, kind.is_coupled) * dt, -20.0, 20.0)
        spread = diffusion(loss, kind, numbers, mean) * dt
        variance = jnp.exp(2 * slope) * variance + jnp.exp(slope) * spread
        mean = advance(loss, kind, numbers, mean, dt, eta)
        # what is read: means over the members of a group
        weights = jnp.exp(mean - jnp.max(mean))
        total = members @ weights
        is_read = jnp.isfinite(error) & (total > 0)
        total = jnp.where(total > 0, total, 1.0)
        innovation = jnp.where(is_read, read - jnp.log(total) - jnp.max(mean), 0.0)
        expected = members**2 @ (weights**2 * variance) / total**2
        expected += jnp.where(is_read, error, 0.0) ** 2 * noise
        expected = jnp.where(is_read, expected, 1.0)
        gain = jnp.where(is_read, 1 / (expected * total), 0.0)
        mean = mean + variance * weights * (members.T @ (gain * innovation))
        shrinks = variance * weights**2 * (members.T**2 @ (gain / total))
        variance = variance * (1 - shrinks)
        return (mean, variance), Filtered(innovation, expected, mean, variance, spread)

    known = jnp.isfinite(readings.error)
    first = jnp.where(known, jnp.where(known, readings.error, 0.0) ** 2 * noise, UNKNOWN)
    _, found = jax.lax.scan(step, (jnp.asarray(readings.start), first), tuple(readings[2:]))
    return found


@partial(jax.jit, static_argnames="kind")
def filtered(loss: Dynamics, kind: Kind, readings: Readings, places: Array | NDArray) -> Filtered:
    """Filter a record under many sets of numbers (lanes, 7); every field gets an axis in front."""
    return jax.vmap(lambda place: _filter(loss, kind, readings, place))(places)


class Ahead(NamedTuple):
    """What lies ahead, in micro-steps.

    Args:
        start: ln v of each lane (lanes, modes).
        noise: Standard normal numbers (lanes, steps, modes).
        dt: Length of each micro-step (steps,).
        eta: Learning rate of the descent in it (steps,).
    """

    start: Array | NDArray
    noise: Array | NDArray
    dt: Array | NDArray
    eta: Array | NDArray


@partial(jax.jit, static_argnames="kind")
def foretold(loss: Dynamics, kind: Kind, ahead: Ahead, places: Array | NDArray) -> Array:
    """Give ln v after each micro-step (lanes, steps, modes), under sets of numbers (lanes, 7)."""

    def one(start: Array, noise: Array, place: Array) -> Array:
        numbers = numbers_of(place)

        def step(x: Array, now: tuple) -> tuple[Array, Array]:
            dt, eta, drawn = now
            spread = jnp.sqrt(diffusion(loss, kind, numbers, x) * dt)
            x = advance(loss, kind, numbers, x, dt, eta) + spread * drawn
            return x, x

        return jax.lax.scan(step, start, (ahead.dt, ahead.eta, noise))[1]

    return jax.vmap(one)(*map(jnp.asarray, (ahead.start, ahead.noise, places)))
