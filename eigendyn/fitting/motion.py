"""Say how fast modes move under the numbers of a fit, and what noise and a number's change add."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from eigendyn.fitting.numbers import ALPHA, DECAY, LOGS, NOISE1, NOISE2, PROCESS, TIME_SCALE
from eigendyn.fitting.scatter import mean_exponential
from eigendyn.program.in_jax import VectorField

STIFF = 1.0  # rate of relaxation times a step, beyond which modes are taken to where they relax to
FARTHEST = 1.0  # change of ln v in a step, at most: a larger one leads past where a mode rests
LEAST = -600.0  # ln v, below which rates are those at this value; √v would underflow in the end


class Kind(NamedTuple):
    """What must be known of a loss beside its field, to compile for it.

    Args:
        is_coupled: Whether modes move each other.
        is_scale_free: Whether it normalises representations.
        beta: Exponent β of its family δ/λ^β.
        takes_steps: Whether steps of descent are followed, not their flow.
        modal: Which numbers every mode has for itself.
    """

    is_coupled: bool
    is_scale_free: bool
    beta: float
    takes_steps: bool
    modal: tuple[int, ...] = ()


class Dynamics(NamedTuple):
    """A loss whose numbers are left open.

    Args:
        field: Its rates, moments taken as well as the record deserves.
        rough: Rates that every stage of a step follows, where the field is dear: what the field
            adds to them is small, and taken in the middle of the step; else the field itself.
        own: Numbers that are not looked for, by name; the signal among them.
    """

    field: VectorField
    rough: VectorField
    own: Mapping[str, Any]


class Now(NamedTuple):
    """What moves every mode at one time.

    Args:
        scale: A of each mode (modes,).
        second1: c₁ of each mode, E z1²/v (modes,).
        second2: c₂ of each (modes,).
        numbers: The shared numbers (numbers,).
    """

    scale: Array
    second1: Array
    second2: Array
    numbers: Array


def numbers_of(coordinates: Array) -> Array:
    """The numbers themselves (numbers,)."""
    return jnp.where(LOGS, jnp.exp(jnp.where(LOGS, coordinates, 0.0)), coordinates)


def now(kind: Kind, numbers: Array, logs: Array, seconds: Array) -> Now:
    """What moves every mode, of the shared numbers and what each mode has for itself.

    Args:
        kind: Which numbers are per mode.
        numbers: The shared ones (numbers,).
        logs: ln A or ln (c₁ − 1) of each mode, of numbers per mode (modal numbers, modes).
        seconds: c₁ and c₂ of each mode where they are given, not numbers elsewhere (2, modes).
    """
    own = dict(zip(kind.modal, jnp.exp(logs), strict=True))
    looked_for = (1 + own.get(row, numbers[row] - 1) for row in (NOISE1, NOISE2))
    second1, second2 = (
        jnp.where(jnp.isnan(given), found, given)
        for given, found in zip(seconds, looked_for, strict=True)
    )
    scale = own.get(TIME_SCALE, jnp.full(seconds.shape[1], numbers[TIME_SCALE]))
    return Now(scale, second1, second2, numbers)


def _parameters(field: VectorField, own: Mapping[str, Any], at: Now) -> dict[str, Any]:
    given = {
        "alpha": at.numbers[ALPHA],
        "noise1": own["signal"] * (at.second1 - 1),
        "noise2": own["signal"] * (at.second2 - 1),
        "weight_decay": at.numbers[DECAY] / at.scale,
    }
    return {name: own[name] if name in own else given[name] for name in field.parameters}


def drive_of(field: VectorField, own: Mapping[str, Any], at: Now) -> Callable[[Array], Array]:
    """ds/dt as a function of s (modes,): A times the gradient, less decay that A does not touch."""
    parameters = _parameters(field, own, at)
    return lambda s: at.scale * field(0.0, s[None], parameters)[0]


def _rate(field: VectorField, own: Mapping[str, Any], at: Now) -> Callable[[Array], Array]:
    """Give d ln v/dt as a function of ln v (modes,)."""
    drive = drive_of(field, own, at)

    def rate(x: Array) -> Array:
        s = _weight(x)
        return 2 * drive(s) / s

    return rate


def _weight(x: Array) -> Array:
    """√v of every mode (modes,); that of ln v = `LEAST` for modes below."""
    return jnp.exp(jnp.maximum(x, LEAST) / 2)


def advance(loss: Dynamics, kind: Kind, at: Now, x: Array, dt: Array, eta: Array) -> Array:
    r"""Give ln v (modes,) a time dt later, by one Runge–Kutta step of fourth order.

    Steps of descent of length η of ds/dt = D(s) follow the flow of

        D − η D′D/2 + η² (D″(D, D) + 4 D′D′D)/12

    to third order in η. The series holds while η|D′| < 1; a mode with more is given η = 1/|D′|.
    What is added to D is small, and is taken once, in the middle of the step; so is what an exact
    average adds to the mean field, which would cost far more at every stage. A mode that relaxes
    within the step is taken to where it relaxes to, at every stage (`relaxed`), 1 − z/2 + z²/3
    times as fast, z = ηD′, as the same series has it near rest. No ln v changes by more than
    `FARTHEST` in a step.

    Source: Hairer, Lubich, Wanner, Geometric Numerical Integration (2006), IX.1.
    """
    rate = _rate(loss.rough, loss.own, at)
    k1, own = rate(x), own_of(_by(kind, rate, x))
    eta = eta / jnp.maximum(jnp.abs(eta * own), 1.0)
    z = eta * own if kind.takes_steps else 0.0
    faster = 1 - z / 2 + z**2 / 3
    is_stiff = own * faster * dt < -STIFF

    def moved(time: Array, k: Array) -> Array:
        return x + jnp.where(is_stiff, _relaxed_by(k1, own, time * faster), _no_farther(time * k))

    middle, added = moved(dt / 2, k1), jnp.zeros_like(x)
    if loss.field.code is not loss.rough.code:
        exact = _rate(loss.field, loss.own, at)
        middle = moved(dt / 2, exact(x))
        added = exact(middle) - rate(middle)
    if kind.takes_steps:
        exact_drive, rough = (drive_of(field, loss.own, at) for field in (loss.field, loss.rough))
        added += _added_by_steps(exact_drive, rough, _weight(middle), eta)
    k2 = rate(moved(dt / 2, k1 + added))
    k3 = rate(moved(dt / 2, k2 + added))
    k4 = rate(moved(dt, k3 + added))
    mean = (k1 + 2 * k2 + 2 * k3 + k4) / 6 + added
    return moved(dt, jnp.where(jnp.abs(dt * k1) > FARTHEST, k1, mean))


def _added_by_steps(
    exact: Callable[[Array], Array], rough: Callable[[Array], Array], s: Array, eta: Array
) -> Array:
    """What steps of descent add to d ln v/dt, at third order by the mean field."""

    def along(drive: Callable[[Array], Array], direction: Array) -> Callable[[Array], Array]:
        return lambda s: jax.jvp(drive, (s,), (direction,))[1]

    first = along(exact, exact(s))(s)
    d = rough(s)
    pushed = along(rough, d)
    second = jax.jvp(pushed, (s,), (d,))[1] + 4 * along(rough, pushed(s))(s)
    return (-eta * first + eta**2 * second / 6) / s


def relaxed(loss: Dynamics, kind: Kind, at: Now, x: Array, dt: Array) -> Array:
    r"""Give ln v (modes,) a time dt later, by one step that is stable however fast modes relax.

        x + dt φ(J dt) ẋ,  φ(z) = (e^z − 1)/z,  J_m = ∂ẋ_m/∂x_m

    Source: Hochbruck and Ostermann 2010, Acta Numerica 19, 209, the exponential Euler method.
    """
    rate = _rate(loss.rough, loss.own, at)
    return x + _relaxed_by(rate(x), own_of(_by(kind, rate, x)), dt)


def _relaxed_by(rate: Array, own: Array, dt: Array) -> Array:
    """How far a mode of this rate and its slope goes in a time, as it relaxes."""
    return _no_farther(dt * mean_exponential(own * dt) * rate)


def _no_farther(change: Array) -> Array:
    """Changes of ln v (modes,), each within ±`FARTHEST`."""
    return jnp.clip(change, -FARTHEST, FARTHEST)


def diffusion(loss: Dynamics, kind: Kind, at: Now, x: Array) -> Array:
    r"""Variance of ln v that the noise of batches adds per time (modes,).

    The gradient of a sample along a mode is λ^(1−β) (z2 − λ z1) x1 for Gaussian views, whose
    variance is 4 λ^(2−2β) [(c2 − 2λ + λ²c1) c1 + (1 − λ c1)²] in ln v, times q A. A normalised
    loss divides λ z1 and z2 by their norms. Both views count as equally noisy here.
    """
    c, field = at.second1, loss.rough
    s = _weight(x)
    v = s**2
    parameters = _parameters(field, loss.own, at)
    eigenvalue = field.predictor_eigenvalue(s[None], parameters)
    size, pulled = 1.0, eigenvalue
    if kind.is_scale_free:
        first, second = jnp.sum(eigenvalue**2 * v * c), jnp.sum(v * c)
        size = 1 / (first * second)
        pulled = eigenvalue * jnp.sum(eigenvalue * v) / first
    residual = (c - 2 * pulled + pulled**2 * c) * c + (1 - pulled * c) ** 2
    strength = eigenvalue ** (2 * (1 - kind.beta)) * size
    return 4 * at.numbers[PROCESS] * at.scale * strength * residual


def pushes(kind: Kind, x: Array, added: Array) -> Array:
    r"""Root of what noise of batches adds to ln v: (modes,), or (modes, modes) of coupled modes.

    The gradient of a normalised loss is at right angles to all weights together, so that noise
    leaves Σv as it is: its root is √D (1 − u uᵀ), with D the variances that it adds, u ∝ √D v.

    Args:
        kind: Of the loss.
        x: ln v (modes,).
        added: Variance that noise adds to each (modes,).
    """
    root = jnp.sqrt(added)
    if not kind.is_coupled:
        return root
    if not kind.is_scale_free:
        return jnp.diag(root)
    held = root * jnp.exp(x - jnp.max(x))
    held /= jnp.sqrt(jnp.maximum(jnp.sum(held**2), 1e-300))
    return root[:, None] * (jnp.eye(len(x)) - held[:, None] * held)


def slopes(loss: Dynamics, kind: Kind, at: Now, x: Array) -> Array:
    """∂(d ln v/dt)/∂ ln v: of every mode (modes,), or of coupled modes (modes, modes)."""
    return _by(kind, _rate(loss.rough, loss.own, at), x)


def responses(
    loss: Dynamics, kind: Kind, numbers: Array, logs: Array, seconds: Array, x: Array
) -> Array:
    """Slopes of d ln v_m/dt in the logarithms that mode m has for itself (modal numbers, modes)."""

    def rate(row: int) -> Callable[[Array], Array]:
        def of(own: Array) -> Array:
            at = now(kind, numbers, logs.at[row].set(own), seconds)
            return _rate(loss.rough, loss.own, at)(x)

        return of

    found = [own_of(_by(kind, rate(row), logs[row])) for row in range(len(kind.modal))]
    return jnp.stack(found) if found else jnp.zeros_like(logs)


def own_of(slopes: Array) -> Array:
    """Of slopes or covariances those of each mode in itself (modes,)."""
    return jnp.diagonal(slopes) if slopes.ndim == 2 else slopes


def _by(kind: Kind, function: Callable[[Array], Array], x: Array) -> Array:
    """∂f/∂x, (modes,) where modes do not move each other, else (modes, modes)."""
    if kind.is_coupled:
        return jax.jacfwd(function)(x)
    return jax.jvp(function, (x,), (jnp.ones_like(x),))[1]
