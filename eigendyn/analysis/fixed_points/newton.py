"""Settle many starts on zeros of a vector field by damped Newton steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import ArrayLike, NDArray

from eigendyn.settings.checks import check_is
from eigendyn.settings.keywords import check_keywords, keywords_of

FLOOR = 1e-10  # Jacobians' singular values below this share of the usual are round-off
FARTHEST = 3.0  # distance from a start, in units of the scale, at which it is given up
EASE = 8.0  # factor on the damping after a step that helped, or did not
CONSERVED = 1e-6  # relative change at which a quantity is still conserved
ROUND_OFF = 1e-12  # … and absolute
MOST_STEPS = 200  # from one start
CHUNK = 8  # starts that are followed at once
VANISHED = 1e-14  # share of the usual rates that is no rate any more
STUCK = 1e12  # damping at which no step helps any more


class Dynamics(Protocol):
    """What fixed points are sought of: a `DynamicalSystem`, or a plane of one.

    A pytree that returns the rates (coordinates,) at x (coordinates,).
    """

    @property
    def names(self) -> tuple[str, ...]:
        """Name of every coordinate."""
        ...

    @property
    def parameters(self) -> Mapping[str, float]:
        """Numbers by name."""
        ...

    @property
    def conserved(self) -> Mapping[str, Callable[[Array], Array]]:
        """Pytrees that are functions of x (see `jax.tree_util.Partial`) and stay constant."""
        ...

    def __call__(self, x: Array, **parameters: Array | float) -> Array:
        """Rates of change (coordinates,)."""
        ...


@dataclass(frozen=True)
class Rest:
    """Where every start ended.

    Args:
        x: Points (starts, coordinates).
        residual: Largest absolute rate there (starts,); NaN where there are no rates.
        jacobian: Jacobians there (starts, coordinates, coordinates) [1/time].
    """

    x: NDArray
    residual: NDArray
    jacobian: NDArray


def settle(
    system: Dynamics,
    starts: ArrayLike,
    parameters: Mapping[str, float],
    *,
    scale: float,
    usual: float,
) -> Rest:
    r"""Take damped Newton steps from all starts.

    δ = −V S/(S² + μ) Uᵀ f with the Jacobian U S Vᵀ and μ = damping · |f|²/scale², so that the
    steps become Newton's as f vanishes; along zero modes nothing moves. A step that does not
    shrink |f| is not taken, and no step is longer than the scale. Steps stay on the level sets of
    what is conserved, each of which has fixed points of its own.

    Args:
        system: Rates of change.
        starts: Starts (starts, coordinates).
        parameters: Numbers by name, in the place of the system's own.
        scale: Typical distance of fixed points, which the damping is counted in.
        usual: Size of a usual entry of the Jacobian; far below it there is only round-off.

    Returns:
        The points, converged or not.

    Source: Levenberg 1944, Marquardt 1963, with the damping of Yamashita & Fukushima 2001.
    """
    conserved = tuple(conserved_here(system, starts, parameters).values())
    numbers = all_numbers(system, parameters)

    def of(points: Array) -> Array:
        return _settle(system, points, scale, usual, numbers, conserved)

    (x,) = _in_chunks(of, starts)
    return evaluate(system, x, parameters)


def evaluate(system: Dynamics, points: ArrayLike, parameters: Mapping[str, float]) -> Rest:
    """Take residuals and Jacobians where the points (points, coordinates) are."""
    numbers = all_numbers(system, parameters)
    rates, jacobian = _in_chunks(lambda x: _evaluate(system, x, numbers), points)
    return Rest(np.asarray(points), np.abs(rates).max(axis=1, initial=0.0), jacobian)


def rates_at(system: Dynamics, points: ArrayLike, parameters: Mapping[str, float]) -> NDArray:
    """Rates (points, coordinates) at the points (points, coordinates)."""
    numbers = all_numbers(system, parameters)
    return _in_chunks(lambda x: _evaluate(system, x, numbers), points)[0]


def gradient(quantity: Callable[[Array], Array], x: NDArray) -> NDArray:
    """Gradient (coordinates,) of the sum of a quantity's values at x (coordinates,)."""
    return np.asarray(_gradient(quantity, x))


def all_numbers(system: Dynamics, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Every number of a system by name: compiled code is the same, whichever of them are given.

    Those that modes have each for themselves are tables (1, modes).
    """
    return {
        name: np.asarray(v, float) if np.ndim(v) else float(v)
        for name, v in {**system.parameters, **parameters}.items()
    }


def _in_chunks(function: Callable, points: ArrayLike) -> list[NDArray]:
    """Map over points (points, coordinates), always as many at once: compiled code serves all."""
    rows = np.asarray(points, float)
    parts = []
    for first in range(0, max(1, len(rows)), CHUNK):
        some = rows[first : first + CHUNK]
        filled = np.pad(some, ((0, CHUNK - len(some)), (0, 0)))
        result = function(filled)
        arrays = result if isinstance(result, tuple) else (result,)
        parts.append([np.asarray(array)[: len(some)] for array in arrays])
    return [np.concatenate(column) for column in zip(*parts, strict=True)]


def conserved_here(
    system: Dynamics, points: ArrayLike, parameters: Mapping[str, float]
) -> dict[str, Callable[[Array], Array]]:
    """Take the quantities Q with ∇Q · f = 0 at all points: other parameters may break some."""
    kept, numbers = {}, all_numbers(system, parameters)
    for name, quantity in system.conserved.items():

        def changes(x: Array, quantity: Callable = quantity) -> tuple[Array, Array]:
            return _changes(system, quantity, x, numbers)

        change, size = _in_chunks(changes, points)
        if np.nanmax(change - CONSERVED * size, initial=-np.inf) <= ROUND_OFF:
            kept[name] = quantity
    return kept


def check_parameters(
    system: Dynamics, parameters: Mapping[str, object], verb: Callable[..., Any] | None = None
) -> None:
    """Check that a system has the parameters.

    Args:
        system: The system.
        parameters: By name.
        verb: The function that took them as keywords, beside its own.

    Raises:
        InvalidSetting: It is no system.
        UnknownName: It does not have one.
    """
    is_system = callable(system) and hasattr(system, "names") and hasattr(system, "parameters")
    check_is("system", system, is_system, "what eigendyn.dynamical_system(loss) gives")
    if verb is None:
        check_keywords("parameter of this system", parameters, system.parameters)
    else:
        check_keywords("keyword", parameters, [*keywords_of(verb), *system.parameters])


@jax.jit
def _changes(system, quantity, points, parameters):
    def of(x):
        terms = _gradient(quantity, x) * system(x, **parameters)
        return jnp.abs(terms.sum()), jnp.abs(terms).sum()

    return jax.vmap(of)(points)


@jax.jit
def _gradient(quantity, x):
    return jax.grad(lambda point: jnp.sum(quantity(point)))(x)


@jax.jit
def _evaluate(system, points, parameters):
    def of(x):
        return system(x, **parameters)

    # One after the other: nodes and modes of one point stay in the cache.
    return jax.lax.map(lambda x: (of(x), jax.jacfwd(of)(x)), points)


@jax.jit
def _settle(system, starts, scale, usual, parameters, conserved):
    def rate(x):
        return system(x, **parameters)

    floor, nothing = FLOOR * usual, VANISHED * usual * scale

    def along_levels(x):
        unit = jnp.eye(x.size)
        if not conserved:
            return unit
        across = jnp.stack([_gradient(quantity, x) for quantity in conserved])
        return unit - jnp.linalg.pinv(across) @ across

    def goes_on(state):
        _, rates, damping, moving, count = state
        moves = moving & (jnp.abs(rates).max() > nothing)
        return (count < MOST_STEPS) & (damping < STUCK) & moves

    def step(start, state):
        x, rates, damping, _, count = state
        left, sizes, right = jnp.linalg.svd(jax.jacfwd(rate)(x) @ along_levels(x))
        mu = damping * jnp.sum(rates**2) / scale**2 + floor**2
        change = -right.T @ (sizes / (sizes**2 + mu) * (left.T @ rates))
        new = x + change * jnp.minimum(1.0, scale / jnp.linalg.norm(change))
        new_rates = rate(new)
        helps = jnp.sum(new_rates**2) < jnp.sum(rates**2)  # also false where there are no rates
        moving = jnp.any(jnp.abs(new - x) > jnp.finfo(x.dtype).eps * jnp.abs(x))
        near = jnp.linalg.norm(new - start) < FARTHEST * scale
        return (
            jnp.where(helps, new, x),
            jnp.where(helps, new_rates, rates),
            jnp.where(helps, damping / EASE, damping * EASE),
            moving & near,
            count + 1,
        )

    def from_start(start):
        first = (start, rate(start), 1.0, True, 0)
        return jax.lax.while_loop(goes_on, partial(step, start), first)[0]

    return jax.lax.map(from_start, starts)
