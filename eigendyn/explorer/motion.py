"""A system of two coordinates enters; field, nullclines and trajectories of its plane leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from contourpy import contour_generator
from jax import Array
from numpy.typing import NDArray

from eigendyn.analysis.system import DynamicalSystem
from eigendyn.explorer.axes import Axis
from eigendyn.integrate.flow import flow

SAVES = 101
RTOL, ATOL = 1e-4, 1e-7  # of what a hand explores
MOST_STEPS = 500  # spectra that vanish under a cosine loss grow stiff
SLOWEST = 1e-9  # rate at which the way back is at rest
BATCH = 64  # trajectories that are integrated in lockstep
Parameters = Mapping[str, float]


@dataclass(frozen=True)
class Motion:
    """The motion on a plane, in what its axes show: squares of coordinates, or themselves.

    Args:
        system: A system of two coordinates.
        axes: Horizontal and vertical axis.
    """

    system: DynamicalSystem
    axes: tuple[Axis, Axis]

    def grid(self, points: int) -> tuple[NDArray, NDArray]:
        """Points (points, points) of a grid over the plane, away from its edges."""
        sides = [(np.arange(points) + 0.5) * axis.top / points for axis in self.axes]
        return tuple(np.meshgrid(*sides))  # pyright: ignore[reportReturnType]

    def rates(self, across: NDArray, up: NDArray, parameters: Parameters) -> NDArray:
        """Rates of change (2, …) of what the axes show, at points of the plane."""
        shown = np.stack([across.ravel(), up.ravel()], axis=-1)
        found = _rates(self.system, self.coordinates(shown), dict(parameters))
        slope = np.where(self._squared, 2 * self._root(shown), 1.0)
        return (np.asarray(found)[:, self._order] * slope).T.reshape(2, *across.shape)

    def nullclines(self, across: NDArray, up: NDArray, rates: NDArray) -> list[list[NDArray]]:
        """Branches (points, 2) on which the first, and the second, of the axes does not move."""
        return [
            [np.asarray(line) for line in contour_generator(across, up, rate).lines(0.0)]
            for rate in rates
        ]

    def trajectory(
        self, start: tuple[float, float], parameters: Parameters, duration: float
    ) -> tuple[NDArray, NDArray]:
        """Times (times,), and points (times, 2), from a start; cut where it could not go on."""
        times = duration * np.linspace(0, 1, SAVES) ** 3  # most happens at first
        states = self.coordinates(np.array(start)).reshape(-1, self.system.modes)
        known = {**self.system.parameters, **parameters}
        path = np.array(_path(self.system.vector_field, states, jnp.asarray(times), known))
        path[0] = states
        shown = self.shown(path.reshape(SAVES, -1))
        count = int(np.isfinite(shown).all(axis=1).cumprod().sum())
        return times[:count], shown[:count]

    def backward(self, coordinates: NDArray, parameters: Parameters) -> NDArray:
        """Points (points, 2) that lead to coordinates of the system, as far as the edge.

        The way back is followed by its length, since it may leave the plane in a finite time.
        """
        tops = np.array([axis.top for axis in self.axes])
        longest = 2 * float(np.linalg.norm(self.coordinates(tops)))
        lengths = jnp.linspace(0, longest, SAVES)
        states = jnp.asarray(coordinates).reshape(-1, self.system.modes)
        known = {**self.system.parameters, **parameters}
        path = np.array(_back(self.system.vector_field, states, lengths, known))
        path[0] = states
        shown = self.shown(path.reshape(SAVES, -1))
        inside = ((shown >= 0) & (shown <= tops)).all(axis=1)
        count = int(inside.cumprod().sum())
        if count in (0, SAVES) or not np.isfinite(shown[count]).all():
            return shown[:count]
        last, step = shown[count - 1], shown[count] - shown[count - 1]
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = np.where(step > 0, (tops - last) / step, np.where(step < 0, -last / step, 1))
        return np.vstack([shown[:count], last + shares.min() * step])

    def ends(
        self, across: NDArray, up: NDArray, parameters: Parameters, duration: float
    ) -> NDArray:
        """Coordinates (starts, 2) where starts on the plane end; NaN where that is unknown."""
        starts = self.coordinates(np.stack([across.ravel(), up.ravel()], axis=-1))
        states = jnp.asarray(starts).reshape(len(starts), -1, self.system.modes)
        known = {**self.system.parameters, **parameters}
        found = np.asarray(_ends(self.system.vector_field, states, jnp.asarray(duration), known))
        return np.where(np.isfinite(found), found, np.nan).reshape(len(starts), -1)

    def shown(self, coordinates: NDArray) -> NDArray:
        """Points of the plane (…, 2) at coordinates of the system (…, 2)."""
        ordered = coordinates[..., self._order]
        return np.where(self._squared, ordered**2, ordered)

    @property
    def _order(self) -> list[int]:
        return [axis.coordinate for axis in self.axes]

    @property
    def _squared(self) -> NDArray:
        return np.array([axis.squared for axis in self.axes])

    def _root(self, shown: NDArray) -> NDArray:
        return np.where(self._squared, np.sqrt(np.maximum(shown, 0)), shown)

    def coordinates(self, shown: NDArray) -> NDArray:
        """Coordinates of the system (…, 2) at points of the plane (…, 2)."""
        return self._root(shown)[..., np.argsort(self._order)]


@jax.jit
def _rates(system: DynamicalSystem, points: Array, parameters: Parameters) -> Array:
    return jax.vmap(lambda x: system(x, **parameters))(points)


@jax.jit
def _path(field, states: Array, times: Array, parameters: Parameters) -> Array:
    solution = flow(field, states, times, parameters, rtol=RTOL, atol=ATOL, max_steps=MOST_STEPS)
    return solution.ys  # pyright: ignore[reportReturnType]


@jax.jit
def _back(field, states: Array, lengths: Array, parameters: Parameters) -> Array:
    def direction(time: Array, state: Array, numbers: Parameters) -> Array:
        rate = field(time, state, numbers)
        return -rate / (jnp.linalg.norm(rate) + SLOWEST)

    solution = flow(
        direction,  # pyright: ignore[reportArgumentType]
        *(states, lengths, parameters),
        rtol=RTOL,
        atol=ATOL,
        max_steps=MOST_STEPS,
    )
    return solution.ys  # pyright: ignore[reportReturnType]


@jax.jit
def _ends(field, states: Array, duration: Array, parameters: Parameters) -> Array:
    times = jnp.stack([jnp.zeros_like(duration), duration])

    def end(start: Array) -> Array:
        found = flow(field, start, times, parameters, rtol=RTOL, atol=ATOL, max_steps=MOST_STEPS)
        return found.ys[-1]  # pyright: ignore[reportOptionalSubscript]

    return jax.lax.map(end, states, batch_size=BATCH)
