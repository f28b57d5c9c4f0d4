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
        found = _rates(self.system, self._coordinates(shown), dict(parameters))
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
        states = self._coordinates(np.array(start)).reshape(-1, self.system.modes)
        known = {**self.system.parameters, **parameters}
        path = np.array(_path(self.system.vector_field, states, jnp.asarray(times), known))
        path[0] = states
        path = path.reshape(SAVES, -1)[:, self._order]
        shown = np.where(self._squared, path**2, path)
        count = int(np.isfinite(shown).all(axis=1).cumprod().sum())
        return times[:count], shown[:count]

    @property
    def _order(self) -> list[int]:
        return [axis.coordinate for axis in self.axes]

    @property
    def _squared(self) -> NDArray:
        return np.array([axis.squared for axis in self.axes])

    def _root(self, shown: NDArray) -> NDArray:
        return np.where(self._squared, np.sqrt(np.maximum(shown, 0)), shown)

    def _coordinates(self, shown: NDArray) -> NDArray:
        """Coordinates of the system (…, 2) at points of the plane (…, 2)."""
        return self._root(shown)[..., np.argsort(self._order)]


@jax.jit
def _rates(system: DynamicalSystem, points: Array, parameters: Parameters) -> Array:
    return jax.vmap(lambda x: system(x, **parameters))(points)


@jax.jit
def _path(field, states: Array, times: Array, parameters: Parameters) -> Array:
    solution = flow(field, states, times, parameters, rtol=RTOL, atol=ATOL, max_steps=MOST_STEPS)
    return solution.ys  # pyright: ignore[reportReturnType]
