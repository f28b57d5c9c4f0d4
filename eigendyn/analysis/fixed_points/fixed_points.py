"""Find the fixed points of a system in a window, and report each continuum once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import qmc

from eigendyn.analysis.fixed_points.averages import are_averaged
from eigendyn.analysis.fixed_points.continua import group
from eigendyn.analysis.fixed_points.exact_rests import rest_points
from eigendyn.analysis.fixed_points.linearisation import ZERO, FixedPoint, is_odd, judge, zero_size
from eigendyn.analysis.fixed_points.newton import (
    Dynamics,
    Rest,
    check_parameters,
    evaluate,
    settle,
)
from eigendyn.analysis.system import DynamicalSystem
from eigendyn.errors import InvalidSetting
from eigendyn.settings.checks import check_whole

SNAP = 2e-3  # share of the window within which a coordinate is zero if that is a fixed point too
MIDDLE = 0.5  # share of a continuum's extent in which the point reported for it stands
TOWARDS = 30  # steps along a continuum, towards the window's centre


@dataclass(frozen=True, eq=False)
class Search:
    """What was found, and what became of the starts.

    Args:
        found: The fixed points in the window.
        starts: Number of starts.
        outside: How many of them ended at fixed points outside of the window.
        unsettled: Where those ended that found none (points, coordinates): where the rates are
            least nearby, as in the ghost of a fixed point, or far away.
        undefined: Points in the window where only nodes are at rest, and the averages that they
            stand for do not exist (points, coordinates).
    """

    found: tuple[FixedPoint, ...]
    starts: int
    outside: int
    unsettled: NDArray
    undefined: NDArray


def fixed_points(
    system: Dynamics,
    low: ArrayLike,
    high: ArrayLike,
    *,
    starts: int = 512,
    seed: int = 0,
    tolerance: float = 1e-10,
    **parameters: float,
) -> tuple[FixedPoint, ...]:
    r"""Find the fixed points f(x) = 0 in a window, by damped Newton steps from many starts.

    x ← x − V S/(S² + μ) Uᵀ f with the Jacobian ∂f/∂x = U S Vᵀ and a damping μ that vanishes as f².
    Stability is told by the eigenvalues of ∂f/∂x, and along zero ones by the rates nearby.

    Where fixed points fill a line or surface, one of them is reported for all. s and −s are the
    same. `find_fixed_points` says beside them what became of the other starts.

    Args:
        system: A `DynamicalSystem`, or a plane of one.
        low: Lower corner of the window (coordinates,).
        high: Upper corner (coordinates,).
        starts: Number of starts.
        seed: Seed of the starts.
        tolerance: Largest absolute rate at a fixed point.
        parameters: Numbers by name, in the place of the system's own.

    Returns:
        The fixed points with eigenvalues and stability, nearest to zero first.

    Raises:
        InvalidSetting: An empty window, or fewer than two starts.
        UnknownName: A parameter that the system does not have.

    Source: Levenberg 1944, Marquardt 1963, with the damping of Yamashita and Fukushima 2001; fixed
    points of the Euclidean losses in closed form, derivations/bifurcations.py.

    Examples:
        >>> system = eigendyn.dynamical_system("euclidean", 1, weight_decay=0.16, sigma1=0)
        >>> for point in eigendyn.fixed_points(system, [0.0], [1.5], starts=32):
        ...     print((point.x**2).round(3), point.stability)
        [0.] stable
        [0.2] unstable
        [0.8] stable
    """
    window = (np.asarray(low, float), np.asarray(high, float))
    return find_fixed_points(
        system, *window, starts=starts, seed=seed, tolerance=tolerance, **parameters
    ).found


def find_fixed_points(
    system: Dynamics,
    low: ArrayLike,
    high: ArrayLike,
    *,
    starts: int = 512,
    seed: int = 0,
    tolerance: float = 1e-10,
    **parameters: float,
) -> Search:
    r"""Find the fixed points f(x) = 0 in a window, and what becomes of starts that lead to none.

    Half of the starts fill the window evenly, half its faces where singular values vanish; fixed
    points that symbols give (see `exact_rests`) are starts too. Arguments and errors are those of
    `fixed_points`.
    """
    check_parameters(system, parameters, find_fixed_points)
    low, high = check_window(low, high, len(system.names))
    first = _starts(system, low, high, check_whole("starts", starts, 2), seed)
    if isinstance(system, DynamicalSystem):
        exact = rest_points(system, **parameters)
        inside = ((exact >= low) & (exact <= high)).all(axis=1)
        first = np.concatenate([exact[inside], first])  # of points that are one, the first stays
    scale = float(np.linalg.norm(high - low))
    sizes = np.abs(evaluate(system, first, parameters).jacobian).max(axis=(1, 2))
    usual = float(np.median(sizes[np.isfinite(sizes)])) if np.isfinite(sizes).any() else 0.0

    def rested(points: NDArray) -> Rest:
        return settle(system, points, parameters, scale=scale, usual=usual)

    rest = rested(first)
    settled = rest.residual <= tolerance
    x = _folded(rest.x[settled], system.names)
    x = _snapped(system, x, SNAP * (high - low), tolerance, parameters)
    inside = ((x >= low - 1e-9 * scale) & (x <= high + 1e-9 * scale)).all(axis=1)
    found = []
    rests = evaluate(system, x[inside], parameters)
    for members, lines in group(rests, rested, scale, tolerance, ZERO):
        here, lines = rests.x[members], rests.x[lines]
        margin = (1 - MIDDLE) / 2 * np.ptp(here, axis=0)
        centre = np.clip((low + high) / 2, here.min(axis=0) + margin, here.max(axis=0) - margin)
        point = here[np.argmin(np.linalg.norm(here - centre, axis=1))]
        alone = judge(system, point, len(lines) > 0, **parameters)
        if len(lines):
            centred = _centred(system, alone, centre, rested, tolerance, parameters)
            alone = replace(centred, continuum=lines)
        found.append(alone)
    found.sort(key=lambda one: (round(float(np.linalg.norm(one.x)) / scale, 9), *one.x))
    places = np.array([one.x for one in found]).reshape(-1, len(system.names))
    exist = are_averaged(system, places, parameters)
    return Search(
        found=tuple(one for one, exists in zip(found, exist, strict=True) if exists),
        starts=starts,
        outside=int((~inside).sum()),
        unsettled=rest.x[rest.residual > tolerance],
        undefined=places[~exist],
    )


def check_window(low: ArrayLike, high: ArrayLike, size: int) -> tuple[NDArray, NDArray]:
    """Take a window's corners (coordinates,).

    Raises:
        InvalidSetting: It is empty, not finite, or has another number of coordinates.
    """
    low, high = (np.asarray(corner, float).ravel() for corner in (low, high))
    right = len(low) == len(high) == size and np.isfinite([low, high]).all()
    if not right or not (low < high).all():
        message = (
            f"A window needs finite corners of {size} coordinates, the lower one below the upper; "
            f"these are {low.tolist()} and {high.tolist()}. Try 0 and 2 in every coordinate."
        )
        raise InvalidSetting(message)
    return low, high


def _starts(system: Dynamics, low: NDArray, high: NDArray, count: int, seed: int) -> NDArray:
    """Starts (count, coordinates), the second half with a subset of the modes at zero."""
    modes = [name.rpartition("_")[2] for name in system.names]
    known = sorted(set(modes))
    fractions = qmc.Halton(len(modes) + len(known), seed=seed).random(count)
    points = low + (high - low) * fractions[:, : len(modes)]
    vanish = fractions[:, len(modes) :] < 0.5
    vanish[: count // 2] = False
    if all(map(is_odd, system.names)):  # everything is at zero, which is tried once
        vanish[vanish.all(axis=1)] = False
        vanish[-1] = True
    for column, name in enumerate(system.names):
        if is_odd(name) and low[column] <= 0 <= high[column]:
            points[vanish[:, known.index(modes[column])], column] = 0
    return points


def _folded(points: NDArray, names: tuple[str, ...]) -> NDArray:
    """Turn modes with negative singular values around."""
    points = points.copy()
    for column, name in enumerate(names):
        state, _, mode = name.rpartition("_")
        if state == "singular_value":
            others = [is_odd(other) and other.rpartition("_")[2] == mode for other in names]
            turned = np.flatnonzero(points[:, column] < 0)
            points[np.ix_(turned, np.flatnonzero(others))] *= -1
    return points


def _snapped(
    system: Dynamics, points: NDArray, near: NDArray, tolerance: float, parameters: Mapping
) -> NDArray:
    """Put coordinates at zero where they nearly are, if all points in between are fixed too.

    Newton's steps come to a fixed point of higher order, as s³ = 0, only slowly. Points beside
    which there are no rates are left out, as the origin under a cosine loss.
    """
    snapped = np.where(np.abs(points) < near, 0.0, points)
    there, half = (
        evaluate(system, x, parameters).residual for x in (snapped, (snapped + points) / 2)
    )
    rests = np.fmax(there, half) <= tolerance
    return np.where(rests[:, None], snapped, points)[~np.isnan(there)]


def _centred(
    system: Dynamics,
    start: FixedPoint,
    centre: NDArray,
    rested: Callable[[NDArray], Rest],
    tolerance: float,
    parameters: Mapping,
) -> FixedPoint:
    """Go along a continuum as near to the window's centre as it leads."""
    best = start
    for _ in range(TOWARDS):
        jacobian = evaluate(system, best.x[None], parameters).jacobian[0]
        _, sizes, rows = np.linalg.svd(jacobian)
        tangents = rows[sizes <= zero_size(sizes)]
        step = tangents.T @ (tangents @ (centre - best.x)) * (best.x != 0)
        after = judge(system, rested((best.x + step)[None]).x[0], True, **parameters)
        gain = np.linalg.norm(best.x - centre) - np.linalg.norm(after.x - centre)
        alike = after.stability == best.stability and after.zero_modes == best.zero_modes
        if gain <= 1e-9 * np.linalg.norm(centre) or not alike or after.residual > tolerance:
            break
        best = after
    return best
