"""Compute field, nullclines and trajectories on the plane of two coordinates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Unpack

import jax
import jax.numpy as jnp
import numpy as np
from contourpy import contour_generator
from jax import Array
from numpy.typing import NDArray

from eigendyn.analysis.bifurcations.branches import runs
from eigendyn.analysis.fixed_points.newton import all_numbers
from eigendyn.analysis.plane.axes import Axis, axes
from eigendyn.analysis.plane.explored import plane_system
from eigendyn.analysis.plane.slice import Slice
from eigendyn.analysis.system import LARGEST, DynamicalSystem
from eigendyn.errors import InvalidSetting, NoProgram
from eigendyn.settings.given import GivenSettings
from eigendyn.settings.keywords import takes
from eigendyn.settings.run_settings import Settings, with_closure_accuracy
from eigendyn.settings.wording import short
from eigendyn.simulation.engines.in_jax.flow import integrate
from eigendyn.simulation.engines.lanes.ensemble import compile_ahead, compiled_ensemble
from eigendyn.theory.derive import ModeDynamics
from eigendyn.theory.losses import SymbolicLoss

ACCURACY = 1e-6  # of an exact closure's quadrature
SAVES = 101
RTOL, ATOL = 1e-4, 1e-7  # of what a hand explores
MOST_STEPS = 500  # spectra that vanish under a cosine loss grow stiff
NEARLY, TOUCHES = 1e-2, 1e-6  # shares of usual rates: might touch zero, and does
SLOWEST = 1e-9  # rate at which the way back is at rest
BATCH = 64  # trajectories without machine code that are integrated in lockstep
Parameters = Mapping[str, float]
Plane = DynamicalSystem | Slice


@takes(Settings)
def phase_plane(
    loss: str | SymbolicLoss | ModeDynamics = "cosine",
    *,
    modes: int | None = None,
    held: Mapping[str, float] | None = None,
    window: Sequence[float] | None = None,
    **settings: Unpack[GivenSettings],
) -> Motion:
    """Take the plane of two modes' variances, or of two states of one mode.

    dv_m/dt = 2 (E[z1_m δ1_m] + E[z2_m δ2_m] − ω v_m) for both modes; on a nullcline one of them is
    zero, where nullclines cross lie fixed points.

    Args:
        loss: Name of a loss or model, or one of your own.
        modes: Number of modes; None takes two with one state, or one with several.
        held: Values of all states but two, such as {"variance3": 0.5}.
        window: Where both axes end; None takes 2 for variances and √2 for singular values.
        settings: Fields of `Settings`.

    Returns:
        The motion on the plane: field, nullclines and trajectories.

    Raises:
        InvalidSetting: Not two free states, an empty window, or a plane on which nothing moves.
        UnknownName: A state that the system does not have.
        The errors of `dynamical_system` otherwise.

    Source: Halvagal et al. 2023, eigenspace dynamics; Strogatz, Nonlinear Dynamics and Chaos, phase
    planes.

    Examples:
        >>> plane = eigendyn.phase_plane("euclidean", weight_decay=0.16, sigma1=0)
        >>> plane.rates(np.array([0.5]), np.array([0.8]), {}).round(3).tolist()
        [[0.09], [0.0]]
    """
    ends = None if window is None else _window(window)
    values = np.array([*(ends or ()), *(held or {}).values(), LARGEST])
    largest = values[np.isfinite(values)].max()
    accurate = with_closure_accuracy(settings, ACCURACY)
    system, dynamics = plane_system(loss, modes, held, largest, **accurate)
    return Motion(system, axes(system, dynamics, ends))


def _window(given: Sequence[float]) -> tuple[float, float]:
    ends = tuple(map(float, given))
    if len(ends) != 2 or not all(0 < end < np.inf for end in ends):
        message = (
            "A window needs two numbers > 0, where the axis across and the one up end, not "
            f"{','.join(f'{end:g}' for end in ends)}. Try `window=(2, 2)`."
        )
        raise InvalidSetting(message)
    return ends  # pyright: ignore[reportReturnType]


@dataclass(frozen=True)
class Motion:
    """The motion on a plane, in what its axes show: squares of coordinates, or themselves.

    Args:
        system: A system of two coordinates.
        axes: Horizontal and vertical axis.
    """

    system: Plane
    axes: tuple[Axis, Axis]

    def grid(self, points: int) -> tuple[NDArray, NDArray]:
        """Points (points, points) of a grid over the plane, away from its edges."""
        sides = [(np.arange(points) + 0.5) * axis.top / points for axis in self.axes]
        return tuple(np.meshgrid(*sides))  # pyright: ignore[reportReturnType]

    def rates(self, across: NDArray, up: NDArray, parameters: Parameters) -> NDArray:
        """Rates of change (2, …) of what the axes show, at points of the plane."""
        shown = np.stack([across.ravel(), up.ravel()], axis=-1)
        found = _rates(self.system, self.coordinates(shown), all_numbers(self.system, parameters))
        slope = np.where(self._squared, 2 * self._root(shown), 1.0)
        return (np.asarray(found)[:, self._order] * slope).T.reshape(2, *across.shape)

    def nullclines(
        self, across: NDArray, up: NDArray, rates: NDArray, parameters: Parameters | None = None
    ) -> list[list[NDArray]]:
        """Branches (points, 2) on which the first, and the second, of the axes does not move.

        Where a rate touches zero without changing its sign, its slope does: looked for if the
        parameters are given with which the rates were taken.
        """
        found = [
            [np.asarray(line) for line in contour_generator(across, up, rate).lines(0.0)]
            for rate in rates
        ]
        if parameters is not None:
            for which, rate in enumerate(rates):
                found[which] += self._touching(across, up, rate, which, parameters)
        return found

    def _touching(
        self, across: NDArray, up: NDArray, rate: NDArray, which: int, parameters: Parameters
    ) -> Iterator[NDArray]:
        """Branches on which a rate on a grid touches zero."""
        sizes = np.abs(rate[np.isfinite(rate)])
        usual = float(np.quantile(sizes, 0.9)) if len(sizes) else 0.0
        closest = contour_generator(across, up, np.abs(rate)).lines(NEARLY * usual)
        if usual == 0 or not len(closest):
            return
        steps = up[1, 0] - up[0, 0], across[0, 1] - across[0, 0]
        for slope in np.gradient(rate, *steps):
            if not np.nanmax(np.abs(slope)) > TOUCHES * usual:
                continue  # it does not depend on this axis
            for line in map(np.asarray, contour_generator(across, up, slope).lines(0.0)):
                found = np.abs(self.rates(line[:, 0], line[:, 1], parameters)[which])
                at_rest = found <= TOUCHES * usual
                for start, stop in runs(at_rest):
                    if at_rest[start] and stop - start > 1:
                        yield line[start:stop]

    def trajectories(
        self, starts: Sequence[tuple[float, float]], parameters: Parameters, duration: float
    ) -> list[tuple[NDArray, NDArray]]:
        """Times (times,), and points (times, 2), from every start; cut where one can't go on."""
        if not starts:
            return []
        times = duration * np.linspace(0, 1, SAVES) ** 3  # most happens at first
        paths = self.shown(self._paths(self.coordinates(np.array(starts)), times, parameters))
        counts = np.isfinite(paths).all(axis=2).cumprod(axis=1).sum(axis=1)
        return [(times[:n], path[:n]) for path, n in zip(paths, counts, strict=True)]

    def compile_ahead(self) -> None:
        """Compile what follows trajectories, so that none has to wait for it."""
        if isinstance(self.system, DynamicalSystem):
            with suppress(NoProgram):
                compile_ahead(self.system.program, self.system.modes, _across(self.system))

    def backward(self, coordinates: NDArray, parameters: Parameters) -> NDArray:
        """Points (points, 2) that lead to coordinates of the system, as far as the edge.

        The way back is followed by its length, since it may leave the plane in a finite time.
        """
        tops = np.array([axis.top for axis in self.axes])
        longest = 2 * float(np.linalg.norm(self.coordinates(tops)))
        lengths = jnp.linspace(0, longest, SAVES)
        numbers = all_numbers(self.system, parameters)
        path = np.array(_back(self.system, jnp.asarray(coordinates), lengths, numbers))
        path[0] = coordinates
        shown = self.shown(path)
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
        found = self._paths(starts, np.array([0.0, duration]), parameters)[:, -1]
        return np.where(np.isfinite(found), found, np.nan)

    def _paths(self, starts: NDArray, times: NDArray, parameters: Parameters) -> NDArray:
        """Coordinates (starts, times, 2) from starts (starts, 2), NaN after a failure."""
        if isinstance(self.system, DynamicalSystem):
            with suppress(NoProgram):
                return self._compiled_paths(self.system, starts, times, parameters)
        numbers = all_numbers(self.system, parameters)
        found = np.array(_flows(self.system, starts, jnp.asarray(times), numbers))
        found[:, 0] = starts
        return found

    def _compiled_paths(
        self, system: DynamicalSystem, starts: NDArray, times: NDArray, parameters: Parameters
    ) -> NDArray:
        found = compiled_ensemble(
            system.vector_field.nodes,
            system.program,
            starts.reshape(len(starts), -1, system.modes),
            times,
            {**system.parameters, **parameters},
            rtol=RTOL,
            atol=ATOL,
            max_steps=MOST_STEPS,
            across=_across(system),
        )
        return found.values.reshape(*starts.shape, -1).swapaxes(1, 2)

    def shown(self, coordinates: NDArray) -> NDArray:
        """Points of the plane (…, 2) at coordinates of the system (…, 2)."""
        ordered = coordinates[..., self._order]
        return np.where(self._squared, ordered**2, ordered)

    @property
    def title(self) -> str:
        """The loss, and what is held."""
        held = [self.system.holding] if isinstance(self.system, Slice) else []
        return ", ".join([short(self.system.name), *held])

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


def _across(system: DynamicalSystem) -> str:
    return "nodes" if system.program.node_names else "trajectories"


@jax.jit
def _rates(system: Plane, points: Array, parameters: Parameters) -> Array:
    # One after the other: nodes and modes of one point stay in the cache, 4 times as fast as vmap.
    return jax.lax.map(lambda x: system(x, **parameters), points)


@jax.jit
def _flows(system: Plane, starts: Array, times: Array, parameters: Parameters) -> Array:
    def rates(_: Array, x: Array, numbers: Parameters) -> Array:
        return system(x, **numbers)

    def path(start: Array) -> Array:
        return _followed(rates, start, times, parameters)

    return jax.lax.map(path, starts, batch_size=BATCH)


@jax.jit
def _back(system: Plane, start: Array, lengths: Array, parameters: Parameters) -> Array:
    def direction(_: Array, x: Array, numbers: Parameters) -> Array:
        rate = system(x, **numbers)
        return -rate / (jnp.linalg.norm(rate) + SLOWEST)

    return _followed(direction, start, lengths, parameters)


def _followed(rates: Callable, start: Array, times: Array, parameters: Parameters) -> Array:
    found = integrate(
        rates,  # pyright: ignore[reportArgumentType]
        *(start, times, parameters),
        rtol=RTOL,
        atol=ATOL,
        max_steps=MOST_STEPS,
    )
    return found.ys  # pyright: ignore[reportReturnType]
