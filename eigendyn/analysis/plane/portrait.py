"""Find the fixed points of a plane, their stable manifolds and basins of attraction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from eigendyn.analysis.fixed_points.fixed_points import FixedPoint, find_fixed_points
from eigendyn.analysis.fixed_points.newton import evaluate
from eigendyn.analysis.plane.motion import Motion, Parameters

ASIDE = 1e-4  # distance from a saddle at which its manifold is entered, as a share of the plane
CLOSE = 0.02  # of the plane, within which a trajectory has arrived at a fixed point


@dataclass(frozen=True, eq=False)
class Rests:
    """Fixed points on a plane.

    Args:
        points: Fixed points, in the system's coordinates.
        shown: The same on the plane (points, 2).
        continua: For each, the lines (lines, 2, 2) on the plane of which it is one point.
        unsettled: Number of starts that found none.
        undefined: Number of points left out, where averages of the closure do not exist.
    """

    points: tuple[FixedPoint, ...]
    shown: NDArray
    continua: tuple[NDArray, ...]
    unsettled: int
    undefined: int


def rests(motion: Motion, parameters: Parameters, starts: int = 512) -> Rests:
    """Find the fixed points on a plane, from so many starts (see `fixed_points`)."""
    tops = np.array([axis.top for axis in motion.axes])
    high = motion.coordinates(tops)
    numbers: dict[str, Any] = dict(parameters)
    window = (np.zeros_like(high), high)
    found = find_fixed_points(motion.system, *window, starts=starts, **numbers)
    points = found.found
    shown = np.array([motion.shown(point.x) for point in points]).reshape(-1, 2)
    continua = tuple(motion.shown(point.continuum) for point in points)
    return Rests(points, shown, continua, len(found.unsettled), len(found.undefined))


def separatrices(
    motion: Motion, points: Sequence[FixedPoint], parameters: Parameters
) -> list[NDArray]:
    """Stable manifolds of saddles, by integrating backwards from beside them.

    They part the basins. Each has two branches (points, 2), of which those on the plane are given.
    """
    branches = []
    for point in points:
        if point.stability != "saddle":
            continue
        (jacobian,) = evaluate(motion.system, point.x[None], parameters).jacobian
        values, vectors = np.linalg.eig(jacobian)
        for value, vector in zip(np.real(values), np.real(vectors).T, strict=True):
            if value >= 0:
                continue
            for side in (1, -1):
                beside = point.x + side * ASIDE * vector
                if (beside >= -ASIDE / 2).all():
                    branches.append(motion.backward(np.maximum(beside, 0), parameters))
    return [branch for branch in branches if len(branch) > 1]


def basins(
    motion: Motion,
    points: Sequence[FixedPoint],
    parameters: Parameters,
    duration: float,
    resolution: int,
) -> tuple[NDArray, NDArray, NDArray]:
    """Label every start of a grid by the stable fixed point at which it ends.

    Returns:
        Across, up (resolution, resolution), and the index of the fixed point, −1 where the
        trajectory is at none when the time is over.
    """
    across, up = motion.grid(resolution)
    ends = motion.shown(motion.ends(across, up, parameters, duration))
    tops = np.array([axis.top for axis in motion.axes])
    labels = np.full(len(ends), -1)
    for index, point in enumerate(points):
        if point.stability != "stable":
            continue
        places = np.concatenate([point.x[None], point.continuum.reshape(-1, len(point.x))])
        away = np.abs(ends[:, None] - motion.shown(places)) / tops
        labels[(away.max(axis=-1) < CLOSE).any(axis=1)] = index
    return across, up, labels.reshape(across.shape)


def conserved_levels(motion: Motion, across: NDArray, up: NDArray) -> Mapping[str, NDArray]:
    """Values (points, points) of what the dynamics conserve, by name, on a grid of the plane."""
    places = jnp.asarray(motion.coordinates(np.stack([across.ravel(), up.ravel()], axis=-1)))
    return {
        name: np.asarray(jax.vmap(lambda x, of=quantity: jnp.sum(of(x)))(places)).reshape(
            across.shape
        )
        for name, quantity in motion.system.conserved.items()
    }
